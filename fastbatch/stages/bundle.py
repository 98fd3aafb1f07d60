"""
The content of bundles, made of files that may have changed or gone meanwhile.

A bundle's content is final once it was built. What is built again, because storage has lost it or a run goes on, holds
what it held then, or less: an input that is no longer the same fails, even if its size and time are.
"""

import contextlib
import hashlib
import io
import os
import re
import stat
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastbatch import tar
from fastbatch.capacity import IN_MEMORY
from fastbatch.errors import InputChanged
from fastbatch.model import Blob, Bundle, Failure, Item, Kind
from fastbatch.stages.unchanged import is_as_planned

_HASHED_AT_ONCE = 1 << 20
_SCANNED_AT_ONCE = 1 << 16

# Where a text can be cut: the spaces of str.split() that are ASCII.
_SPACE = re.compile(rb"[\t-\r\x1c- ]")

# Only some systems have these: no waiting for a pipe that took a file's place, no translation of line ends.
_FLAGS = os.O_RDONLY
for _flag in ("O_CLOEXEC", "O_BINARY", "O_NONBLOCK", "O_NOCTTY"):
    _FLAGS |= getattr(os, _flag, 0)

_SINCE_PLANNED, _WHILE_READ, _WHILE_SENT = (
    f"it changed {when}; run again to take it as it is now"
    for when in ("after the run was planned", "while it was read", "while it was uploaded")
)
_SINCE_READ = "its content changed after it was first read; run again to take it as it is now"

_CHECK_BYTES = 4


@dataclass(frozen=True, slots=True)
class Extent:
    """A part of a file that is to be sent from where it is."""

    path: str
    start: int
    length: int
    mtime_ns: int | None = None  # when the file was last changed before it was hashed; None to let it change


@dataclass(frozen=True, slots=True)
class BuiltBundle:
    """What a bundle came to; without a blob if none of its inputs could be read."""

    blob: Blob | None
    content: bytes | Extent
    failures: tuple[Failure, ...] = ()
    md5: bytes | None = None  # of content in memory
    checks: bytes = b""  # of each input of a tar, in order, by which a change of content is known again


def build(bundle: Bundle, before: Blob | None = None, checks: bytes = b"") -> BuiltBundle:
    """
    Read what belongs in a bundle, and leave out what is no longer there as it was planned.

    Of one that was built before, with these inputs, `before` and `checks` are what it came to then; what is no longer
    the same is left out, too.
    """
    if bundle.kind is Kind.TAR:
        return _tar(bundle.items, [None] * len(bundle.items) if before is None else _each(checks))
    item = bundle.items[0]
    start, end = (bundle.start, bundle.end) if bundle.kind is Kind.SLICE else (0, item.size)
    try:
        return _part(item, start, end, before)
    except InputChanged as error:
        return BuiltBundle(None, b"", (Failure(item.name, str(error)),))


def block(extent: Extent, offset: int, length: int) -> bytes:
    """
    Read `length` bytes of an extent, or what there is up to its end.

    Raises:
        InputChanged: the file is not what it was when the bundle was built. Its name is for the caller to add.

    """
    length = min(length, extent.length - offset)
    with _opened(extent.path) as (fd, _):
        os.lseek(fd, extent.start + offset, os.SEEK_SET)
        content = _read(fd, length, length)
        if len(content) < length or extent.mtime_ns not in (None, os.fstat(fd).st_mtime_ns):
            raise InputChanged(_WHILE_SENT)
    return content


def _tar(items: Sequence[Item], before: Sequence[bytes | None]) -> BuiltBundle:
    out = io.BytesIO()  # gives its bytes away without copying them
    failures = []
    checks = bytearray()
    for item, check in zip(items, before, strict=True):
        try:
            content, found = _whole(item, check)
        except InputChanged as error:
            failures.append(Failure(item.name, str(error)))
            continue
        checks += found
        out.write(tar.header(item.raw_name, item.size))
        out.write(content)
        out.write(tar.padding(item.size))
    if len(failures) == len(items):
        return BuiltBundle(None, b"", tuple(failures))
    out.write(tar.END)
    return _in_memory(out.getvalue(), tuple(failures), bytes(checks))


