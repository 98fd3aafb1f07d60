"""Memory stays within what was asked for, whatever the input, and the result is exact all the same."""

from __future__ import annotations

import random
import sys
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from . import plain
from .conftest import Wordcount, python_named
from .memory import MIB, has_smaps, watch
from .tars import tar

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not has_smaps(), reason="this system does not say how much memory a process takes")

# What is allowed beside --max-memory: this, and so many times the longest token.
ALLOWANCE = 64 * MIB
LONGEST_TOKENS = 8


@pytest.fixture(scope="session", params=["this Python", pytest.param("the oldest Python", marks=pytest.mark.slow)])
def python(request: pytest.FixtureRequest) -> str:
    """Give an interpreter that the node must run in; how much memory it takes is much the same in all."""
    return python_named(request.param)


def distinct_words(size: int) -> bytes:
    """Return about so many bytes of words, nearly all of which differ."""
    numbers = random.Random(7)
    return b" ".join(b"%x" % numbers.getrandbits(40) for _ in range(size // 11))


@pytest.mark.slow
@pytest.mark.parametrize(("memory", "jobs"), [(8, 1), (24, 2)])
def test_40_mb_of_distinct_words_in_8_mib(wordcount: Wordcount, tmp_path: Path, memory: int, jobs: int) -> None:
    """The counts go to disk and come back as a stream; each of two jobs has about as much."""
    text = tmp_path / "text"
    text.write_bytes(distinct_words(40_000_000))
    command = wordcount.command("--top", "0", "--max-memory", f"{memory}MiB", "--jobs", str(jobs), text)

    watched = watch(command)

    assert (watched.returncode, watched.stderr) == (0, b"")
    assert 4 * MIB < watched.peak < memory * MIB + ALLOWANCE
    expected = Counter(text.read_bytes().split())  # these words need no cleaning
    ranked = sorted(sorted(expected), key=expected.__getitem__, reverse=True)
    assert watched.stdout == b"".join(b"%d\t%s\n" % (expected[word], word) for word in ranked)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_1_gb_of_distinct_words_in_256_mib(tmp_path: Path) -> None:
    """The size of the default."""
    wordcount = Wordcount(sys.executable)
    text = tmp_path / "text"
    numbers = random.Random(7)
    with text.open("wb") as file:
        for _ in range(100):
            file.write(b" ".join(b"%x" % numbers.getrandbits(40) for _ in range(910_000)) + b"\n")

    watched = watch(wordcount.command("count", text, "--output", tmp_path / "result"), every_s=0.1)

    assert (watched.returncode, watched.stderr) == (0, b"")
    assert watched.peak < 256 * MIB + ALLOWANCE
    totals = wordcount("merge", "--json", "--top", "1", tmp_path / "result")
    numbers = random.Random(7)
    seen = sorted(numbers.getrandbits(40) for _ in range(91_000_000))
    distinct = sum(1 for a, b in pairwise(seen) if a != b) + 1
    assert f'"words": 91000000, "distinct": {distinct}'.encode() in totals.stdout


TOKENS = {
    "a token of 100 MB": b"x" * 100_000_000,
    "a token of 100 MB between words": b"one " + b"x" * 100_000_000 + b" two",
    "100 MB without a newline": b"lorem ipsum, " * 7_700_000,
    "100 MB of punctuation": b"." * 100_000_000,
    "a token of 20 MB beyond ASCII": "é".encode() * 10_000_000,
    "two tokens of 60 MB": b"x" * 60_000_000 + b" " + b"y" * 60_000_000,
}


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if "00 MB" in name or "60 MB" in name else ()) for name in TOKENS],
)
def test_long_tokens(wordcount: Wordcount, tmp_path: Path, name: str, jobs: int) -> None:
    """A token is held whole, and so is little else."""
    text = tmp_path / "text"
    text.write_bytes(TOKENS[name])
    longest = max(map(len, TOKENS[name].split()))

    watched = watch(wordcount.command("--jobs", str(jobs), "--max-memory", "24MiB", text))

    assert (watched.returncode, watched.stderr) == (0, b"")
    assert 4 * MIB < watched.peak < 24 * MIB + ALLOWANCE + LONGEST_TOKENS * longest
    ranked = [line.split(b"\t") for line in watched.stdout.splitlines()]
    expected = Counter(word for token in TOKENS[name].split() if (word := token.strip(b".,")))
    assert {word: int(count) for count, word in ranked} == expected


