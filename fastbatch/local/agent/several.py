"""Several things at once, but not too many."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def each(items: AsyncGenerator[T, None], do: Callable[[T], Awaitable[None]], *, limit: int) -> None:
    """Do something with each item, `limit` at once; the first failure ends all the others, and is raised."""
    places = asyncio.Semaphore(limit)

    async def placed(item: T) -> None:
        try:
            await do(item)
        finally:
            places.release()

    try:
        async with aclosing(items), asyncio.TaskGroup() as group:
            async for item in items:
                await places.acquire()
                group.create_task(placed(item))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
