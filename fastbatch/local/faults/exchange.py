"""One request to the storage and its answer, on their way between two connections."""

import asyncio
import contextlib
import socket
import struct
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from typing import Any
from xml.sax.saxutils import escape

from fastbatch.local import wire
from fastbatch.local.clock import SystemClock
from fastbatch.local.faults.framing import Framing, Head, Pieces, Unframed, of_answer, of_request, pieces, read_head

Edit = Callable[[Pieces, int | None], Pieces]  # takes a body, and the length of its content if that is told ahead

_REASONS = {400: "Bad Request", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}
_AT_ONCE = struct.pack("ii", 1, 0)  # nothing waits to be sent: the other side is told of a reset


class Cut(Exception):
    """Raised when connections are to be reset in the middle of what they carry."""


class Side:
    """A connection, to the client or to the storage."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        self._socket: socket.socket = writer.get_extra_info("socket")
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a body follows its head at once
        writer.transport.set_write_buffer_limits(high=0)

    async def send(self, data: bytes) -> None:
        """Send bytes, and wait until the system has them."""
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        """Close it, after what was sent."""
        self._writer.close()

    def reset(self) -> None:
        """Break it off."""
        with contextlib.suppress(OSError):  # it is gone already
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._writer.transport.abort()


class Exchange:
    """A request whose head has come, and whose body and answer are yet to pass."""

    def __init__(self, request: Head, operation: str, client: Side) -> None:
        self.operation = operation
        self.up: list[Edit] = []  # what is done to the body of the request
        self.down: list[Edit] = []  # and to that of the answer
        self.mute = False  # the client is not to hear the answer
        self.persists = request.persists  # another request may follow
        self.request = request
        self._client = client
        self._framing = of_request(request)
        self._asks_first = request.headers.get("expect", "").lower() == "100-continue"
        self._may_send = asyncio.Event()
        if not self._asks_first:
            self._may_send.set()

    async def pass_on(self, reach: Callable[[], Awaitable[Side]]) -> None:
        """Pass the request on to the storage, and the answer back; both may be under way at once."""
        storage = await reach()
        await storage.send(self.request.raw)
        if self._framing.length == 0 and not self.up:
            await self._pass_answer(storage)
        else:
            await _together(self._pass_body(storage), self._pass_answer(storage))

    async def _pass_body(self, storage: Side) -> None:
        await self._may_send.wait()
        if not self._asks_first:
            async for data in _edited(self._body(), self._framing, self.up):
                await storage.send(data)

    def _body(self) -> Pieces:
        return pieces(self._client.reader, self._framing)

    async def _pass_answer(self, storage: Side) -> None:
        head = await self._final_head(storage)
        framing = of_answer(head, self.request.first[0])
        ends_itself = framing.chunked or framing.length is not None
        self.persists &= head.persists and ends_itself and not self._asks_first
        await self._say(head.raw)
        async for data in _edited(pieces(storage.reader, framing), framing, self.down):
            await self._say(data)
        self._may_send.set()

    async def _final_head(self, storage: Side) -> Head:
        while True:
            head = await read_head(storage.reader)
            if head is None:
                raise Unframed("the storage gives no answer")
            if not head.first[1].startswith("1"):
                return head
            await self._client.send(head.raw)  # the client may go on with its body
            self._asks_first = False
            self._may_send.set()

    async def _say(self, data: bytes) -> None:
        if not self.mute:
            await self._client.send(data)

    async def skip(self) -> None:
        """Let the body of the request come, and forget it; a client that asks first is told nothing, and sends none."""
        if self._asks_first:
            self.persists = False
            return
        async for _ in self._body():
            pass

    async def refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Answer as the storage does when it can't do what it is asked."""
        await self.skip()
        raw = refusal(status, code, message, {} if self.persists else {"Connection": "close"}, headers)
        await self._client.send(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if self.request.first[0] == "HEAD" else raw)


def refusal(status: int, code: str, message: str, *more: Mapping[str, str] | None) -> bytes:
    """Write an answer that refuses."""
    now, request_id = SystemClock().now(), str(uuid.uuid4())
    text = f"{message}\nRequestId:{request_id}\nTime:{wire.time_text(now)}"
    error = f"<Error><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
    body = f'\ufeff<?xml version="1.0" encoding="utf-8"?>{error}'.encode()
    headers = {
        "Content-Length": str(len(body)),
        "Content-Type": "application/xml",
        "Server": "fastbatch-local",
        "x-ms-request-id": request_id,
        "x-ms-error-code": code,
        "Date": wire.http_date(now),
    }
    for each in more:
        headers |= each or {}
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


async def _edited(body: Pieces, framing: Framing, edits: list[Edit]) -> AsyncIterator[bytes]:
    for edit in edits:
        body = edit(body, framing.length)
    async for data, _ in body:
        yield data


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Do several things at once; if one fails, the others end too."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
