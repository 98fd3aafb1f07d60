"""The service's time. Nothing else in the service reads a clock or sets a timer."""

import asyncio
import time
from collections.abc import Callable
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
