"""What the services show of a run; nothing is changed there."""

from collections.abc import Mapping
from datetime import timedelta

from fastbatch.azure.batch import Batch
from fastbatch.azure.requests import Json
from fastbatch.journal.records import RunRecord
from fastbatch.stages.ownjobs import look_at_jobs
from fastbatch.stages.watch import moment, read
from fastbatch.telling.reporting import JobSeen, Seen
from fastbatch.telling.speeds import Completion

_LATELY = (timedelta(minutes=1), timedelta(minutes=10))
_ENOUGH = 16  # completed tasks that tell a speed well


async def look(batch: Batch, record: RunRecord) -> Seen:
    """Look at the jobs of a run, and at its pool."""
    own = await look_at_jobs(batch, record)
    jobs = [_seen(job, await batch.task_counts(job["id"])) for job in own.found]
    pool = await batch.pool(record.settings.pool)
    nodes = await batch.node_counts(record.settings.pool) if pool else {}
    return Seen(
        batch.line.clock.now(),
        tuple(jobs),
        own.gone,
        own.of_others,
        pool["state"] if pool else None,
        {state: count for state, count in nodes.items() if count and state != "total"},
        tuple(await _completions(batch, jobs)),
    )


def _seen(job: Json, counts: Mapping[str, int]) -> JobSeen:
    waiting, running, succeeded, failed = (counts.get(name, 0) for name in ("active", "running", "succeeded", "failed"))
    return JobSeen(job["id"], job["state"], waiting, running, succeeded, failed)


async def _completions(batch: Batch, jobs: list[JobSeen]) -> list[Completion]:
    """Give the tasks that were completed well of late: within a minute, or within more if they are few."""
    found: list[Completion] = []
    running = [job.id for job in jobs if job.running]
    for span in _LATELY:
        since = (batch.line.clock.now() - span).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        where = (
            f"state eq 'completed' and executionInfo/result eq 'success' and stateTransitionTime ge DateTime'{since}'"
        )
        found = [
            Completion(moment(task["stateTransitionTime"]), read(task).task)
            for job_id in running
            async for page in batch.task_pages(job_id, where=where, select="id,stateTransitionTime")
            for task in page
        ]
        if len(found) >= _ENOUGH:
            break
    return found
