"""Who waits for whom, as the store keeps it: checked against the plainest way to say it."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.local import bodies
from fastbatch.local.errors import Refused
from fastbatch.local.records import Job, Task
from fastbatch.local.states import jobs, tasks
from fastbatch.local.store import Store

JOB = bodies.JOB({"id": "j", "poolInfo": {"poolId": "p"}, "usesTaskDependencies": True})
IDS = st.sampled_from(["0", "1", "2", "3", "4", "5", "6", "04", "004", "a", "B", "b", "x5", str(2**31), "9" * 64])
RANGES = st.tuples(st.integers(0, 7), st.integers(0, 4)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@dataclass
class Waiting:
    """A task, and what it was said to depend on."""

    key: int
    ids: list[str]
    ranges: list[tuple[int, int]]

    def is_blocked(self, satisfied: set[str]) -> bool:
        """Tell whether anything of that is not satisfied."""
        numbers = {int(name) for name in satisfied if name.isdecimal()}
        names = {name.lower() for name in satisfied}
        wanted = itertools.chain.from_iterable(range(first, last + 1) for first, last in self.ranges)
        return not ({name.lower() for name in self.ids} <= names and set(wanted) <= numbers)


@pytest.fixture
def store() -> Iterator[Store]:
    """Have a store."""
    with_nothing = Store(Path(":memory:"))
    yield with_nothing
    with_nothing.close()


def new_job(store: Store, name: str = "j") -> Job:
    """Add a job."""
    return store.add(jobs.new({**JOB, "id": name}, json.dumps(JOB), 0))


def add(store: Store, job: Job, name: str, ids: Iterable[str] = (), ranges: Iterable[tuple[int, int]] = ()) -> Waiting:
    """Add a task that depends on others."""
    body = bodies.TASK({"id": name, "commandLine": "c"})
    task = tasks.new(job, {**body, "constraints": tasks.constraints(body, JOB)}, 0)
    (key,) = store.add_tasks([task], ["{}"])
    waiting = Waiting(key, list(ids), list(ranges))
    store.dependencies.hold(job.key, key, waiting.ids, waiting.ranges)
    return waiting


def blocked(store: Store, waiting: Waiting) -> bool:
    """Tell whether a task is held back."""
    task = store.get(Task, waiting.key)
    assert task
    return bool(task.blocked)


@given(
    steps=st.lists(st.one_of(IDS, st.tuples(st.lists(IDS, max_size=3), st.lists(RANGES, max_size=3))), max_size=25),
)
def test_a_task_is_held_back_as_long_as_anything_that_it_depends_on_is_not_satisfied(
    steps: list[str | tuple[list[str], list[tuple[int, int]]]],
) -> None:
    """In whatever order tasks are added and ids satisfy; what happens in another job does not matter."""
    store = Store(Path(":memory:"))
    job, other = new_job(store), new_job(store, "k")
    satisfied: set[str] = set()
    waiting: list[Waiting] = []
    for number, step in enumerate(steps):
        if isinstance(step, str):
            satisfied.add(step)
            store.dependencies.satisfy(job.key, step)
        else:
            waiting.append(add(store, job, f"t{number}", *step))
            elsewhere = add(store, other, f"t{number}", *step)
            assert blocked(store, elsewhere) == any(step)
        assert [blocked(store, each) for each in waiting] == [each.is_blocked(satisfied) for each in waiting]
    store.close()


@given(order=st.permutations(range(12)), cuts=st.lists(RANGES, min_size=1, max_size=4))
def test_a_range_is_satisfied_with_its_last_number_whichever_that_is(
    order: list[int], cuts: list[tuple[int, int]]
) -> None:
    """Numbers come in any order, and some of them twice."""
    store = Store(Path(":memory:"))
    job = new_job(store)
    waiting = add(store, job, "t", ranges=cuts)
    wanted = {number for first, last in cuts for number in range(first, last + 1)}
    for number in order:
        store.dependencies.satisfy(job.key, str(number))
        store.dependencies.satisfy(job.key, f"0{number}")
        wanted.discard(number)
        assert blocked(store, waiting) == bool(wanted)
    store.close()


def test_leading_zeros_matter_to_no_range(store: Store) -> None:
    """The first of 4, 04 and 004 satisfies; where an id is named, it must be that very id."""
    job = new_job(store)
    by_range, by_id = add(store, job, "t", ranges=[(4, 4)]), add(store, job, "u", ["4"])
    store.dependencies.satisfy(job.key, "004")
    assert (blocked(store, by_range), blocked(store, by_id)) == (False, True)
    store.dependencies.satisfy(job.key, "4")
    assert not blocked(store, by_id)


def test_of_a_range_only_those_are_waited_for_that_have_not_ended_yet(store: Store) -> None:
    """Wherever in the range they are."""
    job = new_job(store)
    for number in (2, 4, 5):
        store.dependencies.satisfy(job.key, str(number))
    waiting = add(store, job, "t", ranges=[(1, 5)])
    for number in (3, 1):
        assert blocked(store, waiting)
        store.dependencies.satisfy(job.key, str(number))
    assert not blocked(store, waiting)


def rows(store: Store) -> int:
    """Count all that is written down of dependencies."""
    database = store._database  # noqa: SLF001 - how much is written is nothing that the store tells
    counts = database.execute(
        "SELECT (SELECT count(*) FROM satisfied), (SELECT count(*) FROM satisfied_runs),"
        " (SELECT count(*) FROM awaited_ids), (SELECT count(*) FROM awaited_ranges)"
    )
    return sum(counts.fetchone())


def test_a_wide_range_takes_no_more_room_than_a_narrow_one(store: Store) -> None:
    """It is never written out, and numbers that follow each other are kept as one run."""
    job = new_job(store)
    add(store, job, "t", ranges=[(0, 2**31 - 1)])
    assert rows(store) == 1
    for number in (3, 1, 2, 4):
        store.dependencies.satisfy(job.key, str(number))
    assert rows(store) == 1 + 4 + 1


def test_what_goes_leaves_nothing(store: Store) -> None:
    """A task that goes waits no more, though what it satisfied stays; a job that goes takes all with it."""
    job, other = new_job(store), new_job(store, "k")
    waiting = add(store, job, "t", ["a"], [(1, 3)])
    store.dependencies.satisfy(job.key, "1")
    add(store, other, "t", ["a"])
    there = store.get(Task, waiting.key)
    assert there
    store.remove(there)
    assert rows(store) == 2 + 1
    store.remove(job)
    store.remove(other)
    assert rows(store) == 0


@pytest.mark.parametrize(
    ("depends_on", "code"),
    [
        ({"taskIds": "a"}, "InvalidPropertyValue"),
        ({"taskIds": [1]}, "InvalidPropertyValue"),
        ({"taskIds": ["a b"]}, "InvalidPropertyValue"),
        ({"taskIdRanges": [{"start": 1}]}, "MissingRequiredProperty"),
        ({"taskIdRanges": [{"start": -1, "end": 1}]}, "InvalidPropertyValue"),
        ({"taskIdRanges": [{"start": 2, "end": 1}]}, "InvalidPropertyValue"),
        ({"taskIdRanges": [{"start": 1, "end": 2**31}]}, "InvalidPropertyValue"),
        ({"taskIdRanges": [{"start": "one", "end": "two"}]}, "InvalidPropertyValue"),
        ({"taskIds": ["x" * 64] * 1000 + ["y"]}, "TaskDependencyListTooLong"),
        ({"taskIds": ["x"] * 70000}, "TaskDependencyListTooLong"),
        ({"taskIdRanges": [{"start": 10**9, "end": 10**9}] * 3201}, "TaskDependencyRangesTooLong"),
        ({"tasks": []}, "UnsupportedProperty"),
        ([], "InvalidPropertyValue"),
    ],
)
def test_dependencies_that_can_not_be_are_refused(depends_on: Any, code: str) -> None:
    """Before anything is added."""
    with pytest.raises(Refused) as caught:
        bodies.TASK({"id": "t", "commandLine": "c", "dependsOn": depends_on})
    assert (caught.value.code, caught.value.status) == (code, 400)


@pytest.mark.parametrize(
    "depends_on",
    [
        {},
        {"taskIds": []},
        {"taskIds": ["x" * 64] * 1000},
        {"taskIdRanges": [{"start": 0, "end": 2**31 - 1}, {"start": 5, "end": 5}]},
    ],
)
def test_dependencies_stay_as_they_were_given(depends_on: dict[str, Any]) -> None:
    """Up to the limit of the service."""
    assert bodies.TASK({"id": "t", "commandLine": "c", "dependsOn": depends_on})["dependsOn"] == depends_on
