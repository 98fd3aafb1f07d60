"""A terminal, and who sits at it."""

import os
import re
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.local.instances import eventually

HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"
_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A terminal: what is written to it, and what is typed."""

    def __init__(self, ours: int, theirs: int) -> None:
        self._ours = ours
        self.theirs = theirs
        self._written = bytearray()

    @property
    def written(self) -> str:
        """Give all that was written to it so far."""
        return self._written.decode("utf-8", "replace")

    @property
    def text(self) -> str:
        """Give what was written without the codes that move, erase and paint."""
        return _CODES.sub("", self.written)

    @property
    def is_restored(self) -> bool:
        """Tell whether the cursor is there, if it was ever hidden."""
        return self.written.rfind(HIDDEN) <= self.written.rfind(SHOWN)

    def wait_for(self, text: str) -> None:
        """Wait until it shows something."""
        eventually(lambda: self.text, lambda shown: text in shown)

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._ours, text.encode())

    def attributes(self) -> list[Any]:
        """Give how it is set."""
        return termios.tcgetattr(self.theirs)

    def listen(self) -> None:
        """Take in what is written until nobody has it open."""
        while True:
            try:
                read = os.read(self._ours, 1 << 16)
            except OSError:  # as Linux says it
                return
            if not read:
                return
            self._written += read


@contextmanager
def terminal() -> Iterator[Terminal]:
    """Have a terminal for a while."""
    ours, theirs = os.openpty()
    found = Terminal(ours, theirs)
    listening = threading.Thread(target=found.listen)
    listening.start()
    try:
        yield found
    finally:
        os.close(theirs)
        listening.join()
        os.close(ours)
