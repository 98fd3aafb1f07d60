"""Azure Batch: what we ask of it."""

import json
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from fastbatch import limits
from fastbatch.azure.requests import Ask, Json, Sender
from fastbatch.errors import Refused

_NO_RANGE = 416
_OF_POOLS = (
    "id,state,allocationState,creationTime,vmSize,taskSlotsPerNode,enableAutoScale,resizeErrors,metadata,"
    "targetDedicatedNodes,targetLowPriorityNodes,currentDedicatedNodes,currentLowPriorityNodes"
)
_NOT_RESIZING = frozenset({"OperationInvalidForCurrentState", "PoolBeingDeleted"})
_GOING = frozenset({"JobBeingDeleted", "PoolBeingDeleted"})
_OVER = frozenset({"TaskCompleted", "JobCompleted", "JobBeingTerminated", "JobBeingDeleted"})


class Batch:
    """An account of Azure Batch."""

    def __init__(self, sender: Sender) -> None:
        self.line = sender.line
        self._sender = sender

    # Pools

    async def pool(self, pool_id: str) -> Json | None:
        """Give a pool, if it is there."""
        return await self._sender.if_there(Ask("look at the pool", "GET", f"/pools/{_segment(pool_id)}"), "state")

    async def pools(self) -> list[Json]:
        """Give all pools of the account."""
        ask = Ask("list the pools", "GET", "/pools", {"$select": _OF_POOLS})
        return await self._sender.every(ask)

    async def make_pool(self, body: Json) -> None:
        """Make a pool."""
        await self._sender.json(Ask("make the pool", "POST", "/pools", body=_dump(body)))

    async def resize_pool(self, pool_id: str, nodes: int) -> None:
        """Begin to give a pool so many nodes."""
        path = f"/pools/{_segment(pool_id)}/resize"
        body = _dump({"targetDedicatedNodes": nodes, "nodeDeallocationOption": "taskcompletion"})
        await self._sender.json(Ask("resize the pool", "POST", path, body=body))

    async def stop_resize(self, pool_id: str) -> None:
        """Begin to stop the resize of a pool, if it is being resized."""
        path = f"/pools/{_segment(pool_id)}/stopresize"
        await self._sender.unless_gone(Ask("stop the resize of the pool", "POST", path), _NOT_RESIZING)

    async def delete_pool(self, pool_id: str) -> None:
        """Begin to delete a pool."""
        await self._sender.unless_gone(Ask("delete the pool", "DELETE", f"/pools/{_segment(pool_id)}"), _GOING)

    async def node_counts(self, pool_id: str) -> dict[str, int]:
        """Count the nodes of a pool by state."""
        return (await self._node_counts({"$filter": f"poolId eq '{_quoted(pool_id)}'"})).get(pool_id.lower(), {})

    async def node_counts_of_all(self) -> dict[str, dict[str, int]]:
        """Count the nodes of all pools by state; ids are in small letters, as the service tells none apart by them."""
        return await self._node_counts({})

    async def _node_counts(self, params: Mapping[str, str]) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for pool in await self._sender.every(Ask("count the nodes", "GET", "/nodecounts", params)):
            counts = found.setdefault(pool["poolId"].lower(), {})
            for kind in ("dedicated", "lowPriority"):
                for state, count in pool.get(kind, {}).items():
                    counts[state] = counts.get(state, 0) + count
        return found

    async def nodes(self, pool_id: str) -> list[Json]:
        """Give the nodes of a pool with what their start task came to."""
        ask = Ask(
            "list the nodes", "GET", f"/pools/{_segment(pool_id)}/nodes", {"$select": "id,state,startTaskInfo,errors"}
        )
        return await self._sender.every(ask)

    async def images(self) -> list[Json]:
        """Give the verified images."""
        ask = Ask("list the images", "GET", "/supportedimages", {"$filter": "verificationType eq 'verified'"})
        return await self._sender.every(ask)

    # Jobs

    async def job(self, job_id: str) -> Json | None:
        """Give a job, if it is there."""
        return await self._sender.if_there(Ask("look at the job", "GET", f"/jobs/{_segment(job_id)}"), "state")

    async def active_jobs(self, pool_id: str) -> list[str]:
        """Name the active jobs of a pool."""
        where = f"state eq 'active' and executionInfo/poolId eq '{_quoted(pool_id)}'"
        ask = Ask("list the jobs", "GET", "/jobs", {"$filter": where, "$select": "id"})
        return [job["id"] for job in await self._sender.every(ask)]

    async def make_job(self, body: Json) -> None:
        """Make a job."""
        await self._sender.json(Ask("make the job", "POST", "/jobs", body=_dump(body)))

    async def end_job_after_tasks(self, job_id: str) -> None:
        """Let the service end a job as soon as all its tasks are completed."""
        body = _dump({"onAllTasksComplete": "terminatejob"})
        await self._sender.unless_gone(Ask("let the job end", "PATCH", f"/jobs/{_segment(job_id)}", body=body), _OVER)

    async def end_job(self, job_id: str, why: str) -> None:
        """End a job and all its tasks, unless it is over or gone."""
        path = f"/jobs/{_segment(job_id)}/terminate"
        await self._sender.unless_gone(Ask("end the job", "POST", path, body=_dump({"terminateReason": why})), _OVER)

    async def delete_job(self, job_id: str) -> None:
        """Begin to delete a job."""
        await self._sender.unless_gone(Ask("delete the job", "DELETE", f"/jobs/{_segment(job_id)}"), _GOING)

    # Tasks

    async def add_tasks(self, job_id: str, body: bytes) -> list[Json]:
        """Add a collection of tasks; give what the service says of each."""
        path = f"/jobs/{_segment(job_id)}/addtaskcollection"
        answer = await self._sender.json(Ask("add tasks", "POST", path, body=body))
        found: list[Json] = answer.get("value", [])
        return found

    async def end_task(self, job_id: str, task_id: str) -> None:
        """End a task, unless it is over or gone."""
        path = f"{_task(job_id, task_id)}/terminate"
        await self._sender.unless_gone(Ask("end a task", "POST", path), _OVER)

    def task_pages(self, job_id: str, *, where: str, select: str) -> AsyncIterator[list[Json]]:
        """Give tasks, a page at a time."""
        params = {"$select": select, "maxresults": str(limits.LIST_PAGE), **({"$filter": where} if where else {})}
        return self._sender.pages(Ask("list tasks", "GET", f"/jobs/{_segment(job_id)}/tasks", params))

    async def node_of(self, job_id: str, task_id: str) -> str | None:
        """Tell on which node a task ran last, if it is known."""
        task = await self.task(job_id, task_id, select="nodeInfo")
        node: str | None = ((task or {}).get("nodeInfo") or {}).get("nodeId")
        return node

    async def task(self, job_id: str, task_id: str, *, select: str) -> Json | None:
        """Give a task, if it is there."""
        return await self._sender.if_there(Ask("look at a task", "GET", _task(job_id, task_id), {"$select": select}))

    async def task_files(self, job_id: str, task_id: str) -> dict[str, int]:
        """Give the sizes of the files in a task's folder, but not below it."""
        ask = Ask("list the files of a task", "GET", f"{_task(job_id, task_id)}/files")
        files = await self._sender.every(ask)
        return {each["name"]: int(each["properties"]["contentLength"]) for each in files if not each.get("isDirectory")}

    async def task_file(self, job_id: str, task_id: str, name: str, span: range) -> bytes:
        """Give those bytes of a file of a task that it has."""
        path = f"{_task(job_id, task_id)}/files/{quote(name)}"
        headers = {"Accept": "application/octet-stream", "ocp-range": f"bytes={span.start}-{span.stop - 1}"}
        ask = Ask("read a file of a task", "GET", path, headers=headers)
        try:
            return await self._sender.content(ask)
        except Refused as refused:
            if refused.status != _NO_RANGE:
                raise
            return b""

    async def task_counts(self, job_id: str) -> dict[str, int]:
        """Count the tasks by state, roughly."""
        answer = await self._sender.json(Ask("count the tasks", "GET", f"/jobs/{_segment(job_id)}/taskcounts"))
        counts: dict[str, int] = answer.get("taskCounts", {})
        return counts


def _dump(body: Json) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _segment(name: str) -> str:
    return quote(name, safe="")


def _task(job_id: str, task_id: str) -> str:
    return f"/jobs/{_segment(job_id)}/tasks/{_segment(task_id)}"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
