"""When the tasks of a run went from stage to stage: by the service, and by what their programs printed."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastbatch.azure.batch import Batch
from fastbatch.azure.requests import Json
from fastbatch.errors import Refused, ServiceError
from fastbatch.events import Noticed, Observer
from fastbatch.groups import together
from fastbatch.model import Bundle, Task
from fastbatch.stages.logs import Stream
from fastbatch.stages.site import Site
from fastbatch.stages.watch import moment
from fastbatch.tuning.measured import TaskTimes

_FIELDS = "id,creationTime,executionInfo,nodeInfo"
_AT_ONCE = 32
_LONGEST = range(256)  # bytes that are read of what a program printed


@dataclass(frozen=True, slots=True)
class _Seen:
    """A task as the service lists it, in seconds since the first of its run was created."""

    job: str
    id: str
    node: str
    created: float
    started: float
    ended: float


async def task_times(site: Site, results: Iterable[tuple[Bundle, Task]], observe: Observer) -> tuple[TaskTimes, ...]:
    """
    Give the times of the tasks whose results count, in the order of the plan.

    A program that can't be asked counts as at work for as long as its task had a slot; that is told.
    """
    sizes = {task.id: bundle.size for bundle, task in results}
    listed = [(job, task) async for job, task in _listed(site)]
    first = min((moment(task["creationTime"]) for _, task in listed), default=None)
    seen = {task["id"]: _seen(job, task, first) for job, task in listed if first and _succeeded(task)}
    if missing := sorted(sizes.keys() - seen.keys()):
        raise ServiceError(f"Batch does not tell when {len(missing)} tasks ran, first {missing[0]}; were they deleted?")
    printed = await _all_printed(site.services.batch, [seen[task] for task in sizes], observe)
    zero = first.timestamp() if first else 0.0
    return tuple(_times(seen[task], size, printed.get(task), zero) for task, size in sizes.items())


async def _listed(site: Site) -> AsyncIterator[tuple[str, Json]]:
    for job in site.jobs.ids:
        async for page in site.services.batch.task_pages(job, where="", select=_FIELDS):
            for task in page:
                yield job, task


def _succeeded(task: Json) -> bool:
    return str((task.get("executionInfo") or {}).get("result", "")).lower() == "success"


def _seen(job: str, task: Json, first: datetime) -> _Seen:
    info = task["executionInfo"]
    created, started, ended = (
        (moment(text) - first).total_seconds() for text in (task["creationTime"], info["startTime"], info["endTime"])
    )
    return _Seen(job, task["id"], (task.get("nodeInfo") or {}).get("nodeId", ""), created, started, ended)


def _times(seen: _Seen, size: int, printed: tuple[float, float] | None, zero: float) -> TaskTimes:
    program = None if printed is None else (printed[0] - zero, printed[1] - zero)
    computing, computed = at_work(seen.started, seen.ended, program)
    return TaskTimes(seen.id, seen.node, size, seen.created, seen.started, computing, computed, seen.ended)


def at_work(started: float, ended: float, printed: tuple[float, float] | None) -> tuple[float, float]:
    """
    Tell when a program was at work, within the time in which its task had a slot.

    What it printed is by its node's clock: where that is ahead or behind, it is moved by as little as makes it fit.
    """
    if printed is None:
        return started, ended
    length = min(printed[1] - printed[0], ended - started)
    computing = max(started, min(printed[0], ended - length))
    return computing, min(computing + length, ended)


async def _all_printed(batch: Batch, tasks: list[_Seen], observe: Observer) -> Mapping[str, tuple[float, float]]:
    """Give what programs printed, some asked at once; tell of how many it is not known."""
    todo = iter(tasks)
    found = dict[str, tuple[float, float]]()
    reasons: list[str] = []

    async def work() -> None:
        for task in todo:
            try:
                found[task.id] = read(await batch.task_file(task.job, task.id, Stream.STDOUT.value, _LONGEST))
            except (Refused, ValueError) as error:
                reasons.append(str(error))

    await together([work] * min(_AT_ONCE, len(tasks)))
    if reasons:
        observe(
            Noticed(
                f"When the programs of {len(reasons)} of {len(tasks)} tasks were at work is not known, so all their "
                f"time on a node counts as computing: {reasons[0]}"
            )
        )
    return found


def read(printed: bytes) -> tuple[float, float]:
    """Read when a program began and ended, in seconds since 1970. Raises ValueError if it did not print just that."""
    try:
        times = json.loads(printed)
        began, ended = float(times["began"]), float(times["ended"])
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise ValueError("its program did not print its times") from error
    if not 0 <= began <= ended < float("inf"):
        raise ValueError("its program printed times that can't be")
    return began, ended
