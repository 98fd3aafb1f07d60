"""Clearing a run away: what it made is deleted, on the services and on this machine, and nothing of others."""

import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import anyio
from anyio import to_thread

from fastbatch import state
from fastbatch.azure.services import Services
from fastbatch.azure.storage import Storage
from fastbatch.groups import together
from fastbatch.journal.records import Phase, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.patience import LOOK_AGAIN
from fastbatch.stages.describe import BUNDLES, results_container
from fastbatch.stages.ownjobs import OwnJobs, look_at_jobs

_AT_ONCE = 32

# Clocks differ, and an upload takes its time. Who uses a blob again renews it after a day at the earliest.
_A_LITTLE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Remains:
    """What there is of a run."""

    record: RunRecord
    jobs: OwnJobs
    blobs: tuple[tuple[str, datetime], ...]  # bundles that no other run here has, and when they were stored

    @property
    def container(self) -> str:
        """Name the container of its results."""
        return results_container(self.record.id)


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was deleted of a run, and what was not."""

    jobs: int
    blobs: int
    kept: int  # blobs that others stored or renewed since


async def look_at_remains(run: str, services: Services, journal: Journal) -> Remains:
    """Learn what there is of a run; nothing is changed."""
    record = await to_thread.run_sync(journal.record, run)
    blobs = await to_thread.run_sync(journal.only_ours, run)
    return Remains(record, await look_at_jobs(services.batch, record), tuple(blobs))


async def clear(remains: Remains, services: Services, journal: Journal) -> Cleared:
    """
    Delete what there is of a run; whoever holds it does that.

    Bundles go last, and only after all that could still read them. What was interrupted is done again.
    """
    run = remains.record.id
    await together([_deleting(services, job) for job in remains.jobs.ours])
    await services.storage.delete_container(remains.container)
    blobs = await _still_only_ours(remains, journal)
    kept = await _delete_blobs(blobs, services.storage)
    await to_thread.run_sync(partial(shutil.rmtree, state.folder_of(run), ignore_errors=True))  # it may not be there
    await to_thread.run_sync(journal.forget_blobs, run, [digest for digest, _ in blobs])
    await to_thread.run_sync(journal.clean, run)
    deleted = len(blobs) - len(kept)
    return Cleared(len(remains.jobs.ours), deleted, len(remains.blobs) - deleted)


async def discard(run: str, services: Services, journal: Journal) -> None:
    """
    Delete the jobs and results of a run that nobody is to go on with; whoever holds it does that.

    Its bundles stay, for other runs of the same inputs.
    """
    record = await to_thread.run_sync(journal.record, run)
    if record.phase is not Phase.OVER:
        await to_thread.run_sync(journal.enter, run, Phase.CANCELLED)
    jobs = await look_at_jobs(services.batch, record)
    if not jobs.newest_is_there:  # who was interrupted may just have asked for it
        await anyio.sleep(LOOK_AGAIN)
        jobs = await look_at_jobs(services.batch, record)
    await together([_deleting(services, job) for job in jobs.ours])
    await services.storage.delete_container(results_container(run))


async def _still_only_ours(remains: Remains, journal: Journal) -> tuple[tuple[str, datetime], ...]:
    """Give the bundles that no other run here has by now: somebody may have thought for long about what there was."""
    now = dict(await to_thread.run_sync(journal.only_ours, remains.record.id))
    return tuple((digest, stored) for digest, stored in remains.blobs if digest in now)


def _deleting(services: Services, job: str) -> Callable[[], Awaitable[None]]:
    return lambda: services.batch.delete_job(job)


async def _delete_blobs(blobs: tuple[tuple[str, datetime], ...], storage: Storage) -> list[str]:
    """Delete blobs, some at once; give those that were stored or renewed since."""
    todo: Iterator[tuple[str, datetime]] = iter(blobs)
    kept: list[str] = []

    async def work() -> None:
        for digest, stored in todo:
            if not await storage.delete_blob(BUNDLES, digest, untouched_since=stored + _A_LITTLE):
                kept.append(digest)

    await together([work] * min(_AT_ONCE, len(blobs)))
    return kept
