"""What is asked of jobs, and of what nodes do for them beside their tasks."""

from typing import Any

from fastbatch.local import wire
from fastbatch.local.bodies.programs import NAMED_VALUES, PROGRAM
from fastbatch.local.fields import (
    Check,
    Field,
    Object,
    boolean,
    choice,
    duration,
    identifier,
    integer,
    later,
    text,
    wrong,
)
from fastbatch.local.states.tasks import RETENTION

_LONGEST_RELEASE = 15 * 60 * wire.SECOND


def _limit(value: Any, where: str) -> int:
    if value == 0:
        raise wrong(where, "it must be -1, for no limit, or greater than 0")
    return int(integer(-1)(value, where))


_RUN_LIMITS = {
    "maxWallClockTime": Field(duration(), default=wire.FOREVER),
    "maxTaskRetryCount": Field(integer(-1), default=0),
}
_CONSTRAINTS = Object(_RUN_LIMITS)
_PREPARATION_CONSTRAINTS = Object({**_RUN_LIMITS, "retentionTime": Field(duration(), default=RETENTION)})
PREPARATION_TASK = Object(
    {
        **PROGRAM,
        "id": Field(identifier, default="jobpreparation"),
        "constraints": Field(_PREPARATION_CONSTRAINTS, default=_PREPARATION_CONSTRAINTS({})),
        "waitForSuccess": Field(boolean, default=True),
        "rerunOnNodeRebootAfterSuccess": Field(boolean, default=True),
    }
)
RELEASE_TASK = Object(
    {
        **PROGRAM,
        "id": Field(identifier, default="jobrelease"),
        "maxWallClockTime": Field(duration(0, _LONGEST_RELEASE), default="PT15M"),
        "retentionTime": Field(duration(), default=RETENTION),
    }
)

_JOB_CHANGES: dict[str, Field | Check] = {
    "priority": Field(integer(-1000, 1000), default=0),
    "maxParallelTasks": Field(_limit, default=-1),
    "allowTaskPreemption": Field(later, default=False),
    "constraints": Field(_CONSTRAINTS, default=_CONSTRAINTS({})),
    "poolInfo": Field(
        Object({"poolId": Field(identifier, required=True), "autoPoolSpecification": later}), required=True
    ),
    "onAllTasksComplete": Field(choice("noaction", "terminatejob"), default="noaction"),
    "metadata": NAMED_VALUES,
}
JOB = Object(
    {
        "id": Field(identifier, required=True),
        "displayName": text(1024),
        **_JOB_CHANGES,
        "onTaskFailure": Field(choice("noaction", "performexitoptionsjobaction"), default="noaction"),
        "usesTaskDependencies": Field(boolean, default=False),
        "commonEnvironmentSettings": NAMED_VALUES,
        "jobManagerTask": later,
        "jobPreparationTask": PREPARATION_TASK,
        "jobReleaseTask": RELEASE_TASK,
        "networkConfiguration": later,
    }
)
JOB_PATCH = Object(_JOB_CHANGES).without_defaults()
JOB_UPDATE = Object(_JOB_CHANGES)
JOB_DISABLE = Object({"disableTasks": Field(choice("requeue", "terminate", "wait"), required=True)})
JOB_TERMINATE = Object({"terminateReason": text(1024)})
