"""The most frequent words: by count, then by code point."""

from __future__ import annotations

from heapq import nlargest
from typing import TYPE_CHECKING, Iterable, Iterator

from .runs import Block, Sums
from .tally import Counts

if TYPE_CHECKING:
    from .spill import Spill

# With a longer list wanted, looking for the least count that can still be on it costs more than sorting everything.
_LONGEST_FILTERED = 1000

# A rank is a key that sorts as the list does: what is missing to this number, in as many digits, and the word.
_MOST = 10**20 - 1
_DIGITS = 20


def ranked(blocks: Iterable[Block], *, top: int, limit: int, spill: Spill) -> Iterator[tuple[bytes, int]]:
    """
    Yield the `top` most frequent words with their counts, or all for 0.

    The words of a block must be above those of the blocks before it. Memory keeps to a limit, whatever `top` is.
    """
    ranks = Counts(limit, spill)
    best: list[int] = []
    for words, counts in blocks:
        if 0 < top <= _LONGEST_FILTERED:
            # Words that tie come in ascending order, so a later one with the least count of a full list is off it.
            floor = best[-1] if len(best) == top else 0
            if max(counts) <= floor:
                continue
            best = nlargest(top, best + [count for count in counts if count > floor])
            floor = max(floor + 1, best[-1] if len(best) == top else 0)
        else:
            floor = 0
        chosen = [(word, count) for word, count in zip(words, counts) if count >= floor]
        ranks.add_counted([b"%020d" % (_MOST - count) + word for word, count in chosen], [count for _, count in chosen])
    left = top or -1
    for keys, counts in ranks.blocks():
        for key, count in zip(keys, counts):
            if not left:
                return
            yield key[_DIGITS:], count
            left -= 1


def leaders(blocks: Iterable[Block], *, top: int, limit: int, spill: Spill) -> tuple[int, list[tuple[str, int]]]:
    """Return how many words were counted, and the `top` most frequent of them as text."""
    sums = Sums()
    ranking = ranked(sums.through(blocks), top=top, limit=limit, spill=spill)
    best = [(word.decode(), count) for word, count in ranking]
    return sums.words, best
