"""The service's time. Nothing else in the service reads a clock or sets a timer."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol


class Timer(Protocol):
    """A call that is due at some time, and can be called off."""

    def cancel(self) -> None:
        """Call it off."""


class Clock(Protocol):
    """Tells the time and calls back at a time."""

    def now(self) -> int:
        """Give the time in microseconds; each answer is later than the one before, so no two events share one."""

    def call_at(self, moment: int, callback: Callable[[], None]) -> Timer:
        """Call back at that time, or soon if it is past."""


class SystemClock:
    """The machine's time."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        """Give the time in microseconds."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return self._last

    def call_at(self, moment: int, callback: Callable[[], None]) -> Timer:
        """Call back at that time; to be used in the event loop."""
        return asyncio.get_running_loop().call_later(max(0, moment - self.now()) / 1e6, callback)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a clock was turned: how far it goes ahead of the machine's, or where it stands still."""

    ahead: int = 0
    stopped_at: int | None = None


@dataclass(eq=False, slots=True)
class _Alarm:
    """A call that is due at some time; `handle` is what the event loop has of it while the clock runs."""

    clock: "TurnableClock"
    moment: int
    callback: Callable[[], None]
    handle: Timer | None = None

    def cancel(self) -> None:
        self.clock.forget(self)


class TurnableClock:
    """
    A clock that goes with the machine's until it is stopped or put forward; it goes back only if set right.

    One that stands still from the beginning gives no moment again that an earlier clock gave, until `last`.
    """

    def __init__(self, setting: Setting = Setting(), last: int = 0) -> None:
        self.turning = asyncio.Lock()  # for who puts it forward, as that takes several steps
        self._machine = SystemClock()
        self._setting = setting
        self._last = 0 if setting.stopped_at is None else last
        self._alarms: dict[_Alarm, None] = {}  # in the order in which they were set

    @property
    def setting(self) -> Setting:
        """Give how it is turned, from which another can be made that goes on."""
        return self._setting

    def now(self) -> int:
        """Give the time in microseconds; while the clock stands still, each answer is one more than the last."""
        self._last = max(self._last + 1, self.shown())
        return self._last

    def shown(self) -> int:
        """Give the time as a clock shows it: the same again while it stands still."""
        if self._setting.stopped_at is not None:
            return self._setting.stopped_at
        return self._machine.now() + self._setting.ahead

    def call_at(self, moment: int, callback: Callable[[], None]) -> Timer:
        """Call back at that time; to be used in the event loop."""
        alarm = _Alarm(self, moment, callback)
        self._alarms[alarm] = None
        self._arm(alarm)
        return alarm

    def stop(self) -> None:
        """Stand still from now on."""
        self._turn(Setting(stopped_at=self.shown()))

    def go(self) -> None:
        """Go on with the machine's clock, from the time that is shown."""
        self._turn(Setting(ahead=self.shown() - self._machine.now()))

    def set_right(self) -> None:
        """Go with the machine's clock again, even if that is back; for when nothing has a time any more."""
        self._last = 0
        self._turn(Setting())

    def advance(self, duration: int) -> Iterator[None]:
        """Let time pass at once: give a step for each alarm that has rung on the way, for what follows from it."""
        stood_still = self._setting.stopped_at is not None
        # From the last moment that was given: what is to last an hour is over when an hour was let pass after it.
        until = max(self.shown(), self._last) + duration
        self.stop()
        try:
            while (alarm := self._next(until)) is not None:
                self._turn(Setting(stopped_at=max(alarm.moment, self.shown())))
                self._ring(alarm)
                yield
            self._turn(Setting(stopped_at=until))
        finally:  # be it that who turns it has left halfway
            if not stood_still:
                self.go()

    def forget(self, alarm: _Alarm) -> None:
        """Let an alarm not ring."""
        self._alarms.pop(alarm, None)
        _disarm(alarm)

    def _turn(self, setting: Setting) -> None:
        self._setting = setting
        for alarm in list(self._alarms):
            self._arm(alarm)

    def _arm(self, alarm: _Alarm) -> None:
        _disarm(alarm)
        if self._setting.stopped_at is None:
            moment = alarm.moment - self._setting.ahead
            alarm.handle = self._machine.call_at(moment, lambda: self._ring(alarm))
        elif alarm.moment <= self._setting.stopped_at:
            alarm.handle = asyncio.get_running_loop().call_soon(self._ring, alarm)

    def _ring(self, alarm: _Alarm) -> None:
        self.forget(alarm)
        alarm.callback()

    def _next(self, until: int) -> _Alarm | None:
        due = (alarm for alarm in self._alarms if alarm.moment <= until)
        return min(due, key=lambda alarm: alarm.moment, default=None)


def _disarm(alarm: _Alarm) -> None:
    if alarm.handle is not None:
        alarm.handle.cancel()
        alarm.handle = None


async def sleep(clock: Clock, seconds: float) -> None:
    """Wait until so much of a clock's time has passed."""
    passed = asyncio.Event()
    timer = clock.call_at(clock.now() + int(seconds * 1e6), passed.set)
    try:
        await passed.wait()
    finally:
        timer.cancel()
