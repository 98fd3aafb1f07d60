"""
How records look on the wire: for each kind a table of its properties, in the wire's names.

A property is a function of a record and its context; one that gives None is left out. The properties that the client
gave are shown as they were given, and are read only if they are asked for.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fastbatch.local import wire
from fastbatch.local.errors import Refused
from fastbatch.local.records import Errand, Job, Node, Pool, Record, Task
from fastbatch.local.states.placement import affinity

R = TypeVar("R")
View = Mapping[str, Callable[[R, "Context"], Any]]

AGENT_VERSION = "1.13.0"
_GIVEN_BY_POOL = (
    "displayName",
    "metadata",
    "startTask",
    "taskSchedulingPolicy",
    "taskSlotsPerNode",
    "virtualMachineConfiguration",
    "vmSize",
    "enableAutoScale",
    "enableInterNodeCommunication",
)
_GIVEN_BY_JOB = (
    "allowTaskPreemption",
    "commonEnvironmentSettings",
    "constraints",
    "displayName",
    "jobPreparationTask",
    "jobReleaseTask",
    "maxParallelTasks",
    "metadata",
    "onAllTasksComplete",
    "onTaskFailure",
    "poolInfo",
    "priority",
    "usesTaskDependencies",
)
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


@dataclass(frozen=True, slots=True)
class Load:
    """What a node runs at the moment."""

    tasks: int = 0
    slots: int = 0


@dataclass(slots=True)
class Context:
    """What a view needs besides the record: addresses, what the client gave, and what the engine knows."""

    url: str  # of the service
    parent: str = ""  # the id of the job or pool that the record belongs to
    body: str = "{}"
    load: Load = Load()
    node_counts: tuple[int, int] = (0, 0)  # dedicated, low priority
    recent: Sequence[tuple[str, Task]] = ()  # a node's last tasks, each with the id of its job
    release: Errand | None = None  # on the node of a preparation
    _given: Mapping[str, Any] | None = None

    def given(self, name: str) -> Any:
        """Give what the client said of a property."""
        if self._given is None:
            self._given = json.loads(self.body)
        return self._given.get(name)


def etag(record: Pool | Job | Task) -> str:
    """Give the tag of a record's version; a record is never modified twice at one time."""
    return f"0x8D{record.modified:X}"


def render(view: View[R], record: R, context: Context, select: Collection[str] | None = None) -> dict[str, Any]:
    """Show a record, or those of its properties that are selected."""
    shown = ((name, view[name](record, context)) for name in (view if select is None else select))
    return {name: value for name, value in shown if value is not None}


