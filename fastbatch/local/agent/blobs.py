"""Requests to blob storage: their URLs, how they are sent, and when they are sent again."""

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from yarl import URL

from fastbatch.local.clock import Clock, SystemClock, sleep
from fastbatch.local.errors import LocalError

CHUNK = 256 * 1024

_VERSION = "2021-12-02"
_SENDABLE = re.compile(r"[!-~]+")  # what may stand in a request as it is
_USER = re.compile(r"//[^/?#]*@")
_BUSY = {408, 429}
_FIRST_FAILURE = 400
_FIRST_SERVER_FAILURE = 500

T = TypeVar("T")


class Answered(LocalError):
    """Raised when the storage answers that it won't, with the status and the code it gave."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"status {status} {code}".rstrip())
        self.status = status


@dataclass(frozen=True, slots=True)
class Storage:
    """Blob storage as a node reaches it; what passes is tried again after each of the pauses."""

    session: aiohttp.ClientSession
    timeout_s: float = 60.0
    pauses_s: tuple[float, ...] = (0.1, 0.3, 1.0)
    clock: Clock = field(default_factory=SystemClock)

    @asynccontextmanager
    async def ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, data: Any = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send one request, and give the answer if it is a good one."""
        # A long answer may take its time as long as it goes on; a body that nobody takes shows in the total only.
        total = None if data is None else self.timeout_s
        async with self.session.request(
            method,
            _ready(url),
            headers={"x-ms-version": _VERSION, **(headers or {})},
            data=data,
            timeout=aiohttp.ClientTimeout(total=total, sock_connect=self.timeout_s, sock_read=self.timeout_s),
            auto_decompress=False,  # a blob is its bytes, whatever its Content-Encoding says of them
            read_bufsize=CHUNK,
        ) as response:
            if response.status >= _FIRST_FAILURE:
                raise Answered(response.status, response.headers.get("x-ms-error-code", ""))
            yield response

    async def persist(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Do something, again if it fails of what passes."""
        for pause in self.pauses_s:
            try:
                return await operation()
            except (LocalError, aiohttp.ClientError, TimeoutError) as error:
                if not passes(error):
                    raise
            await sleep(self.clock, pause)
        return await operation()


def passes(error: Exception) -> bool:
    """Tell whether what failed may well succeed if tried again."""
    if isinstance(error, Answered):
        return error.status in _BUSY or error.status >= _FIRST_SERVER_FAILURE
    return isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError | TimeoutError)


def reason(error: Exception) -> str:
    """Say why a request failed, but not in the words of the error: they may hold the URL, and so its signature."""
    if isinstance(error, Answered):
        return str(error)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__


def shown(url: str) -> str:
    """Return a URL without what is secret in it."""
    return _USER.sub("//", re.split(r"[?#]", url, maxsplit=1)[0], count=1)


def blob_url(container_url: str, name: str) -> str:
    """Return the URL of a blob, with the signature of its container."""
    container = urlsplit(container_url)
    path = f"{container.path.rstrip('/')}/{quote(name)}"
    return container._replace(path=path, fragment="").geturl()


def with_query(url: str, **parameters: str) -> str:
    """Add parameters to a URL."""
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode(parameters)]))
    return parts._replace(query=query, fragment="").geturl()


def _ready(url: str) -> URL:
    """Take a URL as it is, since its signature is of what is written; quote it only where it could not be sent."""
    return URL(url, encoded=_SENDABLE.fullmatch(url) is not None)
