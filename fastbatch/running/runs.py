"""Runs as a whole: begun, gone on with, or looked at; each is written in the journal before its first request."""

import contextlib
import dataclasses
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from anyio import to_thread

from fastbatch import names, state
from fastbatch.azure.services import Services, connected
from fastbatch.books.recovery import Again, Known, Recovery, has_work, recover
from fastbatch.configuration.checking import problems_of_account
from fastbatch.errors import Busy, OutputFailed, UsageError
from fastbatch.events import Noticed, RunCompleted, RunPlanned, RunResumed, RunStarted
from fastbatch.groups import together
from fastbatch.journal.notes import Notes
from fastbatch.journal.records import Phase, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Books, Plan, Summary
from fastbatch.order import Order
from fastbatch.outputs import output_name
from fastbatch.place import Place
from fastbatch.running.driving import Drive
from fastbatch.running.following import follow
from fastbatch.running.holding import held
from fastbatch.running.manners import Manners
from fastbatch.running.pipeline import Start
from fastbatch.settings import Account, Settings
from fastbatch.stages.clean import Cleaner
from fastbatch.stages.ground import Ground
from fastbatch.stages.jobs import Jobs
from fastbatch.stages.scan import collisions
from fastbatch.stages.site import Site
from fastbatch.stages.survey import Survey, survey
from fastbatch.stages.unchanged import returned
from fastbatch.workload import Counting

# A task that waits must be able to begin and to end with what it was signed.
_SIGNED_FOR = timedelta(minutes=10)


async def carry_out(
    plan: Plan, settings: Settings, account: Account, manners: Manners, place: Place | None = None
) -> Summary:
    """
    Carry out a plan. The place tells more of the account than is to be seen by it.

    Raises UsageError before anything is created, if the account can't be used for it.
    """
    _check(account, settings)
    run = names.new_run(settings.name)
    with held(run), Journal.opened() as journal, _folder(run) as folder:
        record = _record(run, plan, settings, place or Place.of(account))
        await to_thread.run_sync(journal.begin, record, plan)
        _tell_plan(run, plan, settings, manners)
        order = _order(record, plan, settings, folder)
        async with _on_site(order, account, manners, journal) as site:
            return await Drive(order, site, Start(), manners, journal).whole()


async def carry_on(
    run: str, account: Account, manners: Manners, settings: Settings | None = None, *, again: Again = Again.PASSING
) -> Summary:
    """
    Go on with a run from whatever it reached, as the journal and the services have it.

    `settings` are its recorded ones, with what is to be different this time. Raises UsageError, Busy.
    """
    with held(run), Journal.opened() as journal, _folder(run) as folder:
        record = journal.record(run)
        settings = settings or record.settings
        _check(account, settings)
        if record.cleaned:
            raise UsageError(f"What run {run} made was deleted, so it can't go on; run its inputs again.")
        plan = await _planned(journal, run, settings)
        _tell_plan(run, plan, settings, manners)
        order = _order(record, plan, settings, folder)
        async with _on_site(order, account, manners, journal) as site:
            going_on = _GoingOn(record, order, site, manners, journal)
            return await going_on.whole(again)


async def attach(run: str, account: Account, manners: Manners, settings: Settings | None = None) -> Summary:
    """Follow a run while another process drives it, and drive it to its end where none does. Raises UsageError."""
    while True:
        if (summary := await follow(run, manners.observe, settings)) is not None:
            return summary
        await to_thread.run_sync(_see_that_it_is_wanted, run)
        with contextlib.suppress(Busy):  # another one was faster
            return await carry_on(run, account, manners, settings, again=Again.NOTHING)


def _see_that_it_is_wanted(run: str) -> None:
    """See that nobody cancelled a run. Raises UsageError."""
    with Journal.opened() as journal:
        if journal.record(run).phase is Phase.CANCELLED:
            raise UsageError(
                f"Run {run} was cancelled. What is done of it: fastbatch fetch {run}. To go on with it nevertheless: "
                f"fastbatch resume {run}"
            )


