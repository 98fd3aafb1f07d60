"""A law that measurements follow is found in them, and how sure that is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.tuning.scaling import Curve, Law, fitted
from fastbatch.tuning.spread import Estimate, Samples
from tests.tuning.laws import following, noisy

DOUBLING = (1, 2, 4, 8, 16)

ONE = st.floats(0.5, 1e5)
CONTENTION = st.floats(0, 0.5)
CROSSTALK = st.floats(0, 0.05)
COUNTS = st.lists(st.integers(1, 64), min_size=4, max_size=8, unique=True)


def fit(samples: Samples) -> Curve:
    """Fit what can be fitted."""
    found = fitted(samples)
    assert found
    return found


@given(COUNTS, ONE, CONTENTION, CROSSTALK)
def test_a_law_is_found_exactly_where_there_is_no_noise(
    counts: list[int], one: float, contention: float, crosstalk: float
) -> None:
    """Whatever the counts are, and in whatever order."""
    samples = following(counts, one, contention, crosstalk)
    curve = fit(samples)

    assert curve.law is Law.SCALABILITY
    assert curve.crosstalk
    assert curve.one.value == pytest.approx(one, rel=1e-6)
    assert curve.contention.value == pytest.approx(contention, rel=1e-5, abs=1e-6)
    assert curve.crosstalk.value == pytest.approx(crosstalk, rel=1e-5, abs=1e-7)
    assert curve.off < 1e-6
    assert [curve.seconds(nodes) for nodes in counts] == pytest.approx([samples[nodes][0] for nodes in counts])


@given(ONE, CONTENTION, CROSSTALK, st.integers(0, 1000))
def test_a_curve_stays_near_the_law_over_what_was_measured(
    one: float, contention: float, crosstalk: float, seed: int
) -> None:
    """With noise of 2 %, within a few percent; between the counts as well."""
    found = fit(noisy(following(DOUBLING, one, contention, crosstalk), 0.02, seed=seed, repeat=1))

    law = following(range(1, 17), one, contention, crosstalk)
    assert all(found.seconds(nodes) == pytest.approx(seconds, rel=0.06) for nodes, (seconds,) in law.items())


@pytest.mark.parametrize("counts", [(1, 2), (2, 7), (1, 2, 4), (3, 5, 9)], ids=str)
def test_two_or_three_counts_tell_a_serial_fraction(counts: tuple[int, ...]) -> None:
    """As it is in Amdahl's law: T(N) = T(1) (s + (1 - s) / N)."""
    samples = {nodes: [100 * (0.2 + 0.8 / nodes)] * 2 for nodes in counts}
    curve = fit(samples)

    assert curve.law is Law.SERIAL
    assert curve.crosstalk is None
    assert curve.one.value == pytest.approx(100)
    assert curve.contention.value == pytest.approx(0.2)
    assert curve.r_squared == pytest.approx(1)


@pytest.mark.parametrize("samples", [{}, {1: [10.0, 11.0]}, {4: [3.0]}], ids=str)
def test_less_than_two_counts_tell_no_curve(samples: Samples) -> None:
    """Nothing is known of how time goes with the number of nodes."""
    assert fitted(samples) is None


def test_nothing_scales_better_than_perfectly() -> None:
    """What was faster than that was so by chance, or for a reason that no curve knows: it is off, and says so."""
    found = fit({1: [100.0], 2: [40.0], 4: [15.0], 8: [6.0]})
    curve = found

    assert curve.crosstalk
    assert curve.contention.value == curve.crosstalk.value == 0
    assert found.seconds(8) == pytest.approx(curve.one.value / 8)
    assert curve.off > 0.2


def test_what_gets_slower_without_few_nodes_to_compare_is_no_perfect_scaling() -> None:
    """Nothing takes more than all of the work one after the other."""
    curve = fit({8: [10.0], 16: [11.0]})

    assert curve.contention.value == 1
    assert [curve.seconds(nodes) for nodes in (1, 8, 16)] == pytest.approx([10.45] * 3, rel=0.01)


