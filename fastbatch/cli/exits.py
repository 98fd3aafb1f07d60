"""How fastbatch ends: its exit codes, and the one boundary where errors become a message and a code."""

import enum
import errno
from collections.abc import Iterator
from contextlib import contextmanager

import click


class Exit(enum.IntEnum):
    """What an exit code says."""

    DONE = 0
    INCOMPLETE = 1
    USAGE = 2
    REFUSED = 3


class ServiceFailed(click.ClickException):
    """Raised to end because a service refused, or is out of reach."""

    exit_code = Exit.REFUSED


@contextmanager
def boundary() -> Iterator[None]:
    """Turn what the local services and the system raise into a message and an exit code."""
    from fastbatch.local.errors import LocalError

    try:
        yield
    except LocalError as error:
        raise ServiceFailed(str(error)) from error
    except OSError as error:
        if error.errno == errno.EPIPE:  # whoever reads what we print has left
            raise
        where = f"{error.filename}: " if error.filename else ""
        raise ServiceFailed(f"{where}{error.strerror or error}. See to that, then run this again.") from error
