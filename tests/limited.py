"""A service that refuses what is too much, and clients of it, for plays in virtual time."""

import random
from collections.abc import Awaitable, Callable

import anyio

from fastbatch.errors import Refused
from fastbatch.sending.persevere import persevere
from fastbatch.sending.retry import Policy
from fastbatch.sending.throttle import Throttle


class Service:
    """A service that takes some requests a second, and a burst, and refuses the rest with 429."""

    def __init__(
        self, rate: float, *, burst: float = 10, header: float | None = None, latency: tuple[float, float] = (0.02, 0.1)
    ) -> None:
        self.rate = rate
        self.burst = burst
        self.taken: list[float] = []
        self.refused: list[float] = []
        self._header = header
        self._latency = latency
        self._tokens = burst
        self._filled = 0.0
        self._random = random.Random(0)

    async def serve(self) -> None:
        """Serve a request, or refuse it."""
        await self._travel()
        fits = self._fits(anyio.current_time())
        await self._travel()
        if not fits:
            raise Refused("batch", "serve", 429, "TooManyRequests", retry_after=self._header)

    @property
    def requests(self) -> int:
        """Return how many requests came."""
        return len(self.taken) + len(self.refused)

    async def _travel(self) -> None:
        await anyio.sleep(self._random.uniform(*self._latency) / 2)

    def _fits(self, now: float) -> bool:
        self._tokens = min(self.burst, self._tokens + self.rate * (now - self._filled))
        self._filled = now
        fits = self._tokens >= 1
        if fits:
            self._tokens -= 1
        (self.taken if fits else self.refused).append(now)
        return fits


class Client:
    """Senders that share a throttle, and send a number of requests until all are served."""

    def __init__(self, send: Callable[[], Awaitable[None]], requests: int, *, senders: int = 8, seed: int = 1) -> None:
        self.throttle = Throttle(senders, random=random.Random(seed).random)
        self.done = 0
        self._send = send
        self._left = requests
        self._senders = senders
        self._random = random.Random(seed)

    async def run(self) -> float:
        """Send all; return when the last one was served."""
        async with anyio.create_task_group() as group:
            for _ in range(self._senders):
                group.start_soon(self._sender)
        return anyio.current_time()

    async def _sender(self) -> None:
        while self._left:
            self._left -= 1
            await persevere(
                self._send,
                throttle=self.throttle,
                policy=Policy(),
                on_retry=lambda _error, _wait: None,
                random=self._random.random,
            )
            self.done += 1
