"""The program as it is run: texts in, the most frequent words out."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from . import plain

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Wordcount

NAMED = {
    "an empty file": b"",
    "no final newline": b"one two two",
    "only a newline": b"\n",
    "CRLF": b"one\r\ntwo\r\n\r\ntwo",
    "a byte order mark at byte 0": b"\xef\xbb\xbfone one",
    "two byte order marks at byte 0": b"\xef\xbb\xbf\xef\xbb\xbfone one",
    "a byte order mark elsewhere": b"one \xef\xbb\xbfone one\xef\xbb\xbf",
    "nothing but a byte order mark": b"\xef\xbb\xbf",
    "a cut-off byte order mark": b"\xef\xbb one",
    "invalid UTF-8": b"\xff\xfe caf\xe9 \xc3\x28 \xe2\x82 \xf0\x9f\x98 \xed\xa0\x80 \xc0\xaf",
    "spaces beyond ASCII": "a\u00a0b\u2003c\u3000d\u0085e\x1cf\x1dg\x1eh\x1fi\u1680j".encode(),
    "a space of no width, which is none": "a\u200bb a\u200bb".encode(),
    "NUL bytes": b"a\x00b \x00 a\x00b \x00\x00",
    "only punctuation": b"... --- !!! '\" ()",
    "punctuation around and inside": b"'don't' (e.g.) well-known, \"U.S.A.\" --x-- _y_",
    "ties, in order of code point": "b a é Z z \U0001f600 \uffff aa".encode(),
    "a final sigma and a dotted I": "ΟΔΟΣ ΟΔΟΣ' οδος Σ ΑΣ.Β İI ıi".encode(),
}


@pytest.mark.parametrize("ignore_case", [False, True], ids=["case counts", "case ignored"])
@pytest.mark.parametrize("data", NAMED.values(), ids=NAMED.keys())
def test_texts_with_a_catch(wordcount: Wordcount, data: bytes, ignore_case: bool) -> None:
    """Each of them by name."""
    options = ["--ignore-case"] if ignore_case else []

    counted = wordcount.top("--top", "0", *options, stdin=data)

    assert counted == plain.top(plain.count(data, ignore_case=ignore_case), None)


@pytest.mark.parametrize("character", ["é", "€", "😀", "\u3000"])
def test_a_character_across_the_edge_of_a_block(wordcount: Wordcount, tmp_path: Path, character: str) -> None:
    """Whichever of its bytes the edge is at."""
    text = tmp_path / "text"
    for shift in range(5):
        data = b"a" * ((1 << 14) - shift) + f"{character}b {character}".encode()
        text.write_bytes(data)
        assert wordcount.top("--top", "0", text) == plain.top(plain.count(data), None)


def test_ten_words_are_shown_unless_more_are_asked_for(wordcount: Wordcount) -> None:
    """Ten is the default, and 0 is for all."""
    data = b" ".join(b"w%d " % n * (n % 7 + 1) for n in range(50))
    ranked = plain.top(plain.count(data), None)

    assert wordcount.top(stdin=data) == ranked[:10]
    assert wordcount.top("--top", "3", stdin=data) == ranked[:3]
    assert wordcount.top("--top", "2000", stdin=data) == ranked
    assert wordcount.top("--top", "0", stdin=data) == ranked


def test_texts_do_not_run_into_one_another(wordcount: Wordcount, tmp_path: Path) -> None:
    """A word ends with its file, and each file may start with a byte order mark."""
    (tmp_path / "1").write_bytes(b"\xef\xbb\xbfone two")
    (tmp_path / "2").write_bytes(b"\xef\xbb\xbfone tw")

    assert wordcount.top(tmp_path / "1", tmp_path / "2") == [("one", 2), ("tw", 1), ("two", 1)]


def test_standard_input_is_one_of_the_texts_where_a_dash_stands(wordcount: Wordcount, tmp_path: Path) -> None:
    """In any place."""
    (tmp_path / "text").write_bytes(b"one")

    assert wordcount.top(tmp_path / "text", "-", stdin=b"one") == [("one", 2)]


def test_standard_input_that_was_read_in_part_is_counted_from_there(wordcount: Wordcount, tmp_path: Path) -> None:
    """As by any other program."""
    (tmp_path / "text").write_bytes(b"one two three")
    with (tmp_path / "text").open("rb") as file:
        os.lseek(file.fileno(), 4, os.SEEK_SET)
        done = subprocess.run(wordcount.command(), stdin=file, capture_output=True, check=True)

    assert done.stdout == b"1\tthree\n1\ttwo\n"


def test_a_file_that_says_it_is_empty_and_is_not(wordcount: Wordcount) -> None:
    """As those of /proc do."""
    if not os.path.exists("/proc/self/mounts"):
        pytest.skip("there is no /proc here")

    assert wordcount.top("--jobs", "2", "/proc/self/mounts")


@pytest.mark.parametrize(
    "name", ["-dash", "two words", "new\nline", "$(id)", "'quote", "ü", b"\xff".decode("utf-8", "surrogateescape")]
)
def test_any_file_name_is_only_a_name(wordcount: Wordcount, tmp_path: Path, name: str) -> None:
    """Whatever a shell would make of it."""
    (tmp_path / name).write_bytes(b"word")

    assert wordcount("--", name, cwd=tmp_path).stdout == b"1\tword\n"


def test_the_same_bytes_come_out_however_the_work_is_shared(wordcount: Wordcount, tmp_path: Path) -> None:
    """Jobs, memory and ranges change how it is done and not what comes out."""
    data = "".join(f"w{n % 701} W{n % 13}. é{n % 89}\u3000x u{n}\r\n" for n in range(30_000)).encode()
    text = tmp_path / "text"
    text.write_bytes(data)
    expected = plain.top(plain.count(data), None)

    for options in (
        ["--jobs", "1"],
        ["--jobs", "2"],
        ["--jobs", "7"],
        ["--jobs", "3", "--max-memory", "18MiB"],
        ["--jobs", "1", "--max-memory", "2MiB"],
        ["--range", f"0-{len(data)}", "--jobs", "4"],
    ):
        assert wordcount.top("--top", "0", *options, text) == expected


def test_tokens_with_and_without_punctuation_are_one_word_in_a_large_table(wordcount: Wordcount) -> None:
    """As in a small one, in which tokens are counted as they come."""
    data = b" ".join(b"w%d, w%d" % (n, n) for n in range(140_000))

    assert wordcount.top("--top", "3", stdin=data) == [("w0", 2), ("w1", 2), ("w10", 2)]


def test_a_named_pipe_is_read_once(wordcount: Wordcount, tmp_path: Path) -> None:
    """Whoever writes into it does so for as long as it is open, and no longer."""
    os.mkfifo(tmp_path / "pipe")
    for arguments in (["pipe"], ["pipe", "--jobs", "2"], ["count", "pipe", "--output", "result"]):
        with subprocess.Popen(["sh", "-c", "echo one two > pipe"], cwd=tmp_path) as writer:
            done = wordcount(*arguments, cwd=tmp_path)
        assert (writer.returncode, done.returncode, done.stderr) == (0, 0, b"")
        assert done.stdout == (b"" if "count" in arguments else b"1\tone\n1\ttwo\n")
    assert wordcount("merge", tmp_path / "result").stdout == b"1\tone\n1\ttwo\n"


def test_many_files_are_shared_among_jobs(wordcount: Wordcount, tmp_path: Path) -> None:
    """Small ones whole, and large ones in parts."""
    sizes = [0, 5, 90_000, 1, 300_000, 0, 70_000]
    contents = [(f"t{n} " * size)[:size].encode() for n, size in enumerate(sizes)]
    for n, content in enumerate(contents):
        (tmp_path / str(n)).write_bytes(content)
    expected = sum((plain.count(content) for content in contents), start=Counter())

    counted = wordcount.top("--top", "0", "--jobs", "3", *sorted(tmp_path.iterdir()))

    assert counted == plain.top(expected, None)


def test_ranges_add_up_to_the_whole(wordcount: Wordcount, tmp_path: Path) -> None:
    """A word belongs to the range that it starts in."""
    (tmp_path / "text").write_bytes(b"alpha beta gamma")
    ranges = {"0-1": "alpha", "1-6": "", "0-6": "alpha", "5-7": "beta", "6-16": "beta gamma", "16-16": "", "3-3": ""}

    for given, expected in ranges.items():
        words = sorted(word for word, _ in wordcount.top("--range", given, tmp_path / "text"))
        assert words == expected.split()


def test_json_lines_hold_each_word_and_last_the_totals(wordcount: Wordcount) -> None:
    """One object a line."""
    done = wordcount("--json", "--top", "1", stdin=b"b '\xc3\xbc \xc3\xbc")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines == [{"word": "ü", "count": 2}, {"inputs": 1, "bytes": 8, "words": 3, "distinct": 2}]


def test_a_reader_that_has_enough_ends_it_without_a_word(wordcount: Wordcount, tmp_path: Path) -> None:
    """As `head` does."""
    (tmp_path / "text").write_bytes(b" ".join(b"w%d" % n for n in range(200_000)))
    with subprocess.Popen(
        wordcount.command("--top", "0", tmp_path / "text"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + 13


def test_help_is_there_for_each_mode(wordcount: Wordcount) -> None:
    """And shows by example."""
    for mode in ([], ["count"], ["merge"]):
        done = wordcount(*mode, "--help")
        assert done.returncode == 0
        assert b"examples:\n  wordcount" in done.stdout
