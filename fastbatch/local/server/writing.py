"""Writing answers: bodies with their metadata, files, and the one place where an error gets its body."""

import json
import os
import uuid
from collections.abc import Iterator, Mapping

from aiohttp import web

from fastbatch.local import wire
from fastbatch.local.errors import Refused
from fastbatch.local.operations.call import Answer, FilePart

_CHUNK = 1 << 18
_JSON = "application/json;odata=minimalmetadata"
_ERROR = "Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element"


async def answer(request: web.BaseRequest, said: Answer, url: str, request_id: str) -> web.StreamResponse:
    """Write what an operation said."""
    headers = {**_common_headers(request, request_id), **said.headers}
    if said.part is not None:
        return await _file(request, said.status, headers, said.part)
    if said.body is None:
        return web.Response(status=said.status, headers=headers)
    return _json(said.status, headers, {"odata.metadata": f"{url}/$metadata#{said.metadata}", **said.body})


def refusal(request: web.BaseRequest, refused: Refused, url: str, request_id: str, now: int) -> web.Response:
    """Write why a request is refused; to HEAD by the status alone."""
    headers = _common_headers(request, request_id)
    status = 304 if refused.code == "ConditionNotMet" and request.method in {"GET", "HEAD"} else refused.status
    if request.method == "HEAD" or status == 304:  # noqa: PLR2004 - Not Modified
        return web.Response(status=status, headers=headers)
    body = refused.body()
    text = f"{refused.message}\nRequestId:{request_id}\nTime:{wire.time_text(now)}"
    body["message"] = {"lang": "en-US", "value": text}
    return _json(status, headers, {"odata.metadata": f"{url}/$metadata#{_ERROR}", **body})


def new_request_id() -> str:
    """Give a name for a request, to find it again by."""
    return str(uuid.UUID(bytes=os.urandom(16), version=4))


def _json(status: int, headers: Mapping[str, str], body: Mapping[str, object]) -> web.Response:
    return web.Response(status=status, headers={**headers, "Content-Type": _JSON}, body=json.dumps(body).encode())


def _common_headers(request: web.BaseRequest, request_id: str) -> dict[str, str]:
    headers = {"DataServiceVersion": "3.0", "request-id": request_id, "Server": "fastbatch-local"}
    if request.headers.get("return-client-request-id", "").lower() == "true":
        headers["client-request-id"] = request.headers.get("client-request-id", "")
    return headers


async def _file(
    request: web.BaseRequest, status: int, headers: Mapping[str, str], part: FilePart
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = part.length
    await response.prepare(request)
    if request.method != "HEAD":
        for chunk in _chunks(part):
            await response.write(chunk)
    return response


def _chunks(part: FilePart) -> Iterator[bytes]:
    with open(part.path, "rb") as file:
        file.seek(part.first)
        left = part.length
        while left and (chunk := file.read(min(left, _CHUNK))):
            yield chunk
            left -= len(chunk)
