"""What the end of a task means for its job and for those that depend on it, by its exit conditions and without any."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from fastbatch.local.errors import Refused
from fastbatch.local.records import Job, Task
from fastbatch.local.states.outcomes import ENDED_BY_USER

_OF_FAILURES = ("preProcessingError", "fileUploadError", "default")


def job_action(body: Mapping[str, Any], task: Task) -> str:
    """Give what a completed task means for its job, where the job minds failures: none, disable or terminate."""
    otherwise = "none" if task.result == "success" else "terminate"
    return str(_options(body, task).get("jobAction", otherwise))


def satisfies(body: Mapping[str, Any], task: Task) -> bool:
    """
    Tell whether those may run that depend on a completed task.

    One that a user ended has no exit code and no error, so what counts for it is the default.
    """
    otherwise = "satisfy" if task.result == "success" else "block"
    return bool(_options(body, task).get("dependencyAction", otherwise) == "satisfy")


def _options(body: Mapping[str, Any], task: Task) -> Mapping[str, Any]:
    conditions = body.get("exitConditions", {})
    options = _of_exit_code(conditions, task.exit_code)
    if options is None and task.result == "failure":
        options = conditions.get(_kind_of_failure(task), conditions.get("default"))
    return options or {}


def _of_exit_code(conditions: Mapping[str, Any], code: int | None) -> Mapping[str, Any] | None:
    exact = (each["exitOptions"] for each in conditions.get("exitCodes", []) if each["code"] == code)
    wide = (
        each["exitOptions"]
        for each in conditions.get("exitCodeRanges", [])
        if code is not None and each["start"] <= code <= each["end"]
    )
    return next(itertools.chain(exact, wide), None)


def _kind_of_failure(task: Task) -> str:
    code = json.loads(task.failure or "{}").get("code", "")
    if code.startswith("FileUpload"):
        return "fileUploadError"
    started = task.exit_code is not None or code == ENDED_BY_USER.code
    return "default" if started else "preProcessingError"


def refuse_idle_actions(job: Job, body: Mapping[str, Any]) -> None:
    """Refuse actions that would never be taken, as the job does not mind failures or has no dependencies."""
    given = {name for options in _all_options(body.get("exitConditions", {})) for name in options}
    if job.on_task_failure == "noaction" and "jobAction" in given:
        raise _idle("A jobAction needs a job whose onTaskFailure is performexitoptionsjobaction.")
    if not job.uses_dependencies and "dependencyAction" in given:
        raise _idle("A dependencyAction needs a job whose usesTaskDependencies is true.")


def _all_options(conditions: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in ("exitCodes", "exitCodeRanges"):
        yield from (each["exitOptions"] for each in conditions.get(name, []))
    yield from (conditions[name] for name in _OF_FAILURES if name in conditions)


def _idle(message: str) -> Refused:
    return Refused("InvalidPropertyValue", message, {"PropertyName": "exitConditions"})
