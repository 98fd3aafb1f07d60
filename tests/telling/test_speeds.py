"""How fast a run goes is told from what was done."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.model import Bundle, Item, Kind, Task
from fastbatch.telling.speeds import Completion, lately, overall
from tests.recorded import planned

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = planned(20, inputs=3)
BUNDLES = {bundle.id: bundle for bundle in PLAN.bundles}


def completed(*seconds_ago: float) -> list[Completion]:
    """Say when tasks were completed."""
    return [
        Completion(NOW - timedelta(seconds=ago), Task(bundle.id))
        for ago, bundle in zip(seconds_ago, PLAN.bundles, strict=False)
    ]


def test_what_came_after_the_first_task_is_counted_until_now() -> None:
    """Nobody knows how long the first one took."""
    speed = lately(completed(10, 8, 6, 4, 2), NOW, BUNDLES)

    assert speed
    assert (speed.seconds, speed.tasks, speed.inputs, speed.bytes) == (10, 0.4, 1.2, 12)


@pytest.mark.parametrize("ago", [(), (10,), (10, 5), (10, 10, 10), (1, 0.9, 0.8, 0.1)], ids=str)
def test_too_little_tells_no_speed(ago: tuple[float, ...]) -> None:
    """Few tasks, tasks all at once, or a moment."""
    assert lately(completed(*ago), NOW, BUNDLES) is None


@given(st.lists(st.floats(0, 600), min_size=3, max_size=20))
def test_the_order_of_tasks_does_not_matter(ago: list[float]) -> None:
    """And no more is told than was done."""
    speed = lately(completed(*ago), NOW, BUNDLES)

    assert speed == lately(completed(*ago)[::-1], NOW, BUNDLES)
    if speed and speed.tasks:
        assert speed.tasks * speed.seconds < len(ago)


def test_a_slice_is_a_part_of_an_input() -> None:
    """Four quarters are one."""
    whole = Item("/in/large", "large", 400, 0)
    slices = {f"b{n}": Bundle(f"b{n}", Kind.SLICE, (whole,), 100 * n, 100 * n + 100) for n in range(4)}
    done = [Completion(NOW - timedelta(seconds=10), Task("other"))]
    done += [Completion(NOW - timedelta(seconds=5), Task(bundle)) for bundle in slices]
    speed = lately(done, NOW, slices)

    assert speed
    assert (speed.inputs, speed.bytes, speed.tasks) == (0.1, 40, 0.4)


def test_the_speed_of_all_the_time_is_what_was_done_in_it() -> None:
    """If anything was."""
    speed = overall(20, 1000, NOW, NOW + timedelta(seconds=10))

    assert speed
    assert (speed.inputs, speed.bytes, speed.seconds, speed.tasks) == (2, 100, 10, None)
    assert overall(0, 0, NOW, NOW + timedelta(seconds=10)) is None
    assert overall(5, 5, NOW, None) is None
    assert overall(5, 5, NOW, NOW) is None
