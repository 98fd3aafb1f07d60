"""The one pacing of all requests to a service, shared by all who send them."""

import math
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio

from fastbatch.errors import ServiceError
from fastbatch.sending.retry import asked, out_of_time, refused_by_load

_FIRST = 4  # requests at once to begin with
_FEWER = 0.5  # what is left of them when the service has too much to do

_SLOWER = 0.9  # what is left of a rate that was too high
_AT_LEAST = 0.5  # what is left of it at the very least, however little was accepted of late
_SLOWEST = 0.5  # requests a second
_WINDOW = 2.0  # seconds over which acceptances are counted
_BRIEFLY = 1.0  # seconds that say little about a rate, and much about what was saved up before
_SAVED_UP = 0.5  # the part of that which is taken to be there again after each pause
_NO_MORE = 0.2  # of what was accepted, the part that was saved up at most
_SEARCH = 0.5  # seconds in which a rate doubles that nothing is known of yet
_AGAIN = 1.5  # the same when it is far over the one that was last too high
_FAR = 1.1  # times that one
_PATIENCE = 8.0  # seconds to come back to a rate, at most, if a refusal costs one second
_GROWTH = 0.008  # requests a second, per second cubed, that a low rate grows then at least
_LATE = 0.02  # seconds that a start may be late and be made up for
_SOON = 0.001  # seconds that no timer is worth

_PAUSE = 0.25  # seconds after a refusal, doubled for each in a row
_DOUBLINGS = 7  # at most, to half a minute
_BEYOND = 32.0  # doublings that are beyond all limits
_SPREAD = 0.1  # of a pause, so that many clients do not come back at once


class Statistics(NamedTuple):
    """How a throttle is doing."""

    running: int  # requests
    waiting: int  # for their turn
    allowed: int  # at once
    rate: float  # a second that may start; infinite until the service refuses one


class Room:
    """
    How many requests may run at once.

    Doubles with every round trip until there is trouble, then has one more place with each; halves on trouble.
    """

    def __init__(self, most: int) -> None:
        self.running = 0
        self._most = most
        self._size = float(min(_FIRST, most))
        self._short = False
        self._shrunk = -math.inf

    @property
    def size(self) -> int:
        """Return how many may run now."""
        return int(self._size)

    def take(self) -> bool:
        """Take a place if there is one."""
        self._short = self.running >= self.size
        if not self._short:
            self.running += 1
        return not self._short

    def free(self) -> None:
        """Give a place back."""
        self.running -= 1

    def grow(self) -> None:
        """Hear that a request did well; it takes someone who waits for a place to make more of them."""
        if self._short:
            step = 1 if self._shrunk == -math.inf else 1 / self._size
            self._size = min(float(self._most), self._size + step)

    def shrink(self, began: float, now: float) -> None:
        """Hear that a request met trouble; those on their way at the last trouble met the same."""
        if began > self._shrunk:
            self._shrunk = now
            self._size = max(1.0, self._size * _FEWER)


