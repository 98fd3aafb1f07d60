"""Waiting for something that can only be looked at again and again."""

from collections.abc import Callable

import anyio

LOOK_AGAIN = 1.0
LOOK_AT_MOST = 15.0
_SLOWER = 1.5


class Patience:
    """Waits from one look to the next, longer each time up to a limit; the first time it is told what is waited for."""

    def __init__(self, tell: Callable[[], None], at_most: float = LOOK_AT_MOST) -> None:
        self._tell = tell
        self._at_most = at_most
        self._wait: float | None = None

    async def wait(self) -> None:
        """Wait until it is time to look again."""
        if self._wait is None:
            self._tell()
            self._wait = LOOK_AGAIN
        await anyio.sleep(self._wait)
        self._wait = min(self._at_most, self._wait * _SLOWER)
