"""Cancelling a run: its tasks are ended on the service, and what is finished stays."""

from dataclasses import dataclass
from functools import partial

from anyio import to_thread

from fastbatch.azure.batch import Batch
from fastbatch.errors import NotOurs
from fastbatch.events import Noticed, Observer
from fastbatch.journal.records import Phase, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.patience import Patience
from fastbatch.running.holding import holder
from fastbatch.stages.describe import CANCELLED
from fastbatch.stages.ownjobs import OwnJobs, look_at_jobs


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What was done to cancel a run."""

    record: RunRecord
    ended: tuple[str, ...]  # the jobs that were still active
    driver: int | None  # the process that drives it, and ends by itself now


async def cancel(run: str, batch: Batch, journal: Journal, observe: Observer) -> Cancelled:
    """
    End all of a run that is on the service, also while another process drives it; what is over stays as it is.

    Raises NotOurs if a job of its name was made by others.
    """
    record = await _record(journal, run)
    jobs = await _own_jobs(batch, record)
    driver = holder(run)
    if not jobs.live and not _may_come(jobs, driver):
        return Cancelled(record, (), driver)
    # Noted first, so that who drives the run takes its end for what it is.
    if record.phase is not Phase.OVER:
        await to_thread.run_sync(partial(journal.enter, run, Phase.CANCELLED))
    ended = await _end(record, jobs, batch, journal, observe)
    return Cancelled(await _record(journal, run), tuple(ended), driver)


async def _end(record: RunRecord, jobs: OwnJobs, batch: Batch, journal: Journal, observe: Observer) -> list[str]:
    """End the jobs that there are, and one that is just being made."""
    waiting = Noticed(f"The job of run {record.id} is just being made; waiting until it is there, to end it.")
    patience = Patience(lambda: observe(waiting))
    ended: list[str] = []
    while True:
        for job in jobs.live:
            await batch.end_job(job, CANCELLED)
            ended.append(job)
        now = await _record(journal, record.id)
        if now.job == record.job and not _may_come(jobs, holder(record.id)):
            return ended
        if now.job == record.job:
            await patience.wait()
        record = now
        jobs = await _own_jobs(batch, record)


def _may_come(jobs: OwnJobs, driver: int | None) -> bool:
    """Tell whether who drives the run may be about to make a job of it."""
    return driver is not None and not jobs.newest_is_there


async def _own_jobs(batch: Batch, record: RunRecord) -> OwnJobs:
    jobs = await look_at_jobs(batch, record)
    if jobs.of_others:
        raise NotOurs(f"There is a job {jobs.of_others[0]} that run {record.id} did not make; nothing was done.")
    return jobs


async def _record(journal: Journal, run: str) -> RunRecord:
    return await to_thread.run_sync(journal.record, run)
