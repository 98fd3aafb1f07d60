"""Speaking to the storage byte by byte, signed in the address."""

import socket
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from azure.storage.blob import ContainerClient

from tests.local.storage import signed


class Address(NamedTuple):
    """Where a blob is, and what is asked for to get it."""

    port: int
    target: str


def address(container: ContainerClient, name: str = "blob", query: str = "") -> Address:
    """Give the address of a blob, signed; with no name, that of the container."""
    parts = urlsplit(signed(container, name=f"/{name}" if name else ""))
    assert parts.port
    return Address(parts.port, f"{parts.path}?{query}{parts.query}")


def head(at: Address, method: str = "GET", headers: Mapping[str, str] | None = None) -> bytes:
    """Write the head of a request."""
    whole = {"Host": f"127.0.0.1:{at.port}", **(headers or {})}
    if method == "PUT":
        whole["x-ms-blob-type"] = "BlockBlob"
    lines = [f"{method} {at.target} HTTP/1.1", *(f"{name}: {value}" for name, value in whole.items()), "", ""]
    return "\r\n".join(lines).encode()


def until_reset(connection: socket.socket) -> bytes:
    """Read what comes, until the connection is reset; that it ends in order is an error."""
    found = b""
    try:
        while data := connection.recv(1 << 16):
            found += data
    except ConnectionResetError:
        return found
    raise AssertionError("the connection was closed in order")
