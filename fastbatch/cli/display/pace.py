"""How fast something goes: how much of it was done in the last seconds."""

from collections import deque
from dataclasses import dataclass, field

SPAN = 15.0  # tasks take seconds: over less than this, a rate would only show when their results came
_STEP = 0.25  # what is done within so long is booked as one, so that memory is bounded
_SOONEST = 1.0  # a rate over less than this says nothing


@dataclass(frozen=True, slots=True)
class Speed:
    """How much is done in a second."""

    inputs: float
    bytes: float


@dataclass(slots=True)
class _Booked:
    """What was done from a moment on."""

    since: float
    inputs: int
    bytes: int


@dataclass(slots=True)
class Pace:
    """
    What was done in the last seconds.

    It is measured from the first time on that something was done. What was done then is not counted, as nobody knows
    how long that took.
    """

    _since: float | None = None
    _inputs: int = 0
    _bytes: int = 0
    _booked: deque[_Booked] = field(default_factory=deque)

    def add(self, now: float, inputs: int, size: int) -> None:
        """Take in that something was done."""
        if self._since is None:
            self._since = now
            return
        if not self._booked or now - self._booked[-1].since >= _STEP:
            self._forget(now)
            self._booked.append(_Booked(now, 0, 0))
        last = self._booked[-1]
        last.inputs += inputs
        last.bytes += size
        self._inputs += inputs
        self._bytes += size

    def at(self, now: float) -> Speed | None:
        """Give the speed, if there is something to tell it from."""
        if self._since is None or now - self._since < _SOONEST:
            return None
        self._forget(now)
        seconds = min(SPAN, now - self._since)
        return Speed(self._inputs / seconds, self._bytes / seconds)

    def _forget(self, now: float) -> None:
        while self._booked and self._booked[0].since <= now - SPAN:
            old = self._booked.popleft()
            self._inputs -= old.inputs
            self._bytes -= old.bytes
