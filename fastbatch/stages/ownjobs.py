"""The jobs of a recorded run, and whether those of their names are its own."""

from dataclasses import dataclass

from fastbatch import names
from fastbatch.azure.batch import Batch
from fastbatch.azure.requests import Json
from fastbatch.journal.records import RunRecord
from fastbatch.stages.describe import is_ours

_OVER = frozenset({"completed", "deleting", "terminating"})


@dataclass(frozen=True, slots=True)
class OwnJobs:
    """What there is under the names of a run's jobs."""

    found: tuple[Json, ...]  # those that the run made
    of_others: tuple[str, ...]
    gone: tuple[str, ...]
    newest_is_there: bool

    @property
    def ours(self) -> tuple[str, ...]:
        """Name those that the run made."""
        return tuple(job["id"] for job in self.found)

    @property
    def live(self) -> tuple[str, ...]:
        """Name those whose tasks may still run."""
        return tuple(job["id"] for job in self.found if job["state"] not in _OVER)


async def look_at_jobs(batch: Batch, record: RunRecord) -> OwnJobs:
    """Look at all jobs that a run may have."""
    found, of_others, gone = list[Json](), list[str](), list[str]()
    for number in range(record.job + 1):
        name = names.job(record.id, number)
        job = await batch.job(name)
        if job is None:
            gone.append(name)
        elif is_ours(job, record.uid):
            found.append(job)
        else:
            of_others.append(name)
    newest_is_there = names.job(record.id, record.job) not in gone
    return OwnJobs(tuple(found), tuple(of_others), tuple(gone), newest_is_there)
