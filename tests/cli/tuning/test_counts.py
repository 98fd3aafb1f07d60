"""Numbers of nodes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.cli.tuning.counts import MOST, SPREAD, numbers, numbers_and_ranges, spread

COUNTS = st.integers(1, MOST)


@pytest.mark.parametrize(
    ("text", "found"),
    [("1", (1,)), ("1,2,4", (1, 2, 4)), ("4, 2 ,1", (1, 2, 4)), ("2,2,02", (2,))],
)
def test_a_list_is_sorted_and_has_each_number_once(text: str, found: tuple[int, ...]) -> None:
    """Blanks do no harm."""
    assert numbers(text) == found


@pytest.mark.parametrize("text", ["", "1,", "one", "1.5", "-1", "1..3", "1;2", "٣", "9" * 5000])
def test_what_is_no_list_is_refused(text: str) -> None:
    """Ranges are for simulations."""
    with pytest.raises(ValueError, match="is no list of numbers of nodes, such as 1,2,4"):
        numbers(text)


@pytest.mark.parametrize("text", ["0", "1,0", "100001"])
def test_a_pool_has_at_least_one_node_and_not_too_many(text: str) -> None:
    """Both ends are told."""
    with pytest.raises(ValueError, match="must be from 1 to 100,000"):
        numbers(text)


def test_ranges_and_numbers_can_be_mixed() -> None:
    """All of a short range is taken."""
    assert numbers_and_ranges("16, 1..4,32") == (1, 2, 3, 4, 16, 32)
    assert numbers_and_ranges("5..5") == (5,)


@pytest.mark.parametrize("text", ["4..1", "0..4", "1..", "..4", "1...4", "1..100001"])
def test_what_is_no_range_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=r"before it begins|must be from 1|is no list"):
        numbers_and_ranges(text)


@given(COUNTS, COUNTS)
def test_of_a_range_both_ends_are_taken_and_about_twenty_in_all(one: int, other: int) -> None:
    """In order."""
    first, last = sorted((one, other))
    found = spread(first, last)

    assert (found[0], found[-1]) == (first, last)
    assert list(found) == sorted(set(found))
    assert len(found) <= SPREAD
    assert len(found) >= min(last - first + 1, SPREAD // 2)


def test_a_long_range_is_spread_by_ratio() -> None:
    """As a step from 1 to 2 tells as much as one from 500 to 1000."""
    found = spread(1, 1000)

    assert found == (1, 2, 3, 4, 6, 9, 13, 18, 26, 38, 55, 78, 113, 162, 234, 336, 483, 695, 1000)