def test_what_gets_slower_with_each_node_has_a_curve() -> None:
    """The terms that are nought in the best fit are so in the curve; times stay above nought."""
    found = fit({1: [1.0], 2: [2.0], 3: [3.0], 4: [4.0], 5: [5.0]})

    assert all(found.seconds(nodes) > 0 for nodes in range(1, 100))
    assert found.seconds(5) > found.seconds(1)


def test_equal_times_are_explained() -> None:
    """Though there is no variance to explain."""
    curve = fit({nodes: [7.0] for nodes in DOUBLING})

    assert curve.r_squared == 1
    assert curve.contention.value == pytest.approx(1)


@given(COUNTS, CONTENTION, st.floats(1e-3, 1e3))
def test_the_unit_of_time_does_not_matter(counts: list[int], contention: float, factor: float) -> None:
    """Errors are relative."""
    samples = noisy(following(counts, 50, contention, 0.001), 0.1, repeat=1)
    scaled = {nodes: [factor * each for each in seconds] for nodes, seconds in samples.items()}

    assert fit(scaled).seconds(5) == pytest.approx(factor * fit(samples).seconds(5), rel=1e-4)


def test_one_slow_run_of_three_moves_a_curve_little() -> None:
    """What disturbs a run makes it slower, and errors are counted by what each took."""
    samples = following(DOUBLING, 100, 0.05, 0.001, repeat=3)
    samples[4][2] *= 3

    assert fit(samples).seconds(4) == pytest.approx(samples[4][0], rel=0.1)


def within(estimate: Estimate, truth: float) -> bool:
    """Tell whether an interval has the truth in it."""
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low <= truth <= estimate.high


def test_intervals_mostly_have_the_truth() -> None:
    """Nine times of ten is what they promise."""
    law = following((1, 2, 4, 8), 100, 0.05, 0.003)
    fits = [fit(noisy(law, 0.04, seed=seed)) for seed in range(30)]
    found = [within(each.estimate(nodes), seconds) for each in fits for nodes, (seconds,) in law.items()]
    assert 0.83 < sum(found) / len(found) < 0.97

    contention = [within(each.contention, 0.05) for each in fits]
    assert sum(contention) > 0.83 * len(contention)


def test_an_interval_has_the_value_in_it_and_grows_with_noise() -> None:
    """And beyond what was measured it is wider."""
    law = following(DOUBLING, 100, 0.05, 0.003)
    quiet, loud = (fit(noisy(law, noise)) for noise in (0.01, 0.1))

    def width(found: Curve, nodes: int) -> float:
        estimate = found.estimate(nodes)
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low <= estimate.value <= estimate.high
        return (estimate.high - estimate.low) / estimate.value

    assert width(quiet, 8) < width(loud, 8) < width(loud, 64)
    assert width(quiet, 64) < width(loud, 64)


def test_without_repeats_nothing_is_known_of_intervals() -> None:
    """Anywhere."""
    found = fit(following(DOUBLING, 100, 0.05, 0.003))
    curve = found

    assert found.draws == ()
    assert found.estimate(4).low is found.estimate(4).high is None
    assert curve.crosstalk
    assert {curve.one.low, curve.contention.high, curve.crosstalk.low} == {None}


def test_what_was_not_repeated_spreads_as_the_others() -> None:
    """So that a curve that hangs on it is not taken for sure."""
    samples = noisy(following((1, 2, 4), 100, 0.05), 0.05)
    samples[1] = samples[1][:1]
    estimate = fit(samples).estimate(1)

    assert (estimate.high or 0) - (estimate.low or 0) > 0.03 * estimate.value


def test_the_same_measurements_say_the_same() -> None:
    """Chance is not in it."""
    samples = noisy(following(DOUBLING, 100, 0.05, 0.003), 0.05)

    assert fit(samples) == fit(samples)
