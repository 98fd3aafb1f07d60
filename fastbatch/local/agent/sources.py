"""Files that are read to be sent: in parts, never whole in memory, and only as long as nobody changes them."""

import asyncio
import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from fastbatch.local.agent.blobs import CHUNK
from fastbatch.local.errors import LocalError


class Changed(LocalError):
    """Raised when a file is no longer what it was when it was opened."""


@dataclass(frozen=True, slots=True)
class Source:
    """An open file, as it was then."""

    descriptor: int
    size: int
    changed_ns: int

    def check(self) -> None:
        """Raise Changed if the file has been written to since."""
        now = os.fstat(self.descriptor)
        if (now.st_size, now.st_mtime_ns) != (self.size, self.changed_ns):
            raise Changed(f"it was changed while it was read: {self.size} bytes before, {now.st_size} now")


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a file, one stretch of it."""

    source: Source
    offset: int
    length: int

    def chunks(self) -> Iterator[bytes]:
        """Read it; the last of it is given only if the file is as it was."""
        at, end = self.offset, self.offset + self.length
        while at < end:
            chunk = os.pread(self.source.descriptor, min(CHUNK, end - at), at)
            at += len(chunk)
            if not chunk or at == end:
                self.source.check()
            yield chunk

    async def md5(self) -> str:
        """Return its digest, as headers have it."""
        if self.length <= CHUNK:
            return self._md5()
        return await asyncio.to_thread(self._md5)

    def _md5(self) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        for chunk in self.chunks():
            digest.update(chunk)
        return base64.b64encode(digest.digest()).decode()


class Body(Payload):
    """A part as the body of a request, read anew each time that it is sent."""

    _autoclose = True  # it holds nothing: who opened the file closes it

    def __init__(self, part: Part) -> None:
        super().__init__(part)
        self._size = part.length
        self._part = part

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send it."""
        for chunk in self._part.chunks():
            await writer.write(chunk)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Read it as a text."""
        return b"".join(self._part.chunks()).decode(encoding, errors)


@contextmanager
def opened(path: str) -> Iterator[Source]:
    """Open a file; OSError if it can't be read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        yield Source(descriptor, status.st_size, status.st_mtime_ns)
    finally:
        os.close(descriptor)
