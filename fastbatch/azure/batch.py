"""
Azure Batch.

The SDK signs and sends, through as few policies as that takes: the others would read each answer a second time, and
choke on one that is not from Batch. Bodies and answers are plain JSON, as the SDK's models take 3.1 ms to read back a
hundred tasks where JSON takes 0.06 ms. Its retries would not pace what is sent beside them, nor repeat a refused POST.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

from azure.batch._patch import BatchSharedKeyAuthPolicy
from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest

from fastbatch import limits
from fastbatch.azure.connections import session, transport
from fastbatch.azure.line import Line
from fastbatch.azure.refusals import Answer, refusal, without_answer
from fastbatch.errors import Refused, Unreachable
from fastbatch.settings import Account

Json = dict[str, Any]

_API_VERSION = "2025-06-01"
_JSON = "application/json; odata=minimalmetadata"
_ERRORS_FROM = 300
_NO_RANGE = 416
_READ_SECONDS = 45.0  # Batch itself takes 30 s at most
_SCOPE = "https://batch.core.windows.net//.default"
_OF_POOLS = (
    "id,state,allocationState,creationTime,vmSize,taskSlotsPerNode,enableAutoScale,resizeErrors,metadata,"
    "targetDedicatedNodes,targetLowPriorityNodes,currentDedicatedNodes,currentLowPriorityNodes"
)
_GOING = frozenset({"JobBeingDeleted", "PoolBeingDeleted"})
_OVER = frozenset({"TaskCompleted", "JobCompleted", "JobBeingTerminated", "JobBeingDeleted"})


@dataclass(frozen=True, slots=True)
class Ask:
    """A request."""

    what: str  # after "refused to"
    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Batch:
    """An account of Azure Batch."""

    def __init__(self, account: Account, credential: Any, line: Line) -> None:
        self.line = line
        self._account = account
        self._credential = credential
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        over = await self._stack.enter_async_context(session(self._account.batch_endpoint, _READ_SECONDS))
        client = BatchClient(
            self._account.batch_endpoint,
            self._credential,
            policies=[policies.HeadersPolicy(), policies.UserAgentPolicy("fastbatch"), self._authentication()],
            transport=transport(over, _READ_SECONDS),
        )
        self._client = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _authentication(self) -> Any:
        if isinstance(self._credential, AzureNamedKeyCredential):
            return BatchSharedKeyAuthPolicy(self._credential)
        return policies.AsyncBearerTokenCredentialPolicy(self._credential, _SCOPE)

    # Pools

    async def pool(self, pool_id: str) -> Json | None:
        """Give a pool, if it is there."""
        return await self._get_if_there(Ask("look at the pool", "GET", f"/pools/{_segment(pool_id)}"), "state")

    async def pools(self) -> list[Json]:
        """Give all pools of the account."""
        ask = Ask("list the pools", "GET", "/pools", {"$select": _OF_POOLS})
        return [pool async for page in self._pages(ask) for pool in page]

    async def make_pool(self, body: Json) -> None:
        """Make a pool."""
        await self._ask(Ask("make the pool", "POST", "/pools", body=_dump(body)))

    async def resize_pool(self, pool_id: str, nodes: int) -> None:
        """Begin to give a pool so many nodes."""
        path = f"/pools/{_segment(pool_id)}/resize"
        body = _dump({"targetDedicatedNodes": nodes, "nodeDeallocationOption": "taskcompletion"})
        await self._ask(Ask("resize the pool", "POST", path, body=body))

    async def delete_pool(self, pool_id: str) -> None:
        """Begin to delete a pool."""
        await self._delete(Ask("delete the pool", "DELETE", f"/pools/{_segment(pool_id)}"))

    async def node_counts(self, pool_id: str) -> dict[str, int]:
        """Count the nodes of a pool by state."""
        return (await self._node_counts({"$filter": f"poolId eq '{_quoted(pool_id)}'"})).get(pool_id.lower(), {})

    async def node_counts_of_all(self) -> dict[str, dict[str, int]]:
        """Count the nodes of all pools by state; ids are in small letters, as the service tells none apart by them."""
        return await self._node_counts({})

    async def _node_counts(self, params: Mapping[str, str]) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        async for page in self._pages(Ask("count the nodes", "GET", "/nodecounts", params)):
            for pool in page:
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
        return [node async for page in self._pages(ask) for node in page]

    async def images(self) -> list[Json]:
        """Give the verified images."""
        ask = Ask("list the images", "GET", "/supportedimages", {"$filter": "verificationType eq 'verified'"})
        return [image async for page in self._pages(ask) for image in page]

    # Jobs

    async def job(self, job_id: str) -> Json | None:
        """Give a job, if it is there."""
        return await self._get_if_there(Ask("look at the job", "GET", f"/jobs/{_segment(job_id)}"), "state")

    async def active_jobs(self, pool_id: str) -> list[str]:
        """Name the active jobs of a pool."""
        where = f"state eq 'active' and executionInfo/poolId eq '{_quoted(pool_id)}'"
        ask = Ask("list the jobs", "GET", "/jobs", {"$filter": where, "$select": "id"})
        return [job["id"] async for page in self._pages(ask) for job in page]

    async def make_job(self, body: Json) -> None:
        """Make a job."""
        await self._ask(Ask("make the job", "POST", "/jobs", body=_dump(body)))

    async def end_job_after_tasks(self, job_id: str) -> None:
        """Let the service end a job as soon as all its tasks are completed."""
        body = _dump({"onAllTasksComplete": "terminatejob"})
        await self._unless_over(Ask("let the job end", "PATCH", f"/jobs/{_segment(job_id)}", body=body))

    async def end_job(self, job_id: str, why: str) -> None:
        """End a job and all its tasks, unless it is over or gone."""
        path = f"/jobs/{_segment(job_id)}/terminate"
        await self._unless_over(Ask("end the job", "POST", path, body=_dump({"terminateReason": why})))

    async def delete_job(self, job_id: str) -> None:
        """Begin to delete a job."""
        await self._delete(Ask("delete the job", "DELETE", f"/jobs/{_segment(job_id)}"))

    # Tasks

    async def add_tasks(self, job_id: str, body: bytes) -> list[Json]:
        """Add a collection of tasks; give what the service says of each."""
        path = f"/jobs/{_segment(job_id)}/addtaskcollection"
        answer = await self._ask(Ask("add tasks", "POST", path, body=body))
        found: list[Json] = answer.get("value", [])
        return found

    async def end_task(self, job_id: str, task_id: str) -> None:
        """End a task, unless it is over or gone."""
        path = f"/jobs/{_segment(job_id)}/tasks/{_segment(task_id)}/terminate"
        await self._unless_over(Ask("end a task", "POST", path))

    def task_pages(self, job_id: str, *, where: str, select: str) -> AsyncIterator[list[Json]]:
        """Give tasks, a page at a time."""
        params = {"$select": select, "maxresults": str(limits.LIST_PAGE), **({"$filter": where} if where else {})}
        return self._pages(Ask("list tasks", "GET", f"/jobs/{_segment(job_id)}/tasks", params))

    async def node_of(self, job_id: str, task_id: str) -> str | None:
        """Tell on which node a task ran last, if it is known."""
        task = await self.task(job_id, task_id, select="nodeInfo")
        node: str | None = ((task or {}).get("nodeInfo") or {}).get("nodeId")
        return node

    async def task(self, job_id: str, task_id: str, *, select: str) -> Json | None:
        """Give a task, if it is there."""
        return await self._get_if_there(Ask("look at a task", "GET", _task(job_id, task_id), {"$select": select}))

    async def task_files(self, job_id: str, task_id: str) -> dict[str, int]:
        """Give the sizes of the files in a task's folder, but not below it."""
        ask = Ask("list the files of a task", "GET", f"{_task(job_id, task_id)}/files")
        files = [file async for page in self._pages(ask) for file in page if not file.get("isDirectory")]
        return {file["name"]: int(file["properties"]["contentLength"]) for file in files}

    async def task_file(self, job_id: str, task_id: str, name: str, span: range) -> bytes:
        """Give those bytes of a file of a task that it has."""
        path = f"{_task(job_id, task_id)}/files/{quote(name)}"
        headers = {"Accept": "application/octet-stream", "ocp-range": f"bytes={span.start}-{span.stop - 1}"}
        ask = Ask("read a file of a task", "GET", path, headers=headers)
        try:
            content: bytes = (await self.line.send(ask.what, lambda: self._answer(ask))).content
        except Refused as refused:
            if refused.status != _NO_RANGE:
                raise
            return b""
        return content

    async def task_counts(self, job_id: str) -> dict[str, int]:
        """Count the tasks by state, roughly."""
        answer = await self._ask(Ask("count the tasks", "GET", f"/jobs/{_segment(job_id)}/taskcounts"))
        counts: dict[str, int] = answer.get("taskCounts", {})
        return counts

    # Requests

    async def _get_if_there(self, ask: Ask, *needed: str) -> Json | None:
        try:
            found = await self._ask(ask)
        except Refused as refused:
            if refused.not_found:
                return None
            raise
        if not found.keys() >= set(needed):
            raise Unreachable("Batch", ask.what, "what came was no answer of Batch")
        return found

    async def _delete(self, ask: Ask) -> None:
        try:
            await self._ask(ask)
        except Refused as refused:
            if not refused.not_found and refused.code not in _GOING:
                raise

    async def _unless_over(self, ask: Ask) -> None:
        """Ask for the end of what may have ended, or be gone."""
        try:
            await self._ask(ask)
        except Refused as refused:
            if not refused.not_found and refused.code not in _OVER:
                raise

    async def _pages(self, ask: Ask) -> AsyncIterator[list[Json]]:
        params: Mapping[str, str] | None = ask.params or {}
        while params is not None:
            answer = await self._ask(Ask(ask.what, ask.method, ask.path, params, ask.body))
            yield answer.get("value", [])
            params = _next(answer.get("odata.nextLink"))

    async def _ask(self, ask: Ask) -> Json:
        return await self.line.send(ask.what, lambda: self._once(ask))

    async def _once(self, ask: Ask) -> Json:
        return _read(ask, (await self._answer(ask)).content)

    async def _answer(self, ask: Ask) -> Any:
        """Give an answer that is no error."""
        request = HttpRequest(
            ask.method,
            f"{self._account.batch_endpoint}{ask.path}",
            # The SDK sends values as they are.
            params={"api-version": _API_VERSION, **{k: quote(v, safe="") for k, v in (ask.params or {}).items()}},
            headers={
                "Accept": "application/json",
                **({"Content-Type": _JSON} if ask.body is not None else {}),
                **ask.headers,
            },
            content=ask.body,
        )
        try:
            response = await self._client.send_request(request)
        except HttpResponseError as error:
            if error.response is None:
                raise without_answer("Batch", ask.what, error) from error
            raise _refusal(ask, error.response) from error
        except (ServiceRequestError, ServiceResponseError) as error:
            raise without_answer("Batch", ask.what, error) from error
        if response.status_code >= _ERRORS_FROM:  # should the SDK let it pass
            raise _refusal(ask, response)
        self.line.clock.hear(response.headers.get("Date"))
        return response


