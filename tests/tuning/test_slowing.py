"""How much slower tasks get on more nodes is told as far as it was seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.tuning.slowing import Slowing

TIMES = st.dictionaries(st.integers(1, 50), st.lists(st.floats(0.1, 100), min_size=1, max_size=4), min_size=1)


def test_it_is_what_was_measured_and_straight_in_between() -> None:
    """Of several times the one in the middle; on fewer nodes than any the same as on the fewest."""
    slowing = Slowing({2: [9, 10, 20], 4: [30, 31, 29], 5: [30, 30, 30]})

    assert [slowing.at(nodes) for nodes in (1, 2, 3, 4, 5)] == [10, 10, 20, 30, 30]


def test_it_goes_on_as_it_grew_at_last() -> None:
    """Four nodes on two cores take twice as long as two, eight four times as long."""
    slowing = Slowing({1: [10, 11], 2: [10, 11], 4: [20, 22]})

    assert [slowing.at(nodes) for nodes in (4, 5, 8)] == pytest.approx([21, 26.25, 42])


def test_growth_that_drowns_in_noise_is_taken_from_fewer_nodes() -> None:
    """Where it shows from the first number of nodes to the last, it is there."""
    assert Slowing({1: [10, 11, 14], 2: [12, 17, 25], 3: [20, 22, 30]}).at(5) == pytest.approx(22 + 11)


def test_one_run_of_many_that_was_held_up_hides_no_growth() -> None:
    """Eight pairs of ten are enough."""
    assert Slowing({1: [10, 10, 10, 10, 35], 2: [20, 20, 20, 20, 20]}).at(4) == pytest.approx(40)


@pytest.mark.parametrize(
    "measured",
    [{4: [10]}, {2: [10, 12], 4: [11, 13]}, {2: [100, 101], 4: [108, 109]}, {2: [20, 21], 4: [10, 11]}],
    ids=["one number of nodes", "times that overlap", "a few percent", "a fall"],
)
def test_what_may_be_chance_does_not_go_on(measured: dict[int, list[float]]) -> None:
    """A thousand nodes would make an hour of it."""
    assert Slowing(measured).at(1000) == Slowing(measured).at(4)


@given(TIMES, st.integers(0, 1000), st.integers(0, 1000))
def test_beyond_the_most_nodes_it_never_falls_and_grows_no_faster_than_they_do(
    measured: dict[int, list[float]], less: int, more: int
) -> None:
    """So that no prediction gets worse than that all that is done at a time stays the same."""
    slowing, most = Slowing(measured), max(measured)
    before, after = (slowing.at(most + nodes) for nodes in sorted((less, more)))

    assert before <= after
    assert after / (most + max(less, more)) <= before / (most + min(less, more)) * (1 + 1e-9)