async def bring(run: str, account: Account, manners: Manners, settings: Settings | None = None) -> Summary:
    """
    Bring here what is done of a run, whether it goes on or not, and name what is not.

    Nothing is changed on the services; nor in the journal, while another process drives the run.
    """
    with contextlib.ExitStack() as stack:
        journal = stack.enter_context(Journal.opened())
        try:
            stack.enter_context(held(run))
        except Busy:
            folder, ours = stack.enter_context(tempfile.TemporaryDirectory(prefix="fastbatch-")), None
        else:
            folder, ours = stack.enter_context(_folder(run)), journal
        record = journal.record(run)  # only now, as who drove it until now may just have ended it
        settings = settings or record.settings
        if gone := _why_gone(record):
            raise UsageError(gone)
        plan = await _planned(journal, run, settings)
        _tell_plan(run, plan, settings, manners)
        if ours is None:
            settings = _apart(settings, record, manners)
        order = _order(record, plan, settings, folder)
        async with _on_site(order, account, manners, journal) as site:
            known, listed = await _look(order, site, journal)
            standings = await to_thread.run_sync(journal.standings, run)
            recovery = recover(plan.bundles, standings, known, Again.NOTHING)
            kept = record.summary is not None and _is_its_output(settings.output, record)
            before = record.result().books.done if kept else 0
            return await Drive(order, site, _start(known, listed, recovery), manners, ours).present(before)


def _apart(settings: Settings, record: RunRecord, manners: Manners) -> Settings:
    """Leave the outputs of a run to the process that drives it: it may have written more by the time we do."""
    if not _is_its_output(settings.output, record):
        return settings
    manners.observe(
        Noticed(
            f"Another process drives run {record.id} and writes its outputs, so what is done by now is only shown. "
            "To have it written, name another folder with --output."
        )
    )
    return dataclasses.replace(settings, output=None)


def _is_its_output(output: str | None, record: RunRecord) -> bool:
    """Tell whether it is into this folder that a run writes by itself."""
    own = record.settings.output
    return output is not None and own is not None and os.path.realpath(output) == os.path.realpath(own)


async def _planned(journal: Journal, run: str, settings: Settings) -> Plan:
    """Read the plan of a run. Raises UsageError if its outputs can't be as they are to be now."""
    plan = await to_thread.run_sync(journal.plan, run)
    if settings.output is not None and settings.per_file and (problems := collisions(plan.items, output_name)):
        raise UsageError(problems)
    return plan


def _tell_plan(run: str, plan: Plan, settings: Settings, manners: Manners) -> None:
    manners.observe(RunStarted(run, settings.pool))
    manners.observe(RunPlanned(len(plan.items), plan.bytes, len(plan.bundles), plan.bundle_size))


def _why_gone(record: RunRecord) -> str | None:
    """Say why there are no results of a run any more, if that is known."""
    if record.cleaned:
        return f"What run {record.id} made was deleted, its results too; run its inputs again."
    summary = record.summary or {}
    left = summary.get("left")
    if summary.get("complete") and isinstance(left, list) and not any(what.startswith("container") for what in left):
        told = summary.get("output")
        output = told if isinstance(told, str) and os.path.isabs(told) else record.settings.output
        where = f"they were written to {output!r}" if output else "they were only shown"
        return (
            f"Run {record.id} was completed, and its results were deleted from storage then; {where}. "
            f"Its most frequent words are shown again by: fastbatch watch {record.id}"
        )
    return None


