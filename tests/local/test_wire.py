"""Times and durations, as the wire writes them."""

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.local import wire

# The year 1000 is as far back as four digits of a year go without padding.
_FIRST, _LAST = (int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) * wire.SECOND for year in (1000, 9999))
_MOMENTS = st.integers(_FIRST, _LAST)


@given(_MOMENTS)
def test_a_time_that_is_written_is_read_back(moment: int) -> None:
    """No microsecond is lost in a body."""
    assert wire.parse_time(wire.time_text(moment)) == moment


@given(_MOMENTS)
def test_a_header_keeps_whole_seconds(moment: int) -> None:
    """Headers have no fractions, and lose no more than them."""
    assert wire.parse_time(wire.http_date(moment)) == moment // wire.SECOND * wire.SECOND


def test_a_time_has_seven_digits_and_is_in_utc() -> None:
    """The form is the service's."""
    assert wire.time_text(1_700_000_000_123_456) == "2023-11-14T22:13:20.1234560Z"
    assert wire.http_date(1_700_000_000_123_456) == "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:20.0Z",
        "2023-11-14T22:13:20.0000000Z",
        "2023-11-14T23:13:20+01:00",
        "2023-11-14T21:43:20.000000000-00:30",
        "Tue, 14 Nov 2023 22:13:20 GMT",
        "Tue, 14 Nov 2023 22:13:20 -0000",
        "Tue, 14 Nov 2023 23:13:20 +0100",
    ],
)
def test_one_moment_has_many_spellings(text: str) -> None:
    """Zones and fractions are understood."""
    assert wire.parse_time(text) == 1_700_000_000_000_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1700000000",
        "2023-11-14",
        "2023-11-14T22:13:20",
        "2023-11-14 22:13:20Z",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20.0000000000Z",
        "2023-13-14T22:13:20Z",
        "2023-11-31T22:13:20Z",
        "2023-11-14T22:13:60Z",
        "0000-11-14T22:13:20Z",
        "2023-11-14T22:13:20+24:00",
        "2023-11-14T22:13:20Z\n",
        "２０２３-11-14T22:13:20Z",
        "Tue, 14 Nov 2023",
        "Tue, 32 Nov 2023 22:13:20 GMT",
        "Mon, 01 Jan 2024 00:00:00 +99999999999999",
        "99999999999999999999 Jan 00:00 -0000 01",
        "\udcff",
        "\0",
    ],
)
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    """Whatever a client sends, there is one way for it to be wrong."""
    with pytest.raises(ValueError, match=r".*"):
        wire.parse_time(text)


@given(st.text() | st.from_regex(r"(Mon, )?\d+ Jan \d+ [\d:]+ [+-]?\d*", fullmatch=True))
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    """Nothing else is ever raised."""
    with contextlib.suppress(ValueError):
        assert isinstance(wire.parse_time(text), int)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("PT0S", 0),
        ("PT1S", 1_000_000),
        ("PT0.25S", 250_000),
        ("PT0,25S", 250_000),
        ("PT0.0000009S", 0),
        ("PT90M", 5_400_000_000),
        ("PT1H1S", 3_601_000_000),
        ("P1D", 86_400_000_000),
        ("P7DT1H2M3S", 608_523_000_000),
        (wire.FOREVER, 922_337_203_685_477_580),
    ],
)
def test_durations_are_in_days_and_less(text: str, microseconds: int) -> None:
    """What the SDK writes is understood, to the microsecond."""
    assert wire.parse_duration(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1",
        "1D",
        "P1Y",
        "P1M",
        "P1W",
        "P1DT",
        "-P1D",
        "P-1D",
        "PT1.S",
        "PT.5S",
        "P1.5D",
        "PT1H ",
        "pt1h",
        "P١D",
        "P" + "9" * 5000 + "D",
    ],
)
def test_what_is_no_duration_is_a_value_error(text: str) -> None:
    """Years and months have no length, weeks are not for this service, and a number has an end."""
    with pytest.raises(ValueError, match=r".*"):
        wire.parse_duration(text)


def test_no_time_is_later_than_the_end_of_time() -> None:
    """What a database can hold bounds what a client can ask for."""
    assert wire.later(5, "PT1S") == 5 + wire.SECOND
    assert wire.later(5, wire.FOREVER) <= wire.END_OF_TIME
    assert wire.later(5, f"P{'9' * 4000}D") == wire.END_OF_TIME
