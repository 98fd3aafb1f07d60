"""The node half: what counting costs, beside the plain ways of doing it."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fastbatch import nodecode

from .conftest import Program, Scale
from .texts import zipf

if TYPE_CHECKING:
    from collections.abc import Callable

PEERS = Path(__file__).with_name("peers")
WORDCOUNT = str(nodecode.folder() / "wordcount.py")

MEMBERS = 2000
MEMBER_SIZE = 10 << 10


def python(name: str, *arguments: str | Path) -> Program:
    """Name a run of this Python."""
    return Program(name, [sys.executable, *map(str, arguments)])


def bench_one_job_against_the_tutorial(contest: Callable[..., None], text: Path) -> None:
    """Read it all, strip each word, count."""
    ours = python("one job", WORDCOUNT, "--jobs", "1", text)

    contest(ours, python("the tutorial's way", PEERS / "tutorial.py", text))


@pytest.mark.parametrize("options", [[], ["--ignore-case"]], ids=["case counts", "case ignored"])
def bench_one_job_against_plain_python(contest: Callable[..., None], text: Path, options: list[str]) -> None:
    """Chunks of text, raw tokens counted."""
    ours = python("one job", WORDCOUNT, "--jobs", "1", text, *options)

    contest(ours, python("plain Python", PEERS / "chunks.py", text, *options))


def bench_two_jobs_against_one(contest: Callable[..., None], text: Path) -> None:
    """On two free cores."""
    one = python("one job", WORDCOUNT, "--jobs", "1", text)

    contest(python("two jobs", WORDCOUNT, "--jobs", "2", text), one)


def bench_a_bundle_of_small_members_against_a_text(contest: Callable[..., None], scale: Scale, tmp_path: Path) -> None:
    """By the byte: each member has its own top 3, and the whole its totals."""
    members = MEMBERS // 10 if scale.quick else MEMBERS
    whole = zipf(members * MEMBER_SIZE)
    (tmp_path / "text").write_bytes(whole)
    with tarfile.open(tmp_path / "bundle", "w") as archive:
        for number in range(members):
            member = tarfile.TarInfo(f"member{number}")
            content = whole[number * MEMBER_SIZE :][:MEMBER_SIZE]
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    common = ["--jobs", "1", "--top", "3", "--output"]
    bundle = python("a bundle", WORDCOUNT, "count", tmp_path / "bundle", "--tar", *common, tmp_path / "result")
    stream = python("a text", WORDCOUNT, "count", tmp_path / "text", *common, tmp_path / "result")

    contest(bundle, stream, same_output=False)


def bench_start_up_against_bare_python(contest: Callable[..., None], tmp_path: Path) -> None:
    """Start the zipapp with nothing to count."""
    (tmp_path / "node.pyz").write_bytes(nodecode.zipapp().content)
    (tmp_path / "empty").touch()

    contest(python("the zipapp", tmp_path / "node.pyz", tmp_path / "empty"), python("python -c pass", "-c", "pass"))


@pytest.mark.parametrize("memory", ["256MiB", "8MiB"])
def bench_distinct_words_against_plain_python(
    contest: Callable[..., None], scale: Scale, tmp_path: Path, memory: str
) -> None:
    """Spill to disk, as no word comes twice."""
    (tmp_path / "text").write_bytes(b" ".join(b"%x" % (n * 2654435761 % (1 << 40)) for n in range(scale.text // 11)))
    ours = python(f"one job in {memory}", WORDCOUNT, "--jobs", "1", "--max-memory", memory, tmp_path / "text")

    contest(ours, python("plain Python", PEERS / "chunks.py", tmp_path / "text"))
