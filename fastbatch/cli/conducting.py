"""Carrying out a run from the command line: questions on a terminal, and signals."""

import contextlib
from collections.abc import Awaitable, Callable

import anyio
import click

from fastbatch.cli.asking import answer, somebody_is_there
from fastbatch.cli.display import Display
from fastbatch.cli.exits import Exit
from fastbatch.cli.signalled import until_signalled
from fastbatch.events import BooksRead, Detached, Event, RunStarted
from fastbatch.model import Summary
from fastbatch.running.manners import Manners, Reach
from fastbatch.stages.clean import Confirm
from fastbatch.stopwatch import Stopwatch


class Conductor:
    """Has a run done, with questions to the user; a signal ends it."""

    def __init__(
        self, display: Display, stopwatch: Stopwatch, reach: Reach = Reach.END, *, of_a_sample: bool = False
    ) -> None:
        """Take it that the inputs go when this ends, if they are those `of_a_sample`."""
        self._display = display
        self._manners = Manners(self._observe, _asking(display), stopwatch, reach)
        self._of_a_sample = of_a_sample
        self._run = ""
        self._is_of_another = False
        self.is_detached = False

    def conduct(self, doing: Callable[[Manners], Awaitable[Summary]]) -> Summary:
        """Have something done; raise Interrupted if a signal ends it."""

        async def begin() -> Summary:
            return await doing(self._manners)

        return anyio.run(until_signalled, begin, self._stopping)

    def _observe(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._run = event.run
            self._is_of_another = False
        self._is_of_another |= isinstance(event, BooksRead)
        self.is_detached |= isinstance(event, Detached)
        self._display(event)

    def _stopping(self) -> None:
        self._display.stop()  # so no bars are drawn over the hint, and a second signal leaves the terminal as it was
        with contextlib.suppress(OSError):  # nobody may be there to read it
            click.echo(self._hint(), err=True)

    def _hint(self) -> str:
        if not self._run:
            return "Stopped before anything was begun."
        if self._is_of_another:
            return f"Stopped watching; the run goes on. To watch it again: fastbatch watch {self._run}"
        if self._manners.reach is Reach.PRESENT:
            return f"Stopped before all was here; to bring it: fastbatch fetch {self._run}"
        stopped = "Stopped before all was done; tasks that Batch has go on."
        if self._of_a_sample:
            stopped += " What of the sample was not uploaded is gone, and would fail."
        return f"{stopped} To go on here: fastbatch resume {self._run}"


def end(display: Display, *, complete: bool) -> None:
    """End with what a run came to; a result that could not be written is not done."""
    if display.trouble:
        click.echo(f"The result could not be written to standard output: {display.trouble}.", err=True)
    if display.trouble or not complete:
        raise click.exceptions.Exit(Exit.INCOMPLETE)


def _asking(display: Display) -> Confirm:
    """Give what asks the user, where there is one; elsewhere the answer is the one that is expected."""

    async def ask(question: str, *, expected: bool) -> bool:
        if not somebody_is_there():
            return expected
        with display.paused():
            return await answer(question, expected=expected)

    return ask
