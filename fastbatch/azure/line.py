"""The way to a service: what every request to it has in common."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastbatch.azure.clock import ServiceClock
from fastbatch.events import Observer, RequestRetried
from fastbatch.sending.persevere import persevere
from fastbatch.sending.retry import Policy
from fastbatch.sending.throttle import Throttle

T = TypeVar("T")


class Line:
    """Counts the requests to one service, paces them, and sends again those that may go well another time."""

    def __init__(self, service: str, throttle: Throttle, policy: Policy, observe: Observer) -> None:
        self.service = service
        self.clock = ServiceClock()
        self.counts: Counter[str] = Counter()
        self._throttle = throttle
        self._policy = policy
        self._observe = observe

    async def send(self, what: str, request: Callable[[], Awaitable[T]]) -> T:
        """Send a request until it is answered for good."""

        async def once() -> T:
            self.counts[what] += 1
            return await request()

        return await persevere(once, throttle=self._throttle, policy=self._policy, on_retry=self._tell)

    def _tell(self, error: Exception, wait: float) -> None:
        self._observe(RequestRetried(self.service, str(error), round(wait, 3)))
