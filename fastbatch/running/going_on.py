"""A run that goes on, from whatever it reached, as the journal and the services have it."""

import dataclasses
from functools import partial

from anyio import to_thread

from fastbatch import names
from fastbatch.books.recovery import Again, Recovery, has_work, recover
from fastbatch.errors import UsageError
from fastbatch.events import Noticed, RunCompleted, RunResumed
from fastbatch.groups import together
from fastbatch.journal.records import Phase, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Summary
from fastbatch.order import Order
from fastbatch.running.driving import Drive
from fastbatch.running.looking import look, start_of, why_gone
from fastbatch.running.manners import Manners
from fastbatch.stages.clean import Cleaner
from fastbatch.stages.site import Site
from fastbatch.stages.unchanged import returned


class GoingOn:
    """A run that goes on."""

    def __init__(self, record: RunRecord, order: Order, site: Site, manners: Manners, journal: Journal) -> None:
        self._record = record
        self._order = order
        self._site = site
        self._manners = manners
        self._journal = journal

    async def whole(self, again: Again) -> Summary:
        """Go on to its end, with what of all that failed is tried again."""
        run, bundles = self._order.run, self._order.plan.bundles
        standings = await to_thread.run_sync(self._journal.standings, run)
        there_again = await to_thread.run_sync(partial(returned, self._order.plan.items, standings))
        if self._record.phase is Phase.OVER and not has_work(bundles, standings, again, there_again):
            if not self._is_to_be_written_anew():
                return await self._over()
            if gone := why_gone(self._record):
                raise UsageError(gone)
        known, listed = await look(self._order, self._site, self._journal, self._record.signed_until)
        recovery = recover(bundles, standings, known, again, there_again)
        await to_thread.run_sync(partial(self._journal.enter, run, Phase.GOING))
        await self._stop(recovery)
        start = start_of(known, listed, recovery)
        drive = Drive(self._order, self._site, start, self._manners, self._journal)
        self._manners.observe(_resumed(recovery, start.tasks, drive.failed))
        return await drive.whole()

    def _is_to_be_written_anew(self) -> bool:
        """Tell whether outputs are wished for that are not there by now."""
        before, now = self._record.settings, self._order.settings
        return now.output is not None and (now.output, now.per_file) != (before.output, before.per_file)

    async def _over(self) -> Summary:
        """Tell what the run came to, when what was still to be cleaned away is."""
        summary = self._record.result()
        ground, settings = self._site.ground, self._order.settings
        ground.made += summary.left
        cleaner = Cleaner(self._order, self._site, self._manners.observe)
        if summary.complete and not settings.keep_data and cleaner.has_data:
            await cleaner.clean(complete=True, made_pool=ground.made_pool, confirm=self._manners.confirm)
            summary = dataclasses.replace(summary, left=cleaner.left)
            await to_thread.run_sync(self._journal.enter, self._order.run, Phase.OVER, summary.json())
        self._manners.observe(RunCompleted(summary))
        return summary

    async def _stop(self, recovery: Recovery) -> None:
        """End tasks that would only fail, some at once."""
        todo = iter(recovery.stops)

        async def work() -> None:
            for sighting in todo:
                await self._site.services.batch.end_task(names.job(self._order.run, sighting.job), sighting.task.id)

        await together([work] * min(self._order.settings.batch_requests, len(recovery.stops)))
        if recovery.stops:
            self._manners.observe(Noticed(f"{len(recovery.stops)} tasks that waited for too long are tried anew."))


def _resumed(recovery: Recovery, tasks: int, failed: int) -> RunResumed:
    standings = recovery.standings.values()
    stored = sum(1 for standing in standings if standing.uploaded is not None)
    return RunResumed(stored, tasks, len(recovery.endings), failed)
