"""What the services have of a run that goes on: its jobs, and every task in them."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastbatch import names
from fastbatch.azure.batch import Batch
from fastbatch.books.recovery import Sighting
from fastbatch.books.standing import Standing
from fastbatch.errors import Refused
from fastbatch.model import Item
from fastbatch.stages.watch import FIELDS_AND_NODES, moment, read

_FIELDS = f"{FIELDS_AND_NODES},state"


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
            latest: datetime | None = None
            async for page in batch.task_pages(names.job(run, job), where="", select=_FIELDS):
                for task in page:
                    ending = read(task, job) if task["state"] == "completed" else None
                    of = read(task).task
                    sightings.append(Sighting(of, job, task["state"] in ("running", "preparing"), ending))
                    if ending:
                        at = moment(task["stateTransitionTime"])
                        latest = at if latest is None else max(latest, at)
            until[job] = latest
        except Refused as refused:
            if not refused.not_found:
                raise
    return Survey(tuple(sightings), until)


def returned(items: Iterable[Item], standings: Mapping[str, Standing]) -> frozenset[str]:
    """Name the inputs that were lost and are there again, as they were when the run was planned."""
    lost = {name for standing in standings.values() for name in standing.lost}
    return frozenset(item.name for item in items if item.name in lost and _is_as_planned(item))


def _is_as_planned(item: Item) -> bool:
    try:
        status = os.stat(item.path)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (item.size, item.mtime_ns) and os.access(item.path, os.R_OK)
