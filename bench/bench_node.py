"""The node half: what counting costs, beside the plain ways of doing it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from fastbatch import nodecode

from .programs import PEERS, entrant, python
from .scale import MB

if TYPE_CHECKING:
    from pathlib import Path

    from .arena import Arena

pytestmark = pytest.mark.node

WORDCOUNT = str(nodecode.folder() / "wordcount.py")
MEMBERS = 2000
MEMBER_SIZE = 10 << 10


def megabytes(path: Path) -> tuple[float, str]:
    """Tell how large a text is."""
    return path.stat().st_size / MB, "MB"


def jobs() -> list[int]:
    """Give how many jobs ours is run with: one, two, four, and so on, up to one a core, the most at last."""
    cores = len(os.sched_getaffinity(0))
    return sorted({min(2**power, cores) for power in range(cores.bit_length() + 1)})


def bench_count_a_text(contest: Arena, text: Path) -> None:
    """Read it all, strip each word, count; in chunks; ours with more and more jobs."""
    contest(
        f"Counting words: a text of {megabytes(text)[0]:.0f} MB, {text.name}",
        entrant(python("the tutorial's way", PEERS / "tutorial.py", text)),
        entrant(python("plain Python, in chunks", PEERS / "chunks.py", text)),
        *(entrant(python(f"ours, jobs: {many}", WORDCOUNT, "--jobs", str(many), text)) for many in jobs()),
        amount=megabytes(text),
    )
