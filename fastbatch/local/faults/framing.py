"""HTTP messages as bytes on their way: where a head ends, which bytes of a body count, and where the body ends."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

PIECE = 1 << 18  # bytes that are held at once, and the size of the largest head
_NO_BODY = frozenset({"204", "304"})

# Bytes as on the wire, and whether they are of the content, and not of what frames it.
Pieces = AsyncIterator[tuple[bytes, bool]]


class Unframed(Exception):
    """Raised when bytes are no HTTP message, or it can't be told where that ends."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a message: all of its bytes, its first line in parts, and its headers with names in lower case."""

    raw: bytes
    first: tuple[str, str, str]
    headers: Mapping[str, str]

    @property
    def persists(self) -> bool:
        """Tell whether another message may follow on the connection."""
        return "HTTP/1.1" in self.first and "close" not in self.headers.get("connection", "").lower()


@dataclass(frozen=True, slots=True)
class Framing:
    """How long a body is, if that is told ahead, and otherwise whether it comes in chunks or ends as all does."""

    length: int | None
    chunked: bool = False


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """Read the head of the next message; None if there is no next one."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Unframed("the head is not complete") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise Unframed("the head is too large") from error
    return _parsed(raw)


def _parsed(raw: bytes) -> Head:
    first, *lines = raw.decode("latin-1")[:-4].split("\r\n")
    parts = first.split(" ", 2)
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Unframed("a header has no name")
        name = name.lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    if len(parts) < 2:  # noqa: PLR2004 - a reason may be missing
        raise Unframed("the first line is none of HTTP")
    return Head(raw, (parts[0], parts[1], parts[2] if len(parts) > 2 else ""), headers)  # noqa: PLR2004


def of_request(head: Head) -> Framing:
    """Tell how the body of a request is framed."""
    return _framing(head) or Framing(0)


def of_answer(head: Head, method: str) -> Framing:
    """Tell how the body of an answer is framed."""
    if method == "HEAD" or head.first[1] in _NO_BODY:
        return Framing(0)
    return _framing(head) or Framing(None)


def _framing(head: Head) -> Framing | None:
    length, coding = head.headers.get("content-length"), head.headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise Unframed("it can't be told where the body ends")
        return Framing(None, chunked=True)
    if length is None:
        return None
    if not (length.isascii() and length.isdigit()):
        raise Unframed("the length is no number")
    return Framing(int(length))


async def pieces(reader: asyncio.StreamReader, framing: Framing) -> Pieces:
    """Read a body piece by piece."""
    if framing.chunked:
        async for piece in _chunks(reader):
            yield piece
    elif framing.length is not None:
        async for data in _exactly(reader, framing.length):
            yield data, True
    else:
        while data := await reader.read(PIECE):
            yield data, True


async def _exactly(reader: asyncio.StreamReader, length: int) -> AsyncIterator[bytes]:
    while length:
        data = await reader.read(min(length, PIECE))
        if not data:
            raise Unframed("the body is not complete")
        length -= len(data)
        yield data


async def _chunks(reader: asyncio.StreamReader) -> Pieces:
    while True:
        line = await _line(reader)
        yield line, False
        size = _size(line)
        if not size:
            break
        async for data in _exactly(reader, size):
            yield data, True
        yield await _line(reader), False
    while (line := await _line(reader)) != b"\r\n":  # trailers
        yield line, False
    yield line, False


def _size(line: bytes) -> int:
    digits = line.split(b";")[0].strip()
    if not digits or not all(digit in b"0123456789abcdefABCDEF" for digit in digits):
        raise Unframed("a chunk has no size")
    return int(digits, 16)


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise Unframed("a chunk is not complete") from error
