"""Times and durations as the wire writes them. Inside, both are whole microseconds: times since 1970, in UTC."""

import datetime as dt
import email.utils
import functools
import re

SECOND = 1_000_000
DAY = 86_400 * SECOND
FOREVER = "P10675199DT2H48M5.4775807S"  # the longest duration that the service knows: no limit
END_OF_TIME = 2**62  # later than any time that comes, and within what a database can hold

LAST_TIME = 253_370_764_800 * SECOND  # the year 9999, which is the last that can be written

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(?P<days>\d+)D)?(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?"
    r"(?:(?P<seconds>\d+)(?:[.,](?P<fraction>\d+))?S)?)?",
    re.ASCII,
)
_TIME = re.compile(
    r"(?P<whole>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>Z|[+-]\d\d:\d\d)", re.ASCII
)


def time_text(moment: int) -> str:
    """Write a time as the service does: UTC, seven digits of a second."""
    return f"{_EPOCH + moment * _MICROSECOND:%Y-%m-%dT%H:%M:%S}.{moment % SECOND:06d}0Z"


def http_date(moment: int) -> str:
    """Write a time as headers do, in whole seconds."""
    return email.utils.formatdate(moment // SECOND, usegmt=True)


def parse_time(text: str) -> int:
    """Read a time in the form of bodies and filters, or in that of headers; ValueError if it is neither."""
    match = _TIME.fullmatch(text)
    if match is None:
        return _parse_http_date(text)
    zone = match["zone"].replace("Z", "+00:00")
    whole = (dt.datetime.fromisoformat(match["whole"] + zone) - _EPOCH) // _MICROSECOND
    return whole + _fraction(match["fraction"])


@functools.lru_cache
def parse_duration(text: str) -> int:
    """Read an ISO 8601 duration of days and less; ValueError if it is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a duration: {text!r}")
    days, hours, minutes, seconds = (int(match[unit] or 0) for unit in ("days", "hours", "minutes", "seconds"))
    return ((days * 24 + hours) * 60 + minutes) * 60 * SECOND + seconds * SECOND + _fraction(match["fraction"])


def later(moment: int, duration: str) -> int:
    """Give the time that is a duration after another, or the end of time if that is earlier."""
    return min(moment + parse_duration(duration), END_OF_TIME)


def _parse_http_date(text: str) -> int:
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except OverflowError as error:
        raise ValueError(f"not a time: {text!r}") from error
    return ((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) - _EPOCH) // _MICROSECOND


def _fraction(digits: str | None) -> int:
    return int((digits or "").ljust(6, "0")[:6])
