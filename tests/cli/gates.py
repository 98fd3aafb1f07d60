"""Gates: where requests wait until a test lets them pass."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 50.0


class Gate:
    """A gate that is closed; to be called by each request that comes to it."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def __call__(self) -> None:
        """Wait until it is open."""
        self._reached.set()
        self._opened.wait(_SECONDS)

    def wait(self) -> None:
        """Wait until a request waits at it."""
        assert self._reached.wait(_SECONDS)

    def open(self) -> None:
        """Let all pass from now on."""
        self._opened.set()


@contextmanager
def gate() -> Iterator[Gate]:
    """Have a gate for a while."""
    found = Gate()
    try:
        yield found
    finally:
        found.open()