def selection(view: View[R], text: str | None) -> list[str] | None:
    """Read a $select, a comma-separated list of properties; None for all of them."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in view]
    if unknown:
        raise Refused(
            "InvalidQueryParameterValue",
            f"There is no property {unknown[0]!r} to select.",
            {"QueryParameterName": "$select", "QueryParameterValue": text},
        )
    return list(dict.fromkeys(names))


def _time(moment: int | None) -> str | None:
    return None if moment is None else wire.time_text(moment)


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _given(*names: str) -> dict[str, Callable[[Any, Context], Any]]:
    def view_of(name: str) -> Callable[[Any, Context], Any]:
        return lambda _, context: context.given(name)

    return {name: view_of(name) for name in names}


_VERSIONED: Mapping[str, Callable[[Any, Context], Any]] = {
    "eTag": lambda record, _: etag(record),
    "creationTime": lambda record, _: _time(record.created),
    "lastModified": lambda record, _: _time(record.modified),
}
_STATE: Mapping[str, Callable[[Any, Context], Any]] = {
    "state": lambda record, _: record.state,
    "stateTransitionTime": lambda record, _: _time(record.state_time),
}
_PREVIOUS: Mapping[str, Callable[[Any, Context], Any]] = {
    "previousState": lambda record, _: record.previous_state,
    "previousStateTransitionTime": lambda record, _: _time(record.previous_time),
}

POOL: View[Pool] = {
    "id": lambda pool, _: pool.id,
    "url": lambda pool, context: f"{context.url}/pools/{pool.id}",
    **_VERSIONED,
    **_STATE,
    "allocationState": lambda pool, _: pool.allocation,
    "allocationStateTransitionTime": lambda pool, _: _time(pool.allocation_time),
    "resizeErrors": lambda pool, _: _json(pool.resize_errors) or None,
    "resizeTimeout": lambda _, context: context.given("resizeTimeout") or "PT15M",
    "currentDedicatedNodes": lambda _, context: context.node_counts[0],
    "currentLowPriorityNodes": lambda _, context: context.node_counts[1],
    "targetDedicatedNodes": lambda pool, _: pool.dedicated,
    "targetLowPriorityNodes": lambda pool, _: pool.low_priority,
    **_given(*_GIVEN_BY_POOL),
}


def _node_url(node: Node, context: Context) -> str:
    return f"{context.url}/pools/{context.parent}/nodes/{node.id}"


def _virtual_machine(_: Node, context: Context) -> Any:
    return {"imageReference": context.given("virtualMachineConfiguration")["imageReference"]}


def _execution(text: str | None) -> Any:
    """Show how something went that a node runs beside tasks."""
    info = _json(text)
    for name in ("startTime", "endTime", "lastRetryTime"):
        if info and name in info:
            info[name] = _time(info[name])
    return info


def _recent_task(job_id: str, task: Task, context: Context) -> dict[str, Any]:
    return {
        "taskUrl": f"{context.url}/jobs/{job_id}/tasks/{task.id}",
        "jobId": job_id,
        "taskId": task.id,
        "taskState": task.state,
        "executionInfo": _task_execution(task, context),
    }


NODE: View[Node] = {
    "id": lambda node, _: node.id,
    "url": _node_url,
    **_STATE,
    "schedulingState": lambda node, _: "disabled" if node.state == "leavingpool" else node.scheduling,
    "lastBootTime": lambda node, _: _time(node.booted),
    "allocationTime": lambda node, _: _time(node.allocated),
    "ipAddress": lambda _node, _: "127.0.0.1",
    "affinityId": lambda node, _: affinity(node),
    "vmSize": lambda _, context: context.given("vmSize"),
    "totalTasksRun": lambda node, _: node.tasks_run,
    "totalTasksSucceeded": lambda node, _: node.tasks_succeeded,
    "runningTasksCount": lambda _, context: context.load.tasks,
    "runningTaskSlotsCount": lambda _, context: context.load.slots,
    "recentTasks": lambda _, context: [_recent_task(*recent, context) for recent in context.recent] or None,
    "startTask": lambda node, _: _json(node.start_task),
    "startTaskInfo": lambda node, _: _execution(node.start_info),
    "errors": lambda node, _: _json(node.errors),
    "isDedicated": lambda node, _: bool(node.dedicated),
    "nodeAgentInfo": lambda node, _: {"version": AGENT_VERSION, "lastUpdateTime": _time(node.allocated)},
    "virtualMachineInfo": _virtual_machine,
}


def _job_execution(job: Job, _: Context) -> dict[str, Any]:
    info = {
        "startTime": _time(job.started),
        "endTime": _time(job.ended),
        "poolId": job.pool_id,
        "terminateReason": job.terminate_reason if job.state in {"completed", "deleting"} else None,
    }
    return {name: value for name, value in info.items() if value is not None}


JOB: View[Job] = {
    "id": lambda job, _: job.id,
    "url": lambda job, context: f"{context.url}/jobs/{job.id}",
    **_VERSIONED,
    **_STATE,
    **_PREVIOUS,
    "executionInfo": _job_execution,
    **_given(*_GIVEN_BY_JOB),
}


def _task_execution(task: Task, _: Context) -> dict[str, Any]:
    info: dict[str, Any] = {"retryCount": task.retries, "requeueCount": task.requeues}
    more = {
        "startTime": _time(task.started),
        "endTime": _time(task.ended),
        "exitCode": task.exit_code,
        "result": task.result,
        "failureInfo": _json(task.failure),
        "lastRetryTime": _time(task.retried),
        "lastRequeueTime": _time(task.requeued),
    }
    info.update((name, value) for name, value in more.items() if value is not None)
    return info


def _task_node(task: Task, context: Context) -> dict[str, str] | None:
    if task.node_id is None:
        return None
    return {
        "affinityId": f"TVM:{task.node_id}",
        "nodeUrl": _url_of_node(task, context),
        "poolId": str(task.pool_id),
        "nodeId": task.node_id,
        **_folder(task, context),
    }


def _url_of_node(on_node: Task | Errand, context: Context) -> str:
    return f"{context.url}/pools/{on_node.pool_id}/nodes/{on_node.node_id}"


def _folder(on_node: Task | Errand, context: Context) -> dict[str, str]:
    folder = f"workitems/{context.parent}/job-1/{on_node.id}"
    url = f"{_url_of_node(on_node, context)}/files/{folder}"
    return {"taskRootDirectory": folder, "taskRootDirectoryUrl": url}


TASK: View[Task] = {
    "id": lambda task, _: task.id,
    "url": lambda task, context: f"{context.url}/jobs/{context.parent}/tasks/{task.id}",
    **_VERSIONED,
    **_STATE,
    **_PREVIOUS,
    "executionInfo": _task_execution,
    "nodeInfo": _task_node,
    **_given(*_GIVEN_BY_TASK),
}


def _release_info(_: Errand, context: Context) -> dict[str, Any] | None:
    if context.release is None:
        return None
    info = {**_execution(context.release.info), **_folder(context.release, context)}
    return {name: value for name, value in info.items() if name != "retryCount"}  # nothing is retried then


PREPARATION_AND_RELEASE: View[Errand] = {
    "poolId": lambda errand, _: errand.pool_id,
    "nodeId": lambda errand, _: errand.node_id,
    "nodeUrl": _url_of_node,
    "jobPreparationTaskExecutionInfo": lambda errand, context: {**_execution(errand.info), **_folder(errand, context)},
    "jobReleaseTaskExecutionInfo": _release_info,
}

GIVEN_BY_TASK = frozenset(_GIVEN_BY_TASK)


def location(record: Record, context: Context) -> str:
    """Give the address of a pool, job or task."""
    views: Mapping[type[Any], View[Any]] = {Pool: POOL, Job: JOB, Task: TASK}
    return str(views[type(record)]["url"](record, context))
