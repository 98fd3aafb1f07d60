"""
The life of a node: creating, starting, perhaps its start task, idle and running by turns, leaving the pool.

On the way it may boot anew (rebooting or reimaging, and starting), be lost (unknown) or be taken away (preempted). A
node of which nothing is up has not booted.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastbatch.local.errors import Code, Refused
from fastbatch.local.records import Node, Pool
from fastbatch.local.states import executions
from fastbatch.local.states.outcomes import Outcome

READY = ("idle", "running")
UP = (*READY, "offline", "starttaskfailed", "waitingforstarttask")
BOOTABLE = (*READY, "offline", "starttaskfailed")
MOST_RECENT = 10
_BUSY: Mapping[str, Code] = {
    "creating": "NodeBeingCreated",
    "starting": "NodeBeingStarted",
    "rebooting": "NodeBeingRebooted",
    "reimaging": "NodeBeingReimaged",
    "unusable": "NodeStateUnusable",
}


def new(pool: Pool, node_id: str, now: int, *, dedicated: bool) -> Node:
    """Give a node as it is when it was ordered."""
    return Node(key=0, pool=pool.key, id=node_id, dedicated=dedicated, allocated=now, state="creating", state_time=now)


def _moved(node: Node, state: str, now: int, **changes: Any) -> Node:
    return replace(node, state=state, state_time=now, **changes)


def refuse_unless(node: Node, states: Collection[str]) -> None:
    """Refuse what can be done to a node in some states only."""
    if node.state not in states:
        raise Refused(_BUSY.get(node.state, "OperationInvalidForCurrentState"), f"The node {node.id} is {node.state}.")


def refuse_out_of_reach(node: Node) -> None:
    """Refuse what needs the files of a node, where nobody can get at them."""
    refuse_unless(node, (*UP, "rebooting", "reimaging", "leavingpool"))


def booted(node: Node, pool: Pool, now: int) -> Node:
    """Give a node that is up: idle, or with its start task before it."""
    task = json.loads(pool.body).get("startTask")
    node = replace(
        node,
        booted=now,
        start_task=json.dumps(task) if task else None,
        start_info=executions.begun(now) if task else None,
        errors=None,
    )
    return _moved(node, _state(node, empty=True), now)


def _state(node: Node, *, empty: bool) -> str:
    """Give the state of a node that is up and stays, by how its start task goes and whether it runs tasks."""
    if node.errors is not None:
        return "unusable"
    if node.start_task and node.start_info and json.loads(node.start_task)["waitForSuccess"]:
        if executions.is_running(node.start_info):
            return "waitingforstarttask"
        if executions.has_failed(node.start_info):
            return "starttaskfailed"
    return _empty(node) if empty else "running"


def _empty(node: Node) -> str:
    return "idle" if node.scheduling == "enabled" else "offline"


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
    retries = json.loads(node.start_task or "{}")["maxTaskRetryCount"]
    info, again = executions.ended(node.start_info or "{}", outcome, retries, now)
    node = replace(node, start_info=info, process=None)
    waited = node.state == "waitingforstarttask" and not again
    return (_moved(node, _state(node, empty=True), now) if waited else node), again


def taken(node: Node, now: int) -> Node:
    """Give the node as a task comes to it."""
    return _moved(node, "running", now) if node.state == "idle" else node


def occupied(node: Node, task: int, now: int) -> Node:
    """Give the node as a task starts on it."""
    node = replace(taken(node, now), tasks_run=node.tasks_run + 1)
    return replace(node, recent=_recent(node, task))


def relieved(node: Node, task: int, now: int, *, succeeded: bool, empty: bool) -> Node:
    """Give the node as a task ends on it."""
    node = replace(node, tasks_succeeded=node.tasks_succeeded + succeeded, recent=_recent(node, task))
    return _moved(node, _empty(node), now) if empty and node.state == "running" else node


def _recent(node: Node, task: int) -> str:
    before: Sequence[int] = json.loads(node.recent)
    return json.dumps([task, *(key for key in before if key != task)][:MOST_RECENT])


def disabled(node: Node, now: int) -> Node:
    """Give a node that takes no more tasks; it is offline when nothing runs there."""
    if node.scheduling == "disabled" or node.state == "leavingpool":
        raise _already(node, "disabled")
    node = replace(node, scheduling="disabled")
    return _moved(node, _empty(node), now) if node.state == "idle" else node


def enabled(node: Node, now: int) -> Node:
    """Give a node that takes tasks again."""
    if node.state == "leavingpool":
        raise Refused("OperationInvalidForCurrentState", f"The node {node.id} is leaving its pool.")
    if node.scheduling == "enabled":
        raise _already(node, "enabled")
    node = replace(node, scheduling="enabled")
    return _moved(node, _empty(node), now) if node.state == "offline" else node


def _already(node: Node, scheduling: str) -> Refused:
    return Refused("NodeAlreadyInTargetSchedulingState", f"Scheduling on the node {node.id} is {scheduling} already.")


def rebooting(node: Node, deallocation: str, now: int) -> Node:
    """Give a node that boots anew as soon as it may."""
    refuse_unless(node, BOOTABLE)
    return _moved(node, "rebooting", now, deallocation=deallocation)


def reimaging(node: Node, deallocation: str, now: int) -> Node:
    """Give a node that boots anew as soon as it may, and keeps no files."""
    refuse_unless(node, BOOTABLE)
    return _moved(node, "reimaging", now, deallocation=deallocation)


def cleared(node: Node, now: int) -> Node:
    """Give a node of which nothing is up any more: it boots, unless it has nothing to boot on."""
    node = replace(node, booted=None, process=None, lost="[]")
    return node if node.state == "preempted" else _moved(node, "starting", now)


def lost(node: Node, processes: Sequence[str], now: int) -> Node:
    """Give a node that nobody can reach; its processes go on, whatever becomes of what they were begun for."""
    refuse_unless(node, UP)
    return _moved(node, "unknown", now, lost=json.dumps(processes))


def preempted(node: Node, now: int) -> Node:
    """Give a node that was taken away."""
    if node.dedicated:
        raise Refused("OperationNotValidOnNode", f"The node {node.id} is dedicated; only others are preempted.")
    refuse_unless(node, (*UP, "unknown"))
    return _moved(node, "preempted", now, deallocation="requeue")


def returning(node: Node, now: int) -> Node:
    """Give a node that is there again: one that was lost ends what still runs there, one that was taken away boots."""
    refuse_unless(node, ("unknown", "preempted"))
    uncleared = node.state == "preempted" and node.booted is not None
    return _moved(node, "reimaging" if uncleared else "starting", now)


def returned(node: Node, now: int) -> Node:
    """Give a node that was lost, now that its old tasks have ended."""
    return _moved(node, _state(node, empty=True), now, lost="[]")


def leaving(node: Node, deallocation: str, now: int) -> Node:
    """Give a node that takes no more tasks and goes when it may."""
    booted = node.booted if node.state in (*UP, "unusable", "leavingpool") else None
    return _moved(node, "leavingpool", now, deallocation=deallocation, booted=booted)


def staying(node: Node, now: int, *, empty: bool) -> Node:
    """Give a node whose leaving was called off; one that was not up comes up anew."""
    if node.booted is None and node.errors is None:
        return _moved(node, "reimaging", now, deallocation="requeue")
    return _moved(node, _state(node, empty=empty), now)


def recovered(node: Node, now: int) -> Node:
    """Give a node as it is after the service stopped: nothing runs; a start task that had not ended runs again."""
    node = replace(node, lost="[]")
    if node.state in {"creating", "leavingpool", "rebooting", "reimaging", "preempted"}:
        return node
    unfinished = node.start_info is not None and executions.is_running(node.start_info)
    if node.state in {"unknown", "starting"}:
        return replace(node, booted=None, process=None) if unfinished else node
    if unfinished:
        return _moved(node, "starting", now, booted=None, process=None)
    return _moved(node, _empty(node), now, process=None) if node.state == "running" else node
