"""What a run would take on other numbers of nodes is what it takes there."""

import dataclasses
import math
import random
import statistics
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.tuning.conditions import Conditions
from fastbatch.tuning.measured import Boot, Measurements, Work
from fastbatch.tuning.simulation import Replay
from tests.tuning.made import KIB, at_once, measured, run

TASKS = st.lists(st.tuples(st.floats(0, 30), st.floats(0.01, 20)), min_size=1, max_size=40)
NODES = st.integers(1, 12)


@given(TASKS, NODES, NODES)
def test_more_nodes_are_never_slower(tasks: list[tuple[float, float]], fewer: int, more: int) -> None:
    """As long as tasks take the same on them."""
    replay = Replay(measured({1: [run(tasks)]}))
    fewer, more = sorted((fewer, more))

    assert replay.seconds(more) <= replay.seconds(fewer) * (1 + 1e-9)
    assert replay.seconds(more, Conditions(latency=(2, 5))) <= replay.seconds(fewer, Conditions(latency=(2, 5)))


@given(TASKS, NODES, st.integers(1, 3))
def test_all_work_is_done(tasks: list[tuple[float, float]], nodes: int, slots: int) -> None:
    """No slot does more than its time holds, and no task is cut short."""
    seconds = Replay(measured({1: [run(tasks, slots=slots)]}, slots=slots)).seconds(nodes)

    assert seconds >= sum(service for _, service in tasks) / (nodes * slots) - 1e-6
    assert seconds >= max(created - min(tasks)[0] + service for created, service in tasks) - 1e-6


@given(st.integers(1, 200), NODES, st.integers(1, 3), st.floats(0.1, 10))
def test_equal_tasks_go_round_by_round(count: int, nodes: int, slots: int, service: float) -> None:
    """As many rounds as it takes slots to do all tasks."""
    replay = Replay(measured({1: [run(at_once(count, service), slots=slots)]}, slots=slots))

    assert replay.seconds(nodes) == pytest.approx(math.ceil(count / (nodes * slots)) * service)


@given(TASKS, NODES, st.integers(1, 3))
def test_what_was_measured_is_found_again(tasks: list[tuple[float, float]], nodes: int, slots: int) -> None:
    """Where nothing is left to chance."""
    made = run(tasks, nodes, slots=slots, opening=0.5, closing=1.5, merge=1)

    assert Replay(measured({nodes: [made]}, slots=slots)).seconds(nodes) == pytest.approx(made.seconds)


def test_a_task_takes_the_slot_that_comes_free_first() -> None:
    """By hand: of 5, 3, 2, 4 and 1 seconds, two at a time; the second slot comes free at 3, the first at 5."""
    replay = Replay(measured({1: [run([(0, 5), (0, 3), (0, 2), (0, 4), (7, 1)], opening=1, closing=0.5, merge=0.5)]}))

    assert replay.seconds(1) == 1 + 15 + 0.5
    assert replay.seconds(2) == 1 + 9 + 0.5
    assert replay.seconds(5) == 1 + 8 + 0.5


def test_latency_comes_before_each_task() -> None:
    """While it lasts, a slot is kept."""
    replay = Replay(measured({1: [run(at_once(6, 10))]}))

    assert replay.seconds(2, Conditions(latency=(2, 2))) == 3 * 12
    assert 3 * 12 < replay.seconds(2, Conditions(latency=(2, 5))) < 3 * 15


def test_latency_that_was_measured_goes_on() -> None:
    """On more nodes, too."""
    made = run(at_once(12, 10), 2, latency=lambda: 3)

    assert Replay(measured({2: [made]})).seconds(4) == pytest.approx(3 * 13)


def test_few_requests_hold_up_many_nodes() -> None:
    """A thousand tasks at two requests a second come in five seconds; few nodes don't notice."""
    replay = Replay(measured({10: [run(at_once(1000), 10)]}))

    assert replay.seconds(1000, Conditions(requests=2)) == 4.5 + 1
    assert replay.seconds(1, Conditions(requests=2)) == 1000


@given(TASKS, NODES, st.floats(0, 100))
def test_a_boot_takes_no_longer_than_it_takes(tasks: list[tuple[float, float]], nodes: int, boot: float) -> None:
    """Meanwhile tasks are submitted."""
    replay = Replay(measured({1: [run(tasks)]}))
    for latency in (None, (2.0, 2.0)):
        warm = replay.seconds(nodes, Conditions(latency=latency))
        cold = replay.seconds(nodes, Conditions(latency=latency, boot=boot), cold=True)

        assert warm <= cold <= warm + boot + 1e-6


def test_a_cold_run_waits_for_its_nodes() -> None:
    """For as long as the most nodes that were booted at once took, or as long as is told."""
    boots = [Boot(2, 300), Boot(6, 100), Boot(1, 200)]
    replay = Replay(measured({1: [run([(0, 5), (90, 5), (102, 5)])]}, boots=boots))

    assert replay.boot == 100
    assert replay.seconds(1, cold=True) == 115
    assert replay.seconds(1, Conditions(boot=30), cold=True) == 107
    assert replay.seconds(1, Conditions(boot=30)) == 107


