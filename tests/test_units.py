"""Sizes and durations, read and shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.units import exact_duration, exact_size, parse_duration, parse_size, shown_duration, shown_size

SIZES = st.integers(0, 1 << 59)
DURATIONS = st.floats(0, 1e9).map(lambda seconds: round(seconds, 6))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1048576", 1 << 20),
        ("7B", 7),
        ("10KiB", 10240),
        ("64MiB", 64 << 20),
        ("64 mib", 64 << 20),
        ("64M", 64 << 20),
        ("1k", 1024),
        (" 1.5GiB ", 3 << 29),
        ("2T", 2 << 40),
        ("1.3KiB", 1331),
        ("9007199254740993", 9007199254740993),
        ("131071.9999999999TiB", 144115188075855762),
    ],
)
def test_a_size_is_read_to_the_byte(text: str, size: int) -> None:
    """In bytes, or with a unit of 1024, without going through a float."""
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "MiB", "-1", "+1", "1e6", "1.", ".5", "1.2.3", "1_000", "5X", "1Mi", "inf", "٣", "9" * 19]
)
def test_what_is_no_size_is_told_what_is(text: str) -> None:
    """With examples."""
    with pytest.raises(ValueError, match=r"is not a size\. .* such as 1048576, 64MiB or 1\.5GiB\.$"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("64MB", "Write 64MiB, or 64000000 if you mean that."),
        ("1.5gb", "Write 1.5GiB, or 1500000000 if you mean that."),
        ("2Kb", "Write 2KiB, or 2000 if you mean that."),
    ],
)
def test_a_unit_that_may_be_of_1000_or_of_1024_is_refused(text: str, advice: str) -> None:
    """With both that it may mean."""
    with pytest.raises(ValueError, match="can be read in two ways") as raised:
        parse_size(text)

    assert str(raised.value).endswith(advice)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("1.5", 1.5),
        ("90s", 90),
        ("5m", 300),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("1.5h", 5400),
        ("1d", 86400),
        ("1d2h3m4.5s", 93784.5),
        ("0.1s", 0.1),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    """As a number of them, or with units from the longest to the shortest."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "s", "-1", "30m1h", "1h1h", "1H", "1w", "1h30", "1 30", "nan", "inf", "1e3", "٣s"]
)
def test_what_is_no_duration_is_told_what_is(text: str) -> None:
    """With examples."""
    with pytest.raises(ValueError, match=r"is not a duration\. .* such as 90s, 1h30m or 2d\.$"):
        parse_duration(text)


@given(SIZES)
def test_an_exact_size_reads_as_the_same(size: int) -> None:
    """Whatever its unit."""
    assert parse_size(exact_size(size)) == size


@given(SIZES)
def test_a_size_shown_in_short_reads_as_nearly_the_same(size: int) -> None:
    """Within a hundredth, in few characters."""
    assert abs(parse_size(shown_size(size)) - size) <= size / 100 + 1
    assert len(shown_size(size)) <= 9


@given(DURATIONS)
def test_an_exact_duration_reads_as_the_same(seconds: float) -> None:
    """To the last bit."""
    assert parse_duration(exact_duration(seconds)) == seconds


@given(DURATIONS)
def test_a_duration_shown_in_short_reads_as_nearly_the_same(seconds: float) -> None:
    """Within a fiftieth, or a hundredth of a second."""
    assert abs(parse_duration(shown_duration(seconds)) - seconds) <= max(seconds / 45, 0.0051)
    assert len(shown_duration(seconds)) <= 9


@pytest.mark.parametrize(
    ("size", "exact", "short"),
    [
        (0, "0B", "0B"),
        (812, "812B", "812B"),
        (1024, "1KiB", "1KiB"),
        (100_000, "100000B", "97.7KiB"),
        (3 << 29, "1536MiB", "1.5GiB"),
        (64 << 20, "64MiB", "64MiB"),
        (5 << 40, "5TiB", "5TiB"),
    ],
)
def test_sizes_are_shown_exactly_or_in_short(size: int, exact: str, short: str) -> None:
    """Exactly where the value matters, in short where its magnitude does."""
    assert (exact_size(size), shown_size(size)) == (exact, short)


@pytest.mark.parametrize(
    ("seconds", "exact", "short"),
    [
        (0, "0s", "0s"),
        (0.254, "0.254s", "0.25s"),
        (42.34, "42.34s", "42.3s"),
        (59.96, "59.96s", "1m"),
        (185.2, "3m5.2s", "3m5s"),
        (3599.9, "59m59.9s", "1h"),
        (5400, "1h30m", "1h30m"),
        (93784, "1d2h3m4s", "1d2h"),
    ],
)
def test_durations_are_shown_exactly_or_in_short(seconds: float, exact: str, short: str) -> None:
    """Exactly where the value matters, in short where its magnitude does."""
    assert (exact_duration(seconds), shown_duration(seconds)) == (exact, short)
