"""Being asked to end by a signal: what is under way is cleaned up, and the exit code names the signal."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import click

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_BY_SIGNAL = 128


def heard() -> list[signal.Signals]:
    """Give the signals that ask us to end, but those that who started us has us ignore."""
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def exit_code(number: int) -> int:
    """Give the exit code of who is ended by a signal, as shells have it."""
    return _BY_SIGNAL + number


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
            with suppress(OSError):  # nobody may be there to read it
                click.echo(f"Interrupted ({signal.Signals(interrupted.number).name}).", err=True)
            ctx.exit(exit_code(interrupted.number))


@contextmanager
def _interruptions() -> Iterator[None]:
    """Raise Interrupted on a signal that asks us to end, but on none that who started us has us ignore."""
    before = {number: signal.signal(number, _interrupt) for number in heard()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted(number)
