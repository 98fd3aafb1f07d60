"""
What can go wrong with calls of the Batch service.

A fault takes the turn of its rule, what does the call (or the next fault), and the call. It applies to calls that are
signed and well formed: what the service refuses unread is refused as ever, and counts for no rule.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastbatch.local.clock import SystemClock, sleep
from fastbatch.local.errors import Code, Refused
from fastbatch.local.faultplan import Turn
from fastbatch.local.faults.kinds import RETRY_AFTER, SECONDS, Dropped, Kind, one_of
from fastbatch.local.fields import Field, integer, number
from fastbatch.local.operations import jobs
from fastbatch.local.operations.call import Answer, Call
from fastbatch.local.wire import SECOND

Do = Callable[[Call], Awaitable[Answer]]
Fault = Callable[[Turn, Do, Call], Awaitable[Answer]]

_TOO_MANY = 429
_MOST = 1_000_000

_REFUSALS: Mapping[int, tuple[Code, str]] = {
    _TOO_MANY: ("TooManyRequests", "Too many requests are being made to the service."),
    500: ("InternalError", "Server encountered an internal error. Please try again after some time."),
    503: ("ServerBusy", "The server is currently unable to receive requests. Please retry your request."),
}


async def _refuse(turn: Turn, _do: Do, _call: Call) -> Answer:
    """Answer 429, 500 or 503, with the time to wait if there is one."""
    raise _busy(turn.parameters["status"], turn)


async def _limit_rate(turn: Turn, do: Do, call: Call) -> Answer:
    """Answer 429 to what is more than so many calls a second, and a burst that was saved up."""
    rate, burst = turn.parameters["perSecond"], turn.parameters["burst"]
    now = SystemClock().now() / SECOND  # the time of the client, which has to slow down
    kept = turn.course.kept
    saved = min(burst, kept.get("saved", burst) + rate * (now - kept.get("at", now)))
    taken = saved >= 1
    kept.update(at=now, saved=saved - taken)
    if not taken:
        raise _busy(_TOO_MANY, turn)
    return await do(call)


def _busy(status: int, turn: Turn) -> Refused:
    wait = turn.parameters.get("retryAfter")
    return Refused(*_REFUSALS[status], headers=None if wait is None else {"Retry-After": str(wait)})


async def _delay(turn: Turn, do: Do, call: Call) -> Answer:
    """Do it, but later."""
    await sleep(SystemClock(), turn.parameters["seconds"])  # the time of the client, which may give up meanwhile
    return await do(call)


async def _drop_before(_turn: Turn, _do: Do, _call: Call) -> Answer:
    """Close the connection; nothing is done."""
    raise Dropped


async def _drop_after(_turn: Turn, do: Do, call: Call) -> Answer:
    """Do it, and close the connection without an answer, be it a refusal."""
    try:
        await do(call)
    except Refused as refused:
        raise Dropped from refused
    raise Dropped


async def _short_results(turn: Turn, do: Do, call: Call) -> Answer:
    """Add all tasks, and leave the last of the results out."""
    return _with_results(await do(call), lambda results: results[: -turn.parameters["missing"]])


async def _reorder_results(_turn: Turn, do: Do, call: Call) -> Answer:
    """Add all tasks, and give their results from the last to the first."""
    return _with_results(await do(call), lambda results: results[::-1])


async def _pascal_statuses(_turn: Turn, do: Do, call: Call) -> Answer:
    """Add all tasks, and write the statuses as the documentation does, not as its examples."""
    names = {"success": "Success", "clienterror": "ClientError", "servererror": "ServerError"}
    return _with_results(
        await do(call), lambda results: [{**result, "status": names[result["status"]]} for result in results]
    )


async def _some_server_errors(turn: Turn, do: Do, call: Call) -> Answer:
    """Let the first tasks fail by a fault of the server, and add all others."""
    number = turn.parameters["number"]
    failed, rest = call.body["value"][:number], call.body["value"][number:]
    answer = await do(dataclasses.replace(call, body={"value": rest}))
    return _with_results(answer, lambda results: [*map(_server_error, failed), *results])


def _with_results(answer: Answer, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Answer:
    assert answer.body is not None  # noqa: S101 - a collection is always answered with results
    return dataclasses.replace(answer, body={**answer.body, "value": change(answer.body["value"])})


def _server_error(task: Any) -> dict[str, Any]:
    task_id = task.get("id") if isinstance(task, dict) else None
    error = Refused(*_REFUSALS[500]).body()
    return {"status": "servererror", "taskId": task_id if isinstance(task_id, str) else "", "error": error}


async def _stale_counts(turn: Turn, do: Do, call: Call) -> Answer:
    """Answer what was true at the call before, or zeros if there was none since the rule is in force."""
    answer = await do(call)
    job, kept = jobs.find(call).key, turn.course.kept
    before = kept.get(job) or _zeros(answer.body)
    kept[job] = answer.body
    return dataclasses.replace(answer, body=before) if turn.applies else answer


def _zeros(body: Any) -> Any:
    return {name: _zeros(of) for name, of in body.items()} if isinstance(body, dict) else 0


_COLLECTIONS = frozenset({"create_task_collection"})
_COUNTS = frozenset({"get_job_task_counts"})
_NUMBER = Field(integer(1, 100), default=1)

KINDS: Mapping[str, Kind[Fault]] = {
    "refuse": Kind(_refuse, {"status": Field(one_of(*_REFUSALS), default=503), "retryAfter": RETRY_AFTER}),
    "limitRate": Kind(
        _limit_rate,
        {
            "perSecond": Field(number(1e-3, _MOST), required=True),
            "burst": Field(number(1, _MOST), default=1),
            "retryAfter": RETRY_AFTER,
        },
        goes_on=True,
    ),
    "delay": Kind(_delay, {"seconds": SECONDS}, goes_on=True),
    "dropBefore": Kind(_drop_before),
    "dropAfter": Kind(_drop_after),
    "shortResults": Kind(_short_results, {"missing": _NUMBER}, _COLLECTIONS),
    "reorderResults": Kind(_reorder_results, only=_COLLECTIONS),
    "pascalStatuses": Kind(_pascal_statuses, only=_COLLECTIONS),
    "someServerErrors": Kind(_some_server_errors, {"number": _NUMBER}, _COLLECTIONS),
    "staleCounts": Kind(_stale_counts, only=_COUNTS, watches=True),
}
