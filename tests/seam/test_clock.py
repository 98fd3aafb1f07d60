"""The service's time, by the dates of its answers."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.azure.clock import ServiceClock

_SOON = timedelta(seconds=5)


@pytest.mark.parametrize("wrong_by", [timedelta(days=-400), timedelta(hours=3), timedelta(0)])
def test_the_services_date_holds_however_wrong_this_machine_is(wrong_by: timedelta) -> None:
    """Time runs on from there."""
    clock = ServiceClock()
    theirs = datetime.now(UTC) + wrong_by
    clock.hear(format_datetime(theirs, usegmt=True))
    assert abs(clock.now() - theirs) < _SOON


def test_time_runs_on_between_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that nobody sets."""
    clock, began = ServiceClock(), time.monotonic()
    clock.hear("Fri, 20 Nov 2026 10:00:00 GMT")
    monkeypatch.setattr(time, "monotonic", lambda: began + 3600)
    assert abs(clock.now() - datetime(2026, 11, 20, 11, tzinfo=UTC)) < _SOON


def test_the_last_answer_counts() -> None:
    """Each sets it anew."""
    clock = ServiceClock()
    clock.hear("Fri, 20 Nov 2026 10:00:00 GMT")
    clock.hear("Fri, 20 Nov 2026 09:00:00 GMT")
    assert abs(clock.now() - datetime(2026, 11, 20, 9, tzinfo=UTC)) < _SOON


@pytest.mark.parametrize("date", [None, "", "yesterday", "Fri, 99 Nov 2026 10:00:00 GMT"])
def test_what_is_no_date_changes_nothing(date: str | None) -> None:
    """It stays as it was."""
    clock = ServiceClock()
    clock.hear("Fri, 20 Nov 2026 10:00:00 GMT")
    clock.hear(date)
    assert abs(clock.now() - datetime(2026, 11, 20, 10, tzinfo=UTC)) < _SOON


def test_until_the_service_says_something_this_machines_time_has_to_do() -> None:
    """And it is of UTC."""
    now = ServiceClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(UTC)) < _SOON


@given(st.one_of(st.text(), st.from_regex(r"(Mon, )?\d{1,5} [JFM][a-z]{2} \d{1,6} \d+:\d+:\d+ [+-]?\w{0,6}")))
def test_no_date_breaks_it(date: str) -> None:
    """Whatever an answer says, there is a time with a zone."""
    clock = ServiceClock()
    clock.hear(date)
    assert clock.now().tzinfo
