"""
The life of a pool: active, deleting.

Beside it goes how its nodes come to the number that is wanted: resizing, perhaps stopping, and steady again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastbatch.local import wire
from fastbatch.local.errors import Refused
from fastbatch.local.records import Node, Pool

RESIZE_TIMEOUT = "PT15M"
_LEAVES_FIRST = (
    *("creating", "preempted", "unknown", "unusable", "starttaskfailed", "offline"),
    *("reimaging", "rebooting", "starting", "waitingforstarttask", "idle", "running"),
)


@dataclass(frozen=True, slots=True)
class Allocation:
    """What brings a pool nearer to its targets: kinds (dedicated or not) of nodes to make, and nodes to let go."""

    make: Sequence[bool] = ()
    let_go: Sequence[Node] = ()


def new(body: Mapping[str, Any], text: str, now: int) -> Pool:
    """Give a pool as it is when it was made: its nodes are still to come."""
    return Pool(
        key=0,
        id=body["id"],
        body=text,
        slots=body["taskSlotsPerNode"],
        created=now,
        modified=now,
        state="active",
        state_time=now,
        allocation="resizing",
        allocation_time=now,
        dedicated=body.get("targetDedicatedNodes", 0),
        low_priority=body.get("targetLowPriorityNodes", 0),
        resize_deadline=wire.later(now, body.get("resizeTimeout", RESIZE_TIMEOUT)),
    )


def refuse_deleting(pool: Pool) -> None:
    """Refuse what can't be done to a pool that goes away."""
    if pool.state == "deleting":
        raise Refused("PoolBeingDeleted", f"The pool {pool.id} is being deleted.")


def resized(pool: Pool, body: Mapping[str, Any], now: int) -> Pool:
    """Give a pool that is to have other numbers of nodes."""
    if "targetDedicatedNodes" not in body and "targetLowPriorityNodes" not in body:
        raise Refused("MissingRequiredProperty", "Give targetDedicatedNodes, targetLowPriorityNodes, or both.")
    return replace(
        _resizing(pool, body, now),
        dedicated=body.get("targetDedicatedNodes", pool.dedicated),
        low_priority=body.get("targetLowPriorityNodes", pool.low_priority),
    )


def without(pool: Pool, leaving: Sequence[Node], body: Mapping[str, Any], now: int) -> Pool:
    """Give a pool that is to lose certain nodes, and not to replace them."""
    dedicated = sum(node.dedicated for node in leaving)
    return replace(
        _resizing(pool, body, now),
        dedicated=max(0, pool.dedicated - dedicated),
        low_priority=max(0, pool.low_priority - (len(leaving) - dedicated)),
    )


def _resizing(pool: Pool, body: Mapping[str, Any], now: int) -> Pool:
    refuse_deleting(pool)
    if pool.allocation != "steady":
        raise Refused("PoolBeingResized", f"The pool {pool.id} is being resized already.")
    timeout = body.get("resizeTimeout", RESIZE_TIMEOUT)
    return replace(
        _moved(pool, "resizing", now),
        body=json.dumps({**json.loads(pool.body), "resizeTimeout": timeout}),
        modified=now,
        resize_errors="[]",
        deallocation=body["nodeDeallocationOption"],
        resize_deadline=wire.later(now, timeout),
    )


def stopping(pool: Pool, now: int) -> Pool:
    """Give a pool that makes and loses no more nodes."""
    refuse_deleting(pool)
    if pool.allocation != "resizing":
        raise Refused("OperationInvalidForCurrentState", f"The pool {pool.id} is not being resized.")
    return _moved(pool, "stopping", now)


def deleting(pool: Pool, now: int) -> Pool:
    """Give a pool that goes away with all its nodes."""
    refuse_deleting(pool)
    gone = replace(
        pool,
        state="deleting",
        state_time=now,
        dedicated=0,
        low_priority=0,
        deallocation="requeue",
        resize_deadline=None,
    )
    return gone if pool.allocation == "resizing" else _moved(gone, "resizing", now)


def _moved(pool: Pool, allocation: str, now: int) -> Pool:
    return replace(pool, allocation=allocation, allocation_time=now)


def allocation(pool: Pool, nodes: Sequence[Node], room: int) -> Allocation:
    """Say what brings a resizing pool nearer to its targets, where at most so many nodes may be made."""
    if pool.state == "deleting":
        # Those too that were to leave later, when their tasks or their files had gone.
        return Allocation(let_go=[node for node in nodes if not _leaves_at_once(node)])
    staying = [node for node in nodes if node.state != "leavingpool"]
    make: list[bool] = []
    let_go: list[Node] = []
    for dedicated, target in ((True, pool.dedicated), (False, pool.low_priority)):
        there = sorted(
            (node for node in staying if node.dedicated == dedicated),
            key=lambda node: (_LEAVES_FIRST.index(node.state), -node.key),
        )
        let_go += there[: max(0, len(there) - target)]
        make += [dedicated] * max(0, target - len(there))
    return Allocation(make[: max(0, room)], let_go)


def _leaves_at_once(node: Node) -> bool:
    return node.state == "leavingpool" and node.deallocation == "requeue"


def late(pool: Pool, now: int) -> bool:
    """Tell whether the time for a resize is over."""
    return pool.resize_deadline is not None and now >= pool.resize_deadline


def settled(pool: Pool, nodes: Sequence[Node], now: int) -> Pool:
    """Give the pool as steady if nothing of its resizing is under way any more."""
    under_way = any(node.state in {"creating", "leavingpool"} for node in nodes)
    if pool.allocation == "steady" or under_way:
        return pool
    errors = [_shortage(pool, dedicated, nodes, over=late(pool, now)) for dedicated in (True, False)]
    found = [error for error in errors if error]
    return replace(_moved(pool, "steady", now), resize_deadline=None, resize_errors=json.dumps(found))


def _shortage(pool: Pool, dedicated: bool, nodes: Sequence[Node], *, over: bool) -> dict[str, Any] | None:  # noqa: FBT001 - a kind of node, as the record has it
    target = pool.dedicated if dedicated else pool.low_priority
    there = sum(node.dedicated == dedicated and node.state not in {"creating", "leavingpool"} for node in nodes)
    if there == target:
        return None
    kind = "dedicated" if dedicated else "low-priority"
    if pool.allocation == "stopping":
        code, reason = "ResizeStopped", "the resize was stopped"
    elif over:
        code, reason = "AllocationTimedOut", "the time for the resize is over"
    else:
        code, reason = "AccountCoreQuotaReached", "the account's quota of nodes is reached"
    return {
        "code": code,
        "message": f"Desired number of {kind} nodes could not be allocated: {reason}.",
        "values": [{"name": "Wanted", "value": str(target)}, {"name": "There", "value": str(there)}],
    }


def changed(pool: Pool, body: Mapping[str, Any], text: str, now: int) -> Pool:
    """Give a pool with other properties."""
    return replace(pool, body=text, slots=body["taskSlotsPerNode"], modified=now)
