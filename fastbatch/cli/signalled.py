"""Doing something until it is done, or a signal asks to end."""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from fastbatch.cli.interruption import Interrupted, exit_code, heard
from fastbatch.groups import unwrapped

T = TypeVar("T")


async def until_signalled(doing: Callable[[], Awaitable[T]], stopping: Callable[[], None] = lambda: None) -> T:
    """
    Do something unless a signal asks to end: the first one is waited for, a second one is not. Raises Interrupted.

    What a signal raised in the middle of the event loop would leave its threads behind, and wait for them for ever.
    """
    found: list[T] = []
    signalled: list[int] = []
    work = anyio.CancelScope()

    async def hear() -> None:
        with anyio.open_signal_receiver(*heard()) as signals:
            async for number in signals:
                if signalled:
                    os._exit(exit_code(number))
                signalled.append(number)
                work.cancel()
                stopping()

    with unwrapped():
        async with anyio.create_task_group() as listening:
            if sys.platform != "win32":  # where Ctrl-C raises KeyboardInterrupt
                listening.start_soon(hear)
            with work:
                found.append(await doing())
            listening.cancel_scope.cancel()
    if not found:
        raise Interrupted(signalled[0])
    return found[0]
