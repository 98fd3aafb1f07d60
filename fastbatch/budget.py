"""A bound on the bytes that are held in memory at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class ByteBudget:
    """
    So many bytes, for all stages together.

    Who asks first is served first, so a large share is not starved by small ones. What is more than there is in all
    counts as all, so it is held alone.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.held = 0
        self.peak = 0
        self._head = anyio.Lock()  # held by who is next; it keeps the order, whoever is cancelled
        self._released = anyio.Event()

    @asynccontextmanager
    async def hold(self, n: int) -> AsyncIterator[None]:
        """Hold bytes for as long as the context is open."""
        counted = await self.acquire(n)
        try:
            yield
        finally:
            self.release(counted)

    async def acquire(self, n: int) -> int:
        """Wait until so many bytes are free and take them; return how many count, which are to be released."""
        if n < 0:
            raise ValueError(f"a budget can't hold {n} bytes")
        counted = min(n, self.total)
        async with self._head:
            while self.held + counted > self.total:
                self._released = anyio.Event()
                await self._released.wait()
            self.held += counted
            self.peak = max(self.peak, self.held)
        return counted

    def release(self, n: int) -> None:
        """Give bytes back, all that were taken at once or a part of them."""
        counted = min(n, self.total)
        if not 0 <= counted <= self.held:
            raise ValueError(f"{n} bytes can't be released, {self.held} are held")
        self.held -= counted
        self._released.set()
