"""Folders of files to count: generated, the same every time, with the totals that any way of counting must find."""

from __future__ import annotations

import itertools
import random
import re
import string
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from . import texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FILES_A_FOLDER = 1000
MIB = 1 << 20

_STOCK = 4 * MIB  # all texts are cut from one
_LONGEST = MIB
_BLOCK = 64 << 10
_ODD = (
    b"",
    b" ",
    b"\n\n",
    b"a",
    b"--",
    b"word",
    b"'tis it's \"so\"\r\n",
    b"\xef\xbb\xbfmark",
    b"bad \xff\xfe bytes \xc3",
)


@dataclass(frozen=True, slots=True)
class Totals:
    """What files hold together."""

    files: int = 0
    bytes: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def summary(self) -> dict[str, Any]:
        """Give what a program can print as JSON, with the ten most frequent words, ties by code point."""
        top = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:10]
        return {
            "files": self.files,
            "bytes": self.bytes,
            "words": self.counts.total(),
            "distinct": len(self.counts),
            "top": [list(item) for item in top],
        }


def reference(content: bytes) -> Counter[str]:
    """Count the words of an input in the one line that says what a word is."""
    text = content.decode("utf-8-sig", "replace")
    return Counter(w for w in (t.strip(string.punctuation) for t in text.split()) if w)


def small(folder: Path, files: int, size: int, *, seed: int = 7) -> Totals:
    """Write so many texts of exactly so many bytes, no two the same, in sub-folders of at most a thousand."""
    if files > len(_starts()):
        raise ValueError(f"There are only {len(_starts()):,} small texts of which no two are the same, not {files:,}.")
    starts = random.Random(seed).sample(_starts(), files)
    return _write(folder, (_text(start, size) for start in starts))


def large(path: Path, size: int, *, seed: int = 7) -> Totals:
    """
    Write one text of exactly so many bytes.

    Blocks of text in random order, so that no two long parts of it are the same. Each block ends at a space, so that it
    is enough to count its words once, and to know how often it stands there.
    """
    chance = random.Random(seed)
    blocks = _blocks()
    used: Counter[int] = Counter()
    left = size
    with open(path, "wb") as file:
        while left > _BLOCK:
            number = chance.randrange(len(blocks))
            used[number] += 1
            left -= file.write(blocks[number])
        rest = _text(0, left)
        file.write(rest)
    counts = reference(rest)
    for number, times in used.items():
        counts.update({word: times * count for word, count in _counts_of_block(number).items()})
    return Totals(1, size, counts)


def even(folder: Path, files: int, size: int) -> Totals:
    """Write so many texts of exactly so many bytes, be they small or large."""
    if size <= _LONGEST:
        return small(folder, files, size)
    folder.mkdir(parents=True)
    found = [large(folder / f"text-{number:06}.txt", size, seed=number) for number in range(files)]
    counts = sum((one.counts for one in found), start=Counter[str]())
    return Totals(files, files * size, counts)


def mix(folder: Path, *, files: int = 300, large_size: int = 300 * MIB, seed: int = 7) -> Totals:
    """Write files of all kinds: empty, tiny and odd ones, texts of up to 64 KiB, and a large one."""
    chance = random.Random(seed)
    sizes = [int(2 ** chance.uniform(0, 16)) for _ in range(files)]
    starts = chance.sample(_starts(), files)
    found = _write(folder, (*_ODD, *(_text(start, size) for start, size in zip(starts, sizes, strict=True))))
    big = large(folder / "large.txt", large_size, seed=seed)
    return Totals(found.files + 1, found.bytes + big.bytes, found.counts + big.counts)


def _write(folder: Path, contents: Iterable[bytes]) -> Totals:
    files = size = 0
    counts: Counter[str] = Counter()
    for content, path in zip(contents, _paths(folder), strict=False):
        path.write_bytes(content)
        counts.update(reference(content))
        files += 1
        size += len(content)
    return Totals(files, size, counts)


def _paths(folder: Path) -> Iterator[Path]:
    for number in itertools.count():
        inner = folder / f"part-{number // FILES_A_FOLDER:04}"
        if number % FILES_A_FOLDER == 0:
            inner.mkdir(parents=True)
        yield inner / f"text-{number:06}.txt"


def _text(start: int, size: int) -> bytes:
    """Give exactly so many bytes of the stock; a character that would be cut is a space."""
    if size > _LONGEST:
        raise ValueError(f"A small text has at most {_LONGEST} bytes, not {size}; make a large one.")
    cut = _stock()[start : start + size]
    return cut.decode(errors="ignore").encode().ljust(size)


@cache
def _stock() -> bytes:
    return texts.zipf(_STOCK)


@cache
def _starts() -> list[int]:
    """Give where words begin, but for the end of the stock, from where a text could not be long."""
    return [found.end() for found in re.finditer(rb"\s", _stock()[:-_LONGEST])]


@cache
def _blocks() -> list[bytes]:
    """Cut the stock into blocks that end at a space and are never longer than a block may be."""
    return re.findall(rb"(?s).{1,%d}\s" % (_BLOCK - 1), _stock())


@cache
def _counts_of_block(number: int) -> Counter[str]:
    return reference(_blocks()[number])
