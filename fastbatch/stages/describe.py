"""What the service is told of jobs and tasks."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from fastbatch.books.facts import Submit
from fastbatch.chunks import Described
from fastbatch.names import MARK
from fastbatch.workload import INPUT, PROGRAM, RESULT, Workload

Json = dict[str, Any]

BUNDLES = "fastbatch-input"
PROGRAMS = "fastbatch-app"
CANCELLED = "fastbatch cancel"  # why a job ended, by which who drives a run knows that there is to be no other

# Batch removes a task's files this long after it ended; what is worth keeping was uploaded.
_RETENTION = "PT1H"


class Access(Protocol):
    """How nodes get at their blobs, in the words of a task's description."""

    def to_read(self, container: str, blob: str) -> Json:
        """Describe a blob that a node may read."""

    def to_write(self, container: str) -> Json:
        """Describe a container that a node may write into."""


def results_container(run: str) -> str:
    """Give the name of the container that a run's tasks write into."""
    return f"fastbatch-out-{run}"


def result_blob(task_id: str) -> str:
    """Give the name of a task's result."""
    return f"{task_id}/{RESULT}"


def error_blob(task_id: str) -> str:
    """Give the name of what a failed task wrote to standard error."""
    return f"{task_id}/stderr.txt"


def job(name: str, uid: str, pool: str, seconds: float) -> Json:
    """Describe a job of the run with this id. It stays open until it is known that all tasks are in it."""
    return {
        "id": name,
        "poolInfo": {"poolId": pool},
        "constraints": {"maxWallClockTime": duration(seconds)},
        "onAllTasksComplete": "noaction",
        "metadata": [{"name": MARK, "value": uid}],
    }


def is_ours(described: Json, uid: str) -> bool:
    """Tell whether a job or a pool was made by the run with this id."""
    return {"name": MARK, "value": uid} in (described.get("metadata") or ())


def was_cancelled(described: Json) -> bool:
    """Tell whether a job was ended because its run was cancelled."""
    return bool((described.get("executionInfo") or {}).get("terminateReason") == CANCELLED)


@dataclass(frozen=True, slots=True)
class Tasks:
    """Describes the tasks of a run."""

    run: str
    workload: Workload
    program: str  # the digest of the node's program
    slots: int
    seconds: float
    access: Access

    def describer(self) -> Callable[[Submit], Described]:
        """Give what describes a task; all that tasks have in common is made once."""
        program = {**self.access.to_read(PROGRAMS, self.program), "filePath": PROGRAM}
        results = self.access.to_write(results_container(self.run))
        shared = {
            "environmentSettings": [{"name": "FASTBATCH_SLOTS", "value": str(self.slots)}],
            "constraints": {"maxWallClockTime": duration(self.seconds), "retentionTime": _RETENTION},
        }

        def describe(action: Submit) -> Described:
            task_id = action.task.id
            bundle = {**self.access.to_read(BUNDLES, action.blob.digest), "filePath": INPUT}
            described = {
                "id": task_id,
                "commandLine": self.workload.command_line(action.bundle, action.blob),
                "resourceFiles": [bundle, program],
                "outputFiles": [
                    _output(RESULT, "tasksuccess", results, result_blob(task_id)),
                    _output("../std*.txt", "taskfailure", results, task_id),
                ],
                **shared,
            }
            return Described(action.task, json.dumps(described, separators=(",", ":")).encode())

        return describe


def duration(seconds: float) -> str:
    """Write a time as the service reads it, in ISO 8601."""
    whole = timedelta(seconds=math.ceil(seconds))
    return f"P{whole.days}DT{whole.seconds}S"


def _output(pattern: str, condition: str, container: Json, path: str) -> Json:
    return {
        "filePattern": pattern,
        "destination": {"container": {**container, "path": path}},
        "uploadOptions": {"uploadCondition": condition},
    }