@pytest.mark.parametrize(
    "ignore_case",
    [pytest.param(False, id="case counts"), pytest.param(True, id="case ignored", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize(
    "token",
    [
        pytest.param("Σ".encode() * 10_000_000, id="sigmas"),
        pytest.param("😀aΣ'".encode() * 2_500_000, id="of all widths", marks=pytest.mark.slow),
        pytest.param(b"a\xff" * 5_000_000, id="invalid bytes", marks=pytest.mark.slow),
    ],
)
def test_long_tokens_that_have_to_be_cleaned(
    wordcount: Wordcount, tmp_path: Path, token: bytes, ignore_case: bool
) -> None:
    """Also when each byte of them costs several in between."""
    text = tmp_path / "text"
    text.write_bytes(token + b" word " + token)
    options = ["--ignore-case"] if ignore_case else []

    watched = watch(wordcount.command("--jobs", "1", "--max-memory", "8MiB", *options, text))

    expected = plain.top(plain.count(text.read_bytes(), ignore_case=ignore_case), 10)
    assert watched.stdout == "".join(f"{count}\t{word}\n" for word, count in expected).encode()
    longest = max(len(token), *(len(word.encode()) for word, _ in expected))
    assert watched.peak < 8 * MIB + ALLOWANCE + LONGEST_TOKENS * longest


@pytest.mark.parametrize("space", ["\x1c", "\u2003"])
def test_spaces_that_only_text_knows(wordcount: Wordcount, tmp_path: Path, space: str) -> None:
    """Are spaces, so what stands between them is no long token."""
    text = tmp_path / "text"
    text.write_bytes(f"ab{space}".encode() * 5_000_000)

    watched = watch(wordcount.command("--jobs", "1", "--max-memory", "8MiB", text))

    assert watched.stdout == b"5000000\tab\n"
    assert watched.peak < 8 * MIB + ALLOWANCE


def test_a_long_token_as_json(wordcount: Wordcount, tmp_path: Path) -> None:
    """Is not decoded whole to be printed."""
    token = ("😀ab" * 3_000_000).encode()
    (tmp_path / "text").write_bytes(token)

    watched = watch(
        wordcount.command("--jobs", "1", "--max-memory", "8MiB", "--json", tmp_path / "text"), every_s=0.002
    )

    assert watched.stdout.startswith(b'{"word": "' + token + b'", "count": 1}\n')
    assert watched.peak < 8 * MIB + ALLOWANCE + LONGEST_TOKENS * len(token)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_many_tokens_that_grow_when_they_are_cleaned(wordcount: Wordcount, tmp_path: Path) -> None:
    """As invalid bytes do, each to three."""
    (tmp_path / "text").write_bytes(b" ".join(b"%x" % n + b"\xff" * 100_000 for n in range(1500)))

    watched = watch(wordcount.command("--jobs", "1", tmp_path / "text"))

    assert watched.stdout.count(b"\n") == 10
    assert watched.peak < 256 * MIB + ALLOWANCE + LONGEST_TOKENS * 300_000


@pytest.mark.slow
def test_a_large_member_of_a_tar(wordcount: Wordcount, tmp_path: Path) -> None:
    """Its own counts go to disk too, and both its own and the bundle's totals are exact."""
    member = distinct_words(15_000_000)
    (tmp_path / "bundle").write_bytes(tar({b"small": b"one two", b"large": member, b"other": b"two"}))
    command = wordcount.command(
        "count", "--tar", tmp_path / "bundle", "--output", tmp_path / "result", "--max-memory", "8MiB", "--jobs", "1"
    )

    watched = watch(command)

    assert (watched.returncode, watched.stderr) == (0, b"")
    assert watched.peak < 8 * MIB + ALLOWANCE
    found = plain.count(member)
    totals = wordcount("merge", "--json", "--top", "1", tmp_path / "result")
    both = found + plain.count(b"one two two")
    assert f'"words": {both.total()}, "distinct": {len(both)}'.encode() in totals.stdout
