"""A run from end to end: a folder in, merged counts out, on a warm pool."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastbatch.stages.describe import BUNDLES

from . import corpora
from .conftest import Entrant, Program, Timed, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from .accounts import Warm
    from .conftest import Scale

TUTORIAL = Path(__file__).with_name("peers") / "tutorial_flow.py"
FILES, SIZE = 2000, 10 << 10
ASKED = 15.0
ROUNDS = 2  # the tutorial takes a minute


@dataclass(frozen=True)
class Runs:
    """Runs of a folder, by us and as the tutorial does it."""

    warm: Warm
    folder: Path
    output: Path

    def ours(self) -> Timed:
        """Run it with a process of ours, all of which counts."""
        where = ["--output", str(self.output), "--pool", self.warm.pool]
        done = run(self._python("fastbatch", "-m", "fastbatch", "run", str(self.folder), *where, "--json"))
        summary = json.loads(done.output.splitlines()[-1])
        assert summary["event"] == "run.completed"
        assert summary["complete"]
        return Timed(done.seconds, _totals({**summary, "files": summary["inputs"]["done"], "top": _pairs(summary)}))

    def theirs(self) -> Timed:
        """Run it as the tutorial does; what counts is its own time, without its start and its merge."""
        done = run(self._python("the tutorial's way", str(TUTORIAL), str(self.folder), "--pool", self.warm.pool))
        told = json.loads(done.output)
        return Timed(told["seconds"], _totals(told))

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


def bench_run_against_the_tutorial(tournament: Callable[..., None], warm: Warm, scale: Scale, tmp_path: Path) -> None:
    """Upload, tasks, results, clean-up; ours once with all uploaded before, and once with nothing."""
    files = FILES // 20 if scale.quick else FILES
    expected = corpora.small(tmp_path / "in", files, SIZE).summary()
    runs = Runs(warm, tmp_path / "in", tmp_path / "out")

    def checked(go: Callable[[], Timed]) -> Callable[[], Timed]:
        def going() -> Timed:
            timed = go()
            assert timed.outcome == expected
            return timed

        return going

    tournament(
        Entrant("the tutorial's way", checked(runs.theirs), warm.accounts.settle),
        Entrant("fastbatch, all uploaded", checked(runs.ours), runs.remember),
        Entrant("fastbatch, nothing uploaded", checked(runs.ours), runs.forget, asked=ASKED),
        rounds=1 if scale.quick else ROUNDS,
    )
