"""How jobs look on the wire."""

from typing import Any

from fastbatch.local.records import Job
from fastbatch.local.views.addresses import job_url
from fastbatch.local.views.showing import PREVIOUS, STATE, VERSIONED, Context, View, given, shown_time

_GIVEN_BY_JOB = (
    "allowTaskPreemption",
    "commonEnvironmentSettings",
    "constraints",
    "displayName",
    "jobPreparationTask",
    "jobReleaseTask",
    "maxParallelTasks",
    "metadata",
    "onAllTasksComplete",
    "onTaskFailure",
    "poolInfo",
    "priority",
    "usesTaskDependencies",
)


def _job_execution(job: Job, _: Context) -> dict[str, Any]:
    info = {
        "startTime": shown_time(job.started),
        "endTime": shown_time(job.ended),
        "poolId": job.pool_id,
        "terminateReason": job.terminate_reason if job.state in {"completed", "deleting"} else None,
    }
    return {name: value for name, value in info.items() if value is not None}


JOB: View[Job] = {
    "id": lambda job, _: job.id,
    "url": job_url,
    **VERSIONED,
    **STATE,
    **PREVIOUS,
    "executionInfo": _job_execution,
    **given(*_GIVEN_BY_JOB),
}
