"""The client on this machine: what it takes to start, of memory, and to be installed."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import corpora
from .programs import ROOT, Program, entrant, python, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from .accounts import Accounts, Warm
    from .arena import Arena
    from .scale import Scale

pytestmark = pytest.mark.submit

FASTBATCH = str(Path(sysconfig.get_path("scripts")) / "fastbatch")
MANY, TINY = 100_000, 100
FILES, SIZE = 2000, 10 << 10
HELP_ASKED, FIRST_ASKED, MEMORY_ASKED = "at most 0.2 s", "under 1.5 s", "under 300 MB"


def bench_help(contest: Arena) -> None:
    """Say what there is; beside it, what of that is Python and click, and what the SDKs alone would take."""
    contest(
        "Start: say what there is",
        entrant(python("importing the SDKs", "-c", "import azure.batch, azure.storage.blob")),
        entrant(python("importing click", "-c", "import click")),
        entrant(Program("fastbatch --help", [FASTBATCH, "--help"])),
        asked={"fastbatch --help": HELP_ASKED},
        same=False,
    )


def bench_size_of_the_wheel(benchmark: Any, figure: Callable[..., None], tmp_path: Path) -> None:
    """Build it."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    benchmark.pedantic(subprocess.run, args=(build,), kwargs={"cwd": ROOT, "check": True, "capture_output": True})
    figure("the wheel", [path.stat().st_size for path in tmp_path.glob("*.whl")], "bytes")


def bench_start_to_first_task(
    benchmark: Any, warm: Warm, scale: Scale, figure: Callable[..., None], tmp_path: Path
) -> None:
    """From the start of the process until the service has tasks, on a warm pool, with all uploaded."""
    corpora.even(tmp_path / "in", *scale.corpus(FILES, SIZE))
    command = [FASTBATCH, "run", str(tmp_path / "in"), "--pool", warm.pool, "--json"]
    seconds: list[float] = []
    _first_task(warm.accounts, command)
    benchmark.pedantic(
        lambda: seconds.append(_first_task(warm.accounts, command)), setup=warm.accounts.settle, rounds=scale.rounds
    )
    figure("process start to first task added", seconds, "s", asked=FIRST_ASKED)


def _first_task(services: Accounts, command: list[str]) -> float:
    """Run to the end, and tell how long it took until there were tasks."""
    begin = time.time()
    done = subprocess.run(command, env=services.environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "run.completed"
    assert events[-1]["complete"]
    first = next(event for event in events if event["event"] == "tasks.submitted")
    return datetime.fromisoformat(first["time"]).timestamp() - begin


def bench_memory_for_many_files(
    benchmark: Any, warm: Warm, scale: Scale, figure: Callable[..., None], tmp_path: Path
) -> None:
    """Run as many small files as there may be."""
    files, size = scale.corpus(MANY, TINY)
    expected = corpora.even(tmp_path / "in", files, size)
    arguments = ["run", str(tmp_path / "in"), "--pool", warm.pool, "--bundle-size", "16MiB", "--json"]
    program = Program("many files", [FASTBATCH, *arguments], warm.accounts.environment)
    done = benchmark.pedantic(run, args=(program,), rounds=1)
    summary = json.loads(done.output.splitlines()[-1])
    assert summary["complete"]
    assert (summary["inputs"]["done"], summary["words"]) == (files, expected.counts.total())
    figure(f"peak memory of the client for {files:,} files", [done.peak], "bytes", asked=MEMORY_ASKED)