def _each(checks: bytes) -> list[bytes]:
    return [checks[at : at + _CHECK_BYTES] for at in range(0, len(checks), _CHECK_BYTES)]


def _whole(item: Item, before: bytes | None) -> tuple[bytes, bytes]:
    """Read a file; give its content, and its check."""
    with _unchanged(item) as fd:
        # Room for a byte too many, as some files, such as those of /proc, hold more than they say.
        content = _read(fd, item.size, item.size + 1)
        if len(content) != item.size:
            raise InputChanged(_WHILE_READ)
    check = zlib.crc32(content).to_bytes(_CHECK_BYTES)
    if before not in (None, check):
        raise InputChanged(_SINCE_READ)
    return content, check


def _part(item: Item, start: int, end: int, before: Blob | None) -> BuiltBundle:
    """Build of what is between two places in a file, each moved on to where the text can be cut."""
    with _unchanged(item) as fd:
        start, end = _cut(fd, start, item.size), _cut(fd, end, item.size)
        os.lseek(fd, start, os.SEEK_SET)
        if end - start > IN_MEMORY:
            blob = Blob(_digest(fd, end - start), end - start)
            built = BuiltBundle(blob, Extent(item.path, start, end - start, item.mtime_ns))
        else:
            built = _in_memory(_read(fd, end - start, end - start))
        if os.lseek(fd, 0, os.SEEK_CUR) != end or (end == item.size and os.read(fd, 1)):
            raise InputChanged(_WHILE_READ)
    if before not in (None, built.blob):
        raise InputChanged(_SINCE_READ)
    return built


def _cut(fd: int, position: int, size: int) -> int:
    """Return the first place from a position on where a text can be cut, so that neighbours agree on it."""
    if position == 0:
        return 0
    os.lseek(fd, position, os.SEEK_SET)
    while position < size and (chunk := os.read(fd, min(_SCANNED_AT_ONCE, size - position))):
        if space := _SPACE.search(chunk):
            return position + space.start()
        position += len(chunk)
    return size


def _in_memory(content: bytes, failures: tuple[Failure, ...] = (), checks: bytes = b"") -> BuiltBundle:
    blob = Blob(hashlib.sha256(content).hexdigest(), len(content))
    return BuiltBundle(blob, content, failures, hashlib.md5(content, usedforsecurity=False).digest(), checks)


def _digest(fd: int, length: int) -> str:
    digest = hashlib.sha256()
    while length and (chunk := os.read(fd, min(_HASHED_AT_ONCE, length))):
        digest.update(chunk)
        length -= len(chunk)
    return digest.hexdigest()


def _read(fd: int, least: int, most: int) -> bytes:
    """Read as many bytes as are wanted at least, fewer only at the end of the file."""
    content = os.read(fd, most)
    while len(content) < least and (more := os.read(fd, most - len(content))):
        content += more
    return content


@contextlib.contextmanager
def _unchanged(item: Item) -> Iterator[int]:
    """Open an input that has to be, and to remain, what it was when the run was planned."""
    with _opened(item.path) as (fd, status):
        if not is_as_planned(item, status):
            raise InputChanged(_SINCE_PLANNED)
        yield fd
        if not is_as_planned(item, os.fstat(fd)):
            raise InputChanged(_WHILE_READ)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[int, os.stat_result]]:
    try:
        fd = os.open(path, _FLAGS)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise InputChanged("it is no longer a regular file")
            yield fd, status
        finally:
            os.close(fd)
    except FileNotFoundError as error:
        raise InputChanged("it is gone since the run was planned") from error
    except OSError as error:
        raise InputChanged(f"it can't be read: {error.strerror or error}") from error
