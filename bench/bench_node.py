"""The node half: what counting costs, beside the plain ways of doing it."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections import Counter
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from fastbatch import nodecode
from fastbatch._node.counting.results import Result

from .contests import Entrant, Lap
from .programs import PEERS, Run, entrant, python, run
from .scale import MB
from .texts import zipf

if TYPE_CHECKING:
    from pathlib import Path

    from .arena import Arena
    from .scale import Scale

pytestmark = pytest.mark.node

WORDCOUNT = str(nodecode.folder() / "wordcount.py")
MEMBERS, MEMBER_SIZE, TOP = 2000, 10 << 10, "3"
RANGES = 4
PRIME, MANY = 2654435761, 1 << 40  # to have numbers of which no two are the same


def bench_count_a_text(contest: Arena, text: Path) -> None:
    """Read it all, strip each word, count; in chunks; ours with more and more jobs."""
    contest(
        f"Count words: {_megabytes(text):.0f} MB, {text.name}",
        entrant(python("the tutorial's way", PEERS / "tutorial.py", text)),
        entrant(python("plain Python, in chunks", PEERS / "chunks.py", text)),
        *(_ours(_with(jobs), text, "--jobs", str(jobs)) for jobs in _jobs()),
        amount=(_megabytes(text), "MB"),
    )


def bench_count_without_case(contest: Arena, text: Path) -> None:
    """All in lower case."""
    contest(
        f"Count words whatever their case: {_megabytes(text):.0f} MB, {text.name}",
        entrant(python("plain Python, in chunks", PEERS / "chunks.py", text, "--ignore-case")),
        _ours("ours, 1 job", text, "--jobs", "1", "--ignore-case"),
        amount=(_megabytes(text), "MB"),
    )


def bench_count_in_ranges(contest: Arena, text: Path) -> None:
    """Cut it, as large files are, and count each part by itself; all the words come out."""
    size = text.stat().st_size
    cuts = [size * part // RANGES for part in range(RANGES + 1)]
    contest(
        f"Count words in {RANGES} ranges: {_megabytes(text):.0f} MB, {text.name}",
        Entrant("ours, as a whole", partial(_count_ranges, text, [(0, size)])),
        Entrant(f"ours, in {RANGES} ranges", partial(_count_ranges, text, list(pairwise(cuts)))),
        amount=(_megabytes(text), "MB"),
    )


def bench_count_a_bundle(contest: Arena, scale: Scale, tmp_path: Path) -> None:
    """Many small texts in one tar: each has its own top 3, and all together have their totals."""
    members, size = scale.corpus(MEMBERS, MEMBER_SIZE)
    bundle, result = tmp_path / "bundle", tmp_path / "result"
    _pack(bundle, members, size)
    common = [WORDCOUNT, "count", str(bundle), "--tar", "--top", TOP, "--output", str(result)]
    contest(
        f"Count words of a bundle: {members} texts of {size} bytes",
        entrant(python("plain Python", PEERS / "members.py", bundle, TOP, tmp_path / "counts"), _told_by_the_peer),
        *(entrant(python(_with(jobs), *common, "--jobs", str(jobs)), partial(_told_by_us, result)) for jobs in _jobs()),
        amount=(members * size / MB, "MB"),
    )


def bench_count_distinct_words(contest: Arena, scale: Scale, tmp_path: Path) -> None:
    """No word comes twice: within little memory, counts are spilled to disk."""
    text = tmp_path / "text"
    text.write_bytes(b" ".join(b"%x" % (number * PRIME % MANY) for number in range(scale.text // 11)))
    contest(
        f"Count distinct words: {_megabytes(text):.0f} MB",
        entrant(python("plain Python, in chunks", PEERS / "chunks.py", text)),
        *(
            _ours(f"ours, in {memory}", text, "--jobs", "1", "--max-memory", memory)
            for memory in ("256MiB", "64MiB", "8MiB")
        ),
        amount=(_megabytes(text), "MB"),
    )


def bench_start_a_program(contest: Arena, tmp_path: Path) -> None:
    """Each task starts the zipapp once; there is nothing to count here."""
    (tmp_path / "node.pyz").write_bytes(nodecode.zipapp().content)
    (tmp_path / "empty").touch()
    contest(
        "Start, with nothing to count",
        entrant(python("python3 -c pass", "-c", "pass")),
        entrant(python("the tutorial's way", PEERS / "tutorial.py", tmp_path / "empty")),
        entrant(python("ours, the zipapp", tmp_path / "node.pyz", tmp_path / "empty")),
        same=False,  # nothing, which not all say
    )


def _megabytes(path: Path) -> float:
    return path.stat().st_size / MB


def _jobs() -> list[int]:
    """Give how many jobs ours is run with: one, two, four, and so on, and last one for each core."""
    cores = len(os.sched_getaffinity(0))
    return sorted({min(2**power, cores) for power in range(cores.bit_length() + 1)})


def _with(jobs: int) -> str:
    return f"ours, {jobs} job{'s' if jobs > 1 else ''}"


def _ours(name: str, text: Path, *options: str) -> Entrant:
    """Let ours count a text; its totals are to be the peers' too, not only the top words."""
    return entrant(python(name, WORDCOUNT, "--json", text, *options), _as_peers_tell)


def _as_peers_tell(done: Run) -> bytes:
    *top, totals = (json.loads(line) for line in done.output.splitlines())
    lines = [f"{one['count']}\t{one['word']}\n" for one in top]
    return "".join([*lines, f"{totals['words']} words, {totals['distinct']} distinct\n"]).encode()


def _count_ranges(text: Path, ranges: list[tuple[int, int]]) -> Lap:
    """Count one range after the other, and give what all took and hold together."""
    common = [WORDCOUNT, "--jobs", "1", "--top", "0", str(text), "--range"]
    done = [run(python("a range", *common, f"{start}-{end}")) for start, end in ranges]
    counts: Counter[bytes] = Counter()
    for one in done:
        for line in one.output.splitlines():
            count, _, word = line.partition(b"\t")
            counts[word] += int(count)
    seconds, cpu = sum(one.seconds for one in done), sum(one.cpu for one in done)
    return Lap(seconds, counts, cpu, max(one.peak for one in done))


def _pack(bundle: Path, members: int, size: int) -> None:
    whole = zipf(members * size)
    with tarfile.open(bundle, "w") as archive:
        for number in range(members):
            content = whole[number * size :][:size]
            member = tarfile.TarInfo(f"member{number}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _told_by_the_peer(done: Run) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(done.output)
    return {**told, "members": {name: [tuple(one) for one in top] for name, top in told["members"].items()}}


def _told_by_us(path: Path, _done: Run) -> dict[str, Any]:
    result = Result(str(path))
    members = {one.name: one.top for one in result.inputs()}
    return {"words": result.totals.words, "distinct": result.totals.distinct, "members": members}