def _read(ask: Ask, content: bytes) -> Json:
    """Read an answer; what is none comes from something that stands between us and Batch."""
    try:
        answer = json.loads(content) if content else {}
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Unreachable("Batch", ask.what, "what came was no answer of Batch")
    return answer


def _refusal(ask: Ask, response: Any) -> Exception:
    code, message = _said(response)
    return refusal("Batch", ask.what, Answer(response.status_code, code, message, response.headers))


def _said(response: Any) -> tuple[str, str]:
    """Read an error's code and message, with the values that explain it."""
    try:
        body = json.loads(response.content)
        text = body["message"]["value"].partition("\n")[0]
        details = "; ".join(f"{value['key']}: {value['value']}" for value in body.get("values") or ())
        return body["code"], f"{text} ({details})" if details else text
    except (ValueError, KeyError, TypeError, AttributeError):
        return response.reason or "", ""


def _dump(body: Json) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _segment(name: str) -> str:
    return quote(name, safe="")


def _task(job_id: str, task_id: str) -> str:
    return f"/jobs/{_segment(job_id)}/tasks/{_segment(task_id)}"


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _next(link: str | None) -> dict[str, str] | None:
    """Give the parameters of the next page; it is asked for where this one was, whatever host the link names."""
    if not link:
        return None
    return {name: value for name, value in parse_qsl(urlsplit(link).query) if name != "api-version"}
