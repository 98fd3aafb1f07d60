"""The life of a node: creating, starting, perhaps its start task, idle and running by turns, leaving the pool."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastbatch.local.records import Node, Pool
from fastbatch.local.states.tasks import EXITED_WITH_ERROR, NO_RETRY_LIMIT, Failure, Outcome

READY = ("idle", "running")


def new(pool: Pool, node_id: str, now: int, *, dedicated: bool) -> Node:
    """Give a node as it is when it was ordered."""
    return Node(key=0, pool=pool.key, id=node_id, dedicated=dedicated, allocated=now, state="creating", state_time=now)


def _moved(node: Node, state: str, now: int, **changes: Any) -> Node:
    return replace(node, state=state, state_time=now, **changes)


def booted(node: Node, pool: Pool, now: int) -> Node:
    """Give a node that is up: idle, or with its start task before it."""
    task = json.loads(pool.body).get("startTask")
    if task is None:
        return _moved(node, "idle", now, booted=now, start_task=None, start_info=None)
    info = {"state": "running", "startTime": now, "retryCount": 0}
    node = replace(node, booted=now, start_task=json.dumps(task), start_info=json.dumps(info))
    return _moved(node, _state(node, empty=True), now)


def _state(node: Node, *, empty: bool) -> str:
    """Give the state of a node that is up and stays, by how its start task goes and whether it runs tasks."""
    if node.errors is not None:
        return "unusable"
    task, info = json.loads(node.start_task or "{}"), json.loads(node.start_info or "{}")
    if task.get("waitForSuccess"):
        if info["state"] == "running":
            return "waitingforstarttask"
        if info["result"] == "failure":
            return "starttaskfailed"
    return "idle" if empty else "running"


def unusable(node: Node, reason: str, now: int) -> Node:
    """Give a node that can't be used."""
    error = {
        "code": "DiskFull",
        "message": "The node's folders can't be made.",
        "errorDetails": [{"name": "Reason", "value": reason}],
    }
    return _moved(node, "unusable", now, errors=json.dumps([error]))


def started(node: Node, outcome: Outcome, now: int) -> tuple[Node, bool]:
    """Give the node after a run of its start task, and whether that is to run again."""
    task, info = json.loads(node.start_task or "{}"), json.loads(node.start_info or "{}")
    failure = outcome.failure or (EXITED_WITH_ERROR if outcome.exit_code else None)
    allowed = task["maxTaskRetryCount"] == NO_RETRY_LIMIT or info["retryCount"] < task["maxTaskRetryCount"]
    again = failure is not None and allowed and outcome.exit_code is not None
    if again:
        info.update(startTime=now, retryCount=info["retryCount"] + 1, lastRetryTime=now)
    else:
        info.update(_verdict(outcome, failure, now))
    node = replace(node, start_info=json.dumps(info), process=None)
    waited = node.state == "waitingforstarttask" and not again
    return (_moved(node, _state(node, empty=True), now) if waited else node), again


def _verdict(outcome: Outcome, failure: Failure | None, now: int) -> Mapping[str, Any]:
    verdict: dict[str, Any] = {"state": "completed", "endTime": now}
    verdict["result"] = "failure" if failure else "success"
    if outcome.exit_code is not None:
        verdict["exitCode"] = outcome.exit_code
    if failure:
        verdict["failureInfo"] = json.loads(failure.text())
    return verdict


def occupied(node: Node, now: int) -> Node:
    """Give the node as a task starts on it."""
    node = replace(node, tasks_run=node.tasks_run + 1)
    return _moved(node, "running", now) if node.state == "idle" else node


def relieved(node: Node, now: int, *, succeeded: bool, empty: bool) -> Node:
    """Give the node as a task ends on it."""
    node = replace(node, tasks_succeeded=node.tasks_succeeded + succeeded)
    return _moved(node, "idle", now) if empty and node.state == "running" else node


def leaving(node: Node, deallocation: str, now: int) -> Node:
    """Give a node that takes no more tasks and goes when it may."""
    return _moved(node, "leavingpool", now, deallocation=deallocation)


def staying(node: Node, now: int, *, empty: bool) -> Node:
    """Give a node whose leaving was called off."""
    return _moved(node, _state(node, empty=empty), now)


def recovered(node: Node, now: int) -> Node:
    """Give a node as it is after the service stopped: nothing runs; a start task that had not ended runs again."""
    if node.state == "leavingpool":
        return node
    unfinished = node.start_info is not None and json.loads(node.start_info)["state"] == "running"
    if unfinished or node.state == "waitingforstarttask":
        return _moved(node, "starting", now, process=None)
    return _moved(node, "idle", now, process=None) if node.state == "running" else node
