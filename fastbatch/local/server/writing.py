"""Writing answers: bodies with their metadata, files, and the one place where an error gets its body."""

import functools
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from aiohttp import web

from fastbatch.local import wire
from fastbatch.local.errors import Refused
from fastbatch.local.operations.call import Answer, FilePart

_CHUNK = 1 << 18
_JSON = "application/json;odata=minimalmetadata"
_ERROR = "Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every answer bears: the name of its request, and the service's time."""

    request_id: str
    now: int


async def answer(request: web.BaseRequest, said: Answer, url: str, stamp: Stamp) -> web.StreamResponse:
    """Write what an operation said."""
    headers = {**_common_headers(request, stamp), **said.headers}
    if said.part is not None:
        return await _file(request, said.status, headers, said.part)
    if said.body is None:
        return web.Response(status=said.status, headers=headers)
    return _json(said.status, headers, {"odata.metadata": f"{url}/$metadata#{said.metadata}", **said.body})


def refusal(request: web.BaseRequest, refused: Refused, url: str, stamp: Stamp) -> web.Response:
    """Write why a request is refused; to HEAD by the status alone."""
    headers = {**_common_headers(request, stamp), **refused.headers}
    status = 304 if refused.code == "ConditionNotMet" and request.method in {"GET", "HEAD"} else refused.status
    if request.method == "HEAD" or status == 304:  # noqa: PLR2004 - Not Modified
        return web.Response(status=status, headers=headers)
    body = refused.body()
    text = f"{refused.message}\nRequestId:{stamp.request_id}\nTime:{wire.time_text(stamp.now)}"
    body["message"] = {"lang": "en-US", "value": text}
    return _json(status, headers, {"odata.metadata": f"{url}/$metadata#{_ERROR}", **body})


def new_request_id() -> str:
    """Give a name for a request, to find it again by."""
    return str(uuid.UUID(bytes=os.urandom(16), version=4))


def _json(status: int, headers: Mapping[str, str], body: Mapping[str, object]) -> web.Response:
    return web.Response(status=status, headers={**headers, "Content-Type": _JSON}, body=json.dumps(body).encode())


def _common_headers(request: web.BaseRequest, stamp: Stamp) -> dict[str, str]:
    headers = {
        "DataServiceVersion": "3.0",
        "Date": _date(stamp.now // wire.SECOND),
        "request-id": stamp.request_id,
        "Server": "fastbatch-local",
    }
    if request.headers.get("return-client-request-id", "").lower() == "true":
        headers["client-request-id"] = request.headers.get("client-request-id", "")
    return headers


@functools.lru_cache(maxsize=2)
def _date(second: int) -> str:
    return wire.http_date(second * wire.SECOND)


async def _file(
    request: web.BaseRequest, status: int, headers: Mapping[str, str], part: FilePart
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = part.length
    if request.method == "HEAD":
        return response
    with _opened(part) as file:
        if part.length <= _CHUNK:  # in one write with its headers
            return web.Response(status=status, headers=headers, body=file.read(part.length))
        await response.prepare(request)
        if not await _copy(file, part.length, response):
            response.force_close()  # nothing may follow that would be taken for the rest of the file
    return response


async def _copy(file: BinaryIO, length: int, response: web.StreamResponse) -> bool:
    """Write so much of a file; tell whether it was there, as the file may be cut off meanwhile."""
    while length and (chunk := file.read(min(length, _CHUNK))):
        await response.write(chunk)
        length -= len(chunk)
    return not length


def _opened(part: FilePart) -> BinaryIO:
    try:
        file = open(part.path, "rb")  # noqa: SIM115 - whoever asks for it closes it
    except OSError as error:  # before anything is said
        raise Refused("FileNotFound", f"The file can't be read: {error.strerror}.") from error
    file.seek(part.first)
    return file
