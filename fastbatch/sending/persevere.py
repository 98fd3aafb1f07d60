"""Sending a request until it does well, or there is no point in it."""

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from fastbatch.errors import ServiceError
from fastbatch.sending.retry import Policy, wait
from fastbatch.sending.throttle import Throttle

T = TypeVar("T")


async def persevere(
    send: Callable[[], Awaitable[T]],
    *,
    throttle: Throttle,
    policy: Policy,
    on_retry: Callable[[ServiceError, float], None],
    random: Callable[[], float] = random.random,
) -> T:
    """
    Send a request in its turn, and again after what may pass; raise the last error when it is given up.

    `on_retry` is told of each error that is followed by another attempt, and how many seconds later. `send` must be
    one that may be done twice: what gave no answer may be done.
    """
    attempt, waited = 1, 0.0
    while True:
        try:
            async with throttle.slot():
                return await send()
        except ServiceError as error:
            pause = wait(policy, attempt, error, waited=waited, random=random)
            if pause is None:
                raise
            on_retry(error, pause)
        # Outside the slot, so that others can send meanwhile.
        await anyio.sleep(pause)
        attempt, waited = attempt + 1, waited + pause
