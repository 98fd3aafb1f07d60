"""What the services have of a run that goes on: its jobs, and every task in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastbatch import names
from fastbatch.azure.batch import Batch
from fastbatch.books.recovery import Sighting
from fastbatch.errors import Refused
from fastbatch.stages.watch import FIELDS_AND_NODES, moment, read

_FIELDS = f"{FIELDS_AND_NODES},state"
_RUNNING = frozenset({"preparing", "running"})


@dataclass(frozen=True, slots=True)
class Survey:
    """The tasks that there are, and for each job the moment until which its completed ones are known."""

    sightings: tuple[Sighting, ...]
    until: Mapping[int, datetime | None]  # by the jobs that are there


async def survey(batch: Batch, run: str, jobs: int) -> Survey:
    """List all tasks of a run, which has had so many jobs."""
    sightings, until = list[Sighting](), dict[int, datetime | None]()
    for job in range(jobs):
        try:
            until[job] = await _list(batch, run, job, sightings)
        except Refused as refused:
            if not refused.not_found:
                raise
    return Survey(tuple(sightings), until)


async def _list(batch: Batch, run: str, job: int, sightings: list[Sighting]) -> datetime | None:
    """Add what there is in a job; tell when the last of its tasks ended."""
    latest: datetime | None = None
    async for page in batch.task_pages(names.job(run, job), where="", select=_FIELDS):
        for task in page:
            ending = read(task, job) if task["state"] == "completed" else None
            sightings.append(Sighting(read(task).task, job, task["state"] in _RUNNING, ending))
            if ending:
                at = moment(task["stateTransitionTime"])
                latest = at if latest is None else max(latest, at)
    return latest
