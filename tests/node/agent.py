"""
Runs the node's code for tests, in whatever Python runs this file.

Standard library only, Python 3.8 and later: one request a line comes in, as JSON, and one answer a line goes out.
Bytes travel as Latin-1 text. See conftest.py for the other end.
"""

from __future__ import annotations

import contextlib
import json
import os
import string
import sys
import tempfile
from collections import Counter
from functools import partial
from typing import Any, Dict, Iterator, Sequence

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "node"))

from counting import runs, tar, texts, words
from counting import tally as tally_module
from counting.blocks import blocks, from_the_start
from counting.jobs import running
from counting.ranking import ranked
from counting.source import Pipe, Portion, Reader
from counting.spill import Spill
from counting.tally import Counts, Tally

Named = Dict[str, int]


def reference(text: str, *, ignore_case: bool) -> Named:
    """Count words the slow and plain way: what everything else must equal."""
    if ignore_case:
        text = text.lower()
    return Counter(w for w in (t.strip(string.punctuation) for t in text.split()) if w)


def reference_of_bytes(data: str, *, ignore_case: bool) -> Named:
    """Count words of a file's bytes the plain way."""
    raw = data.encode("latin-1")
    without_mark = raw[3:] if raw.startswith(b"\xef\xbb\xbf") else raw
    return reference(without_mark.decode("utf-8", "replace"), ignore_case=ignore_case)


def count(data: str, *, ignore_case: bool, block_size: int, limit: int, strip_from: int) -> Named:
    """Count the words of bytes in blocks of about a size, in about so much memory, stripping tokens from so many on."""
    with _cached_keys(strip_from), tempfile.TemporaryFile() as file, Spill() as spill:
        file.write(data.encode("latin-1"))
        file.flush()
        tally = Tally(limit, spill, ignore_case=ignore_case, strip=not strip_from)
        portion = Portion(file.fileno(), 0, len(data))
        for block in from_the_start(blocks(portion.read, size=block_size)):
            tally.add(block)
        return _named(tally)


def memory_in_use(in_blocks: Sequence[str], *, limit: int, strip_from: int) -> list[int]:
    """Count the words of blocks, as one text and as many to be added up; return what is in memory each time."""
    with _cached_keys(strip_from), Spill() as spill:
        tally = Tally(limit, spill, ignore_case=False)
        together = Counts(limit, spill)
        in_use = []
        for block in in_blocks:
            tally.add(block.encode("latin-1"))
            alone = Tally(1 << 26, spill, ignore_case=False)
            alone.add(block.encode("latin-1"))
            alone.clean()
            together.take(alone)
            in_use += [_memory(tally), _memory(together)]
        return in_use


def count_ranges(data: str, *, ignore_case: bool, cuts: Sequence[int]) -> Named:
    """Count the words of ranges that lie side by side, each on its own, and add them up."""
    with _File(data) as path:
        edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
        total: Counter[str] = Counter()
        for start, end in zip(edges, edges[1:]):
            pieces = [texts.within(path, start, end)]
            with running([pieces], partial(texts.count, ignore_case=ignore_case), memory=1 << 20, folder=None) as done:
                total.update(_named(done[0].counts))
        return total


def count_in_jobs(data: str, *, ignore_case: bool, jobs: int, memory: int) -> Named:
    """Count the words of a file that several processes share."""
    with _File(data) as path, Spill() as spill:
        shares = texts.share([texts.whole(path)], jobs)
        work = partial(texts.count, ignore_case=ignore_case)
        with running(shares, work, memory=memory, folder=None) as counted:
            together = Counts(memory, spill)
            if len(counted) == 1:
                return _named(counted[0].counts)
            for one in counted:
                together.take(one.counts)
            return _named(together)


def clean(token: str, *, ignore_case: bool, piece: int) -> list[str]:
    """Clean a raw token, with what counts as a long one set to `piece`."""
    before = words.PIECE
    words.PIECE = piece
    try:
        return [word.decode() for word in words.clean(token.encode("latin-1"), ignore_case=ignore_case)]
    finally:
        words.PIECE = before


def merge(parts: list[Named], *, budget: int) -> Named:
    """Write counts as sorted runs, and merge those."""
    with Spill() as spill:
        counts = Counts(budget, spill)
        for part in parts:
            counts.add_counted([word.encode() for word in part], part.values())
            counts.close_run()
        return _named(counts)


def rank(named: Named, *, top: int, limit: int) -> list[list[object]]:
    """Rank counts that come in sorted blocks of a few words."""
    keys = sorted((word.encode(), count) for word, count in named.items())
    in_blocks = [
        ([w for w, _ in keys[at : at + 3]], [n for _, n in keys[at : at + 3]]) for at in range(0, len(keys), 3)
    ]
    with Spill() as spill:
        return [[word.decode(), n] for word, n in ranked(in_blocks, top=top, limit=limit, spill=spill)]


def members(data: str, *, piped: bool) -> list[list[str]]:
    """Read a tar, names and contents, as a file or as what comes out of a pipe."""
    with tempfile.TemporaryFile() as file:
        file.write(data.encode("latin-1"))
        file.seek(0)
        source: Reader = Pipe(file.fileno()) if piped else Portion(file.fileno(), 0, len(data))
        found = []
        for member in tar.members(source):
            content = b"".join(iter(partial(member.read, 100), b""))
            found.append([member.name.decode("latin-1"), content.decode("latin-1")])
        return found


def wrongly_counted(start: int, end: int) -> list[int]:
    """Return those of a range of characters that are counted otherwise than the plain way counts them."""
    wrong = []
    for first in range(start, end, 256):
        characters = [chr(code) for code in range(first, min(first + 256, end)) if not 0xD800 <= code < 0xE000]
        text = "".join(f"{c} a{c}b {c}c d{c}\n" for c in characters)
        for ignore_case in (False, True):
            with Spill() as spill:
                tally = Tally(1 << 26, spill, ignore_case=ignore_case)
                tally.add(text.encode())
                if _named(tally) != reference(text, ignore_case=ignore_case):
                    wrong.append(first)
    return wrong


@contextlib.contextmanager
def _cached_keys(number: int) -> Iterator[None]:
    before = tally_module.CACHED_KEYS
    tally_module.CACHED_KEYS = number
    try:
        yield
    finally:
        tally_module.CACHED_KEYS = before


def _memory(counts: Counts) -> int:
    """Measure the keys of a table, their counts, and the table and its copies while it grows."""
    return sum(map(sys.getsizeof, counts.table)) + 32 * len(counts.table) + 3 * sys.getsizeof(counts.table)


def _named(counts: Counts) -> Named:
    found: Named = {}
    before = b""
    for keys, numbers in counts.blocks():
        assert keys == sorted(keys)
        assert not before or before < keys[0]
        before = keys[-1]
        found.update(zip((key.decode() for key in keys), numbers))
    return found


class _File:
    """A file of these bytes, for as long as the context lasts."""

    def __init__(self, data: str) -> None:
        self._data = data.encode("latin-1")

    def __enter__(self) -> str:
        fd, self._path = tempfile.mkstemp()
        os.write(fd, self._data)
        os.close(fd)
        return self._path

    def __exit__(self, *_: object) -> None:
        os.unlink(self._path)


def _answer(request: dict[str, Any]) -> dict[str, object]:
    try:
        function = globals()[request["function"]]
        return {"value": function(*request["positional"], **request["named"])}
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}


if __name__ == "__main__":
    runs.BLOCK_WORDS = 7  # so that small tests have runs of many blocks
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)
