"""Following a run that another process drives, by the journal."""

from dataclasses import fields, replace

import anyio
from anyio import to_thread

from fastbatch.errors import StillGoing, UsageError
from fastbatch.events import BooksRead, Observer, RunCompleted, RunPlanned, RunStarted
from fastbatch.journal.records import Phase, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Summary
from fastbatch.running.holding import holder
from fastbatch.settings import Settings

_EVERY = 0.5


async def follow(run: str, observe: Observer, settings: Settings | None = None) -> Summary | None:
    """
    Tell how a run goes on until it is over, and what it came to; None if nobody drives it, and it is not over.

    Raises UsageError if the settings are others than those by which it is driven, and StillGoing when their timeout
    is over.
    """
    driver = holder(run)
    if driver is None:
        return None
    with Journal.opened() as journal:
        record = await _read(journal, run)
        if settings is not None:
            _see_that_nothing_is_new(record, settings, driver)
        observe(RunStarted(run, record.settings.pool))
        observe(RunPlanned(record.books.planned, record.bytes, record.bundles, record.settings.bundle_size))
        with anyio.move_on_after(None if settings is None else settings.timeout) as limit:
            while holder(run) is not None:
                observe(BooksRead(record.books.done, record.books.failed))
                await anyio.sleep(_EVERY)
                record = await _read(journal, run)
    if limit.cancelled_caught:
        raise StillGoing(_gone_so_far(record))
    if record.phase not in (Phase.OVER, Phase.CANCELLED) or record.summary is None:
        return None
    summary = record.result()
    observe(RunCompleted(summary))
    return summary


def _see_that_nothing_is_new(record: RunRecord, settings: Settings, driver: int) -> None:
    """See that who drives a run does what is wished; how long to wait is of no concern to him."""
    wished = replace(settings, timeout=record.settings.timeout)
    new = [
        f"--{each.name.replace('_', '-')}"
        for each in fields(Settings)
        if getattr(wished, each.name) != getattr(record.settings, each.name)
    ]
    if new:
        raise UsageError(
            f"{' and '.join(new)} can't be given now, as run {record.id} is driven by another process"
            f"{f' (pid {driver})' if driver else ''}, which ends it as it was told to. Watch it without, and bring "
            f"what is done of it with: fastbatch fetch {record.id} --output DIR"
        )


def _gone_so_far(record: RunRecord) -> str:
    books = record.books
    return (
        f"Run {record.id} goes on in another process: {books.done:,} of {books.planned:,} inputs are done by now. "
        f"To attach again: fastbatch watch {record.id}"
    )


async def _read(journal: Journal, run: str) -> RunRecord:
    return await to_thread.run_sync(journal.record, run)
