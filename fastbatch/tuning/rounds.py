"""One run that is measured, and what becomes of it if it fails or is interrupted."""

import dataclasses
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import anyio

from fastbatch.azure.services import Services
from fastbatch.errors import FastbatchError, NotOurs, ServiceError
from fastbatch.events import Event, Left, Noticed, Observer, PoolFound, RunStarted, TasksSubmitted
from fastbatch.journal.store import Journal
from fastbatch.model import Bundle, Plan, Summary, Task, shown
from fastbatch.place import Place
from fastbatch.pools.obtaining import as_it_is
from fastbatch.running.cancelling import cancel
from fastbatch.running.clearing import discard
from fastbatch.running.holding import held
from fastbatch.running.manners import Manners
from fastbatch.running.runs import carry_out
from fastbatch.settings import Account, Settings
from fastbatch.stages.site import Site
from fastbatch.stopwatch import Stopwatch
from fastbatch.tuning.measured import RunTimes
from fastbatch.tuning.tasktimes import task_times

_NAME = "tune"
_ENDING_SECONDS = 20.0


def settings_of_rounds(settings: Settings) -> Settings:
    """Give the settings of each run: it takes the pool as it is, and leaves nothing but that."""
    return dataclasses.replace(
        as_it_is(settings),
        output=None,
        per_file=False,
        name=settings.name or _NAME,
        keep_data=False,
        keep_pool=True,
        delete_pool=False,
    )


async def _without_asking(question: str, *, expected: bool) -> bool:
    del question
    return expected


@dataclass(frozen=True, slots=True)
class Rounds:
    """Runs of one plan that are measured."""

    plan: Plan
    settings: Settings
    account: Account
    place: Place
    services: Services  # by which a run is ended that ended too early
    observe: Observer

    async def run(self) -> RunTimes:
        """
        Carry out the plan; give how long that took. Raises ServiceError if not all of it was done.

        A run that fails is ended, so that it disturbs no other, and can be looked at. Of one that is interrupted only
        the bundles are left.
        """
        heard = _Heard(self.observe)
        manners = Manners(heard.observe, _without_asking, Stopwatch(), inspect=heard.inspect, timed=True)
        try:
            summary = await carry_out(self.plan, self.settings, self.account, manners, self.place)
            return heard.result(summary)
        except ServiceError:
            await self._tidily(heard.run, self._end)
            heard.tell_what_is_left()
            raise
        except BaseException:
            await self._tidily(heard.run, self._discard)
            raise

    async def _tidily(self, run: str, end: Callable[[str, Journal], Awaitable[None]]) -> None:
        """End a run in some way, also when cancelled; where that can't be done in time, say how to do it."""
        if not run:  # it had not begun
            return
        why = "it took too long"
        with anyio.move_on_after(_ENDING_SECONDS, shield=True):
            try:
                with Journal.opened() as journal:
                    await end(run, journal)
            except FastbatchError as error:
                why = str(error)
            else:
                return
        self.observe(Noticed(f"Run {run} could not be ended: {why}. To do it: fastbatch clean {run}"))

    async def _end(self, run: str, journal: Journal) -> None:
        await cancel(run, self.services.batch, journal, self.observe)

    async def _discard(self, run: str, journal: Journal) -> None:
        with held(run):
            await discard(run, self.services, journal)


class _Heard:
    """What is heard of a run: its times."""

    def __init__(self, observe: Observer) -> None:
        self.run = ""
        self._observe = observe
        self._stopwatch = Stopwatch()
        self._submitted = self._made_pool = False
        self._times: RunTimes | None = None
        self._left: list[Left] = []

    def observe(self, event: Event) -> None:
        """Take the time, and pass on what is told, but for what is left: that depends on what is done about it."""
        if isinstance(event, RunStarted):
            self.run = event.run
            self._mark("opening", "whole")
        if isinstance(event, PoolFound):
            self._made_pool |= event.made
        if isinstance(event, TasksSubmitted) and not self._submitted:
            self._submitted = True
            self._mark("opening")
        if isinstance(event, Left):
            self._left.append(event)
        else:
            self._observe(event)

    def tell_what_is_left(self) -> None:
        """Pass that on, too."""
        for event in self._left:
            self._observe(event)

    async def inspect(self, site: Site, results: Iterable[tuple[Bundle, Task]], summary: Summary) -> None:
        """Read when its tasks did what, before they are deleted; that takes time of its own."""
        self._mark("whole")
        if not summary.complete:
            return
        tasks = await task_times(site, results, self._observe)
        seconds = self._stopwatch.seconds()
        self._times = RunTimes(seconds["whole"], seconds["opening"], summary.seconds["merge"], summary.uploaded, tasks)

    def result(self, summary: Summary) -> RunTimes:
        """Give the times of a run that came to this. Raises ServiceError if not all was done, NotOurs if elsewhere."""
        if self._made_pool:
            raise NotOurs(
                f"Pool {summary.pool} was deleted by someone while it was measured; run {summary.run} made it anew, "
                f"which can't be compared. Unless it is of use: fastbatch pool delete {summary.pool}"
            )
        if self._times is None:
            raise ServiceError(_incomplete(summary))
        return self._times

    def _mark(self, *stages: str) -> None:
        for stage in stages:
            self._stopwatch.mark(stage)


def _incomplete(summary: Summary) -> str:
    """Say why a run is not complete."""
    books = summary.books
    if books.open:
        return f"Run {summary.run} was not done in time: {books.open} of {books.planned} inputs were open."
    first = summary.failures[0]
    return (
        f"In run {summary.run}, {books.failed} of {books.planned} inputs failed; first {shown(first.name)!r}: "
        f"{first.reason}"
    )
