"""Counting bundles: tars of many texts, each of which has its own most frequent words."""

from __future__ import annotations

from typing import NamedTuple

from .blocks import blocks, from_the_start
from .jobs import Counted, Room
from .ranking import leaders
from .results import InputCount, input_line
from .source import Input, is_pipe
from .tally import Counts, Tally
from .tar import members


class Part(NamedTuple):
    """The members of a tar whose headers start from byte `start` up to, and not at, byte `end`."""

    path: str
    start: int
    end: float


def share(path: str, jobs: int) -> list[Part]:
    """Share a tar among jobs, by its members' bytes."""
    if is_pipe(path):
        return [Part(path, 0, float("inf"))]
    with Input(path) as source:
        cuts = [(source.size or 0) * job // jobs for job in range(jobs)]
    return [Part(path, start, end) for start, end in zip(cuts, [*cuts[1:], float("inf")])]


def count(part: Part, room: Room, *, ignore_case: bool, top: int) -> Counted:
    """Count the members of a part of a tar, one by one and together."""
    # A quarter of the memory each for all, for one member, and for ranking its words.
    quarter = room.memory // 4
    together = Counts(quarter, room.runs)
    size = 0
    with Input(part.path) as source, source.reading():
        for member in members(source.reader()):
            if member.header_at >= part.end:
                break
            if member.header_at >= part.start:
                # Most members are small: with their tokens stripped, there is little left to clean in each.
                tally = Tally(quarter, room.runs, ignore_case=ignore_case, strip=True)
                for block in from_the_start(blocks(member.read)):
                    tally.add(block)
                words, best = leaders(tally.parts(), top=top, limit=quarter, spill=room.runs)
                name = member.name.decode("utf-8", "surrogateescape")
                room.lines.append(input_line(InputCount(name, member.size, words, best)))
                together.take(tally)
                size += member.size
    return Counted(together, room.lines, size)
