"""Whole programs, and what a run of one takes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .contests import Entrant, Lap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parent.parent
PEERS = Path(__file__).with_name("peers")
_LAUNCH = Path(__file__).with_name("launch.py")


class GaveUp(Exception):  # it may be a result
    """Raised when a program ends without having done what it was to do; says what it said last."""


@dataclass(frozen=True)
class Program:
    """A program and what it is given."""

    name: str
    command: list[str]
    environment: Mapping[str, str] | None = None  # ours, if it has none of its own


@dataclass(frozen=True)
class Run:
    """What a run of a program took, and what it said."""

    seconds: float
    cpu: float  # of all its processes
    peak: int  # bytes, of the largest of its processes
    output: bytes

    @property
    def lap(self) -> Lap:
        """Return it as a lap, all of which counts, and that came to what was said."""
        return Lap(self.seconds, self.output, self.cpu, self.peak)


def python(name: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> Program:
    """Name a run of this Python."""
    return Program(name, [sys.executable, *map(str, arguments)], environment)


def run(program: Program) -> Run:
    """Run a program to its end. Raises GaveUp."""
    command = [sys.executable, "-S", str(_LAUNCH), *program.command]
    done = subprocess.run(command, env=program.environment, capture_output=True, check=False)
    said, _, took = done.stderr.decode().strip().rpartition("\n")
    if done.returncode:
        raise GaveUp(said or done.stdout.decode().strip())
    seconds, cpu, peak = took.split()
    return Run(float(seconds), float(cpu), int(peak), done.stdout)


def entrant(program: Program, outcome: Callable[[Run], object] = lambda done: done.output) -> Entrant:
    """Let a program compete; it came to what it said, or to what is made of that."""
    return Entrant(program.name, partial(_lap, program, outcome))


def _lap(program: Program, outcome: Callable[[Run], object]) -> Lap:
    done = run(program)
    return Lap(done.seconds, outcome(done), done.cpu, done.peak)
