"""Where the time of a run went is told from its tasks' times, whatever the clocks."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.tuning.findings import Stages
from fastbatch.tuning.measured import RunTimes, TaskTimes
from fastbatch.tuning.timeline import Gaps, closing, gaps, in_order, stages
from tests.tuning.made import at_once, run, times

HOUR = 3600.0
MOMENTS = st.floats(-HOUR, HOUR)
ANY_TASKS = st.lists(
    st.builds(TaskTimes, st.just("b00001"), st.sampled_from("abc"), st.just(1), *[MOMENTS] * 5), max_size=8
)


def test_a_median_task_and_a_median_run_are_told() -> None:
    """A task tells of its stages, a run of how tasks came and went."""
    tasks = (
        TaskTimes("b00001", "a", 1, 0, 1, 2, 8, 9),
        TaskTimes("b00002", "b", 1, 0, 2, 4, 10, 11),
        TaskTimes("b00003", "a", 1, 3, 10, 10.5, 16, 17),
    )
    found = stages([RunTimes(20, 0.5, 1, 0, tasks)], slots=1, nodes=2)

    assert found == Stages(waiting=2, stage_in=1, compute=6, stage_out=1, submit=3.5, tail=6, idle=0.25)


def test_medians_are_of_all_tasks_and_of_all_runs() -> None:
    """A run more or less has no more weight than its tasks."""
    runs = [run(at_once(4, service), opening=service) for service in (1, 2, 6)]
    found = stages(runs, slots=1, nodes=1)

    assert found.compute == pytest.approx(0.8 * 2)
    assert (found.submit, found.tail, found.idle) == (2, 0, 0)


@pytest.mark.parametrize("runs", [[], [run([])]], ids=["no run", "no task"])
def test_what_was_not_there_took_no_time(runs: list[RunTimes]) -> None:
    """Of no run, or of none that had tasks, there is nothing to tell."""
    assert stages(runs, slots=2, nodes=2) == Stages(0, 0, 0, 0, 0, 0, 0)


def test_one_task_is_all_tail() -> None:
    """The other slots had nothing to do from the start."""
    found = stages([run([(0, 10)], nodes=2, slots=2)], slots=2, nodes=2)

    assert (found.tail, found.idle) == (10, 0.75)


def test_the_tail_begins_with_the_first_slot_that_has_no_more_to_do() -> None:
    """Three tasks on two nodes: the node of the short one is done first."""
    assert stages([run([(0, 4), (0, 1), (0, 2)], nodes=2)], slots=1, nodes=2).tail == pytest.approx(1)


@given(ANY_TASKS, st.integers(1, 3), st.integers(1, 3))
def test_nothing_takes_less_than_no_time(tasks: list[TaskTimes], slots: int, nodes: int) -> None:
    """Whatever the clocks told."""
    found = stages([RunTimes(1, 0, 0, 0, tuple(tasks))], slots, nodes)

    assert min(found.waiting, found.stage_in, found.compute, found.stage_out, found.tail) >= 0
    assert 0 <= found.idle <= 1
    assert min(*gaps(tasks, slots).free, *gaps(tasks, slots).freed, 0, 0) == 0


@given(ANY_TASKS)
def test_each_moment_follows_the_one_before(tasks: list[TaskTimes]) -> None:
    """For each task."""
    found = list(in_order(tasks))

    assert len(found) == len(tasks)
    for task in found:
        moments = [task.created, task.started, task.computing, task.computed, task.ended]
        assert moments == sorted(moments)


@given(st.floats(-HOUR, HOUR), st.floats(-HOUR, HOUR))
def test_a_node_whose_clock_is_off_is_read_by_what_can_be(one: float, other: float) -> None:
    """How long its programs worked is exact, and the rest is what is left for files and results."""
    true = [times(f"b{n}", 0, 10.0 * n, 10.0 * n + 8, node=node) for n, node in enumerate("abab")]
    off = {"a": one, "b": other}
    told = [
        dataclasses.replace(task, computing=task.computing + off[task.node], computed=task.computed + off[task.node])
        for task in true
    ]
    for task in in_order(told):
        assert task.compute == pytest.approx(6.4)
        assert task.stage_in + task.stage_out == pytest.approx(1.6)
        assert (task.waiting, task.service) == (10.0 * int(task.task[1:]), 8)


def test_moments_that_can_be_are_left_alone() -> None:
    """A clock that may be right is taken to be."""
    tasks = [times("b1", 0, 1, 2, node="a"), times("b2", 0, 1, 3, node="b"), times("b3", 0, 2, 5, node="a")]

    assert sorted(in_order(tasks), key=lambda task: task.task) == tasks


def test_a_slot_waits_for_its_next_task() -> None:
    """From the moment when there are both a slot and a task."""
    tasks = [
        times("b1", created=0, started=2, ended=5),  # the slot was free
        times("b2", created=1, started=6, ended=8),  # it came free for this
        times("b3", created=20, started=23, ended=24),  # it had long been free
        times("b4", created=0, started=1, ended=30, node="other"),
    ]

    assert gaps(tasks, slots=1) == Gaps(free=(2, 3, 1), freed=(1,))


def test_slots_of_a_node_are_told_apart() -> None:
    """A task takes the one that came free first."""
    tasks = [times("b1", 0, 0, 4), times("b2", 0, 1, 3), times("b3", 0, 5, 6), times("b4", 0, 5, 7)]

    assert gaps(tasks, slots=2) == Gaps(free=(0, 1), freed=(2, 1))


def test_a_run_goes_on_after_its_last_task() -> None:
    """It has to notice, to fetch and to merge; without tasks all of it is opening and closing."""
    assert closing(run(at_once(3, 2), opening=1, closing=4)) == 4
    assert closing(run([], opening=1, closing=4)) == 4
