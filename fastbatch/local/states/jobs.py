"""The life of a job: active, disabling and disabled, terminating and completed, deleting."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastbatch.local import wire
from fastbatch.local.errors import Refused
from fastbatch.local.records import Job
from fastbatch.local.states import errands

NOT_ENDED = ("active", "disabling", "disabled")
COUNTS_FOR_QUOTA = (*NOT_ENDED, "terminating", "deleting")


def new(body: Mapping[str, Any], text: str, now: int) -> Job:
    """Give a job as it is when it was made."""
    errands.refuse_mismatch(body)
    return Job(
        key=0,
        id=body["id"],
        body=text,
        pool_id=body["poolInfo"]["poolId"],
        priority=body["priority"],
        most_parallel=body["maxParallelTasks"],
        created=now,
        modified=now,
        state="active",
        state_time=now,
        started=now,
        deadline=_deadline(now, body),
        on_all_complete=body["onAllTasksComplete"],
        on_task_failure=body["onTaskFailure"],
        uses_dependencies=body["usesTaskDependencies"],
        prepares="jobPreparationTask" in body,
    )


def _deadline(started: int, body: Mapping[str, Any]) -> int | None:
    longest = body["constraints"]["maxWallClockTime"]
    return None if longest == wire.FOREVER else wire.later(started, longest)


def _moved(job: Job, state: str, now: int, **changes: Any) -> Job:
    return replace(job, state=state, state_time=now, previous_state=job.state, previous_time=job.state_time, **changes)


def changed(job: Job, before: Mapping[str, Any], after: Mapping[str, Any], text: str, now: int) -> Job:
    """Give a job with other properties."""
    refuse_ended(job)
    if before["onAllTasksComplete"] == "terminatejob" and after["onAllTasksComplete"] == "noaction":
        raise Refused(
            "InvalidPropertyValue",
            "The property onAllTasksComplete can't go back from terminatejob to noaction.",
            {"PropertyName": "onAllTasksComplete"},
        )
    if before["poolInfo"] != after["poolInfo"] and job.state != "disabled":
        raise Refused("OperationInvalidForCurrentState", "The pool of a job can change only while it is disabled.")
    return replace(
        job,
        body=text,
        pool_id=after["poolInfo"]["poolId"],
        priority=after["priority"],
        most_parallel=after["maxParallelTasks"],
        on_all_complete=after["onAllTasksComplete"],
        deadline=_deadline(job.started, after),
        modified=now,
    )


def refuse_ended(job: Job) -> None:
    """Refuse what can't be done to a job at its end."""
    if job.state == "completed":
        raise Refused("JobCompleted", f"The job {job.id} is completed.")
    if job.state == "terminating":
        raise Refused("JobBeingTerminated", f"The job {job.id} is being terminated.")
    refuse_deleting(job)


def refuse_deleting(job: Job) -> None:
    """Refuse what can't be done to a job that goes away."""
    if job.state == "deleting":
        raise Refused("JobBeingDeleted", f"The job {job.id} is being deleted.")


def disabling(job: Job, what_of_tasks: str, now: int) -> Job:
    """Give a job that is to run nothing more for now; what runs is requeued, terminated or waited for."""
    refuse_ended(job)
    if job.state == "disabled":
        return job
    return _moved(job, "disabling", now, disable_tasks=what_of_tasks, modified=now)


def disabled(job: Job, now: int) -> Job:
    """Give a job of which nothing runs any more."""
    return _moved(job, "disabled", now)


def enabled(job: Job, now: int) -> Job:
    """Give a job that runs its tasks again."""
    refuse_ended(job)
    if job.state == "active":
        return job
    return _moved(job, "active", now, disable_tasks=None, modified=now)


def terminating(job: Job, reason: str, now: int) -> Job:
    """Give a job that ends what it runs."""
    refuse_ended(job)
    return _moved(job, "terminating", now, terminate_reason=reason, modified=now)


def completed(job: Job, now: int) -> Job:
    """Give a job that has ended."""
    return _moved(job, "completed", now, ended=now)


def deleting(job: Job, now: int) -> Job:
    """Give a job that goes away with its tasks, whatever it was doing."""
    refuse_deleting(job)
    return _moved(job, "deleting", now)
