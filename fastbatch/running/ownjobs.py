"""The jobs of a recorded run, and whether those of their names are its own."""

from dataclasses import dataclass

from fastbatch import names
from fastbatch.azure.batch import Batch
from fastbatch.journal.records import RunRecord
from fastbatch.stages.describe import is_ours

_OVER = frozenset({"completed", "deleting", "terminating"})


@dataclass(frozen=True, slots=True)
class OwnJobs:
    """What there is under the names of a run's jobs."""

    live: tuple[str, ...]  # with tasks that may still run
    over: tuple[str, ...]
    of_others: tuple[str, ...]
    newest_is_there: bool

    @property
    def ours(self) -> tuple[str, ...]:
        """Name those that the run made."""
        return *self.live, *self.over


async def look_at_jobs(batch: Batch, record: RunRecord) -> OwnJobs:
    """Look at all jobs that a run may have."""
    live, over, of_others, found = [], [], [], None
    for number in range(record.job + 1):
        name = names.job(record.id, number)
        found = await batch.job(name)
        if found is None:
            continue
        if not is_ours(found, record.uid):
            of_others.append(name)
        elif found["state"] in _OVER:
            over.append(name)
        else:
            live.append(name)
    return OwnJobs(tuple(live), tuple(over), tuple(of_others), newest_is_there=found is not None)
