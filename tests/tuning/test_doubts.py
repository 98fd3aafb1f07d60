"""What measurements can't tell is said, and nothing where they can."""

import dataclasses
from collections.abc import Mapping, Sequence

from fastbatch.tuning import doubts
from fastbatch.tuning.advice import bend
from fastbatch.tuning.findings import Forecast, Row, Stages
from fastbatch.tuning.measured import Measurements, Point, Work
from fastbatch.tuning.scaling import fitted
from fastbatch.tuning.spread import Samples
from fastbatch.tuning.times import Times
from tests.tuning.laws import following, noisy
from tests.tuning.made import at_once, measured, run

LAW = noisy(following((1, 2, 4, 8), 100, 0.05, 0.001), 0.01)
CURVE = fitted(LAW)


def of_choices(samples: Samples) -> list[str]:
    """Give the doubts about choices."""
    curve = fitted(samples)
    return list(doubts.of_choices(Times.of(samples, curve), curve))


def measurements(
    nodes: Sequence[int] = (1, 2, 4), *, service: float = 30, tasks: int = 40, repeat: int = 3, slots: int = 1
) -> Measurements:
    """Have runs of equal tasks, in which all is well."""
    of = at_once(tasks, service)
    return measured({count: [run(of, count, slots=slots)] * repeat for count in nodes}, slots=slots)


def changed(points: Mapping[int, Point]) -> list[str]:
    """Give the doubts about runs of which some points are others."""
    good = measurements()
    replaced = tuple(points.get(point.nodes, point) for point in good.points)
    return list(doubts.of_runs(dataclasses.replace(good, points=replaced)))


def test_good_measurements_leave_no_doubt() -> None:
    """Nobody reads warnings that are always there."""
    assert of_choices(LAW) == []
    assert list(doubts.of_runs(measurements())) == []


def test_no_count_and_one_count_tell_nothing_of_others() -> None:
    """It is said what to do."""
    assert of_choices({}) == ["No run was measured, so nothing can be said of any number of nodes."]
    assert of_choices({1: [2.0, 2.1]}) == [
        "No count but 1 node was measured, so nothing is known of others. Measure more of them, as with --nodes 1,2,4."
    ]


def test_two_counts_do_not_tell_whether_a_curve_holds() -> None:
    """As one goes through any two."""
    assert of_choices({1: [100.0], 2: [60.0]}) == [
        "A curve goes through any two counts, so nobody knows whether it holds. Measure a third one."
    ]


def test_a_curve_that_does_not_fit_is_not_used() -> None:
    """It is said by how much."""
    (doubt,) = of_choices({1: [10.0], 2: [5.0], 3: [5.1], 4: [5.2]})

    assert doubt == "The curve is off by up to 11 %, so the choices are by the medians alone."


def knee_and_doubt(noise: float, seed: int) -> tuple[int, bool]:
    """Tell where the knee seems to be in runs with noise, and whether there is a doubt about it."""
    samples = noisy(following((1, 2, 4), 100, 0.62), noise, seed=seed)
    times = Times.of(samples, fitted(samples))
    return bend(times), any(each.startswith("The runs differ too much") for each in doubts.of_choices(times, CURVE))


def test_noise_that_hides_the_knee_is_told() -> None:
    """The last step gains 12 % in truth: that is sure with little noise; with more, a wrong knee comes with doubt."""
    assert {knee_and_doubt(0.005, seed) for seed in range(5)} == {(4, False)}

    loud = [knee_and_doubt(0.1, seed) for seed in range(20)]
    assert {doubtful for knee, doubtful in loud if knee != 4} == {True}
    assert sum(doubtful for _, doubtful in loud) > len(loud) / 2


def test_a_step_that_may_gain_a_tenth_or_not_is_told_with_its_interval() -> None:
    """It may as well gain nothing."""
    steps = [{1: 100.0, 2: 60.0, 4: seconds} for seconds in (50.0, 52.0, 55.0, 58.0, 61.0)]
    doubt = (
        "The runs differ too much to tell whether 2 or 4 nodes should be taken: the step gains between {} and 17 %. "
        "More repetitions (--repeat) tell more."
    )
    for draws, least in ((steps, "nothing"), (steps[:4], "3.3 %")):
        assert list(doubts.of_choices(Times(steps[2], draws, by_curve=True), CURVE)) == [doubt.format(least)]


def test_noise_beyond_the_knee_is_no_matter() -> None:
    """Whether 4 nodes are a little faster than 3 or slower is not asked where 2 are enough."""
    plateau = {1: [10.0, 10.1, 9.9], 2: [5.0, 5.1, 4.9], 3: [5.1, 5.0, 5.2], 4: [5.0, 4.0, 6.0]}

    assert not any("differ too much" in doubt for doubt in of_choices(plateau))


