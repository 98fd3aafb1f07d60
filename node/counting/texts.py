"""Counting texts: files, pipes, and parts of files."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from .blocks import blocks, boundary, from_the_start
from .errors import InputUnreadable, RangeOutside
from .jobs import Counted, Room
from .source import Input, is_pipe
from .tally import Tally


class Piece(NamedTuple):
    """What is to be counted of one text; with no end it is all of a pipe. No path means standard input."""

    path: str | None
    start: int
    end: int | None
    starts_text: bool

    @property
    def size(self) -> int:
        """Return how many bytes it has, as far as that is known before it is read."""
        return 0 if self.end is None else self.end - self.start


def whole(path: str | None) -> Piece:
    """Return the whole of a text."""
    if is_pipe(path):
        return Piece(path, 0, None, starts_text=True)
    with Input(path) as source:
        return Piece(path, source.start, source.size, starts_text=True)


def within(path: str | None, start: int, end: int) -> Piece:
    """Return the tokens of a text that start from byte `start` up to, and not at, byte `end`."""
    if is_pipe(path):
        raise RangeOutside(f"the range {start}-{end} is of {path!r}, a pipe; it can only be of a file")
    with Input(path) as source:
        size = source.size or 0
        if not start <= end <= size:
            extent = f"a file of {size} bytes" if size else "which is empty, or a pipe"
            raise RangeOutside(f"the range {start}-{end} is outside {source.name}, {extent}")
        return Piece(path, boundary(source, start), boundary(source, end), starts_text=start == 0)


def share(pieces: Sequence[Piece], jobs: int) -> list[list[Piece]]:
    """Share pieces among jobs by bytes, cut at ASCII spaces. There may be fewer shares than jobs, but there is one."""
    total = sum(piece.size for piece in pieces)
    shares: list[list[Piece]] = [[] for _ in range(jobs)]
    done = 0
    for piece in pieces:
        if piece.end is None:
            shares[0].append(piece)
            continue
        rest = piece
        while rest.size:
            job = done * jobs // total
            job_ends = -(-total * (job + 1) // jobs)
            first, rest = _cut(rest, job_ends - done)
            shares[job].append(first)
            done += first.size
    return [some for some in shares if some] or [[]]


def count(pieces: Sequence[Piece], room: Room, *, ignore_case: bool) -> Counted:
    """Count pieces of texts."""
    tally = Tally(room.memory // 2, room.runs, ignore_case=ignore_case)
    read = 0
    for piece in pieces:
        with Input(piece.path) as source, source.reading():
            reader = source.reader() if piece.end is None else source.portion(piece.start, piece.end)
            text = blocks(reader.read)
            for block in from_the_start(text) if piece.starts_text else text:
                tally.add(block)
            read += reader.position - piece.start
            if piece.end is not None and reader.position < piece.end:
                raise InputUnreadable(f"cannot read all of {source.name}: it became shorter meanwhile")
    return Counted(tally, room.lines, read)


def _cut(piece: Piece, size: int) -> tuple[Piece, Piece]:
    """Cut a piece of a file after about so many bytes."""
    at = end = piece.start + piece.size
    if size < piece.size:
        with Input(piece.path) as source:
            # Should the file have become shorter, its end is before all this; counting it will tell.
            at = min(max(boundary(source, piece.start + size), piece.start + size), end)
    return piece._replace(end=at), piece._replace(start=at, end=end, starts_text=False)
