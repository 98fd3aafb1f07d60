"""Carrying out a run from the command line: questions on a terminal, and signals."""

import os
import signal
import sys
from collections.abc import Awaitable, Callable

import anyio
import click
from anyio import to_thread

from fastbatch.cli.display import Display
from fastbatch.cli.interruption import Interrupted
from fastbatch.groups import unwrapped
from fastbatch.model import Plan, Summary
from fastbatch.runs import Confirm, Manners, carry_out
from fastbatch.settings import Account, Settings
from fastbatch.stopwatch import Stopwatch

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_BY_SIGNAL = 128
_ON_SIGNAL = (
    "Stopped before all was done; tasks that Batch has go on. To go on here, run the same command again: "
    "what was uploaded is not uploaded again."
)


def conduct(plan: Plan, settings: Settings, account: Account, display: Display, stopwatch: Stopwatch) -> Summary:
    """Carry out a plan; raise Interrupted if a signal ends it."""
    manners = Manners(display, _asking(display), stopwatch)

    async def carrying_out() -> Summary:
        return await carry_out(plan, settings, account, manners)

    return anyio.run(_until_signalled, carrying_out)


async def _until_signalled(doing: Callable[[], Awaitable[Summary]]) -> Summary:
    """Do something unless a signal asks to end: the first one is waited for, a second one is not."""
    found: list[Summary] = []
    signalled: list[int] = []
    with unwrapped():
        async with anyio.create_task_group() as group:

            async def hear() -> None:
                with anyio.open_signal_receiver(*_heard()) as signals:
                    async for number in signals:
                        if signalled:
                            os._exit(_BY_SIGNAL + number)
                        signalled.append(number)
                        group.cancel_scope.cancel()

            if sys.platform != "win32":  # where Ctrl-C raises KeyboardInterrupt
                group.start_soon(hear)
            found.append(await doing())
            group.cancel_scope.cancel()
    if not found:
        click.echo(_ON_SIGNAL, err=True)
        raise Interrupted(signalled[0])
    return found[0]


def _heard() -> list[signal.Signals]:
    """Give the signals that ask us to end, but those that who started us has us ignore."""
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def _asking(display: Display) -> Confirm:
    """Give what asks the user, where there is one; elsewhere the answer is the one that is expected."""

    async def ask(question: str, *, expected: bool) -> bool:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return expected
        with display.paused():
            return await to_thread.run_sync(
                lambda: click.confirm(question, default=expected, err=True), abandon_on_cancel=True
            )

    return ask
