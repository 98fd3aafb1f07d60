"""
Compare the speed of two commits, each with the benchmarks and the packages that it has itself.

    python -m bench.compare main~3 main -m node --quick

Their benchmarks are run in turn, in folders and virtual environments that are gone in the end.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .comparison import Comparison, Measured, measured
from .programs import ROOT
from .scale import how_many

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROUNDS = 3
_PATIENCE = 30.0  # seconds for benchmarks that are interrupted to clean up


class Unfit(Exception):  # told in a line, and that is all
    """Raised where a commit can't be measured."""


@dataclass(frozen=True)
class Side:
    """A commit, checked out into a folder."""

    commit: str
    folder: Path

    @property
    def python(self) -> str:
        """Return the Python that has its packages."""
        return str(self.folder / ".venv" / "bin" / "python")

    def install(self) -> None:
        """Give it its packages."""
        _run(sys.executable, "-m", "venv", ".venv", folder=self.folder)
        _run(self.python, "-m", "pip", "install", "-q", "-e", ".[dev]", folder=self.folder)

    def measure(self, options: Sequence[str]) -> dict[str, Measured]:
        """Run its benchmarks. Raises Unfit, if there is nothing that they measured."""
        result = self.folder / "measured.json"
        result.unlink(missing_ok=True)
        where = [f"--benchmark-json={result}", f"--basetemp={self.folder / 'tmp'}"]
        command = [self.python, "-m", "pytest", "bench", "-q", "-p", "no:cacheprovider", *where, *options]
        code, told = _ended(*command, folder=self.folder)
        if code:
            _say(f"{told}\nSome benchmarks of {self.commit} failed.")
        if not result.exists() or not result.stat().st_size:
            raise Unfit(f"The benchmarks of {self.commit} measured nothing; pytest's exit code is {code}.")
        return measured(json.loads(result.read_bytes()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and print a table."""
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell had it ignored
        signal.signal(number, signal.default_int_handler)
    asked = _parser().parse_args(arguments)
    options = [*(["--quick"] if asked.quick else []), *(["-m", asked.m] if asked.m else [])]
    try:
        with _sides(asked.commits) as (first, second):
            found = _compared(first, second, options, asked.rounds)
    except Unfit as why:
        sys.stderr.write(f"{why}\n")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    sys.stdout.write(f"first: {first.commit}, second: {second.commit}\n{found.shown()}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench.compare", description="Compare the speed of two commits.")
    parser.add_argument("commits", metavar="COMMIT", nargs=2)
    parser.add_argument("-m", metavar="PART", help="a part of the benchmarks: node, submit, scale or local")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it works")
    parser.add_argument("--rounds", type=how_many, default=ROUNDS, help=f"how often each is run ({ROUNDS})")
    return parser


def _compared(first: Side, second: Side, options: Sequence[str], rounds: int) -> Comparison:
    """Install both, and run them in turn."""
    for side in (first, second):
        _say(f"installing {side.commit}")
        side.install()
    found: list[list[dict[str, Measured]]] = [[], []]
    for number in range(1, rounds + 1):
        for side, of_side in zip((first, second), found, strict=True):
            _say(f"round {number} of {rounds}: {side.commit}")
            of_side.append(side.measure(options))
    return Comparison(*found)


@contextmanager
def _sides(commits: Sequence[str]) -> Iterator[tuple[Side, Side]]:
    """Have two commits in folders, for a while."""
    with tempfile.TemporaryDirectory(prefix="fastbatch-compare-", ignore_cleanup_errors=True) as folder:
        first, second = (Side(commit, Path(folder, name)) for commit, name in zip(commits, "ab", strict=True))
        try:
            for side in (first, second):
                _run("git", "worktree", "add", "-q", "--detach", str(side.folder), side.commit, folder=ROOT)
            yield first, second
        finally:
            for side in (first, second):
                if side.folder.exists():
                    _run("git", "worktree", "remove", "--force", str(side.folder), folder=ROOT)


def _run(*command: str, folder: Path) -> None:
    code, told = _ended(*command, folder=folder)
    if code:
        raise Unfit(f"{told}\nThis failed: {' '.join(command)}")


def _ended(*command: str, folder: Path) -> tuple[int, str]:
    """Run to the end, and give what was told. Interrupted, all of it is interrupted, and has time to clean up."""
    with (
        tempfile.TemporaryFile("w+", errors="replace") as log,
        subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            raise
        log.seek(0)
        return code, log.read().strip()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
