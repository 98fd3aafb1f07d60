"""What there is still of a run, by the journal and on the services."""

import os
from datetime import datetime, timedelta

from anyio import to_thread

from fastbatch import names
from fastbatch.books.recovery import Known, Recovery
from fastbatch.journal.records import RunRecord
from fastbatch.journal.store import Journal
from fastbatch.order import Order
from fastbatch.running.pipeline import Start
from fastbatch.stages.site import Site
from fastbatch.stages.survey import Survey, survey

# A task that waits must be able to begin and to end with what it was signed.
_SIGNED_FOR = timedelta(minutes=10)


async def look(
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


def start_of(known: Known, listed: Survey, recovery: Recovery) -> Start:
    """Give where a run goes on."""
    tasks = {*known.attempts, *(sighting.task for sighting in known.sightings)}
    return Start(recovery.standings, recovery.endings, recovery.live, recovery.over, listed.until, len(tasks))


def why_gone(record: RunRecord) -> str | None:
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
