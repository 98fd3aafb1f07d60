"""Where the time went, by a clock that is moved by hand."""

import pytest

from fastbatch.stopwatch import Stopwatch


class Clock:
    """A clock."""

    now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_a_stage_takes_from_its_first_to_its_last_moment() -> None:
    """Stages overlap, and the total is of all."""
    clock = Clock()
    watch = Stopwatch(clock)
    for seconds, stage in ((1, "upload"), (1, "submit"), (2, "upload"), (3, "submit"), (1, "fetch")):
        clock.now += seconds
        watch.mark(stage)
    clock.now += 2

    assert watch.seconds() == {"upload": 3.0, "submit": 5.0, "fetch": 0.0, "total": 10.0}


def test_a_stage_that_fails_took_its_time_too() -> None:
    """The error goes on."""
    clock = Clock()
    watch = Stopwatch(clock)

    def fail() -> None:
        with watch.during("merge"):
            clock.now += 4
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert watch.seconds() == {"merge": 4.0, "total": 4.0}


def test_nothing_was_at_work_yet() -> None:
    """There is a total all the same."""
    assert Stopwatch(Clock()).seconds() == {"total": 0.0}
