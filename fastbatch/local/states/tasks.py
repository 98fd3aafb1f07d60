"""
The life of a task: active, perhaps preparing, running, completed.

And back, when it is retried, requeued or reactivated.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastbatch.local import wire
from fastbatch.local.errors import Refused
from fastbatch.local.records import Job, Node, Pool, Task
from fastbatch.local.states.outcomes import ENDED_BY_USER, Outcome

RETENTION = "P7D"
ON_NODE = ("preparing", "running")
_NO_RUN = dict.fromkeys(("started", "ended", "exit_code", "result", "failure"))  # what a waiting task shows of one
_NOWHERE = dict.fromkeys(("process", "pool_id", "node_id"))


def constraints(body: Mapping[str, Any], job_body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a task's constraints with what the job and the service add."""
    return {
        "maxWallClockTime": wire.FOREVER,
        "retentionTime": RETENTION,
        "maxTaskRetryCount": job_body["constraints"]["maxTaskRetryCount"],
        **body.get("constraints", {}),
    }


def new(job: Job, body: Mapping[str, Any], now: int) -> Task:
    """Give a task as it is when it was added; its constraints are complete."""
    return Task(
        key=0,
        job=job.key,
        id=body["id"],
        slots=body["requiredSlots"],
        retries_allowed=body["constraints"]["maxTaskRetryCount"],
        affinity=body.get("affinityInfo", {}).get("affinityId"),
        created=now,
        modified=now,
        state="active",
        state_time=now,
    )


def _moved(task: Task, state: str, now: int, **changes: Any) -> Task:
    return replace(
        task, state=state, state_time=now, previous_state=task.state, previous_time=task.state_time, **changes
    )


def assigned(task: Task, pool: Pool, node: Node, now: int) -> Task:
    """Give the task as it runs on a node."""
    return _on(task, pool, node, "running", now, started=now)


def waiting(task: Task, pool: Pool, node: Node, now: int) -> Task:
    """Give the task as it has its place on a node, but waits until the node is prepared for its job."""
    return _on(task, pool, node, "preparing", now)


def _on(task: Task, pool: Pool, node: Node, state: str, now: int, **changes: Any) -> Task:
    where = {"pool_id": pool.id, "node_id": node.id}
    return _moved(task, state, now, **{**_NO_RUN, **changes}, **where, files_until=None, files_gone=False)


def admitted(task: Task, now: int) -> Task:
    """Give the task as it runs, now that its node is prepared."""
    return _moved(task, "running", now, started=now)


def sent_back(task: Task, now: int) -> Task:
    """Give the task as it waits for another node, as its own could not be prepared: that is no requeue."""
    return _moved(task, "active", now, **_NO_RUN, **_NOWHERE)


def ended(task: Task, outcome: Outcome, retention: str, now: int) -> Task:
    """Give the task after a run: active again if it is to be retried, else completed."""
    if outcome.is_followed(task.retries, task.retries_allowed):
        return _moved(task, "active", now, **_NO_RUN, process=None, retries=task.retries + 1, retried=now)
    failure = outcome.verdict
    return _moved(
        task,
        "completed",
        now,
        ended=now,
        exit_code=outcome.exit_code,
        result="failure" if failure else "success",
        failure=failure.text() if failure else None,
        process=None,
        files_until=wire.later(now, retention),
    )


def without_files(task: Task) -> Task:
    """Give a completed task whose files have gone from its node."""
    return replace(task, files_until=None, files_gone=True)


def requeued(task: Task, now: int) -> Task:
    """Give a task that was on a node as it waits for another."""
    return _moved(task, "active", now, **_NO_RUN, **_NOWHERE, requeues=task.requeues + 1, requeued=now)


def constrained(task: Task, constraints: Mapping[str, Any], now: int) -> Task:
    """Give the task with other constraints."""
    return replace(task, retries_allowed=constraints["maxTaskRetryCount"], modified=now)


def terminated(task: Task, retention: str, now: int) -> Task:
    """Give the task as it is after a user ended it."""
    if task.state == "completed":
        raise Refused("TaskCompleted", f"The task {task.id} is completed already.")
    return _moved(
        task,
        "completed",
        now,
        ended=now,
        result="failure",
        failure=ENDED_BY_USER.text(),
        process=None,
        files_until=wire.later(now, retention),
    )


def reactivated(task: Task, now: int) -> Task:
    """Give a failed task as it waits to run again."""
    if task.state != "completed":
        raise Refused("TaskNotCompleted", f"The task {task.id} is {task.state}; only a completed one is reactivated.")
    if task.result == "success":
        raise Refused("TaskSucceeded", f"The task {task.id} succeeded; only a failed one is reactivated.")
    return _moved(task, "active", now, **_NO_RUN, modified=now, retries=0, retried=None, files_until=None)
