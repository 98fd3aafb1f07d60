"""Result files: the same bytes from the same input, sealed, and merged in any number."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch._node.counting.errors import ResultCorrupt, UsageError
from fastbatch._node.counting.results import InputCount, Result, Settings, merge
from fastbatch._node.counting.spill import Spill

from . import plain
from .tars import tar

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Agent, Wordcount

FILES = {
    b"a": b"one two two",
    b"sub/a": "three \xff é Three".encode("latin-1"),
    "ü\n".encode(): b"",
    b"\xff": b"\xef\xbb\xbftwo 'two' two \xef\xbb\xbftwo",
    b"n" * 300: b"one " * 5000,
}


def counts(result: Result) -> dict[str, int]:
    """Read all counts of a result."""
    return {word.decode(): n for words, numbers in result.blocks() for word, n in zip(words, numbers, strict=True)}


def test_a_bundle_s_result_holds_totals_and_each_member(wordcount: Wordcount, tmp_path: Path) -> None:
    """All counts together, and for each input its name, sizes and top N."""
    (tmp_path / "bundle").write_bytes(tar(FILES))

    done = wordcount("count", tmp_path / "bundle", "--tar", "--top", "2", "--output", tmp_path / "result")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    result = Result(str(tmp_path / "result"))
    each = {name: plain.count(content) for name, content in FILES.items()}
    together = sum(each.values(), start=Counter())
    assert result.settings == Settings(ignore_case=False, top=2)
    assert counts(result) == together
    assert list(result.inputs()) == [
        InputCount(os.fsdecode(name), len(FILES[name]), found.total(), plain.top(found, 2))
        for name, found in each.items()
    ]
    assert result.totals._replace(inputs_at=0) == (
        len(FILES), sum(map(len, FILES.values())), together.total(), len(together), len("\ufefftwo".encode()), 0,
    )  # fmt: skip


def test_a_result_does_not_depend_on_the_locale(wordcount: Wordcount, tmp_path: Path) -> None:
    """Neither for the names of members nor for its own."""
    (tmp_path / "bundle").write_bytes(tar(FILES))
    (tmp_path / "téxt").write_bytes(b"word")
    plainest = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    richest = {**os.environ, "PYTHONUTF8": "1"}

    for kind in (["bundle", "--tar"], ["téxt"]):
        for environment, output in ((plainest, "1"), (richest, "2")):
            done = wordcount("count", *kind, "--output", output, cwd=tmp_path, env=environment)
            assert (done.returncode, done.stderr) == (0, b"")
        assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_a_text_s_result_holds_one_input(wordcount: Wordcount, tmp_path: Path) -> None:
    """Named as the file is."""
    text = tmp_path / "téxt"
    text.write_bytes(b"b a a")

    assert wordcount("count", text, "--output", tmp_path / "result").returncode == 0

    result = Result(str(tmp_path / "result"))
    assert list(result.inputs()) == [InputCount("téxt", 5, 3, [("a", 2), ("b", 1)])]
    assert counts(result) == {"a": 2, "b": 1}


def test_only_the_first_slice_of_a_text_can_start_with_a_byte_order_mark(wordcount: Wordcount, tmp_path: Path) -> None:
    """Later ones are told where they start."""
    (tmp_path / "slice").write_bytes(b"\xef\xbb\xbfa")
    for offset, word in (("0", "a"), ("64", "\ufeffa")):
        wordcount("count", tmp_path / "slice", "--offset", offset, "--output", tmp_path / "result")
        assert counts(Result(str(tmp_path / "result"))) == {word: 1}


def test_the_same_input_gives_the_same_bytes(wordcount: Wordcount, tmp_path: Path) -> None:
    """Whatever interpreter, number of jobs or memory was used; so a task that runs twice does no harm."""
    lengths = {n: n * 37 % 400 for n in range(60)}
    files = {
        b"%d" % n: "".join(f"w{n * i % 5003} é{i}\xa0x. " for i in range(length)).encode()
        for n, length in lengths.items()
    }
    (tmp_path / "bundle").write_bytes(tar(files))
    (tmp_path / "text").write_bytes(b"".join(files.values()))
    digests: dict[str, set[str]] = {"bundle": set(), "text": set()}

    for kind in (["bundle", "--tar"], ["text"]):
        for options in (
            [],
            ["--jobs", "1"],
            ["--jobs", "2"],
            ["--jobs", "3", "--max-memory", "18MiB"],
            ["--max-memory", "1MiB"],
        ):
            done = wordcount("count", *kind, *options, "--output", "result", cwd=tmp_path)
            assert done.returncode == 0
            digests[kind[0]].add(hashlib.sha256((tmp_path / "result").read_bytes()).hexdigest())

    assert digests == {
        "bundle": {"6485acbc19e830d3a292e5bf5c4e1add1946641ff37642be68e9a05d5fcb2af2"},
        "text": {"4cd02281198efc675c2a0761a938f6d8f08b18b03c6db12faf9fbf1d05cf98ec"},
    }


def test_an_empty_tar_has_an_empty_result(wordcount: Wordcount, tmp_path: Path) -> None:
    """Which is a sound one."""
    (tmp_path / "bundle").write_bytes(tar({}))

    assert wordcount("count", tmp_path / "bundle", "--tar", "--output", tmp_path / "result").returncode == 0

    result = Result(str(tmp_path / "result"))
    assert (counts(result), list(result.inputs()), result.totals.inputs) == ({}, [], 0)


def test_the_digest_is_checked_before_anything_is_counted(wordcount: Wordcount, tmp_path: Path) -> None:
    """And the input is deleted afterwards if that is wanted."""
    bundle, result = tmp_path / "bundle", tmp_path / "result"
    bundle.write_bytes(tar(FILES))
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    options: list[str | Path] = ["count", bundle, "--tar", "--output", result, "--delete-input", "--sha256"]

    assert wordcount(*options, "0" * 64).returncode == 5
    assert (bundle.exists(), result.exists()) == (True, False)
    assert wordcount(*options, digest.upper()).returncode == 0
    assert (bundle.exists(), result.exists()) == (False, True)


def test_times_are_printed_when_they_are_asked_for(wordcount: Wordcount, tmp_path: Path) -> None:
    """When it began, and when the result was there; that is the same to the byte."""
    bundle = tmp_path / "bundle"
    bundle.write_bytes(tar(FILES))
    before = time.time()

    plain = wordcount("count", bundle, "--tar", "--output", tmp_path / "plain")
    timed = wordcount("count", bundle, "--tar", "--output", tmp_path / "timed", "--times", "--delete-input")

    assert (plain.stdout, plain.stderr, timed.stderr) == (b"", b"", b"")
    times = json.loads(timed.stdout)
    assert list(times) == ["began", "ended"]
    assert timed.stdout.count(b"\n") == 1
    assert before < times["began"] < times["ended"] < time.time()
    assert times["ended"] >= (tmp_path / "timed").stat().st_mtime - 0.1  # as coarse as a file system's clock
    assert (tmp_path / "timed").read_bytes() == (tmp_path / "plain").read_bytes()
    assert not bundle.exists()


def test_results_are_merged_in_any_number(wordcount: Wordcount, tmp_path: Path) -> None:
    """In less memory than they take together, and more of them than may be open at once."""
    together: Counter[str] = Counter()
    for n in range(300):
        text = f"w{n} w{n % 7} é{n % 2} x".encode() * (n % 5)
        (tmp_path / "text").write_bytes(text)
        together += plain.count(text)
        if n < 5:
            wordcount("count", tmp_path / "text", "--output", tmp_path / f"result{n}")
        else:
            (tmp_path / f"result{n}").write_bytes(_result(text))

    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (280, 280))

    results = list(tmp_path.glob("result*"))
    done = wordcount("merge", "--top", "0", "--max-memory", "1MiB", *results)
    again = wordcount("merge", "--top", "0", *results, preexec_fn=few_files)

    assert (done.stderr, again.stderr) == (b"", b"")
    assert done.stdout == again.stdout
    ranked = [tuple(line.split("\t")) for line in done.stdout.decode().splitlines()]
    assert ranked == [(str(count), word) for word, count in plain.top(together, None)]
    totals = json.loads(wordcount("merge", "--json", *tmp_path.glob("result*")).stdout.splitlines()[-1])
    assert (totals["inputs"], totals["words"]) == (300, together.total())


def test_results_of_different_settings_are_not_added_up(wordcount: Wordcount, tmp_path: Path) -> None:
    """The sum would mean nothing."""
    (tmp_path / "text").write_bytes(b"a A")
    wordcount("count", tmp_path / "text", "--output", tmp_path / "1")
    wordcount("count", tmp_path / "text", "--ignore-case", "--output", tmp_path / "2")

    with Spill() as spill, pytest.raises(UsageError, match="ignore case"):
        merge([Result(str(tmp_path / "1")), Result(str(tmp_path / "2"))], spill, memory=1 << 20)
    assert wordcount("merge", tmp_path / "1", tmp_path / "2").returncode == 2


@settings(max_examples=100)
@given(data=st.data())
def test_any_damage_to_a_result_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A byte changed, or an end that is missing."""
    folder = tmp_path_factory.mktemp("damage")
    sound = _result(b"one two two")
    at = data.draw(st.integers(0, len(sound) - 1))
    damaged = bytearray(sound)
    damaged[at] ^= data.draw(st.integers(1, 255))
    (folder / "damaged").write_bytes(damaged)
    (folder / "cut").write_bytes(sound[:at])

    for name in ("damaged", "cut"):
        with pytest.raises(ResultCorrupt):
            Result(str(folder / name))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"words a\ncounts 1\n",
        b"fastbatch-result 2\n",
        b"fastbatch-result 1\n",
        b"fastbatch-result 1\nsettings []\n",
        b'fastbatch-result 1\nsettings {"ignore_case":false,"top":10}\n',
        b'fastbatch-result 1\nsettings {"ignore_case":false,"top":10}\ntotals {"bytes":0}\n',
        b'fastbatch-result 1\nsettings {"other":1}\ntotals {}\n',
    ],
)
def test_what_is_sealed_and_no_result_is_refused(tmp_path: Path, content: bytes) -> None:
    """As one of a version to come would be."""
    (tmp_path / "result").write_bytes(content + b"sha256 " + hashlib.sha256(content).hexdigest().encode() + b"\n")

    with pytest.raises(ResultCorrupt):
        Result(str(tmp_path / "result"))


