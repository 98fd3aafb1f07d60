"""Which waiting task goes to which node."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from fastbatch.local.records import Task
from fastbatch.local.states.placement import Room, place
from tests.local.test_pool_states import node as a_node


def a_task(job: int, slots: int, key: int) -> Task:
    """Make a waiting task."""
    return Task(key, job, f"t{key}", slots, 0, None, 0, 0, "active", 0)


def placed(
    asked: list[tuple[int, int]], free: list[int], barred: Mapping[int, set[int]], *, pack: bool
) -> list[tuple[int, int]]:
    """Place tasks, each of a job and with slots, on nodes with so many free slots; give tasks and nodes by position."""
    waiting = [a_task(job, slots, key) for key, (job, slots) in enumerate(asked)]
    rooms = [Room(a_node(key), slots) for key, slots in enumerate(free)]
    return [(task.key, node.key) for task, node in place(waiting, rooms, barred, pack=pack)]


def test_a_job_that_is_barred_keeps_no_other_from_the_nodes() -> None:
    """Its own tasks take those that are left to it."""
    assert placed([(1, 1), (1, 1), (2, 1), (2, 1)], [1, 1], {1: {0}}, pack=False) == [(0, 1), (2, 0)]
    assert placed([(1, 1), (2, 1)], [1], {1: {0}}, pack=False) == [(1, 0)]


def test_who_is_behind_a_large_task_waits_for_its_nodes_only() -> None:
    """It may have those that the large one can't."""
    assert placed([(1, 2), (2, 1), (2, 1), (2, 1)], [2, 1], {1: {0}}, pack=False) == [(1, 0), (2, 0)]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=12),
    st.lists(st.integers(0, 4), min_size=1, max_size=4),
    st.dictionaries(st.integers(1, 2), st.sets(st.integers(0, 3))),
    st.booleans(),
)
def test_no_task_goes_where_it_may_not_and_none_waits_in_vain(
    asked: list[tuple[int, int]], free: list[int], barred: dict[int, set[int]], pack: bool
) -> None:
    """A task that is left over fits on no node that is not kept for one before it."""
    found = placed(asked, free, barred, pack=pack)
    assert all(node not in barred.get(asked[task][0], ()) for task, node in found)
    left = [slots - sum(asked[task][1] for task, at in found if at == node) for node, slots in enumerate(free)]
    assert min(left, default=0) >= 0
    open_nodes = set(range(len(free)))
    for task in sorted(set(range(len(asked))) - {task for task, _ in found}):
        job, slots = asked[task]
        shut = barred.get(job, set())
        assert all(left[node] < slots for node in open_nodes - shut)
        open_nodes &= shut
