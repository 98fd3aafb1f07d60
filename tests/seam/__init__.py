"""Tests of what speaks to Azure, on the local services; and the way to connect to them."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from fastbatch import Account, Settings
from fastbatch.azure.services import Services, connected
from fastbatch.events import Observer, nobody

T = TypeVar("T")


def using(
    account: Account,
    scene: Callable[[Services], Awaitable[T]],
    *,
    settings: Settings | None = None,
    observe: Observer = nobody,
    seconds: float = 40.0,
) -> T:
    """Play a scene with both services connected; it may not take forever."""

    async def whole() -> T:
        with anyio.fail_after(seconds):
            async with connected(account, settings or Settings(), observe) as services:
                return await scene(services)

    return anyio.run(whole)
