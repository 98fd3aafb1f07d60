"""How fastbatch ends: its exit codes, and the one boundary where errors become a message and a code."""

import enum
import errno
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BY_SIGNAL = 128  # the code of who is ended by a signal is this and the signal's number, as shells have it


class Exit(enum.IntEnum):
    """What an exit code says."""

    DONE = 0
    INCOMPLETE = 1
    USAGE = 2
    REFUSED = 3


class ServiceFailed(click.ClickException):
    """Raised to end because a service refused, or is out of reach."""

    exit_code = Exit.REFUSED


class Interrupted(KeyboardInterrupt):
    """Raised when a signal asks this program to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Program(click.Group):
    """A command line that cleans up when it is interrupted, and then ends with the signal's exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run what was asked for."""
        try:
            with _interruptions():
                return super().invoke(ctx)
        except Interrupted as interrupted:
            click.echo(f"Interrupted ({signal.Signals(interrupted.number).name}).", err=True)
            ctx.exit(_BY_SIGNAL + interrupted.number)


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


@contextmanager
def _interruptions() -> Iterator[None]:
    """Raise Interrupted on a signal that asks us to end, but on none that who started us has us ignore."""
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _interrupt) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted(number)
