"""Following a run that another process drives, by the journal."""

import anyio
from anyio import to_thread

from fastbatch.events import BooksRead, Observer, RunCompleted, RunPlanned, RunStarted
from fastbatch.holding import holder
from fastbatch.journal.records import Phase, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Summary

_EVERY = 0.5


async def follow(run: str, observe: Observer) -> Summary | None:
    """Tell how a run goes on until it is over, and what it came to; None if nobody drives it, and it is not over."""
    if holder(run) is None:
        return None
    with Journal.opened() as journal:
        record = await _read(journal, run)
        observe(RunStarted(run, record.settings.pool))
        observe(RunPlanned(record.books.planned, record.bytes, record.bundles, record.settings.bundle_size))
        while holder(run) is not None:
            observe(BooksRead(record.books.done, record.books.failed))
            await anyio.sleep(_EVERY)
            record = await _read(journal, run)
    if record.phase not in (Phase.OVER, Phase.CANCELLED) or record.summary is None:
        return None
    summary = Summary.of(record.summary)
    observe(RunCompleted(summary))
    return summary


async def _read(journal: Journal, run: str) -> RunRecord:
    return await to_thread.run_sync(journal.record, run)
