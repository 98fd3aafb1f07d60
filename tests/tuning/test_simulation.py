"""What a run would take on other numbers of nodes is what it takes there."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch.tuning.conditions import Conditions
from fastbatch.tuning.simulation import Replay
from tests.tuning.made import at_once, measured, run

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


@settings(max_examples=200)
@given(TASKS, NODES, st.integers(1, 3))
def test_what_was_measured_is_found_again(tasks: list[tuple[float, float]], nodes: int, slots: int) -> None:
    """Where nothing is left to chance."""
    made = run(tasks, nodes, slots=slots, opening=0.5, closing=1.5, merge=1)

    assert Replay(measured({nodes: [made]}, slots=slots)).seconds(nodes) == pytest.approx(made.seconds)
