"""What a run asks of a pool is told from it, and what the whole would ask from a sample."""

import dataclasses
import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.tuning.load import enlarged, load, spaced
from fastbatch.tuning.measured import RunTimes, TaskTimes, Work
from tests.tuning.made import at_once, run, times


def work(tasks: int, size: int = 100) -> Work:
    """Have a work of so many tasks of so many bytes."""
    return Work(tasks, tasks * size, tasks)


def test_tasks_come_as_they_were_created() -> None:
    """From the first request of the run on."""
    asked = load(run([(5, 1), (0, 2), (0, 3)], opening=0.5, closing=2, merge=1), 1)

    assert (asked.opening, asked.arrivals, asked.services) == (0.5, (0.5, 0.5, 5.5), (2, 3, 1))
    assert (asked.closing, asked.merge, asked.service) == (2, 1, 2)


def test_attempts_at_a_bundle_hold_one_slot_one_after_the_other() -> None:
    """However late a retry was created: with fewer nodes it would have been later."""
    tasks = (times("b1", 0, 0, 3), times("b2", 0, 0, 4, node="b"), times("b1-r1", 60, 60, 64))
    asked = load(RunTimes(70, 0, 0, 0, tasks), 1)

    assert (asked.arrivals, asked.services) == ((0, 0), (7, 4))


def test_the_whole_comes_at_the_rate_of_the_sample() -> None:
    """And its merge takes as much longer as there is more to merge."""
    sample = load(run([(0, 1), (2, 2), (4, 3)], opening=0.5, closing=2, merge=1), 1)
    whole = enlarged(sample, work(3), work(9))

    assert whole.arrivals == tuple(0.5 + 2 * n for n in range(9))
    assert whole.closing == 4


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=20), st.integers(1, 100))
def test_each_task_of_a_sample_comes_as_often_as_any_other(services: list[float], more: int) -> None:
    """But for the last turn."""
    sample = load(run([(0, service) for service in services], len(services)), 1)
    whole = enlarged(sample, work(len(services)), work(len(services) + more))
    turns, rest = divmod(len(services) + more, len(services))
    often, least = Counter(whole.services), Counter(sample.services * turns)

    assert len(whole.services) == len(services) + more
    assert often >= least
    assert (often - least).total() == rest
    assert enlarged(sample, work(len(services)), work(len(services) + more)) == whole


@pytest.mark.parametrize(("fixed", "size", "longer"), [(0, 200, 2), (10, 200, 1.5), (0, 50, 0.5), (10, 50, 0.75)])
def test_tasks_with_more_bytes_take_longer_by_what_bytes_cost(fixed: float, size: int, longer: float) -> None:
    """As the tasks that were measured tell: some take long for what they hold, some whatever they hold."""
    tasks = [sized(number, held, fixed + held / 10) for number, held in enumerate((50, 100, 150))]
    sample = load(RunTimes(100, 0, 0, 0, tuple(tasks)), 1)

    assert enlarged(sample, work(3), work(300, size)).service == pytest.approx(longer * sample.service)


def sized(number: int, size: int, service: float) -> TaskTimes:
    """Have a task of so many bytes."""
    return dataclasses.replace(times(f"b{number}", 0, 0, service, node=str(number)), bytes=size)


def test_tasks_that_are_all_alike_stay_so() -> None:
    """Nothing tells what more bytes would cost."""
    assert enlarged(load(run(at_once(3, 5)), 1), work(3), work(30, 200)).services == (5,) * 30


def test_what_is_all_there_is_stays_as_it_is() -> None:
    """So does a run that had nothing to do."""
    sample, none = load(run(at_once(3)), 1), load(run([]), 1)

    assert enlarged(sample, work(3), work(3)) is sample
    assert enlarged(none, Work(0, 0, 0), work(3)) is none


def test_requests_are_taken_one_after_the_other() -> None:
    """Each brings a hundred tasks; those that come later are not hurried."""
    assert spaced([0.5] * 250, 2) == [0.5] * 100 + [1] * 100 + [1.5] * 50
    assert spaced([0] * 100 + [9] * 100 + [9] * 50, 2) == [0] * 100 + [9] * 100 + [9.5] * 50


@given(st.lists(st.floats(0, 10), max_size=400), st.floats(0.1, 100))
def test_limited_requests_make_nothing_earlier(arrivals: list[float], requests: float) -> None:
    """And no two collections come closer than they may."""
    arrivals.sort()
    later = spaced(arrivals, requests)

    assert all(before <= after for before, after in zip(arrivals, later, strict=True))
    for before, after in itertools.pairwise(later[::100]):
        assert after - before >= 1 / requests - 1e-6
