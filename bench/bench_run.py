"""A run from end to end: a folder in, merged counts out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from fastbatch.stages.describe import BUNDLES
from fastbatch.units import shown_size
from tests.local.instances import new_name

from . import corpora
from .accounts import NODES, SLOTS
from .contests import Entrant, Lap
from .programs import PEERS, Run, python, run

if TYPE_CHECKING:
    from pathlib import Path

    from .accounts import Accounts, Warm
    from .arena import Arena
    from .scale import Scale

pytestmark = pytest.mark.submit

TUTORIAL = "the tutorial's way"
FILES, FILES_QUICK, SIZE = 2000, 25, 10 << 10
ASKED = {"fastbatch": "15 times as fast"}


@dataclass(frozen=True)
class Runs:
    """Runs of a folder, by us and as the tutorial does it; each has to find what is in it."""

    accounts: Accounts
    folder: Path
    output: Path
    expected: dict[str, Any]

    def ours(self, *options: str) -> Lap:
        """Run it with a process of ours, all of which counts."""
        where = ["--output", str(self.output), "--json"]
        done = self._python("-m", "fastbatch", "run", str(self.folder), *where, *options)
        summary = json.loads(done.output.splitlines()[-1])
        assert summary["event"] == "run.completed"
        assert summary["complete"]
        top = [[entry["word"], entry["count"]] for entry in summary["top"]]
        return self._lap({**summary, "files": summary["inputs"]["done"], "top": top}, done.seconds, done.cpu, done.peak)

    def theirs(self, *options: str) -> Lap:
        """Run it as the tutorial does; what counts is its own time, without its start and its merge."""
        done = self._python(str(PEERS / "tutorial_flow.py"), str(self.folder), *options)
        told = json.loads(done.output)
        return self._lap(told, told["seconds"], told["cpu_seconds"], done.peak)

    def ours_cold(self, *options: str) -> Lap:
        """Run it on a pool that is made, and deleted."""
        pool = ["--pool", new_name("cold"), "--nodes", str(NODES), "--slots", str(SLOTS), "--delete-pool"]
        return self.ours(*pool, *options)

    def forget(self) -> None:
        """Let nothing be uploaded, and nothing of others go on."""
        self.accounts.settle()
        self.accounts.forget(BUNDLES)

    def remember(self, *options: str) -> None:
        """Let all be uploaded."""
        self.ours(*options)
        self.accounts.settle()

    def _lap(self, told: dict[str, Any], seconds: float, cpu: float, peak: int) -> Lap:
        totals = {name: told[name] for name in self.expected}
        assert totals == self.expected
        return Lap(seconds, totals, cpu, peak)

    def _python(self, *arguments: str) -> Run:
        return run(python("run", *arguments, environment=self.accounts.environment))


def runs_of(accounts: Accounts, scale: Scale, folder: Path) -> tuple[Runs, str]:
    """Give runs of files as many and as large as is asked for, and say which."""
    files = scale.files or (FILES_QUICK if scale.quick else FILES)
    size = scale.file_size or SIZE
    expected = corpora.even(folder / "in", files, size).summary()
    return Runs(accounts, folder / "in", folder / "out", expected), f"{files:,} files of {shown_size(size)}"


def bench_run_on_a_warm_pool(contest: Arena, warm: Warm, scale: Scale, tmp_path: Path) -> None:
    """Upload, tasks, results, clean-up; ours also with a task for each file, and with all uploaded before."""
    runs, files = runs_of(warm.accounts, scale, tmp_path)
    pool = ["--pool", warm.pool]
    contest(
        f"End to end on a warm pool: {files}",
        Entrant(TUTORIAL, partial(runs.theirs, *pool), warm.accounts.settle),
        Entrant("fastbatch, file by file", partial(runs.ours, *pool, "--files-per-task", "1"), runs.forget),
        Entrant("fastbatch, all uploaded", partial(runs.ours, *pool), partial(runs.remember, *pool)),
        Entrant("fastbatch", partial(runs.ours, *pool), runs.forget),
        rounds=scale.few,
        amount=(runs.expected["files"], "files"),
        asked=ASKED,
    )


def bench_run_on_a_cold_pool(contest: Arena, services: Accounts, scale: Scale, tmp_path: Path) -> None:
    """Make a pool for it and delete it, too; its nodes are processes here, and ready at once."""
    runs, files = runs_of(services, scale, tmp_path)
    cold = ["--nodes", str(NODES), "--slots", str(SLOTS)]
    contest(
        f"End to end with a pool of its own: {files}",
        Entrant(TUTORIAL, partial(runs.theirs, *cold), services.settle),
        Entrant("fastbatch, file by file", partial(runs.ours_cold, "--files-per-task", "1"), runs.forget),
        Entrant("fastbatch", runs.ours_cold, runs.forget),
        rounds=scale.few,
        amount=(runs.expected["files"], "files"),
    )
