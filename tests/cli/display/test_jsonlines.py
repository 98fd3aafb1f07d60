"""Events for programs."""

import io
import json
import os
import stat
import sys
import types
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.cli.display.jsonlines import JsonLines, open_log, record
from fastbatch.cli.display.streams import Stream
from fastbatch.errors import UsageError
from fastbatch.events import Event, InputFailed, NodesCounted, Noticed
from tests.cli.display import NOW, ODD, ODD_RUN, RUN, Clock

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def test_a_line_is_an_event_with_its_time() -> None:
    """In UTC, to the millisecond."""
    assert record(Noticed("Grüße"), NOW) == '{"event": "noticed", "time": "2026-11-21T15:36:53.123Z", "text": "Grüße"}'


@pytest.mark.parametrize(
    "time", [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))]
)
def test_a_time_is_utc_and_always_as_long(time: datetime) -> None:
    """Also where the clock is another zone's, and at a whole second."""
    assert json.loads(record(Noticed(""), time))["time"] == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize("event", RUN + ODD_RUN, ids=lambda event: event.kind)
def test_every_event_is_one_line_of_json(event: Event) -> None:
    """With all its fields."""
    line = record(event, NOW)
    assert line.splitlines() == [line]
    assert line.encode()
    assert json.loads(line).keys() == event.json().keys() | {"time"}
    assert json.loads(line)["event"] == event.kind


def test_a_mapping_of_any_type_is_an_object() -> None:
    """Also one that can't be changed."""
    states = types.MappingProxyType({"idle": 2})
    assert json.loads(record(NodesCounted(states), NOW))["states"] == {"idle": 2}


@given(st.text())
def test_any_text_is_read_again_as_it_was(text: str) -> None:
    """And nothing in the line steers a terminal, or ends the line."""
    line = record(Noticed(text), NOW)
    assert json.loads(line)["text"] == text
    assert line.isprintable()


def test_a_name_that_is_no_text_is_there_without_loss() -> None:
    """The line itself is sound."""
    line = record(InputFailed("\udcff.txt", "odd \udc80 \ud800"), NOW)
    fields = json.loads(line.encode())
    assert (fields["name_b64"], fields["reason"]) == ("/y50eHQ=", "odd \ufffd \ufffd")


def test_each_line_is_handed_over_at_once() -> None:
    """So that who reads it need not wait."""
    raw = io.BytesIO()
    records = JsonLines(Stream(io.TextIOWrapper(raw, encoding="utf-8")), Clock().now)
    for number, event in enumerate(RUN, 1):
        records.take(event)
        assert raw.getvalue().count(b"\n") == number


def test_a_log_file_is_appended_to(tmp_path: Path) -> None:
    """What was there stays."""
    path = tmp_path / "log"
    path.write_text("before\n")
    with open_log(str(path)) as log:
        JsonLines(Stream(log), Clock().now).take(Noticed(ODD))
    first, second = path.read_bytes().splitlines()
    assert first == b"before"
    assert json.loads(second)["event"] == "noticed"


@POSIX
def test_a_new_log_file_is_private(tmp_path: Path) -> None:
    """Whatever the umask is; one that was there keeps its mode."""
    before = os.umask(0)
    try:
        open_log(str(tmp_path / "log")).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["none/log", ".", "\x1b\0"])
def test_a_log_file_that_cannot_be_is_wrong_usage(tmp_path: Path, name: str) -> None:
    """It says which, why, and what to do, in one line."""
    with pytest.raises(UsageError, match="--log-file") as raised:
        open_log(f"{tmp_path}/{name}")
    assert str(raised.value).isprintable()
