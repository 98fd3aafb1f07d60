"""
Sorted runs: counts by word in ascending order of the words' bytes, as pairs of text lines.

    words and of the
    counts 3 5 8

UTF-8 sorts by bytes as its text does by code point, and no word holds a space, so the lines need no quoting.
Runs are read, merged and written a block (one such pair of lines) at a time, most of it in C.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import BinaryIO, Callable, Iterable, Iterator, List, Tuple

Block = Tuple[List[bytes], List[int]]

# A block ends where it has so many words, or so many bytes of them.
# A larger one costs memory for every run of a merge, a smaller one costs time.
BLOCK_WORDS = 1024
BLOCK_BYTES = 1 << 14

# What a merge holds for each of its runs besides its longest word, in bytes:
# the objects of one block, the reader's buffer, and the run's share of what was gathered.
MERGE_BYTES = 1 << 18


def evened(blocks: Iterable[Block]) -> Iterator[Block]:
    """Cut blocks anew, where the words alone say so, and not who counted or merged them."""
    words: list[bytes] = []
    counts: list[int] = []
    for more_words, more_counts in blocks:
        words += more_words
        counts += more_counts
        start = 0
        while end := _end_of_block(words, start):
            yield words[start:end], counts[start:end]
            start = end
        del words[:start], counts[:start]
    if words:
        yield words, counts


def _end_of_block(words: list[bytes], start: int) -> int:
    """Return where the block from `start` ends, or 0 if more words may belong to it."""
    end = start + BLOCK_WORDS
    sizes = list(accumulate(map(len, words[start:end])))
    if sizes and sizes[-1] >= BLOCK_BYTES:
        return start + bisect_left(sizes, BLOCK_BYTES) + 1
    return end if end <= len(words) else 0


def write(block: Block, write_bytes: Callable[[bytes], object]) -> None:
    """Write a block as its two lines."""
    words, counts = block
    write_bytes(b"words ")
    write_bytes(b" ".join(words))
    write_bytes(b"\ncounts ")
    write_bytes(b" ".join([b"%d" % count for count in counts]))
    write_bytes(b"\n")


def read(lines: BinaryIO) -> Iterator[Block]:
    """Read the blocks of a run, up to the first line that is none of its own."""
    while True:
        words = lines.readline().split()
        if not words or words[0] != b"words":
            return
        counts = lines.readline().split()
        if not counts or counts[0] != b"counts" or len(counts) != len(words):
            raise ValueError("a line of words has no line of as many counts after it")
        del words[0], counts[0]
        yield words, list(map(int, counts))


class _Head:
    """The block of a run that a merge is at, and where in it."""

    def __init__(self, blocks: Iterator[Block], words: list[bytes], counts: list[int]) -> None:
        self.blocks = blocks
        self.words = words
        self.counts = counts
        self.at = 0

    @classmethod
    def of(cls, blocks: Iterator[Block]) -> _Head | None:
        for words, counts in blocks:
            return cls(blocks, words, counts)
        return None

    def take(self, last: bytes, into: dict[bytes, int]) -> _Head | None:
        """Add what is not above `last`; return the head to go on with, if there is more."""
        cut = bisect_right(self.words, last, self.at)
        get = into.get
        for word, count in zip(self.words[self.at : cut], self.counts[self.at : cut]):
            into[word] = get(word, 0) + count
        self.at = cut
        return self if cut < len(self.words) else _Head.of(self.blocks)


def merge(runs: Iterable[Iterator[Block]]) -> Iterator[Block]:
    """Merge sorted runs to one, adding the counts of equal words."""
    heads = [head for head in map(_Head.of, runs) if head]
    while len(heads) > 1:
        last = min(head.words[-1] for head in heads)
        gathered: dict[bytes, int] = {}
        heads = [head for head in [head.take(last, gathered) for head in heads] if head]
        words = sorted(gathered)
        yield words, [gathered[word] for word in words]
    for head in heads:
        yield head.words[head.at :], head.counts[head.at :]
        yield from head.blocks


class Sums:
    """Adds up the blocks that go through it."""

    def __init__(self) -> None:
        self.words = 0
        self.distinct = 0
        self.longest = 0  # word, in bytes

    def through(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Pass blocks on."""
        for words, counts in blocks:
            self.words += sum(counts)
            self.distinct += len(words)
            self.longest = max(self.longest, max(map(len, words)))
            yield words, counts
