"""What is recommended is what measurements say, with the reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch.tuning.advice import Advice, advised, bend
from fastbatch.tuning.scaling import fitted
from fastbatch.tuning.spread import Samples
from fastbatch.tuning.times import Times
from tests.tuning.laws import following, noisy

PLATEAU = {1: [10.1, 10.0, 9.8], 2: [5.0, 5.1, 4.9], 3: [5.1, 5.2, 5.0], 4: [5.2, 5.3, 5.1]}
FLATTENING = {1: [15.2, 14.8, 15.0], 2: [11.1, 10.9, 11.0], 3: [12.1, 11.9, 12.0], 4: [13.0, 12.9, 13.2]}


def times(samples: Samples) -> Times:
    """Take the times that choices are made by."""
    return Times.of(samples, fitted(samples))


def advice(samples: Samples, price: float | None = None) -> Advice:
    """Choose."""
    found = advised(times(samples), price)
    assert found
    return found


def chosen(samples: Samples) -> tuple[int, int, int]:
    """Choose the fastest, the cheapest and the knee."""
    found = advice(samples)
    return found.fastest.nodes, found.cheapest.nodes, found.knee.nodes


@pytest.mark.parametrize("samples", [PLATEAU, FLATTENING])
def test_two_nodes_are_enough_where_two_cores_are_all(samples: Samples) -> None:
    """More take no less time."""
    found = advice(samples)

    assert found.knee.nodes == found.fastest.nodes == 2


def test_where_no_curve_fits_it_is_left_alone() -> None:
    """A plateau with a sharp bend is none that the law knows; a round one is."""
    assert not times(PLATEAU).by_curve
    assert times(PLATEAU).values == {1: 10, 2: 5, 3: 5.1, 4: 5.2}
    assert times(FLATTENING).by_curve


@settings(max_examples=10)
@given(st.integers(0, 1000), st.sampled_from([PLATEAU, FLATTENING]))
def test_noise_does_not_move_a_clear_knee(seed: int, samples: dict[int, list[float]]) -> None:
    """Not with 2 %."""
    assert advice(noisy(samples, 0.02, seed=seed)).knee.nodes == 2


def test_perfect_scaling_asks_for_all_nodes_and_more() -> None:
    """They cost the same, and more may still help."""
    samples = following((1, 2, 4, 8), 100, 0)
    found = advice(samples)

    assert chosen(samples) == (8, 8, 8)
    assert found.knee.reason == "Each step up to 8 nodes gains a tenth of the time or more; more nodes may still help."
    assert found.fastest.reason == "8 nodes take 88 % less time than 1."
    assert found.cheapest.reason == "No other count takes fewer node-hours, and none is faster."


def test_reasons_have_numbers() -> None:
    """Those of the times that the choice is made by."""
    found = advice(PLATEAU)

    assert found.fastest.reason == "2 nodes take 50 % less time than 1."
    assert found.knee.reason == "3 nodes take 2 % longer than 2, and cost 53 % more node-hours."

    found = advice({2: [100.0] * 3, 3: [98.1] * 3, 4: [98.0] * 3})
    assert found.knee.nodes == 2
    assert found.cheapest.reason == "2 nodes take 49 % fewer node-hours than 4, the fastest, but 2.2 % longer."

    found = advice(following((1, 2, 8), 100, 0.02))
    assert found.cheapest.reason == "1 node takes 12 % fewer node-hours than 8, the fastest, but 7.0 times as long."


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (98, "2 nodes gain only 2 % over 1, and cost 96 % more node-hours."),
        (90.3, "2 nodes gain only 9.7 % over 1, and cost 81 % more node-hours."),
        (100.1, "2 nodes gain nothing over 1, and cost 100 % more node-hours."),
        (150, "2 nodes take 50 % longer than 1, and cost 200 % more node-hours."),
    ],
)
def test_a_step_that_is_not_worth_it_is_told_with_what_it_costs(second: float, reason: str) -> None:
    """It may gain little or nothing, or lose."""
    assert advice({1: [100.0], 2: [second]}).knee.reason == reason


def test_more_nodes_may_gain_little_and_cost_nothing() -> None:
    """Where the step is small, and scaling perfect."""
    found = advice({20: [30.0], 21: [30 * 20 / 21]}).knee

    assert (found.nodes, found.reason) == (20, "21 nodes gain only 4.8 % over 20, and cost as many node-hours.")


def test_the_knee_is_where_the_next_step_that_was_measured_gains_less_than_a_tenth() -> None:
    """Neither before, nor after."""
    for seconds, knee in [((100, 89, 88), 2), ((100, 91, 30), 1), ((100, 75, 67.4), 4), ((100, 75, 67.6), 2)]:
        assert bend(Times(dict(zip((1, 2, 4), seconds, strict=True)), (), by_curve=False)) == knee


def test_what_takes_as_long_with_fewer_nodes_is_as_fast() -> None:
    """And more are cheapest where they cost no more, as they are faster."""
    fastest, cheapest, _ = chosen({1: [100.0], 4: [25.0], 8: [25.0]})

    assert (fastest, cheapest) == (4, 4)


def test_costs_are_node_hours_and_money_where_a_price_is_known() -> None:
    """Of the estimated time."""
    hour = {1: [7200.0], 2: [3600.0], 4: [3600.0]}

    assert advice(hour).knee.node_hours == pytest.approx(2, rel=0.01)
    assert advice(hour).knee.cost is None
    assert advice(hour, price=0.5).knee.cost == pytest.approx(1, rel=0.01)
    assert advice(hour, price=0.0).knee.cost == 0


def test_one_count_is_all_there_is_to_choose_from() -> None:
    """And none is nothing."""
    found = advice({4: [10.0, 11.0]})

    assert {found.fastest.nodes, found.cheapest.nodes, found.knee.nodes} == {4}
    assert found.knee.reason == "Nothing else was measured; more nodes may help, or fewer be enough."
    assert found.fastest.reason == found.cheapest.reason == "Nothing else was measured."
    assert advised(times({})) is None


def test_what_gets_slower_needs_the_least_nodes() -> None:
    """All choices are the same one."""
    samples = {2: [10.0], 4: [12.0]}

    assert chosen(samples) == (2, 2, 2)
    assert advice(samples).fastest.reason == "More nodes than 2 gain nothing."


SAMPLES = st.dictionaries(
    st.integers(1, 64), st.lists(st.floats(0.1, 1e4), min_size=1, max_size=4), min_size=1, max_size=6
)


@settings(max_examples=20)
@given(SAMPLES)
def test_choices_are_of_what_was_measured_and_what_they_are_called(samples: dict[int, list[float]]) -> None:
    """Nothing is faster than the fastest, and nothing cheaper than the cheapest, whatever was measured."""
    known, found = times(samples), advice(samples)

    assert {found.fastest.nodes, found.cheapest.nodes, found.knee.nodes} <= samples.keys()
    for nodes in samples:
        assert found.fastest.seconds.value <= known.values[nodes] * 1.001
        assert found.cheapest.node_hours <= nodes * known.values[nodes] / 3600 * 1.001
    for choice in (found.fastest, found.cheapest, found.knee):
        low, value, high = choice.seconds.low, choice.seconds.value, choice.seconds.high
        assert (low is None) == (high is None) == all(len(several) == 1 for several in samples.values())
        assert low is None or high is None or low <= value <= high
