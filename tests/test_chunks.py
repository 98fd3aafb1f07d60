"""Tasks in the bodies of collections: none lost, in order, and never more than the service takes."""

import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch import limits
from fastbatch.chunks import BODY_BYTES, Collection, Described, body
from fastbatch.model import Task

_AROUND = len(b'{"value":[]}')


def described(number: int, size: int = 40) -> Described:
    """Describe a task in so many bytes."""
    content = json.dumps({"id": f"b{number:05}"}).encode()
    return Described(Task(f"b{number:05}"), content[:-1] + b" " * (size - len(content)) + b"}")


def packed(tasks: list[Described]) -> list[Collection]:
    """Pack tasks as they come, each collection as full as it gets."""
    collections = [Collection()]
    for task in tasks:
        if collections[-1].full or not collections[-1].add(task):
            collections.append(Collection())
            assert collections[-1].add(task)
    return collections


_SIZES = st.one_of(st.integers(20, 500), st.integers(200_000, BODY_BYTES - _AROUND))


@settings(max_examples=100)
@given(st.lists(_SIZES, max_size=12), st.integers(0, 210))
def test_no_task_is_lost_and_no_body_is_over_the_limits(sizes: list[int], small: int) -> None:
    """Whatever the sizes: at most a hundred tasks, and at most so many bytes."""
    tasks = [described(n, size) for n, size in enumerate([*sizes, *[40] * small])]
    collections = packed(tasks)

    assert [task for collection in collections for task in collection.tasks] == tasks
    for collection in collections:
        assert len(collection.tasks) <= limits.TASKS_PER_COLLECTION
        assert len(body(collection.tasks)) <= BODY_BYTES < limits.COLLECTION_BYTES
        assert collection.size >= len(body(collection.tasks))


@settings(max_examples=100)
@given(st.lists(_SIZES, min_size=2, max_size=12))
def test_a_collection_is_left_only_when_the_next_task_does_not_fit(sizes: list[int]) -> None:
    """So there are no more requests than it takes; a byte or two are neither here nor there."""
    collections = packed([described(n, size) for n, size in enumerate(sizes)])
    for before, after in itertools.pairwise(collections):
        assert before.full
        assert len(body([*before.tasks, after.tasks[0]])) >= BODY_BYTES


@given(st.lists(st.integers(20, 300), max_size=100))
def test_a_body_is_json_of_its_parts(sizes: list[int]) -> None:
    """To the byte, as they were serialised once."""
    tasks = [described(n, size) for n, size in enumerate(sizes)]
    assert json.loads(body(tasks)) == {"value": [json.loads(task.content) for task in tasks]}


def test_a_collection_is_full_at_a_hundred_tasks() -> None:
    """Then it takes no more."""
    collection = Collection()
    assert [collection.add(described(n)) for n in range(100)] == [True] * 100
    assert collection.full
    assert not collection.add(described(100))
    assert len(collection.tasks) == 100


def test_a_task_that_no_body_can_hold_is_known() -> None:
    """By a byte."""
    assert not described(1, BODY_BYTES - _AROUND).too_large
    assert described(1, BODY_BYTES - _AROUND + 1).too_large


def test_a_body_is_filled_to_a_byte_or_two() -> None:
    """And not a byte over."""
    first, second = described(1, 500_000), BODY_BYTES - _AROUND - 500_000 - 1
    fitting, over = Collection(), Collection()
    assert fitting.add(first)
    assert fitting.add(described(2, second - 1))
    assert over.add(first)
    assert not over.add(described(2, second + 1))
    assert len(body([first, described(2, second + 1)])) == BODY_BYTES + 1
