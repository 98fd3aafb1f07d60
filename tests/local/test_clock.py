"""A clock that is stopped, put forward and let go on."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.local.clock import Clock, Setting, SystemClock, TurnableClock, sleep
from fastbatch.local.wire import DAY, SECOND

BEGIN = 1_000_000_000_000_000
HOUR = 3600 * SECOND
durations = st.integers(0, 10 * SECOND)


def near(moment: int, other: int) -> bool:
    """Tell whether two times are the same but for how long it takes to ask for them."""
    return abs(moment - other) < 10 * SECOND


def frozen() -> TurnableClock:
    """Give a clock that stands still."""
    return TurnableClock(Setting(stopped_at=BEGIN))


def advance(clock: TurnableClock, duration: int) -> None:
    """Put a clock forward, where nothing follows from what rings."""
    for _ in clock.advance(duration):
        pass


def test_an_unturned_clock_shows_the_time_of_the_machine() -> None:
    """Nobody who does not turn it sees a difference."""
    clock, machine = TurnableClock(), SystemClock()

    assert near(clock.shown(), machine.now())


@given(turns=st.lists(st.one_of(durations, st.sampled_from(["stop", "go", "ask"]))))
def test_time_never_goes_back_and_no_two_moments_are_one(turns: list[int | str]) -> None:
    """However it is turned."""
    clock, told = frozen(), []
    for turn in turns:
        if isinstance(turn, int):
            advance(clock, turn)
        elif turn == "stop":
            clock.stop()
        elif turn == "go":
            clock.go()
        told.append(clock.now())

    assert told == sorted(set(told))


@given(moments=st.lists(durations, max_size=20), steps=st.lists(durations, max_size=5))
def test_alarms_ring_at_their_moment_in_their_order_and_once(moments: list[int], steps: list[int]) -> None:
    """Whatever the steps are in which time passes."""

    async def scene() -> None:
        clock, rung = frozen(), []
        for number, moment in enumerate(moments):
            clock.call_at(BEGIN + 1 + moment, lambda it=(moment, number): rung.append((*it, clock.shown())))  # type: ignore[misc]
        for step in steps:
            advance(clock, step)

        passed = sum(steps)
        due = sorted((moment, number) for number, moment in enumerate(moments) if moment + 1 <= passed)
        assert rung == [(moment, number, BEGIN + 1 + moment) for moment, number in due]

    asyncio.run(scene())


@given(asked=st.integers(1, 100), parts=st.lists(st.integers(0, HOUR), min_size=1, max_size=4))
def test_what_takes_so_long_is_over_when_so_much_time_was_let_pass(asked: int, parts: list[int]) -> None:
    """Though a clock that stands still gives many moments, and each is another; and not long before."""

    async def scene() -> None:
        clock, rung = frozen(), []
        begun = [clock.now() for _ in range(asked)][-1]
        clock.call_at(begun + sum(parts), lambda: rung.append(True))
        for part in parts[:-1]:
            advance(clock, part)
        advance(clock, max(0, parts[-1] - SECOND))
        assert not rung or parts[-1] < SECOND
        advance(clock, min(SECOND, parts[-1]))
        assert rung == [True]

    asyncio.run(scene())


def test_an_alarm_that_is_called_off_does_not_ring() -> None:
    """Nor does calling it off twice do harm."""

    async def scene() -> None:
        clock = frozen()
        timer = clock.call_at(BEGIN + SECOND, lambda: pytest.fail("it rang"))
        timer.cancel()
        timer.cancel()
        advance(clock, HOUR)

    asyncio.run(scene())


def test_what_an_alarm_sets_rings_on_the_same_way() -> None:
    """A node that boots on the way starts a task whose time is over before the way is."""

    async def scene() -> None:
        clock, rung = frozen(), []

        def again() -> None:
            rung.append(clock.shown() - BEGIN)
            clock.call_at(clock.shown() + HOUR, again)

        clock.call_at(BEGIN + HOUR, again)
        advance(clock, 3 * HOUR + SECOND)

        assert rung == [HOUR, 2 * HOUR, 3 * HOUR]
        assert clock.shown() == BEGIN + 3 * HOUR + SECOND

    asyncio.run(scene())


def test_a_clock_that_stands_still_rings_for_nobody_but_who_is_late() -> None:
    """An alarm for a time that is past rings soon, as it does on a clock that goes."""

    async def scene() -> None:
        clock, late = frozen(), asyncio.Event()
        clock.call_at(BEGIN + 1, lambda: pytest.fail("it rang"))
        clock.call_at(BEGIN, late.set)

        await asyncio.wait_for(late.wait(), 10)

    asyncio.run(scene())


def test_alarms_ring_when_the_clock_goes_again() -> None:
    """They were only waiting."""

    async def scene() -> None:
        clock, rung = frozen(), asyncio.Event()
        clock.call_at(BEGIN + SECOND // 100, rung.set)
        clock.go()

        await asyncio.wait_for(rung.wait(), 10)
        assert BEGIN + SECOND // 100 <= clock.shown() < BEGIN + 10 * SECOND

    asyncio.run(scene())


def test_a_clock_that_goes_rings_at_once_for_what_it_passes() -> None:
    """And goes on from there."""

    async def scene() -> None:
        clock, rung = TurnableClock(), []
        clock.call_at(clock.now() + HOUR, lambda: rung.append("hour"))
        clock.call_at(clock.now() + DAY, lambda: rung.append("day"))
        advance(clock, 2 * HOUR)

        assert rung == ["hour"]
        assert near(clock.shown(), SystemClock().now() + 2 * HOUR)

    asyncio.run(scene())


def test_another_clock_can_be_made_that_goes_on_as_this_one() -> None:
    """As a service that is started again needs one."""
    clock = TurnableClock()
    advance(clock, 5 * DAY)
    again = TurnableClock(clock.setting)

    assert near(again.shown(), clock.shown())
    clock.stop()
    assert TurnableClock(clock.setting).shown() == clock.shown()


def test_a_clock_that_stood_still_gives_no_moment_again_after_another_start() -> None:
    """Though it shows the same time as before."""
    clock = frozen()
    last = [clock.now() for _ in range(3)][-1]
    again = TurnableClock(clock.setting, last)

    assert again.shown() == clock.shown()
    assert again.now() > last


def test_a_clock_that_goes_is_not_bound_to_what_was_given_before() -> None:
    """Or one that was wrong once would stand still until that time."""
    last = SystemClock().now() + DAY

    assert near(TurnableClock(last=last).now(), SystemClock().now())


def test_a_clock_that_is_set_right_shows_the_time_of_the_machine_again() -> None:
    """Also if that is earlier."""
    clock = TurnableClock()
    advance(clock, 5 * DAY)
    clock.now()
    clock.set_right()

    assert near(clock.now(), SystemClock().now())


@pytest.mark.parametrize("clock", [SystemClock(), TurnableClock()])
def test_sleeping_takes_as_long_as_it_says(clock: Clock) -> None:
    """By the clock that is asked."""

    async def scene() -> None:
        before = clock.now()
        await sleep(clock, 0.01)
        assert clock.now() >= before + SECOND // 100

    asyncio.run(scene())


def test_who_sleeps_while_the_clock_stands_still_is_woken_by_turning_it() -> None:
    """And by nothing else; who is cancelled leaves no alarm."""

    async def scene() -> None:
        clock = frozen()
        sleeping = asyncio.create_task(sleep(clock, 3600))
        cancelled = asyncio.create_task(sleep(clock, 3600))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert not sleeping.done()

        steps = list(clock.advance(HOUR + SECOND))
        await asyncio.wait_for(sleeping, 10)
        assert len(steps) == 1

    asyncio.run(scene())