named = st.dictionaries(
    st.text(st.sampled_from("abé😀\x00~"), min_size=1, max_size=3), st.integers(1, 1 << 70), max_size=30
)


@given(parts=st.lists(named, max_size=6), budget=st.sampled_from([0, 1 << 19, 1 << 22]))
def test_runs_merge_to_the_sum_of_their_counts(agent: Agent, parts: list[dict[str, int]], budget: int) -> None:
    """However few of them may be read at once."""
    expected: Counter[str] = Counter()
    for part in parts:
        expected.update(part)

    assert agent.merge(parts, budget=budget) == expected


@given(
    counts=st.dictionaries(st.text(st.sampled_from("abé"), min_size=1, max_size=4), st.integers(1, 5)),
    top=st.integers(0, 12),
)
@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_ranking_is_by_count_and_then_by_code_point(agent: Agent, counts: dict[str, int], top: int, limit: int) -> None:
    """However little memory there is for it."""
    expected = [list(item) for item in plain.top(Counter(counts), top or None)]

    assert agent.rank(counts, top=top, limit=limit) == expected


def _result(text: bytes) -> bytes:
    """Write a result down by hand, from the description in node/README.md."""
    found = plain.count(text)
    lines = [b"fastbatch-result 1\n", b'settings {"ignore_case":false,"top":10}\n']
    if found:
        ordered = sorted(found)
        lines += [
            b"words " + " ".join(ordered).encode(),
            b"\ncounts " + " ".join(str(found[w]) for w in ordered).encode(),
            b"\n",
        ]
    inputs_at = sum(map(len, lines))
    entry = {"bytes": len(text), "name": "text", "top": plain.top(found, 10), "words": found.total()}
    lines.append(b"input " + json.dumps(entry, separators=(",", ":")).encode() + b"\n")
    totals = {
        "bytes": len(text),
        "distinct": len(found),
        "inputs": 1,
        "inputs_at": inputs_at,
        "longest": max((len(w.encode()) for w in found), default=0),
        "words": found.total(),
    }
    lines.append(b"totals " + json.dumps(totals, separators=(",", ":")).encode() + b"\n")
    body = b"".join(lines)
    return body + b"sha256 " + hashlib.sha256(body).hexdigest().encode() + b"\n"


def test_a_result_is_what_its_description_says(wordcount: Wordcount, tmp_path: Path) -> None:
    """To the byte."""
    (tmp_path / "text").write_bytes(b"one two 'two' \xc3\xbc")

    wordcount("count", tmp_path / "text", "--output", tmp_path / "result")

    assert (tmp_path / "result").read_bytes() == _result(b"one two 'two' \xc3\xbc")
