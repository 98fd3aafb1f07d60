"""
Merging: what all results come to, and the files that show it.

Results are sorted by word, so they are added up as a stream. Measured against one table of all words, that is twice as
fast for 40 results of 60,000 words (0.7 s against 1.4 s, as the table waits for memory), and alike for 400 of 5,000
(1.0 s) and 5,000 of 500 (1.9 s). It also needs no sorting at its end, and its memory has a bound.
"""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from fastbatch._node.counting import errors as node_errors
from fastbatch._node.counting import results
from fastbatch._node.counting.results import Result
from fastbatch._node.counting.spill import Run, Spill, merged
from fastbatch.errors import OutputFailed, ResultUnsound
from fastbatch.model import Bundle, Kind, Totals
from fastbatch.outputs import COUNTS, Outputs, output_name

MEMORY = 96 << 20

# Results that are open at once: some systems allow a process no more than 256 files.
_AT_ONCE = 128

# What a word takes in memory beside its bytes, and what each count does that words are held by.
_WORD_BYTES = 64
_COUNT_BYTES = 384
_WRITTEN_AT_ONCE = 1024

# A key that sorts as a ranking does: what the count lacks of this, in as many digits, and the word.
_MOST = 10**20 - 1
_DIGITS = 20

_RULE = "-" * 30

Block = tuple[list[bytes], list[int]]


@dataclass(frozen=True, slots=True)
class SoundResult:
    """A sound result: of which bundle, where it is, and which task of which job gave it on which node."""

    bundle: Bundle
    path: str
    task: str
    node: str | None
    job: str


class Cancelled(Exception):
    """Raised when a merge is not wanted any more."""


def _never() -> bool:
    return False


