"""
What a node does for a job beside its tasks: the preparation before the first of them, the release at the job's end.

Each is done once by a node, unless it was broken off, or the node was rebooted: then it is done again when its turn
comes.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from fastbatch.local import wire
from fastbatch.local.errors import Refused
from fastbatch.local.records import Errand, Job, Node, Pool
from fastbatch.local.states import executions
from fastbatch.local.states.outcomes import ENDED_BY_USER, Outcome

PREPARATION, RELEASE = "preparation", "release"
_PROPERTIES = {PREPARATION: "jobPreparationTask", RELEASE: "jobReleaseTask"}
_GOING_DOWN = ("rebooting", "reimaging")
_COMING = (*_GOING_DOWN, "creating", "starting", "waitingforstarttask")
_NOT_COMING = ("leavingpool", "preempted", "starttaskfailed", "unknown", "unusable")


def refuse_mismatch(job_body: Mapping[str, Any]) -> None:
    """Refuse a release task without a preparation task, and both with one id."""
    release, preparation = (job_body.get(_PROPERTIES[kind]) for kind in (RELEASE, PREPARATION))
    if release is None:
        return
    if preparation is None:
        raise _wrong("jobReleaseTask", "A job with a jobReleaseTask needs a jobPreparationTask too.")
    if release["id"].lower() == preparation["id"].lower():
        raise _wrong("jobReleaseTask.id", "The jobReleaseTask and the jobPreparationTask must have two ids.")


def _wrong(name: str, message: str) -> Refused:
    return Refused("InvalidPropertyValue", message, {"PropertyName": name})


def refuse_id(job_body: Mapping[str, Any], task_id: str) -> None:
    """Refuse the id that a job's preparation or release task has for any other task."""
    if _is_id_of(job_body, PREPARATION, task_id):
        raise Refused("TaskIdSameAsJobPreparationTask", f"The job's preparation task has the id {task_id}.")
    if _is_id_of(job_body, RELEASE, task_id):
        raise Refused("TaskIdSameAsJobReleaseTask", f"The job's release task has the id {task_id}.")


def _is_id_of(job_body: Mapping[str, Any], kind: str, task_id: str) -> bool:
    body = job_body.get(_PROPERTIES[kind])
    return body is not None and body["id"].lower() == task_id.lower()


def specification(job_body: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
    """Give what was asked of a job's preparation or release, in the form of a task; None if it has none."""
    body = job_body.get(_PROPERTIES[kind])
    if body is None or kind == PREPARATION:
        return body
    constraints = {name: body[name] for name in ("maxWallClockTime", "retentionTime")}
    return {**body, "constraints": {**constraints, "maxTaskRetryCount": 0}}


def asked(job: Job, kind: str) -> dict[str, Any]:
    """Give what was asked of a job's preparation or release; nothing if it has none."""
    return specification(json.loads(job.body), kind) or {}


def new(job: Job, pool: Pool, node: Node, kind: str, now: int) -> Errand:
    """Give an errand as it begins for the first time."""
    return Errand(0, job.key, node.key, kind, asked(job, kind)["id"], pool.id, node.id, executions.begun(now))


def renewed(errand: Errand, now: int) -> Errand:
    """Give an errand as it begins once more."""
    return replace(errand, info=executions.begun(now), is_due=False, files_until=None)


def ended(errand: Errand, outcome: Outcome, body: Mapping[str, Any], now: int) -> tuple[Errand, bool]:
    """Give an errand after a run, and whether it runs again; where all wait for a preparation that fails, it bars."""
    constraints = body["constraints"]
    info, again = executions.ended(errand.info, outcome, constraints["maxTaskRetryCount"], now)
    until = None if again else wire.later(now, constraints["retentionTime"])
    bars = awaited(errand.kind, body) and executions.has_failed(info)
    return replace(errand, info=info, process=None, bars=bars, files_until=until), again


def without_files(errand: Errand) -> Errand:
    """Give an errand whose files have gone from its node."""
    return replace(errand, files_until=None)


def broken_off(errand: Errand, body: Mapping[str, Any], now: int) -> Errand:
    """Give an errand that was stopped before its end: it has its turn once more."""
    if not executions.is_running(errand.info):
        return errand
    after, _ = ended(errand, Outcome(None, ENDED_BY_USER), body, now)
    return replace(after, bars=False, is_due=True)


def rebooted(errand: Errand, body: Mapping[str, Any], now: int) -> Errand:
    """Give an errand of a node that was rebooted: a preparation that succeeded may have to be done again."""
    after = broken_off(errand, body, now)
    again = body.get("rerunOnNodeRebootAfterSuccess", False) and not executions.has_failed(errand.info)
    return replace(after, is_due=after.is_due or again)


def awaited(kind: str, body: Mapping[str, Any]) -> bool:
    """Tell whether the job's tasks wait for the success of an errand."""
    return bool(kind == PREPARATION and body["waitForSuccess"])


def lets_start(preparation: Errand, body: Mapping[str, Any]) -> bool:
    """Tell whether the job's tasks may start where a preparation is as it is."""
    if not awaited(PREPARATION, body):
        return True
    return not (executions.is_running(preparation.info) or executions.has_failed(preparation.info))


def turn(node: Node | None, release: Errand | None) -> Literal["now", "later", "over"]:
    """
    Say when a node that a job was prepared on begins the job's release: one that is down does so when it is up.

    One that goes down only when its tasks have ended, or their files have gone, does so before.
    """
    if node is None or node.state in _NOT_COMING or (release is not None and not release.is_due):
        return "over"
    waits = node.state in _GOING_DOWN and node.deallocation in {"taskcompletion", "retaineddata"}
    return "later" if node.state in _COMING and not waits else "now"
