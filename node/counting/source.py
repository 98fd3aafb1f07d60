"""Inputs, read front to back: a part of a file, or a pipe."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from typing import TYPE_CHECKING, Iterator, Union

from .errors import InputUnreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SKIPPED_AT_ONCE = 1 << 16
_HASHED_AT_ONCE = 1 << 18

# Where results are read, not all systems have these.
_READING = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def seek_and_read(fd: int, size: int, position: int) -> bytes:
    """Read from a position on, and stay where it was; unlike pread, only for one reader of a descriptor at a time."""
    before = os.lseek(fd, 0, os.SEEK_CUR)
    os.lseek(fd, position, os.SEEK_SET)
    try:
        return os.read(fd, size)
    finally:
        os.lseek(fd, before, os.SEEK_SET)


read_at = getattr(os, "pread", seek_and_read)


class Portion(io.RawIOBase):
    """
    The bytes from `start` to `end` of a file.

    Read by position, so that several readers, forked jobs among them, can share one descriptor.
    """

    def __init__(self, fd: int, start: int, end: int) -> None:
        super().__init__()
        self._fd = fd
        self.position = start
        self.end = end

    def readable(self) -> bool:
        """Answer yes, as the buffered readers ask."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes; none at the end."""
        left = max(0, self.end - self.position)
        data = read_at(self._fd, left if size < 0 else min(size, left), self.position)
        self.position += len(data)
        return data

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read into a buffer, as the buffered readers do."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def skip(self, size: int) -> None:
        """Pass over bytes without reading them."""
        self.position += size


class Pipe:
    """An input that can only be read once, from wherever it stands to its end."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.position = 0

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes; none at the end."""
        data = os.read(self._fd, size)
        self.position += len(data)
        return data

    def skip(self, size: int) -> None:
        """Read bytes and forget them."""
        goal = self.position + size
        while self.position < goal and self.read(min(_SKIPPED_AT_ONCE, goal - self.position)):
            pass


Reader = Union[Portion, Pipe]


class Input:
    """An open input: a file by its path, or standard input for None."""

    def __init__(self, path: str | None) -> None:
        self.name = "standard input" if path is None else repr(path)
        with self.reading():
            self._fd = 0 if path is None else os.open(path, _READING)
            status = os.fstat(self._fd)
            if stat.S_ISDIR(status.st_mode):
                os.close(self._fd)
                raise IsADirectoryError(errno.EISDIR, "it is a folder; name the files in it")
            # The size of a regular file; but those of /proc say 0 and hold more, so these are read as pipes are.
            self.size = status.st_size if stat.S_ISREG(status.st_mode) and status.st_size else None
            # Standard input may have been read in part by who ran us.
            self.start = os.lseek(0, 0, os.SEEK_CUR) if path is None and self.size else 0

    def __enter__(self) -> Input:
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd:
            os.close(self._fd)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Name the input in what the system says of it."""
        try:
            yield
        except OSError as error:
            raise InputUnreadable(f"cannot read {self.name}: {error.strerror or error}") from error

    def portion(self, start: int, end: int) -> Portion:
        """Read a part of a file."""
        return Portion(self._fd, start, end)

    def reader(self) -> Reader:
        """Read the whole."""
        return Pipe(self._fd) if self.size is None else self.portion(self.start, self.size)


def is_pipe(path: str | None) -> bool:
    """Tell whether a path leads to something that can be opened and read only once."""
    try:
        mode = os.stat(path).st_mode if path is not None else stat.S_IFREG
    except OSError:  # which opening it will explain
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def sha256(reader: Reader) -> str:
    """Read to the end; return the digest in hexadecimal."""
    import hashlib  # only when needed, as importing it takes as long as starting Python

    digest = hashlib.sha256()
    for chunk in iter(lambda: reader.read(_HASHED_AT_ONCE), b""):
        digest.update(chunk)
    return digest.hexdigest()
