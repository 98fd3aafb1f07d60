"""How a benchmark is run: whole programs, side by side in one run, and the ratio of each pair of runs."""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import texts

if TYPE_CHECKING:
    from collections.abc import Callable

MB = 1_000_000
LAUNCH = Path(__file__).with_name("launch.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the benchmarks."""
    parser.addoption("--quick", action="store_true", help="small sizes and few rounds: to see that it works")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow a benchmark the time that a test is not allowed."""
    for item in items:
        if item.path.is_relative_to(LAUNCH.parent):
            item.add_marker(pytest.mark.timeout(900))


@dataclass(frozen=True)
class Scale:
    """How large a benchmark is."""

    quick: bool

    @property
    def text(self) -> int:
        """Return the size of a text, in bytes."""
        return 4 * MB if self.quick else 64 * MB  # about the largest bundle there is

    @property
    def rounds(self) -> int:
        """Return how often each program is run."""
        return 2 if self.quick else 7


@dataclass(frozen=True)
class Program:
    """A program and the text that it is given."""

    name: str
    command: list[str]


@dataclass(frozen=True)
class Run:
    """What a run of a program took, and what it said."""

    seconds: float
    peak: int
    output: bytes


def run(program: Program) -> Run:
    """Run a program to its end."""
    done = subprocess.run([sys.executable, "-S", LAUNCH, *program.command], capture_output=True, check=True)
    seconds, peak = done.stderr.split()[-2:]
    return Run(float(seconds), int(peak), done.stdout)


class Report:
    """What is shown at the end beside the times: lines under headings."""

    def __init__(self) -> None:
        self.sections: dict[str, list[str]] = {}

    def add(self, heading: str, line: str) -> None:
        """Show a line under a heading."""
        self.sections.setdefault(heading, []).append(line)


_REPORT = pytest.StashKey[Report]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin a report."""
    config.stash[_REPORT] = Report()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the report."""
    for heading, lines in config.stash[_REPORT].sections.items():
        terminalreporter.section(heading)
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """Give the report, to add to it."""
    return request.config.stash[_REPORT]


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> Scale:
    """Give the scale that was asked for."""
    return Scale(quick=request.config.getoption("--quick"))


@pytest.fixture(scope="session", params=["zipf", "repetitive"])
def text(request: pytest.FixtureRequest, scale: Scale, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a text."""
    path: Path = tmp_path_factory.mktemp("text") / request.param
    path.write_bytes(getattr(texts, request.param)(scale.text))
    return path


@pytest.fixture
def contest(benchmark: Any, scale: Scale, report: Report, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Give a way to run two programs in turn, and to keep how many times as fast the first one is."""

    def compete(ours: Program, rival: Program, *, same_output: bool = True) -> None:
        first, other = run(ours), run(rival)  # what is measured is warm, and right
        assert not same_output or first.output == other.output
        rivals: list[Run] = []
        own: list[Run] = []
        benchmark.group = f"{ours.name} against {rival.name}"
        benchmark.pedantic(lambda: own.append(run(ours)), setup=lambda: rivals.append(run(rival)), rounds=scale.rounds)
        ratios = [their.seconds / our.seconds for their, our in zip(rivals, own, strict=True)]
        benchmark.extra_info |= {"ratios": ratios, "peak": first.peak, "peak of the rival": other.peak}
        spread = f"{statistics.median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        memory = f"{first.peak / MB:4.0f} MB against {other.peak / MB:.0f} MB"
        line = f"{spread}  {memory:>22}  {request.node.name}: {ours.name} against {rival.name}"
        report.add("times as fast (median, least, most), and peak memory of one process", line)

    return compete
