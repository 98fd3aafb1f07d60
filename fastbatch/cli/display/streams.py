"""Streams that may be lost while they are written to: a reader that leaves, a full disk."""

import errno
import io
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

_NOBODY_READS = (errno.EPIPE, errno.EINVAL)  # the second is how Windows says it


class Stream:
    """
    What text is written to, as long as it takes it; writing never raises.

    After a failure nothing more is written. What is still buffered goes nowhere, so that Python has nothing to complain
    about when it ends.
    """

    def __init__(self, file: TextIO | None, failed: Callable[[str], None] | None = None) -> None:
        self._file = file  # there is none if we were started with it closed
        self._failed = failed
        self._lost = file is None
        self.trouble: str | None = None  # unless it is only that nobody reads any more

    @property
    def encoding(self) -> str:
        """Give the encoding that text gets."""
        return getattr(self._file, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        with suppress(OSError, ValueError):
            return self._file is not None and self._file.isatty()
        return False

    def fileno(self) -> int:
        """Give the number by which the system knows it."""
        if self._file is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._file.fileno()

    def write(self, text: str) -> int:
        """Write text, if it is still taken."""
        self._attempt(lambda file: file.write(text))
        return len(text)

    def flush(self) -> None:
        """Hand over what was written."""
        self._attempt(lambda file: file.flush())

    def line(self, text: str) -> None:
        """Write a line, and hand it over."""
        self.write(f"{text}\n")
        self.flush()

    def close(self) -> None:
        """Close it; it must be ours."""
        self.flush()
        self._lost = True
        with suppress(OSError, ValueError):
            if self._file is not None:
                self._file.close()

    def _attempt(self, action: Callable[[TextIO], object]) -> None:
        if self._lost or self._file is None:
            return
        try:
            action(self._file)
        except (OSError, ValueError) as error:
            self._give_up(self._file, error)

    def _give_up(self, file: TextIO, error: OSError | ValueError) -> None:
        self._lost = True
        _send_nowhere(file)
        if isinstance(error, OSError) and error.errno not in _NOBODY_READS:
            self.trouble = error.strerror or str(error)
            if self._failed:
                self._failed(self.trouble)


def lenient(file: TextIO | None, encoding: str | None = None) -> TextIO | None:
    """Have a file show as escapes what its encoding does not have, and change the encoding if one is given."""
    if isinstance(file, io.TextIOWrapper):
        with suppress(OSError, ValueError):
            file.reconfigure(encoding=encoding or file.encoding, errors="backslashreplace")
    return file


def same_place(one: Stream, other: Stream) -> bool:
    """Tell whether who reads the one also reads the other."""
    if one.isatty() and other.isatty():
        return True
    with suppress(OSError, ValueError):
        return os.path.sameopenfile(one.fileno(), other.fileno())
    return False


def _send_nowhere(file: TextIO) -> None:
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, file.fileno())
        finally:
            os.close(nowhere)