class Rate:
    """
    How soon the next request may start.

    At once, until the service refuses one. Then all pause, and go on at a fraction of the rate that it lately took.
    From there the rate grows along a cubic curve, as TCP does: soon near the old one, slowly past it, then ever faster;
    the sooner, the less it costs to be refused.

    What a service takes in its first moments says more of what it had saved up than of its rate. If it refuses one that
    early, its rate is searched from below: it doubles until the next refusal.
    """

    def __init__(self) -> None:
        self._goal = math.inf  # the rate where growth is slowest
        self._searching = False
        self._resumes = -math.inf  # when growth starts
        self._back = 0.0  # how many seconds later the goal is reached
        self._next = -math.inf  # when the next request may start
        self._first = math.inf
        self._accepted: deque[float] = deque()
        self._saved_up = 0  # requests that were taken before the first refusal, if that came early
        self._refused = -math.inf
        self._refusals = 0  # in a row

    def at(self, now: float) -> float:
        """Return how many requests may start in a second."""
        if self._goal == math.inf:
            return math.inf
        since = max(0.0, now - self._resumes)
        if self._searching:
            return self._goal * _doubled(since / max(_SEARCH, 1 / self._goal))
        far = self._back * (1 + math.cbrt((_FAR - 1) / (1 - _SLOWER)))
        if since > far:
            return self._goal * _FAR * _doubled((since - far) / _AGAIN)
        return self._goal * (1 + (1 - _SLOWER) * (since / self._back - 1) ** 3)

    def wait(self, now: float) -> float:
        """Return in how many seconds a request may start; 0 if it may now."""
        left = self._next - now
        return left if left > _SOON else 0.0

    def start(self, now: float) -> None:
        """Hear that a request starts."""
        self._first = min(self._first, now)
        self._next = max(self._next, now - _LATE) + 1 / self.at(now)

    def accept(self, began: float, now: float) -> None:
        """Hear that the service took a request."""
        self._accepted.append(now)
        self._forget(now - _WINDOW)
        if began > self._refused:
            self._refusals = 0

    def refuse(self, began: float, now: float, pause: float, spread: float) -> None:
        """Hear that the service refused a request and asked for a pause; those on their way together count as one."""
        if began > self._refused:
            self._refused = now
            self._refusals += 1
            self._goal = max(_SLOWEST, self._sustainable(now))
            patience = min(_PATIENCE, math.cbrt(self._goal * (1 - _SLOWER) / _GROWTH))
            # A balance of what is lost by refusals and by going too slowly, which is due to the root of their cost.
            self._back = patience * math.sqrt(max(_PAUSE, pause))
            pause = max(pause, _PAUSE * 2.0 ** min(self._refusals - 1, _DOUBLINGS))
        self._next = max(self._next, now + pause * (1 + _SPREAD * spread))
        self._resumes = self._next

    def _sustainable(self, now: float) -> float:
        """Tell what the service seems to take, and whether that is to be searched."""
        rate = self.at(now)
        since = max(self._first, self._resumes, now - (_SEARCH if self._searching else _WINDOW))
        self._forget(since)
        accepted, seconds = len(self._accepted), max(_SOON, now - since)
        if rate == math.inf:
            self._searching = seconds < _BRIEFLY
            self._saved_up = accepted if self._searching else 0
            return accepted / max(_SEARCH, seconds)
        if self._searching:
            self._searching = False
            saved_up = float(self._saved_up)  # all of it, as the window is short
        else:
            saved_up = min(_SAVED_UP * self._saved_up, _NO_MORE * accepted)
        return min(rate, max(rate * _AT_LEAST, (accepted - saved_up) / seconds))

    def _forget(self, before: float) -> None:
        while self._accepted and self._accepted[0] < before:
            self._accepted.popleft()


def _doubled(times: float) -> float:
    return math.exp2(min(_BEYOND, times))


class Throttle:
    """
    Turns for requests to one service: so many at once, so many a second, first come, first served.

    How the requests went makes it faster or slower, between one at a time and `most`.
    """

    def __init__(self, most: int, *, random: Callable[[], float] = random.random) -> None:
        self._room = Room(most)
        self._rate = Rate()
        self._random = random
        self._head = anyio.Lock()  # held by who is next; it keeps the order, whoever is cancelled
        self._freed = anyio.Event()

    def statistics(self) -> Statistics:
        """Return how it is doing."""
        waiting = self._head.statistics().tasks_waiting + self._head.locked()
        return Statistics(self._room.running, waiting, self._room.size, self._rate.at(anyio.current_time()))

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a turn, to send one request; how it went is told by the error that leaves the context, if any."""
        began = await self._turn()
        try:
            yield
        except ServiceError as error:
            self._failed(error, began)
            raise
        else:
            self._answered(began)
        finally:
            self._room.free()
            self._freed.set()

    async def _turn(self) -> float:
        async with self._head:
            while True:
                now = anyio.current_time()
                if wait := self._rate.wait(now):
                    await anyio.sleep(wait)
                elif not self._room.take():
                    self._freed = anyio.Event()
                    await self._freed.wait()
                else:
                    self._rate.start(now)
                    return now

    def _failed(self, error: ServiceError, began: float) -> None:
        now = anyio.current_time()
        if refused_by_load(error):
            self._rate.refuse(began, now, asked(error), self._random())
            self._room.shrink(began, now)
        elif out_of_time(error):
            self._room.shrink(began, now)
        else:
            self._answered(began)

    def _answered(self, began: float) -> None:
        self._rate.accept(began, anyio.current_time())
        self._room.grow()
