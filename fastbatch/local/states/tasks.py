"""
The life of a task: active, perhaps preparing, running, completed.

And back, when it is retried, requeued or reactivated.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastbatch.local import wire
from fastbatch.local.errors import Refused
from fastbatch.local.records import Job, Node, Pool, Task

RETENTION = "P7D"
NO_RETRY_LIMIT = -1
ON_NODE = ("preparing", "running")
_NO_RUN = dict.fromkeys(("started", "ended", "exit_code", "result", "failure"))  # what a waiting task shows of one
_NOWHERE = dict.fromkeys(("process", "pool_id", "node_id"))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task failed, in the service's words."""

    code: str
    message: str
    category: str = "UserError"
    details: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Give it as the JSON of a failureInfo."""
        details = [{"name": name, "value": value} for name, value in self.details.items()]
        info = {"category": self.category, "code": self.code, "message": self.message, "details": details}
        return json.dumps(info)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of a task ended: with an exit code if its process was started, with a failure if not all went well."""

    exit_code: int | None
    failure: Failure | None = None


EXITED_WITH_ERROR = Failure("FailureExitCode", "The task process exited with an unexpected exit code")
ENDED_BY_USER = Failure("TaskEnded", "Task Was Ended by User Request")
OUT_OF_TIME = Failure(
    "TaskEnded",
    "Task Was Ended by User Request",
    details={"Message": "The maximum execution time configured on the task was exceeded"},
)


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


def will_retry(task: Task, outcome: Outcome) -> bool:
    """Tell whether a run that ended so is followed by another: after a failing exit code only, within the limit."""
    failed_itself = outcome.exit_code not in {None, 0} and outcome.failure is None
    allowed = task.retries_allowed == NO_RETRY_LIMIT or task.retries < task.retries_allowed
    return failed_itself and allowed


def ended(task: Task, outcome: Outcome, retention: str, now: int) -> Task:
    """Give the task after a run: active again if it is to be retried, else completed."""
    if will_retry(task, outcome):
        return _moved(task, "active", now, **_NO_RUN, process=None, retries=task.retries + 1, retried=now)
    failure = outcome.failure or (EXITED_WITH_ERROR if outcome.exit_code else None)
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