def test_nobody_knows_how_long_nodes_boot_that_never_did() -> None:
    """Unless it is told."""
    replay = Replay(measured({1: [run(at_once(1))]}))

    assert replay.boot is None
    with pytest.raises(ValueError, match="how long that takes"):
        replay.seconds(1, cold=True)


def test_what_can_be_no_run_is_refused() -> None:
    """Without nodes, and without anything that was measured."""
    with pytest.raises(ValueError, match="a run needs a node, not 0"):
        Replay(measured({1: [run(at_once(1))]})).seconds(0)
    with pytest.raises(ValueError, match="no run was measured"):
        Replay(measured({1: []}))


def test_a_run_without_tasks_takes_what_it_takes() -> None:
    """However many nodes have nothing to do."""
    replay = Replay(measured({1: [run([], opening=2, closing=3)]}, whole=Work(9, 9, 9)))

    assert [replay.seconds(nodes, whole=whole) for nodes in (1, 9) for whole in (False, True)] == [5] * 4


def test_closing_is_taken_as_it_was_measured_and_in_between() -> None:
    """On more nodes it takes no longer than on the most."""
    replay = Replay(measured({1: [run(at_once(1), 1, closing=1)], 5: [run(at_once(1), 5, closing=3)]}))

    assert [replay.seconds(nodes) for nodes in (1, 2, 3, 5, 50)] == pytest.approx([2, 2.5, 3, 4, 4])


def test_the_median_of_the_repetitions_is_told() -> None:
    """Each gone through with its own tasks."""
    runs = [run(at_once(4, service)) for service in (1, 2, 9)]

    assert Replay(measured({1: runs})).seconds(2) == 2 * 2


@pytest.mark.parametrize("nodes", [1, 3, 8])
def test_the_whole_goes_on_as_its_sample_went(nodes: int) -> None:
    """Ten times as much, at the same rate, and a merge that is ten times as long."""
    chance = random.Random(7)
    tasks = [(0.0, chance.uniform(1, 3)) for _ in range(100)]
    made = run(tasks, 2, opening=1, closing=1, merge=0.5)
    seconds = Replay(measured({2: [made]}, whole=Work(10_000, 1000 * KIB, 1000))).seconds(nodes, whole=True)

    assert seconds == pytest.approx(1 + 10 * sum(service for _, service in tasks) / nodes + 0.5 + 5, rel=0.01)


COUNTS = (1, 2, 4, 8, 16)


def pool(counts: Iterable[int], service: float = 4.0, cores: int = 10**6, repeat: int = 3) -> Measurements:
    """Measure a pool that was never there: tasks come by and by, take now more, now less, and share some cores."""
    chance = random.Random(3)
    sizes = [chance.lognormvariate(0, 0.5) for _ in range(120)]

    def once(nodes: int) -> list[tuple[float, float]]:
        slower = max(1.0, nodes / cores)
        return [(n // 10 * 0.2, service * size * slower * chance.uniform(0.9, 1.1)) for n, size in enumerate(sizes)]

    def latency() -> float:
        return chance.uniform(0.5, 1.5)

    return measured(
        {
            nodes: [run(once(nodes), nodes, latency=latency, opening=1, closing=2, merge=1) for _ in range(repeat)]
            for nodes in counts
        }
    )


def medians(measurements: Measurements) -> dict[int, float]:
    """Give what was measured."""
    return {point.nodes: statistics.median(run.seconds for run in point.runs) for point in measurements.points}


@pytest.mark.parametrize("cores", [10**6, 2, 4], ids=["apart", "two cores", "four cores"])
def test_every_measured_number_of_nodes_is_predicted(cores: int) -> None:
    """Within a few percent, whatever they share."""
    made = pool(COUNTS, cores=cores)

    assert {nodes: Replay(made).seconds(nodes) for nodes in COUNTS} == pytest.approx(medians(made), rel=0.03)


@pytest.mark.parametrize("held_out", COUNTS)
def test_a_number_of_nodes_that_was_not_measured_is_predicted(held_out: int) -> None:
    """From those that were, fewer or more."""
    made = pool(COUNTS)
    rest = dataclasses.replace(made, points=tuple(point for point in made.points if point.nodes != held_out))

    assert Replay(rest).seconds(held_out) == pytest.approx(medians(made)[held_out], rel=0.05)


def test_nodes_that_share_a_machine_come_to_a_plateau() -> None:
    """On two cores nothing gets done sooner by more than two nodes, however many: some tasks just wait elsewhere."""
    replay, true = Replay(pool((1, 2, 3, 4), cores=2)), medians(pool((2, 6, 8), cores=2))

    assert [replay.seconds(nodes) for nodes in (2, 6, 8)] == pytest.approx([*true.values()], rel=0.05)
    assert replay.seconds(1000) > true[2] * 0.9


def test_a_prediction_is_the_same_each_time() -> None:
    """What is left to chance as well."""
    made = dataclasses.replace(pool((2, 4)), whole=Work(9000, 900 * KIB, 900))

    for conditions in (Conditions(), Conditions(latency=(2, 5), requests=3)):
        first, second = (Replay(made).seconds(3, conditions, whole=True) for _ in range(2))
        assert first == second