def test_steps_in_which_nothing_can_gain_much_are_told() -> None:
    """Perfect scaling gains hardly a tenth from 9 to 10 nodes; where nothing is gained, there is no doubt."""
    (doubt,) = of_choices(following(range(1, 13), 100, 0.001))

    assert doubt == (
        "From 9 to 10 nodes nothing can gain more than 10 %, so that many more may still help. "
        "Measure larger steps, as with --nodes 9,18."
    )
    assert of_choices({10: [10.0] * 3, 11: [9.9] * 3, 12: [9.9] * 3}) == []


def test_failures_are_counted_by_nodes() -> None:
    """Why each failed is in its row."""
    failed = {2: Point(2, (), ("no nodes", "no nodes")), 4: Point(4, measurements((4,)).points[0].runs, ("lost",))}

    assert changed(failed) == ["Not everything was measured: on 2 nodes, 2 runs failed; on 4 nodes, 1 run failed."]


def test_one_run_tells_nothing_of_others() -> None:
    """Nor do two counts with one run each."""
    once = {point.nodes: Point(point.nodes, point.runs[:1]) for point in measurements((1, 4)).points}

    assert changed(once) == [
        "On 1 and 4 nodes there was one run only, so nobody knows how much others differ. Take --repeat 3."
    ]


def test_runs_that_uploaded_were_not_warm() -> None:
    """Their times are longer than those of others."""
    runs = measurements((2,)).points[0].runs
    cold = {2: Point(2, (*runs, dataclasses.replace(runs[0], uploaded=3)))}

    assert changed(cold) == [
        "Runs on 2 nodes uploaded bundles that were not there, so their times are not those of warm runs."
    ]


def test_slots_without_a_task_are_told() -> None:
    """They need smaller bundles, or a larger sample if it is one."""
    few = measurements((1, 2, 4, 8), tasks=5, slots=2)
    doubt = (
        "On 4 and 8 nodes there are more slots than the 5 tasks of a run. "
        "Make bundles smaller (--bundle-size){}, to keep all of them busy."
    )
    assert list(doubts.of_runs(few)) == [doubt.format("")]

    sample = dataclasses.replace(few, whole=Work(1000, 100 * few.measured.bytes, 500))
    assert list(doubts.of_runs(sample)) == [doubt.format(", or the sample larger (--sample)")]


def test_nodes_that_share_a_machine_are_told() -> None:
    """There, short tasks are as good as long ones."""
    shared = dataclasses.replace(measurements(service=0.1), local=True)

    assert list(doubts.of_runs(shared)) == [
        "All nodes shared the cores of this machine. On Azure each has its own, so more of them help there."
    ]


def test_tasks_that_are_short_for_the_service_are_told() -> None:
    """It takes as long to start the next one."""
    (doubt,) = doubts.of_runs(measurements(service=3))

    assert doubt == (
        "A task takes 3s (the median), little against the 2 to 5 s that the service takes to start the next one. "
        "Make bundles larger (--bundle-size)."
    )
    assert list(doubts.of_runs(measurements(service=12))) == []


def row(nodes: int, tail: float) -> Row:
    """Have a row of runs of 100 seconds."""
    return Row(nodes, (100, 90, 110), stages=Stages(0, 0, 0, 0, 0, tail, 0))


def test_a_long_tail_is_told() -> None:
    """But where there were fewer tasks than slots: that is another matter."""
    (doubt,) = doubts.of_stages(measurements(), [row(1, 5), row(2, 40), row(4, 50), row(50, 100), Row(8)])

    assert doubt == (
        "On 2 and 4 nodes, ever fewer slots were busy for up to 50 % of the time, until the last task ended. "
        "Smaller bundles (--bundle-size) spread more evenly."
    )
    assert list(doubts.of_stages(measurements(), [row(1, 30)])) == []


def test_forecasts_far_from_what_was_measured_are_told() -> None:
    """They are beyond twice the largest count."""
    near, far = (Forecast(nodes, 1, None, 1, None, nodes > 8) for nodes in (8, 9))
    (doubt,) = doubts.of_forecasts(measurements(), [8, 9], [near, far], 4)

    assert doubt == (
        "Forecasts for more than 8 nodes are beyond twice the largest count that was measured; what slows so many down "
        "may not have shown yet."
    )
    assert list(doubts.of_forecasts(measurements(), [8], [near], 4)) == []


def test_a_sample_of_which_nothing_is_foretold_is_no_whole() -> None:
    """What is recommended for a tenth of the work is not what the whole needs."""
    some = dataclasses.replace(measurements(), whole=Work(4000, 10 * measurements().measured.bytes, 400))
    (doubt,) = doubts.of_forecasts(some, [], [], 4)

    assert doubt.startswith("Only 10 % of the work was run, and all times, costs and choices are of that.")
    assert list(doubts.of_forecasts(some, [4], [Forecast(4, 1, None, 1, None, beyond=False)], 4)) == []
    assert list(doubts.of_forecasts(measurements(), [], [], 4)) == []
