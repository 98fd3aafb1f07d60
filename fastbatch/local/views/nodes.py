"""How nodes look on the wire."""

from typing import Any

from fastbatch.local.records import Node, Task
from fastbatch.local.states.placement import affinity
from fastbatch.local.views.addresses import node_url
from fastbatch.local.views.showing import STATE, Context, View, execution, parsed, shown_time
from fastbatch.local.views.tasks import task_run

AGENT_VERSION = "1.13.0"


def _virtual_machine(_: Node, context: Context) -> Any:
    return {"imageReference": context.given("virtualMachineConfiguration")["imageReference"]}


def _recent_task(job_id: str, task: Task, context: Context) -> dict[str, Any]:
    return {
        "taskUrl": f"{context.url}/jobs/{job_id}/tasks/{task.id}",
        "jobId": job_id,
        "taskId": task.id,
        "taskState": task.state,
        "executionInfo": task_run(task, context),
    }


NODE: View[Node] = {
    "id": lambda node, _: node.id,
    "url": node_url,
    **STATE,
    "schedulingState": lambda node, _: "disabled" if node.state == "leavingpool" else node.scheduling,
    "lastBootTime": lambda node, _: shown_time(node.booted),
    "allocationTime": lambda node, _: shown_time(node.allocated),
    "ipAddress": lambda _node, _: "127.0.0.1",
    "affinityId": lambda node, _: affinity(node.id),
    "vmSize": lambda _, context: context.given("vmSize"),
    "totalTasksRun": lambda node, _: node.tasks_run,
    "totalTasksSucceeded": lambda node, _: node.tasks_succeeded,
    "runningTasksCount": lambda _, context: context.load.tasks,
    "runningTaskSlotsCount": lambda _, context: context.load.slots,
    "recentTasks": lambda _, context: [_recent_task(*recent, context) for recent in context.recent] or None,
    "startTask": lambda node, _: parsed(node.start_task),
    "startTaskInfo": lambda node, _: execution(node.start_info),
    "errors": lambda node, _: parsed(node.errors),
    "isDedicated": lambda node, _: bool(node.dedicated),
    "nodeAgentInfo": lambda node, _: {"version": AGENT_VERSION, "lastUpdateTime": shown_time(node.allocated)},
    "virtualMachineInfo": _virtual_machine,
}
