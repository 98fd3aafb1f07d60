"""How fastbatch ends: its exit codes, and the one boundary where errors become a message and a code."""

import enum
import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from fastbatch.errors import FastbatchError, ServiceError, UsageError


class Exit(enum.IntEnum):
    """What an exit code says."""

    DONE = 0
    INCOMPLETE = 1
    USAGE = 2
    REFUSED = 3


class ServiceFailed(click.ClickException):
    """Raised to end because a service refused, or is out of reach."""

    exit_code = Exit.REFUSED


class Unusable(click.ClickException):
    """Raised to end because nothing can be done as it is asked for; each problem is a line."""

    exit_code = Exit.USAGE

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\nError: ".join(problems))


class Incomplete(click.ClickException):
    """Raised to end because some of the work is not done."""

    exit_code = Exit.INCOMPLETE


@contextmanager
def boundary() -> Iterator[None]:
    """Turn what fastbatch, its local services and the system raise into a message and an exit code."""
    from fastbatch.local.errors import LocalError

    try:
        yield
    except LocalError as error:
        raise ServiceFailed(str(error)) from error
    except UsageError as error:
        raise Unusable(error.problems) from error
    except ServiceError as error:
        raise ServiceFailed(str(error)) from error
    except FastbatchError as error:
        raise Incomplete(str(error)) from error
    except OSError as error:
        if error.errno == errno.EPIPE:  # whoever reads what we print has left
            raise
        where = f"{error.filename}: " if error.filename else ""
        raise ServiceFailed(f"{where}{error.strerror or error}. See to that, then run this again.") from error