class _GoingOn:
    """A run that goes on."""

    def __init__(self, record: RunRecord, order: Order, site: Site, manners: Manners, journal: Journal) -> None:
        self._record = record
        self._order = order
        self._site = site
        self._manners = manners
        self._journal = journal

    async def whole(self, again: Again) -> Summary:
        run, bundles = self._order.run, self._order.plan.bundles
        standings = await to_thread.run_sync(self._journal.standings, run)
        there_again = await to_thread.run_sync(partial(returned, self._order.plan.items, standings))
        if self._record.phase is Phase.OVER and not has_work(bundles, standings, again, there_again):
            if not self._is_to_be_written_anew():
                return await self._over()
            if gone := _why_gone(self._record):
                raise UsageError(gone)
        known, listed = await _look(self._order, self._site, self._journal, self._record.signed_until)
        recovery = recover(bundles, standings, known, again, there_again)
        await to_thread.run_sync(partial(self._journal.enter, run, Phase.GOING))
        await self._stop(recovery)
        start = _start(known, listed, recovery)
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


async def _look(
    order: Order, site: Site, journal: Journal, signed_until: datetime | None = None
) -> tuple[Known, Survey]:
    """Learn what the services have of a run."""
    services, jobs, ground = site.services, site.jobs, site.ground
    attempts = await to_thread.run_sync(journal.attempts, order.run)
    found = await services.batch.job(jobs.id)
    listed = await survey(services.batch, order.run, jobs.number + 1)
    live = jobs.number if jobs.find(found, used=any(attempt.job == jobs.number for attempt in attempts)) else None
    ground.made += [f"job {names.job(order.run, job)}" for job in listed.until]
    ground.expect_results()
    signed = signed_until is None or services.batch.line.clock.now() + _SIGNED_FOR < signed_until
    jobs.signed_until = signed_until if signed and live is not None else None
    known = {attempt.task: attempt.job for attempt in attempts}
    return Known(listed.sightings, known, live, signed), listed


def _start(known: Known, listed: Survey, recovery: Recovery) -> Start:
    """Give where a run goes on."""
    tasks = {*known.attempts, *(sighting.task for sighting in known.sightings)}
    return Start(recovery.standings, recovery.endings, recovery.live, recovery.over, listed.until, len(tasks))


def _resumed(recovery: Recovery, tasks: int, failed: int) -> RunResumed:
    standings = recovery.standings.values()
    stored = sum(1 for standing in standings if standing.uploaded is not None)
    return RunResumed(stored, tasks, len(recovery.endings), failed)


def _check(account: Account, settings: Settings) -> None:
    if problems := problems_of_account(account, settings):
        raise UsageError(problems)


def _record(run: str, plan: Plan, settings: Settings, place: Place) -> RunRecord:
    kept = dataclasses.replace(settings, output=settings.output and os.path.abspath(settings.output))
    books = Books(len(plan.items), 0, 0)
    return RunRecord(run, str(uuid.uuid4()), datetime.now(UTC), place, kept, books, plan.bytes, len(plan.bundles))


def _order(record: RunRecord, plan: Plan, settings: Settings, folder: str) -> Order:
    workload = Counting(settings.top, settings.ignore_case)
    return Order(record.id, record.uid, record.job, record.made_pool, plan, settings, workload, folder)


@contextlib.asynccontextmanager
async def _on_site(order: Order, account: Account, manners: Manners, journal: Journal) -> AsyncIterator[Site]:
    async with connected(account, order.settings, manners.observe) as services:
        yield site_of(order, services, manners, journal)


def site_of(order: Order, services: Services, manners: Manners, journal: Journal) -> Site:
    """Give what a run has on the services, noting in the journal what it makes."""
    notes = Notes(journal, order.run)
    ground = Ground(order, services, manners.observe, notes)
    return Site(services, ground, Jobs(order, services, ground, notes))


@contextlib.contextmanager
def _folder(run: str) -> Iterator[str]:
    """Have a folder for what is kept on this machine while a run is not over."""
    path = state.folder_of(run)
    try:
        state.make(path)
    except OSError as error:
        raise OutputFailed(
            f"cannot make {str(path)!r}: {error.strerror or error}. Name another folder for fastbatch's state with "
            "XDG_STATE_HOME."
        ) from error
    try:
        yield str(path)
    finally:
        with contextlib.suppress(OSError):  # what was brought here is kept for when it goes on
            os.rmdir(path)
