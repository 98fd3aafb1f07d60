"""Bringing here what is done of a run."""

import contextlib
import dataclasses
import os
import tempfile

from anyio import to_thread

from fastbatch.books.recovery import Again, recover
from fastbatch.errors import Busy, UsageError
from fastbatch.events import Noticed
from fastbatch.journal.records import RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Summary
from fastbatch.running.driving import Drive
from fastbatch.running.holding import held
from fastbatch.running.looking import look, start_of, why_gone
from fastbatch.running.manners import Manners
from fastbatch.running.opening import folder_of, on_site, order_of, planned, tell_plan
from fastbatch.settings import Account, Settings


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
            folder, ours = stack.enter_context(folder_of(run)), journal
        record = journal.record(run)  # only now, as who drove it until now may just have ended it
        settings = settings or record.settings
        if gone := why_gone(record):
            raise UsageError(gone)
        plan = await planned(journal, run, settings)
        tell_plan(run, plan, settings, manners)
        if ours is None:
            settings = _apart(settings, record, manners)
        order = order_of(record, plan, settings, folder)
        async with on_site(order, account, manners, journal) as site:
            known, listed = await look(order, site, journal)
            standings = await to_thread.run_sync(journal.standings, run)
            recovery = recover(plan.bundles, standings, known, Again.NOTHING)
            kept = record.summary is not None and _is_its_output(settings.output, record)
            before = record.result().books.done if kept else 0
            return await Drive(order, site, start_of(known, listed, recovery), manners, ours).present(before)


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
