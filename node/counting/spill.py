"""
Room on disk for what memory can't hold.

One unnamed temporary file for each process: it is gone when its last user ends, however that comes about.
"""

from __future__ import annotations

import contextlib
import io
import os
from typing import BinaryIO, Iterable, Iterator, NamedTuple, Protocol, cast

from . import runs
from .errors import OutputFailed
from .source import Portion

BUFFER = 1 << 16

# Each run of a merge may be a file of its own, and a process is often allowed no more than 1024 of those.
_MOST_AT_ONCE = 256


class Run(NamedTuple):
    """A sorted run in a spill file. It stays readable in the process that opened the file, and in its children."""

    fd: int
    start: int
    end: int
    longest: int

    def blocks(self) -> Iterator[runs.Block]:
        """Read the run."""
        return runs.read(lines(Portion(self.fd, self.start, self.end)))


def lines(portion: Portion) -> BinaryIO:
    """Read a part of a file by lines."""
    return cast("BinaryIO", io.BufferedReader(portion, BUFFER))


class Spill:
    """An append-only temporary file of sorted runs; made when first written to."""

    def __init__(self, folder: str | None = None) -> None:
        self.folder = folder
        self._file: BinaryIO | None = None

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> int:
        """Make the file if there is none yet, and return its descriptor."""
        if self._file is None:
            import tempfile  # only when needed, as importing it takes as long as starting Python

            try:
                self._file = cast("BinaryIO", tempfile.TemporaryFile(dir=self.folder, buffering=BUFFER))  # noqa: SIM115 - see close()
            except OSError as error:
                raise OutputFailed.because("a temporary file", error) from error
        return self._file.fileno()

    def write(self, blocks: Iterable[runs.Block]) -> Run:
        """Append a sorted run."""
        fd = self.open()
        file = cast("BinaryIO", self._file)
        start, longest = file.tell(), 0
        try:
            for block in runs.evened(blocks):
                runs.write(block, file.write)
                longest = max(longest, max(map(len, block[0])))
            file.flush()
        except OSError as error:
            raise OutputFailed.because("counts to a temporary file", error) from error
        return Run(fd, start, file.tell(), longest)

    def append(self, data: bytes) -> None:
        """Append anything else."""
        self.open()
        try:
            cast("BinaryIO", self._file).write(data)
        except OSError as error:
            raise OutputFailed.because("counts to a temporary file", error) from error

    def flush(self) -> None:
        """Let other processes see all that was written."""
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            raise OutputFailed.because("counts to a temporary file", error) from error

    def everything(self) -> BinaryIO:
        """Read all of the file."""
        fd = self.open()
        self.flush()
        return lines(Portion(fd, 0, os.fstat(fd).st_size))

    def close(self) -> None:
        """Give the room back."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # what is left to write is not wanted any more
                self._file.close()
            self._file = None


class Mergeable(Protocol):
    """Anything that holds a sorted run."""

    @property
    def longest(self) -> int:
        """Return the length of the longest word, in bytes."""

    def blocks(self) -> Iterator[runs.Block]:
        """Read the run."""


def merged(found: Iterable[Mergeable], spill: Spill, budget: int) -> Iterator[runs.Block]:
    """
    Merge runs within a budget of memory.

    When they are too many to read at once, groups of them, oldest first, become new runs in `spill`.
    """
    waiting = list(found)
    while waiting != (group := _first_that_fit(waiting, budget)):
        waiting = [*waiting[len(group) :], spill.write(runs.merge(run.blocks() for run in group))]
    return runs.merge(run.blocks() for run in waiting)


def _first_that_fit(waiting: list[Mergeable], budget: int) -> list[Mergeable]:
    """Return as many of the first runs as fit the budget, and two at least."""
    group = waiting[:2]
    room = budget - sum(map(_memory, group))
    for run in waiting[2:_MOST_AT_ONCE]:
        room -= _memory(run)
        if room < 0:
            break
        group.append(run)
    return group


def _memory(run: Mergeable) -> int:
    """Return what a merge holds in memory for a run."""
    return runs.MERGE_BYTES + 2 * run.longest
