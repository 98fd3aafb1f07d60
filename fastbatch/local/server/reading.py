"""Reading a request: whether it may come in at all, who signed it, and what it asks for."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from fastbatch.local import hosts, signature, strictjson
from fastbatch.local.errors import Code, Refused
from fastbatch.local.server.routes import Route
from fastbatch.local.signature import NotSigned

LARGEST_BODY = 1 << 20
_COMMON = frozenset({"api-version", "timeOut", "timeout"})
_VERSION = re.compile(r"20\d\d-\d\d-\d\d(\.\d+\.\d+|-preview)?", re.ASCII)
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def split(target: str) -> tuple[str, Sequence[tuple[str, str]]]:
    """Take a request's target apart: the path as it is on the wire, and the query decoded, without blank values."""
    hosts.check_target(target)
    if not target.isascii():
        raise Refused("InvalidUri", "The address must have everything beyond ASCII percent-encoded.")
    path, _, query = target.partition("?")
    try:
        return path, parse_qsl(query, errors="strict")
    except ValueError:
        raise Refused("InvalidUri", "The query of the address can't be read.") from None


def authenticate(request: signature.Request, account: str, key: bytes, now: int) -> None:
    """Refuse a request that the account's owner has not signed."""
    if "authorization" not in request.headers:
        raise Refused(
            "MissingRequiredHeader", "The request must be signed with SharedKey.", {"HeaderName": "Authorization"}
        )
    try:
        signature.verify(request, account, key, now)
    except NotSigned as error:
        raise Refused(
            "AuthenticationFailed",
            "Server failed to authenticate the request. Make sure the value of Authorization header is formed "
            "correctly including the signature.",
            {"AuthenticationErrorDetail": str(error)},
        ) from error


def query(route: Route, pairs: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Check the query: the service's version, and nothing that the operation does not know, if it is done at all."""
    values = dict(pairs)
    for name, value in pairs:
        if route.is_done and name not in _COMMON and name not in route.query:
            raise _bad_query("UnsupportedQueryParameter", name, value, "is not for this operation")
    if len(values) < len(pairs):
        name = next(name for name, _ in pairs if [each for each, _ in pairs].count(name) > 1)
        raise _bad_query("InvalidQueryParameterValue", name, values[name], "may be given once only")
    _check_version(values.get("api-version"))
    for name in ("timeOut", "timeout"):
        if not re.fullmatch("[0-9]+", values.get(name, "30")):
            raise _bad_query("InvalidQueryParameterValue", name, values[name], "must be a number of seconds")
    if "$expand" in values:
        raise Refused("NotImplemented", "The local service keeps no statistics to expand.")
    return values


def _check_version(version: str | None) -> None:
    if version is None:
        raise Refused(
            "MissingRequiredQueryParameter",
            "The query parameter api-version must be given.",
            {"QueryParameterName": "api-version"},
        )
    if not _VERSION.fullmatch(version):
        raise Refused("UnsupportedRequestVersion", f"There is no api-version {version}.")


def _bad_query(code: Code, name: str, value: str, reason: str) -> Refused:
    return Refused(
        code,
        f"The query parameter {name} {reason}.",
        {"QueryParameterName": name, "QueryParameterValue": value},
    )


async def body(request: web.BaseRequest, route: Route) -> dict[str, Any]:
    """Read and check the body; one that is too large is not read at all."""
    if request.method not in _WITH_BODY:
        return {}
    if "Content-Encoding" in request.headers:  # a small body might become a large one
        raise Refused("InvalidHeaderValue", "The body must not be compressed.", {"HeaderName": "Content-Encoding"})
    if request.content_length is None:
        raise Refused("MissingContentLengthHeader", "The request must tell the length of its body.")
    if request.content_length > LARGEST_BODY:
        raise Refused(
            "RequestBodyTooLarge",
            "The request body is too large and exceeds the maximum permissible limit.",
            {"MaxLimit": str(LARGEST_BODY)},
        )
    await _invite(request)
    raw = await request.read()
    if route.body is None:
        if raw and route.is_done:
            raise Refused("InvalidRequestBody", "This operation takes no body.")
        return {}
    return route.body(_parsed(raw)) if raw or route.body_required else {}


async def _invite(request: web.BaseRequest) -> None:
    if request.headers.get("Expect", "").lower() == "100-continue":  # the client waits to be told that it may go on
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def _parsed(raw: bytes) -> Any:
    try:
        return strictjson.read(raw.decode())
    except ValueError as error:
        message = f"The request body is not valid JSON: {error}."
        raise Refused("InvalidRequestBody", message, {"Reason": str(error)}) from None
