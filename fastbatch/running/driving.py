"""Driving a run: the pipeline, the merge, the summary, and what is cleaned away."""

import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import anyio
from anyio import to_thread

from fastbatch.events import Detached, Noticed, RunCompleted
from fastbatch.groups import unwrapped
from fastbatch.journal.records import Changes, Phase
from fastbatch.journal.store import Journal
from fastbatch.model import Summary, Totals, shown
from fastbatch.order import Order
from fastbatch.outputs import SUMMARY, Outputs
from fastbatch.running.manners import Manners, Reach
from fastbatch.running.pipeline import Pipeline, Start
from fastbatch.stages.clean import Cleaner
from fastbatch.stages.merge import SoundResult, merge
from fastbatch.stages.site import Site


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a run is written down; nowhere, while another process does it."""

    journal: Journal | None
    run: str

    def write(self, changes: Changes) -> None:
        """Note what changed."""
        if self.journal is not None:
            self.journal.write(self.run, changes)

    async def enter(self, phase: Phase, summary: Mapping[str, object] | None = None) -> None:
        """Note what becomes of the run; who cancelled it has the last word unless all of it is done."""
        if self.journal is None:
            return
        unless = None if (summary or {}).get("complete") else Phase.CANCELLED
        await to_thread.run_sync(partial(self.journal.enter, self.run, phase, summary, unless=unless))


async def merged(results: list[SoundResult], order: Order, output: str | None) -> Totals:
    """Merge results in a thread, which is not waited for if this is cancelled."""
    settings = order.settings
    unwanted = threading.Event()
    merging = partial(
        merge,
        results,
        None if output is None else Outputs(output, settings.per_file, settings.pool),
        top=settings.top,
        folder=order.folder,
        memory=settings.in_flight,
        cancelled=unwanted.is_set,
    )
    try:
        return await to_thread.run_sync(merging, abandon_on_cancel=True)
    finally:
        unwanted.set()


class Drive:
    """Drives one run."""

    def __init__(self, order: Order, site: Site, start: Start, manners: Manners, journal: Journal | None) -> None:
        self._order = order
        self._settings = order.settings
        self._site = site
        self._manners = manners
        self._page = _Page(journal, order.run)
        self._pipeline = Pipeline(order, site, start, write=self._page.write, manners=manners)
        self._cleaner = Cleaner(order, site, manners.observe)

    @property
    def failed(self) -> int:
        """Tell how many inputs have failed."""
        return self._pipeline.ledger.books.failed

    async def whole(self) -> Summary:
        """Do all of it. What came of it is told before anything is deleted, and also if that is interrupted."""
        reach = self._manners.reach
        try:
            with anyio.move_on_after(self._settings.timeout) as limit, unwrapped():
                await self._pipeline.run()
            if reach is Reach.SUBMITTED and not limit.cancelled_caught:
                return await self._leave_to_the_service()
            with self._manners.stopwatch.during("merge"):
                totals = await self._merged(self._settings.output)
            summary = await self._end(totals)
            await self._manners.inspect(self._site, self._pipeline.ledger.results(), summary)
        except BaseException as error:
            await self._cleaner.leave(error)
            raise
        try:
            with self._manners.stopwatch.during("clean"):
                await self._clean()
        finally:
            with anyio.CancelScope(shield=True):
                summary = await self._end(totals)
            self._manners.observe(RunCompleted(summary))
        return summary

    async def present(self, before: int = 0) -> Summary:
        """
        Bring here what is done, and leave everything else as it is.

        Outputs of so many inputs as there were `before` are not written over with fewer.
        """
        with anyio.move_on_after(self._settings.timeout), unwrapped():
            await self._pipeline.run()
        output, done = self._settings.output, self._pipeline.ledger.books.done
        if output is not None and done < before:
            self._manners.observe(
                Noticed(
                    f"{before} inputs were done, but only {done} are still there: {shown(output)!r} stays as it is."
                )
            )
            output = None
        with self._manners.stopwatch.during("merge"):
            totals = await self._merged(output)
        summary = self._summary(totals)
        if output is not None:
            self._write(output, summary)
        if not summary.books.open:
            await self._be_over(summary)
        self._manners.observe(RunCompleted(summary))
        return summary

    async def _merged(self, output: str | None) -> Totals:
        totals = await merged(self._pipeline.found(), self._order, output)
        self._pipeline.ledger.check_bytes(totals.bytes)
        return totals

    def _write(self, output: str, summary: Summary) -> None:
        Outputs(output, self._settings.per_file).write_json(SUMMARY, summary.json())

    async def _leave_to_the_service(self) -> Summary:
        """Let the job end with its tasks, and come back later."""
        await self._cleaner.let_job_end()
        await self._page.enter(Phase.DETACHED)
        self._manners.observe(Detached(self._order.run, self._pipeline.ledger.tasks))
        return self._summary(Totals())

    async def _end(self, totals: Totals) -> Summary:
        """Write down what the run came to, and keep nothing here that is in the outputs or on the services."""
        summary = self._summary(totals)
        if self._settings.output is not None:
            self._write(self._settings.output, summary)
        if summary.books.open:
            await self._page.enter(Phase.GOING, summary.json())
            return summary
        await self._be_over(summary)
        return summary

    async def _be_over(self, summary: Summary) -> None:
        await self._page.enter(Phase.OVER, summary.json())
        await to_thread.run_sync(partial(shutil.rmtree, self._order.folder, ignore_errors=True))

    async def _clean(self) -> None:
        books, ground = self._pipeline.ledger.books, self._site.ground
        complete = books.done == books.planned
        await self._cleaner.clean(complete=complete, made_pool=ground.made_pool, confirm=self._manners.confirm)

    def _summary(self, totals: Totals) -> Summary:
        ledger = self._pipeline.ledger
        ledger.check()
        return Summary(
            run=self._order.run,
            books=ledger.books,
            totals=totals,
            bundles=len(self._order.plan.bundles),
            tasks=ledger.tasks,
            uploaded=ledger.uploaded,
            uploaded_bytes=ledger.uploaded_bytes,
            reused=ledger.reused,
            failures=ledger.failures,
            seconds=self._manners.stopwatch.seconds(),
            requests=self._site.services.requests,
            pool=self._settings.pool,
            output=self._settings.output,
            left=self._cleaner.left,
        )
