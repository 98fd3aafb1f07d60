"""azure-batch 15.1, synchronous and asynchronous: the calls are the same, and are waited for in two ways."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from azure.batch import BatchClient
from azure.batch.models import BatchFileProperties
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.polling import AsyncLROPoller, LROPoller

from tests.clients.playing import Absent, Refused
from tests.local.instances import Instance

_POLLING = {True: 0.01, False: 3600}  # seconds from look to look; the first comes at once


class Fifteen:
    """A client of either kind."""

    def __init__(self, client: Any, do: Callable[[Callable[[], Any], bool], Any]) -> None:
        self._client = client
        self._do = do

    def call(self, operation: str, *ids: str, body: Any = None, wait: bool = True, **options: Any) -> Any:
        """Do an operation."""
        if not hasattr(BatchClient, operation):
            raise Absent
        given = ids if body is None else (*ids, body)
        named = _named(options)
        if operation.startswith("begin_"):
            named["polling_interval"] = _POLLING[wait]
        method = getattr(self._client, operation)
        try:
            return _plain(operation, self._do(lambda: method(*given, **named), wait))
        except ResourceNotFoundError as error:
            if operation.endswith("_exists"):  # it is documented to give False
                return False
            raise _refused(error) from error
        except HttpResponseError as error:
            raise _refused(error) from error


@contextmanager
def synchronous(instance: Instance) -> Iterator[Fifteen]:
    """Have the synchronous client."""
    with instance.client() as client:
        yield Fifteen(client, _do)


@contextmanager
def asynchronous(instance: Instance) -> Iterator[Fifteen]:
    """Have the asynchronous client, with a loop that runs while it is asked."""
    with asyncio.Runner() as runner:
        client = instance.async_client()
        try:
            yield Fifteen(client, lambda call, wait: runner.run(_do_async(call, wait=wait)))
        finally:
            runner.run(client.close())


def _do(call: Callable[[], Any], wait: bool) -> Any:
    try:
        answer = call()
        if isinstance(answer, LROPoller):
            return answer.result() if wait else None
        return list(answer) if isinstance(answer, Iterator) else answer
    except HttpResponseError as error:
        if not _response(error).is_stream_consumed:
            _response(error).read()
        raise


async def _do_async(call: Callable[[], Any], *, wait: bool) -> Any:
    try:
        answer = call()
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, AsyncLROPoller):
            return await answer.result() if wait else None
        return [item async for item in answer] if isinstance(answer, AsyncIterator) else answer
    except HttpResponseError as error:
        if not _response(error).is_stream_consumed:
            await _response(error).read()
        raise


def _response(error: HttpResponseError) -> Any:
    """Give the answer that an error came of: to be read, as where a stream was expected, the SDK has not done so."""
    return error.response


def _named(options: dict[str, Any]) -> dict[str, Any]:
    etag = options.pop("if_match", None)
    return options if etag is None else {**options, "etag": etag, "match_condition": MatchConditions.IfNotModified}


def _plain(operation: str, answer: Any) -> Any:
    if operation.startswith("download_"):
        return b"".join(answer)
    if isinstance(answer, list):
        return [item.as_dict() for item in answer]
    if isinstance(answer, BatchFileProperties):
        return {"contentLength": answer.content_length}
    plain = answer.as_dict() if hasattr(answer, "as_dict") else answer
    return plain["value"] if operation == "create_task_collection" else plain


def _refused(error: HttpResponseError) -> Refused:
    response = _response(error)
    return Refused(response.status_code, json.loads(response.content)["code"] if response.content else "")
