"""How a pool is: whether its nodes are ready, may still be, or never will; and what went wrong with them."""

from collections.abc import Mapping
from typing import Any

from fastbatch.masking import masked

Json = dict[str, Any]

_USABLE = frozenset({"idle", "running"})

# Nodes in these states are on their way to being of use.
_COMING = frozenset({"creating", "rebooting", "reimaging", "starting", "upgradingOS", "waitingForStartTask"})

# Batch tries to replace the one, and may hear of the other again; but nobody knows when.
_PERHAPS = frozenset({"preempted", "unknown"})


def target(found: Json) -> int:
    """Tell how many nodes a pool is to have."""
    return int(found.get("targetDedicatedNodes") or 0) + int(found.get("targetLowPriorityNodes") or 0)


def current(found: Json) -> int:
    """Tell how many nodes a pool has."""
    return int(found.get("currentDedicatedNodes") or 0) + int(found.get("currentLowPriorityNodes") or 0)


def in_states(counts: Mapping[str, int]) -> dict[str, int]:
    """Give the states that nodes are in, in the order of their names."""
    return {state: count for state, count in sorted(counts.items()) if count and state != "total"}


def ready(found: Json, counts: Mapping[str, int]) -> bool:
    """Tell whether a pool is as it is to be: no node is still on its way, and one can be used if it is to have any."""
    if found.get("allocationState") != "steady" or _lags(found, counts):
        return False
    if any(counts.get(state) for state in _COMING):
        return False
    return not target(found) or any(counts.get(state) for state in _USABLE)


def of_no_use(counts: Mapping[str, int]) -> dict[str, int]:
    """Give the states of the nodes that can't be used."""
    return {state: count for state, count in in_states(counts).items() if state not in _USABLE}


def hopeless(found: Json | None, counts: Mapping[str, int]) -> str | None:
    """Say why no node of a pool will ever run a task, as far as can be seen; None while one may."""
    if found is None:
        return "it was deleted"
    if found["state"] == "deleting":
        return "it is being deleted"
    changes = found.get("enableAutoScale") or found.get("allocationState") != "steady"
    if changes or _lags(found, counts) or any(counts.get(state) for state in _USABLE | _COMING | _PERHAPS):
        return None
    return _stuck(found, counts)


def _lags(found: Json, counts: Mapping[str, int]) -> bool:
    """Tell whether nodes are not counted yet that are there."""
    return not any(counts.values()) and current(found) > 0


def _stuck(found: Json, counts: Mapping[str, int]) -> str:
    if said := resize_errors(found):
        return f"it got no nodes: {said}"
    if not target(found):
        return "it has no nodes and is not to get any. Give it some with --nodes"
    states = ", ".join(f"{count} {state}" for state, count in in_states(counts).items())
    return f"no node can be used: {states or 'there is none'}"


def resize_errors(found: Json) -> str:
    """Say why a pool did not get the nodes that it is to have; nothing if it did."""
    errors = found.get("resizeErrors") or ()
    return masked("; ".join(f"{error['code']}: {error.get('message', '')}" for error in errors))


def start_failures(nodes: list[Json]) -> str:
    """Say how start tasks failed, for as many nodes as matter."""
    said: dict[str, int] = {}
    for node in nodes:
        info = node.get("startTaskInfo") or {}
        if str(info.get("result", "")).lower() == "failure":
            failure = info.get("failureInfo") or {}
            reason = failure.get("message") or failure.get("code") or "no reason given"
            text = f"start task failed with exit code {info.get('exitCode')}: {reason}"
            said[text] = said.get(text, 0) + 1
        for error in node.get("errors") or ():
            text = f"{error.get('code')}: {error.get('message')}"
            said[text] = said.get(text, 0) + 1
    return masked("; ".join(f"{text} ({count} nodes)" if count > 1 else text for text, count in said.items()))
