"""Time that passes at once, so that tests of waiting need not wait."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


class Jump(selectors.DefaultSelector):
    """A selector that waits for nothing, and remembers how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the time pass; when nothing will ever happen, say so instead of waiting for it."""
        if timeout is None:
            raise RuntimeError("everybody waits, for nothing")
        self.now += timeout
        self.turns += 1
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes at once: where it would sleep, its clock jumps."""

    def __init__(self) -> None:
        self.jump = Jump()
        super().__init__(self.jump)

    def time(self) -> float:
        """Return the seconds that were jumped over."""
        return self.jump.now


def turns() -> int:
    """Return how often the running loop looked for something to do."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.jump.turns


def play(scene: Callable[[], Awaitable[T]]) -> T:
    """Run a scene to its end in virtual time."""
    return anyio.run(scene, backend_options={"loop_factory": VirtualLoop})
