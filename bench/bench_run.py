"""A run from end to end: a folder in, merged counts out, on a warm pool."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fastbatch.stages.describe import BUNDLES

from . import corpora
from .contests import Entrant, Lap
from .programs import Program, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from .accounts import Warm
    from .arena import Arena
    from .scale import Scale

pytestmark = pytest.mark.submit

TUTORIAL = Path(__file__).with_name("peers") / "tutorial_flow.py"
FILES, SIZE = 2000, 10 << 10
ASKED = "15 times as fast"


@dataclass(frozen=True)
class Runs:
    """Runs of a folder, by us and as the tutorial does it."""

    warm: Warm
    folder: Path
    output: Path

    def ours(self) -> Lap:
        """Run it with a process of ours, all of which counts."""
        where = ["--output", str(self.output), "--pool", self.warm.pool]
        done = run(self._python("fastbatch", "-m", "fastbatch", "run", str(self.folder), *where, "--json"))
        summary = json.loads(done.output.splitlines()[-1])
        assert summary["event"] == "run.completed"
        assert summary["complete"]
        return Lap(done.seconds, _totals({**summary, "files": summary["inputs"]["done"], "top": _pairs(summary)}))

    def theirs(self) -> Lap:
        """Run it as the tutorial does; what counts is its own time, without its start and its merge."""
        done = run(self._python("the tutorial's way", str(TUTORIAL), str(self.folder), "--pool", self.warm.pool))
        told = json.loads(done.output)
        return Lap(told["seconds"], _totals(told))

    def forget(self) -> None:
        """Let nothing be uploaded."""
        self.warm.accounts.settle()
        self.warm.accounts.forget(BUNDLES)

    def remember(self) -> None:
        """Let all be uploaded."""
        self.ours()
        self.warm.accounts.settle()

    def _python(self, name: str, *arguments: str) -> Program:
        return Program(name, [sys.executable, *arguments], self.warm.accounts.environment)


def _totals(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("files", "bytes", "words", "distinct", "top")}


def _pairs(summary: dict[str, Any]) -> list[list[Any]]:
    return [[entry["word"], entry["count"]] for entry in summary["top"]]


def bench_run_against_the_tutorial(contest: Arena, warm: Warm, scale: Scale, tmp_path: Path) -> None:
    """Upload, tasks, results, clean-up; ours once with all uploaded before, and once with nothing."""
    files, size = scale.corpus(FILES, SIZE)
    expected = corpora.small(tmp_path / "in", files, size).summary()
    runs = Runs(warm, tmp_path / "in", tmp_path / "out")

    def checked(go: Callable[[], Lap]) -> Callable[[], Lap]:
        def going() -> Lap:
            timed = go()
            assert timed.outcome == expected
            return timed

        return going

    contest(
        f"End to end: {files} files of {size} bytes, on a warm pool",
        Entrant("the tutorial's way", checked(runs.theirs), warm.accounts.settle),
        Entrant("fastbatch, all uploaded", checked(runs.ours), runs.remember),
        Entrant("fastbatch, nothing uploaded", checked(runs.ours), runs.forget),
        rounds=scale.few,
        amount=(files, "files"),
        asked={"fastbatch, nothing uploaded": ASKED},
    )
