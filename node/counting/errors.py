"""What can go wrong, and the exit code of each."""

from __future__ import annotations

import errno


class CountingError(Exception):
    """Base of all errors that end the program with one line on stderr."""

    exit_code = 1


class UsageError(CountingError):
    """Raised when the options make no sense."""

    exit_code = 2


class InputUnreadable(CountingError):
    """Raised when an input is missing, a folder, not permitted, or changes while it is read."""

    exit_code = 3


class TarCorrupt(CountingError):
    """Raised when a bundle is not a whole, sound tar."""

    exit_code = 4


class DigestMismatch(CountingError):
    """Raised when an input's SHA-256 is not the one that was told."""

    exit_code = 5


class RangeOutside(CountingError):
    """Raised when a byte range does not lie within the file."""

    exit_code = 6


class OutputFailed(CountingError):
    """Raised when the result, or counts that memory can't hold, can't be written; most often the disk is full."""

    exit_code = 7

    @classmethod
    def because(cls, what: str, error: OSError) -> OutputFailed:
        """Say what could not be written, and why."""
        hint = "; free some space there" if error.errno == errno.ENOSPC else ""
        return cls(f"cannot write {what}: {error.strerror or error}{hint}")


class ResultCorrupt(CountingError):
    """Raised when a result file is damaged, cut off or of another kind."""

    exit_code = 8


class JobDied(CountingError):
    """Raised when a counting process ended without saying why, as when the system runs out of memory."""

    exit_code = 9