def merge(  # noqa: PLR0913, what goes in, where it goes, and what it may take
    collected: Sequence[SoundResult],
    outputs: Outputs | None,
    *,
    top: int,
    folder: str,
    memory: int = MEMORY,
    cancelled: Callable[[], bool] = _never,
) -> Totals:
    """
    Add up results, one for each bundle of the inputs that are done, and write what is asked for.

    What memory can't hold goes to a nameless file in `folder`. Raises OutputFailed, ResultUnsound, and Cancelled.
    """
    with _speaking_of(folder), Spill(folder) as spill:
        # One half is for reading results, the other for ranking their words.
        room = _Room(spill, memory // 2, cancelled)
        totals = _everything(collected, outputs, top, room)
        if outputs and outputs.per_file:
            _write_uncut(collected, outputs, room)
            _write_cut(collected, outputs, top, room)
        return totals


@dataclass(frozen=True, slots=True)
class _Room:
    """What a merge may take, as long as it is wanted."""

    spill: Spill
    memory: int
    cancelled: Callable[[], bool]

    def check(self) -> None:
        """Stop if the merge is not wanted any more."""
        if self.cancelled():
            raise Cancelled

    def through(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Pass blocks on for as long as they are wanted."""
        for block in blocks:
            self.check()
            yield block


@contextlib.contextmanager
def _speaking_of(folder: str) -> Iterator[None]:
    """Raise the errors of the reader of results as ours."""
    try:
        yield
    except node_errors.OutputFailed as error:
        raise OutputFailed(f"{error} (in {folder!r})") from error
    except node_errors.CountingError as error:
        raise ResultUnsound(f"a result that was sound can't be read again: {error}") from error


def _added(collected: Sequence[SoundResult], room: _Room) -> tuple[int, Iterator[Block]]:
    """Return how many bytes were counted, and all counts by word in ascending order."""
    size, runs = 0, list[Run]()
    for start in range(0, len(collected), _AT_ONCE):
        found = [Result(one.path) for one in collected[start : start + _AT_ONCE]]
        size += sum(result.totals.bytes for result in found)
        blocks = room.through(results.merge(found, room.spill, memory=room.memory))
        if len(found) == len(collected):
            return size, blocks
        runs.append(room.spill.write(blocks))
    return size, room.through(merged(runs, room.spill, room.memory))


def _everything(collected: Sequence[SoundResult], outputs: Outputs | None, top: int, room: _Room) -> Totals:
    size, blocks = _added(collected, room)
    sums = _Sums(top)
    ranking = _Ranking(room)
    for words, counts in sums.through(blocks):
        if outputs:
            ranking.add(words, counts)
    if outputs:
        with outputs.writing(COUNTS) as file:
            file.writelines(ranking.lines())
    return Totals(size, sums.words, sums.distinct, sums.top)


class _Sums:
    """Adds up the blocks that go through it, and keeps the most frequent words; all are in ascending order."""

    def __init__(self, top: int) -> None:
        self.words = 0
        self.distinct = 0
        self._most = top
        self._best: list[tuple[bytes, int]] = []

    def through(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Pass blocks on."""
        for words, counts in blocks:
            self.words += sum(counts)
            self.distinct += len(words)
            self._rank(words, counts)
            yield words, counts

    def _rank(self, words: list[bytes], counts: list[int]) -> None:
        # Of words that tie, the earlier ones come first and stay first, as sorting keeps their order.
        floor = self._best[-1][1] if len(self._best) == self._most else 0
        if max(counts) > floor:
            chosen = [pair for pair in zip(words, counts, strict=True) if pair[1] > floor]
            self._best = sorted(self._best + chosen, key=itemgetter(1), reverse=True)[: self._most]

    @property
    def top(self) -> tuple[tuple[str, int], ...]:
        """Return the most frequent words so far."""
        return tuple((word.decode("utf-8", "replace"), count) for word, count in self._best)


class _Ranking:
    """Sorts words by count, most frequent first, in bounded memory; they come, and tie, in ascending order."""

    def __init__(self, room: _Room) -> None:
        self._room = room
        self._runs: list[Run] = []
        self._held: defaultdict[int, list[bytes]] = defaultdict(list)
        self._size = 0

    def add(self, words: list[bytes], counts: list[int]) -> None:
        """Take words, all of them above those before."""
        held = self._held
        for word, count in zip(words, counts, strict=True):
            held[count].append(word)
        self._size += sum(map(len, words)) + len(words) * _WORD_BYTES
        if self._size + len(held) * _COUNT_BYTES > self._room.memory:
            self._close_run()

    def lines(self) -> Iterator[bytes]:
        """Give the ranking as lines of a count, a tab and a word, many at a time."""
        if not self._runs:
            for words, counts in self._room.through(self._ranked()):
                start = b"%d\t" % counts[0]
                yield start + (b"\n" + start).join(words) + b"\n"
            return
        self._close_run()
        for keys, counts in self._room.through(merged(self._runs, self._room.spill, self._room.memory)):
            pairs = zip(keys, counts, strict=True)
            yield b"".join([b"%d\t%b\n" % (count, key[_DIGITS:]) for key, count in pairs])

    def _close_run(self) -> None:
        keyed = (
            ([b"%020d" % (_MOST - counts[0]) + word for word in words], counts) for words, counts in self._ranked()
        )
        self._runs.append(self._room.spill.write(keyed))
        self._held.clear()
        self._size = 0

    def _ranked(self) -> Iterator[Block]:
        """Give what is held; the words of a block have the same count."""
        for count in sorted(self._held, reverse=True):
            words = self._held[count]
            for start in range(0, len(words), _WRITTEN_AT_ONCE):
                some = words[start : start + _WRITTEN_AT_ONCE]
                yield some, [count] * len(some)


def _write_uncut(collected: Sequence[SoundResult], outputs: Outputs, room: _Room) -> None:
    """Write the output of each input that was counted at once."""
    for one in collected:
        if one.bundle.kind is not Kind.SLICE:
            for count in Result(one.path).inputs():
                room.check()
                name = count.name if one.bundle.kind is Kind.TAR else one.bundle.items[0].name
                _write_input(outputs, name, count.top, [one])


def _write_cut(collected: Sequence[SoundResult], outputs: Outputs, top: int, room: _Room) -> None:
    """Write the output of each input that was cut: no slice knows the most frequent words of all."""
    by_name: defaultdict[str, list[SoundResult]] = defaultdict(list)
    for one in collected:
        if one.bundle.kind is Kind.SLICE:
            by_name[one.bundle.items[0].name].append(one)
    for name, slices in by_name.items():
        slices.sort(key=lambda one: one.bundle.start)
        sums = _Sums(top)
        for _ in sums.through(_added(slices, room)[1]):
            pass
        _write_input(outputs, name, sums.top, slices)


def _write_input(outputs: Outputs, name: str, top: Iterable[tuple[str, int]], by: Sequence[SoundResult]) -> None:
    nodes = dict.fromkeys(one.node or "unknown" for one in by)
    lines = ["Word\tCount", _RULE]
    lines += [f"{word}:\t{count}" for word, count in top]
    lines += [_RULE, f"Node: {', '.join(nodes)}", f"Task: {', '.join(one.task for one in by)}"]
    lines += [f"Job: {', '.join(dict.fromkeys(one.job for one in by))}", f"Pool: {outputs.pool}"]
    with outputs.writing(output_name(name)) as file:
        file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
