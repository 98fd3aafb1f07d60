"""Runs as a whole, begun, gone on with, or followed; each is written in the journal before its first request."""

import contextlib
import dataclasses
import os
import uuid
from datetime import UTC, datetime

from anyio import to_thread

from fastbatch import names
from fastbatch.books.recovery import Again
from fastbatch.errors import Busy, UsageError
from fastbatch.journal.records import Phase, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Books, Plan, Summary
from fastbatch.place import Place
from fastbatch.running.driving import Drive
from fastbatch.running.following import follow
from fastbatch.running.going_on import GoingOn
from fastbatch.running.holding import held
from fastbatch.running.manners import Manners
from fastbatch.running.opening import check, folder_of, on_site, order_of, planned, tell_plan
from fastbatch.running.pipeline import Start
from fastbatch.settings import Account, Settings


async def carry_out(
    plan: Plan, settings: Settings, account: Account, manners: Manners, place: Place | None = None
) -> Summary:
    """
    Carry out a plan. The place tells more of the account than is to be seen by it.

    Raises UsageError before anything is created, if the account can't be used for it.
    """
    check(account, settings)
    run = names.new_run(settings.name)
    with held(run), Journal.opened() as journal, folder_of(run) as folder:
        record = _record(run, plan, settings, place or Place.of(account))
        await to_thread.run_sync(journal.begin, record, plan)
        tell_plan(run, plan, settings, manners)
        order = order_of(record, plan, settings, folder, timed=manners.timed)
        async with on_site(order, account, manners, journal) as site:
            return await Drive(order, site, Start(), manners, journal).whole()


async def carry_on(
    run: str, account: Account, manners: Manners, settings: Settings | None = None, *, again: Again = Again.PASSING
) -> Summary:
    """
    Go on with a run from whatever it reached, as the journal and the services have it.

    `settings` are its recorded ones, with what is to be different this time. Raises UsageError, Busy.
    """
    with held(run), Journal.opened() as journal, folder_of(run) as folder:
        record = journal.record(run)
        settings = settings or record.settings
        check(account, settings)
        if record.cleaned:
            raise UsageError(f"What run {run} made was deleted, so it can't go on; run its inputs again.")
        plan = await planned(journal, run, settings)
        tell_plan(run, plan, settings, manners)
        order = order_of(record, plan, settings, folder)
        async with on_site(order, account, manners, journal) as site:
            going_on = GoingOn(record, order, site, manners, journal)
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


def _record(run: str, plan: Plan, settings: Settings, place: Place) -> RunRecord:
    kept = dataclasses.replace(settings, output=settings.output and os.path.abspath(settings.output))
    books = Books(len(plan.items), 0, 0)
    return RunRecord(run, str(uuid.uuid4()), datetime.now(UTC), place, kept, books, plan.bytes, len(plan.bundles))
