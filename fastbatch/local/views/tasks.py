"""How tasks look on the wire."""

from typing import Any

from fastbatch.local.records import Task
from fastbatch.local.states.placement import affinity
from fastbatch.local.views.addresses import folder, task_url, url_of_its_node
from fastbatch.local.views.showing import PREVIOUS, STATE, VERSIONED, Context, View, given, parsed, shown_time

_GIVEN_BY_TASK = (
    "affinityInfo",
    "commandLine",
    "constraints",
    "dependsOn",
    "displayName",
    "environmentSettings",
    "exitConditions",
    "outputFiles",
    "requiredSlots",
    "resourceFiles",
    "userIdentity",
)
GIVEN_BY_TASK = frozenset(_GIVEN_BY_TASK)


def task_run(task: Task, _: Context) -> dict[str, Any]:
    """Show how the last run of a task went."""
    info: dict[str, Any] = {"retryCount": task.retries, "requeueCount": task.requeues}
    more = {
        "startTime": shown_time(task.started),
        "endTime": shown_time(task.ended),
        "exitCode": task.exit_code,
        "result": task.result,
        "failureInfo": parsed(task.failure),
        "lastRetryTime": shown_time(task.retried),
        "lastRequeueTime": shown_time(task.requeued),
    }
    info.update((name, value) for name, value in more.items() if value is not None)
    return info


def _task_node(task: Task, context: Context) -> dict[str, str] | None:
    if task.node_id is None:
        return None
    return {
        "affinityId": affinity(task.node_id),
        "nodeUrl": url_of_its_node(task, context),
        "poolId": str(task.pool_id),
        "nodeId": task.node_id,
        **folder(task, context),
    }


TASK: View[Task] = {
    "id": lambda task, _: task.id,
    "url": task_url,
    **VERSIONED,
    **STATE,
    **PREVIOUS,
    "executionInfo": task_run,
    "nodeInfo": _task_node,
    **given(*_GIVEN_BY_TASK),
}
