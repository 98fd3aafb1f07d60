"""Speaking HTTP to an instance by hand: signed requests, byte by byte where that matters."""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastbatch.local import signature, wire
from fastbatch.local.clock import SystemClock
from fastbatch.local.instance.home import Home
from fastbatch.local.server import reading
from tests.local.instances import Instance

VERSION = "2025-06-01"
JSON = "application/json; odata=minimalmetadata"
_SECONDS = 10


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """Give the body, read as JSON."""
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found

    @property
    def refusal(self) -> tuple[int, str]:
        """Give the status and the code of an error."""
        return self.status, self.json["code"]

    @property
    def values(self) -> dict[str, str]:
        """Give the details of an error."""
        return {pair["key"]: pair["value"] for pair in self.json.get("values", [])}


def at(path: str, **query: str) -> str:
    """Give a target on the wire: a path with a query; a parameter's leading `_` stands for `$`."""
    named = {f"${name[1:]}" if name.startswith("_") else name: value for name, value in query.items()}
    return f"{path}?{urlencode({'api-version': VERSION, **named}, safe='$')}"


def place(instance: Instance) -> tuple[str, int]:
    """Give the address of the Batch service."""
    parts = urlsplit(instance.endpoint)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def key(instance: Instance) -> bytes:
    """Give the key that requests are signed with."""
    return Home(instance.home).keys().batch_bytes


def signed(
    instance: Instance, method: str, target: str, headers: Mapping[str, str] | None = None, length: int | None = None
) -> dict[str, str]:
    """Give the headers of a request, signed, with the length that its body has or claims to have."""
    found = {"ocp-date": wire.http_date(SystemClock().now())}
    if length is not None:
        found |= {"content-type": JSON, "content-length": str(length)}
    found |= {name.lower(): value for name, value in (headers or {}).items()}
    path, query = reading.split(target)
    if "authorization" not in found:
        request = signature.Request(method, path, query, found)
        found["authorization"] = signature.sign(request, instance.account, key(instance))
    return found


def ask(
    instance: Instance, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> Said:
    """Ask something, in a connection of its own, and give the answer; a body that is not bytes is written as JSON."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    length = None if method in {"GET", "HEAD"} and not content else len(content)
    return send(instance, method, target, content, signed(instance, method, target, headers, length))


def send(instance: Instance, method: str, target: str, content: bytes, headers: Mapping[str, str]) -> Said:
    """Send these headers and this body, and give the answer."""
    with talk(instance) as connection:
        connection.sendall(written(instance, method, target, headers) + content)
        return receive(connection, method)


def written(instance: Instance, method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """Write the head of a request; one that names no host is for this one."""
    everything = {"host": "{}:{}".format(*place(instance)), **headers}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in everything.items()), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """Have a connection to a port of this machine for a while."""
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
        yield connection


@contextmanager
def talk(instance: Instance) -> Iterator[socket.socket]:
    """Have a connection to the Batch service for a while."""
    with connected(place(instance)[1]) as connection:
        yield connection


def receive(connection: socket.socket, method: str = "GET") -> Said:
    """Read one answer; what comes after it must not have come yet."""
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        return Said(response.status, _headers(response), response.read())
    finally:
        response.close()


def _headers(response: http.client.HTTPResponse) -> Message:
    pairs = response.getheaders()
    assert len({name.lower() for name, _ in pairs}) == len(pairs), "a header came twice"
    return response.headers


def is_closed(connection: socket.socket) -> bool:
    """Tell whether the other side has closed the connection, without another word."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
