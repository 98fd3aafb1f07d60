"""Counts in bounded memory: a table of words, and sorted runs on disk for what outgrew it."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import islice, repeat
from operator import add
from typing import TYPE_CHECKING, Collection, Iterator

from . import words
from .spill import Run, Spill, merged

if TYPE_CHECKING:
    from .runs import Block

# What a key costs beside its bytes: the object's head, rounding up, and the number it leads to.
_KEY_BYTES = 33 + 15 + 32

# Each byte of a token that is not valid UTF-8 takes three when it is cleaned.
_CLEANED = 3

# The table is charged for as if it were about to grow: the old one and one of twice the size stand side by side then.
_TABLE_COPIES = 3

# Up to about so many keys the table is at home in the processor's cache, and tokens are counted as they come,
# which costs least. In a larger one each look-up waits for memory, and fewer keys are worth stripping every token for.
CACHED_KEYS = 1 << 17


class Counts:
    """Counts by key, never in more memory than a limit."""

    def __init__(self, limit: int, spill: Spill) -> None:
        self.table: Counter[bytes] = Counter()
        self.runs: list[Run] = []
        self.limit = limit
        self.spill = spill
        self._known = 0  # keys of the table that are in _key_bytes
        self._key_bytes = 0
        self._new_key_bytes = 0  # what its other keys take at the most

    def add_counted(self, keys: Collection[bytes], counts: Collection[int]) -> None:
        """Add to the counts of keys."""
        # A loop in C, as all of this is lazy: each count is looked up just before the sum takes its place.
        before = map(self.table.get, keys, repeat(0))
        dict.update(self.table, zip(keys, map(add, before, counts)))
        self.make_room(sum(map(len, keys)), len(keys))

    def take(self, other: Counts) -> None:
        """Add all the counts of others whose keys are final, and which are not to be used after that."""
        self.runs += other.runs
        if self.table:
            self.add_counted(other.table.keys(), other.table.values())
        else:
            self.table = other.table
            self.make_room(sum(map(len, self.table)), len(self.table))

    def clean(self) -> None:
        """Make the keys of the table final."""
        self._known = self._key_bytes = 0
        self._new_key_bytes = self.limit  # they may take more than before: all of them are to be looked at

    def blocks(self) -> Iterator[Block]:
        """Yield all the counts by key in ascending order; they are still there afterwards."""
        self.clean()
        if self.runs:
            self.close_run()
            yield from merged(self.runs, self.spill, self.limit)
        elif self.table:
            yield self._sorted()

    def parts(self) -> Iterator[Block]:
        """Yield all the counts as blocks() does, but for the order within a block that was never on disk."""
        if self.runs:
            yield from self.blocks()
        else:
            self.clean()
            if self.table:
                yield list(self.table), list(self.table.values())

    def close_run(self) -> None:
        """Move what is in memory to disk, as a sorted run."""
        self.clean()
        if self.table:
            self.runs.append(self.spill.write([self._sorted()]))
            self.table = Counter()
            self._known = self._key_bytes = self._new_key_bytes = 0

    def make_room(self, size: int, keys: int) -> None:
        """Keep to the limit; to be called after each addition, of so many keys at the most and of so many bytes."""
        # Looking at each new key takes about as long as counting it: that can wait for as long as they fit in any case.
        self._new_key_bytes += _CLEANED * size + _KEY_BYTES * keys
        if self._memory() > self.limit:
            self._look_at_new_keys()
        if self._memory() > self.limit:
            self.clean()
            self._look_at_new_keys()
            if self._memory() > self.limit // 2:
                self.close_run()

    def _memory(self) -> int:
        """Return how much memory the counts take at the most, in bytes."""
        return self._key_bytes + self._new_key_bytes + _TABLE_COPIES * sys.getsizeof(self.table)

    def _look_at_new_keys(self) -> None:
        """Find out what the new keys take, of which only the most was known."""
        # A dict keeps its keys in order of arrival, so the new ones are at its end.
        new = len(self.table) - self._known
        keys = islice(reversed(self.table), new)
        self._key_bytes += sum(len(key) if key.isascii() else _CLEANED * len(key) for key in keys) + new * _KEY_BYTES
        self._known, self._new_key_bytes = len(self.table), 0

    def _sorted(self) -> Block:
        keys = sorted(self.table)
        return keys, list(map(self.table.__getitem__, keys))


class Tally(Counts):
    """
    Counts of the words of a text.

    The table holds words and raw tokens side by side: counting raw tokens is what is fast,
    and a word that is taken for a raw token comes out as itself. They are told apart when it matters.
    """

    def __init__(self, limit: int, spill: Spill, *, ignore_case: bool, strip: bool = False) -> None:
        super().__init__(limit, spill)
        self.ignore_case = ignore_case
        self._strip = strip

    def add(self, block: bytes) -> None:
        """Count the words of a block of whole tokens."""
        tokens = words.split(block, ignore_case=self.ignore_case)
        if self._strip:
            punctuation = words.PUNCTUATION_BYTES
            tokens = [token.strip(punctuation) for token in tokens]
        self.table.update(tokens)
        if not self._strip and len(self.table) > CACHED_KEYS:
            self.clean()
            self.table = Counter(self.table)  # a copy is without the gaps that cleaning leaves
            self._strip = True
        self.make_room(len(block), len(tokens))

    def clean(self) -> None:
        """Replace the raw tokens of the table by their words."""
        table, get = self.table, self.table.get
        raw = words.not_clean(table, stripped=self._strip)
        while raw:
            token = raw.pop()
            found = words.clean(token, ignore_case=self.ignore_case)
            if found != [token]:
                count = table.pop(token)
                for word in found:
                    table[word] = get(word, 0) + count
        table.pop(b"", None)
        super().clean()
