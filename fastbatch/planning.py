"""
What a run will do: inputs become bundles, by names and sizes alone.

Small files are packed in order of their names. A bundle closes behind a file whose name has a small enough hash, so
that where it closes depends on that file alone, and a file more or less changes no bundle but those around it.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from fastbatch import limits, tar
from fastbatch.model import Bundle, Item, Kind, Plan, bundle_id, shown

MIB = 1 << 20
SMALLEST_DEFAULT = MIB
LARGEST_DEFAULT = 32 * MIB
LARGEST_TAR = 64 * MIB
SLICE = 64 * MIB
LARGEST_UNCUT = 256 * MIB

# The default leaves each of several nodes with several tasks, where there is enough to do.
BUNDLES_AT_LEAST = 32

# https://learn.microsoft.com/azure/storage/blobs/scalability-targets
LARGEST_BLOCK = 4000 * MIB
LARGEST_BLOB = limits.BLOCKS_PER_BLOB * LARGEST_BLOCK

_HASH_BITS = 64


def plan(items: Sequence[Item], *, bundle_size: int | None, files_per_task: int | None, divisible: bool) -> Plan:
    """
    Give each input, of which no two have the same name, its place in a bundle.

    The order of the inputs does not matter, nor where they are and how old. A bundle has about `bundle_size` bytes, or
    `files_per_task` files if that is given. Large files are cut if what they hold is `divisible`.
    """
    files = sorted(map(_file, items), key=attrgetter("raw_name"))
    size = min(bundle_size or default_bundle_size(file.footprint for file in files), LARGEST_TAR)
    largest = LARGEST_UNCUT if divisible else math.inf
    whole = [file for file in files if file.item.size <= largest]
    groups = _counted(whole, files_per_task) if files_per_task else _sized(whole, size)
    slices = (part for file in files if file.item.size > largest for part in _slices(file))
    parts = [*map(_together, groups), *slices]
    parts.sort(key=attrgetter("first"))
    bundles = (
        Bundle(bundle_id(number), part.kind, part.items, part.start, part.end) for number, part in enumerate(parts, 1)
    )
    return Plan(tuple(file.item for file in files), tuple(bundles), None if files_per_task else size)


def default_bundle_size(footprints: Iterable[int]) -> int:
    """Return a power of two, which seldom changes while a corpus grows, so that what was uploaded can be used again."""
    wanted = sum(footprints) // BUNDLES_AT_LEAST
    return max(SMALLEST_DEFAULT, min(1 << wanted.bit_length() >> 1, LARGEST_DEFAULT))


def problems(plan: Plan) -> list[str]:
    """Say of each bundle that the services can't take, why."""
    return [
        f"{shown(bundle.items[0].name)!r} has {bundle.size} bytes, and a blob can have {LARGEST_BLOB}: divide the file"
        for bundle in plan.bundles
        if bundle.size > LARGEST_BLOB
    ]


class _File(NamedTuple):
    """An input and what decides where it goes."""

    item: Item
    raw_name: bytes
    footprint: int
    hash: int  # of the name alone: a file that grows a little moves nothing

    def closes(self, bundle_size: int) -> bool:
        """Tell whether a bundle ends behind this file; the more bytes it has, the likelier it is."""
        return self.hash * bundle_size < self.footprint << _HASH_BITS


class _Part(NamedTuple):
    """A bundle that has no id yet."""

    first: bytes
    kind: Kind
    items: tuple[Item, ...]
    start: int = 0
    end: int = 0


def _file(item: Item) -> _File:
    raw_name = item.raw_name
    digest = hashlib.blake2b(raw_name, digest_size=_HASH_BITS // 8).digest()
    return _File(item, raw_name, tar.footprint(len(raw_name), item.size), int.from_bytes(digest, "big"))


def _slices(file: _File) -> Iterator[_Part]:
    """Cut at multiples of one length, so that a file that grows at its end keeps its first slices."""
    size = file.item.size
    last = (size + SLICE // 2) // SLICE * SLICE - SLICE
    for start in range(0, last + 1, SLICE):
        yield _Part(file.raw_name, Kind.SLICE, (file.item,), start, size if start == last else start + SLICE)


def _together(files: Sequence[_File]) -> _Part:
    kind = Kind.WHOLE if len(files) == 1 else Kind.TAR
    return _Part(files[0].raw_name, kind, tuple(file.item for file in files))


def _counted(files: Iterable[_File], count: int) -> Iterator[Sequence[_File]]:
    """Give so many files at a time, and fewer only at the end or where a tar would be too large."""
    group: list[_File] = []
    size = len(tar.END)
    for file in files:
        if group and (len(group) == count or size + file.footprint > LARGEST_TAR):
            yield group
            group, size = [], len(tar.END)
        group.append(file)
        size += file.footprint
    if group:
        yield group


def _sized(files: Iterable[_File], bundle_size: int) -> Iterator[Sequence[_File]]:
    """Give large files alone and others in stretches, each as long as hashes and the limit have it."""
    stretch: list[_File] = []
    for file in files:
        if file.item.size >= bundle_size:
            yield [file]
            continue
        stretch.append(file)
        if file.closes(bundle_size):
            yield from _fitting(stretch, min(LARGEST_TAR, 2 * bundle_size))
            stretch = []
    if stretch:
        yield from _fitting(stretch, min(LARGEST_TAR, 2 * bundle_size))


def _fitting(stretch: Sequence[_File], limit: int) -> Iterator[Sequence[_File]]:
    """Split a stretch behind its smallest hash, and the parts again, until each fits."""
    parts = [stretch]  # no recursion, as names can be chosen to make it deep
    while parts:
        part = parts.pop()
        if len(part) == 1 or sum(file.footprint for file in part) + len(tar.END) <= limit:
            yield part
        else:
            hashes = [file.hash for file in part[:-1]]
            behind = hashes.index(min(hashes)) + 1
            parts += (part[behind:], part[:behind])
