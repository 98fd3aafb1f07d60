"""How a benchmark is run: whole programs, side by side in one run, and the ratio of each pair of runs."""

from __future__ import annotations

import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import accounts, texts
from .accounts import Warm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .accounts import Accounts

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
    environment: Mapping[str, str] | None = None  # ours, if it has none of its own


@dataclass(frozen=True)
class Run:
    """What a run of a program took, and what it said."""

    seconds: float
    peak: int
    output: bytes


def run(program: Program) -> Run:
    """Run a program to its end."""
    done = subprocess.run(
        [sys.executable, "-S", LAUNCH, *program.command], env=program.environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    seconds, peak = done.stderr.split()[-2:]
    return Run(float(seconds), int(peak), done.stdout)


@dataclass(frozen=True)
class Timed:
    """A run as it counts: the seconds of it that do, and what it came to."""

    seconds: float
    outcome: object


@dataclass(frozen=True)
class Entrant:
    """Who competes: a run, what is done before it and not timed, and how many times as fast it was asked to be."""

    name: str
    go: Callable[[], Timed]
    prepare: Callable[[], object] = lambda: None
    asked: float | None = None


class Report:
    """What is shown at the end beside the times: lines under headings."""

    def __init__(self) -> None:
        self.sections: dict[str, list[str]] = {}

    def add(self, heading: str, line: str) -> None:
        """Show a line under a heading."""
        self.sections.setdefault(heading, []).append(line)

    def measured(self, what: str, values: Sequence[float], *, asked: str | None = None) -> None:
        """Show the median, the least and the most of what was measured, beside what was asked for, if anything was."""
        found = f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"
        self.add("asked and measured", f"asked: {asked or '-':>11}, measured: {found:28} {what}")


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


@pytest.fixture
def tournament(benchmark: Any, report: Report, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Give a way to let a rival and some of ours run in turn; in each round all come to the same."""

    def compete(rival: Entrant, *ours: Entrant, rounds: int) -> None:
        runs: dict[str, list[Timed]] = {entrant.name: [] for entrant in (rival, *ours)}
        last = ours[-1]

        def run_those_before() -> None:
            for entrant in (rival, *ours[:-1]):
                entrant.prepare()
                runs[entrant.name].append(entrant.go())
            last.prepare()

        benchmark.group = f"{last.name} against {rival.name}"
        benchmark.pedantic(lambda: runs[last.name].append(last.go()), setup=run_those_before, rounds=rounds)
        for entrant in ours:
            pairs = list(zip(runs[rival.name], runs[entrant.name], strict=True))
            assert [theirs.outcome for theirs, _ in pairs] == [own.outcome for _, own in pairs]
            ratios = [theirs.seconds / own.seconds for theirs, own in pairs]
            benchmark.extra_info |= {f"ratios, {entrant.name}": ratios}
            seconds = " against ".join(
                f"{statistics.median(one.seconds for one in side):.2f} s"
                for side in zip(*[(own, theirs) for theirs, own in pairs], strict=True)
            )
            asked = None if entrant.asked is None else f"{entrant.asked:g} times"
            report.measured(
                f"{request.node.name}: {entrant.name} against {rival.name} ({seconds})", ratios, asked=asked
            )

    return compete


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """Have accounts on an instance of the local services."""
    with accounts.lasting_as_long_as_we(tmp_path_factory.mktemp("accounts")) as found:
        yield found


@pytest.fixture(scope="session")
def warm(services: Accounts) -> Iterator[Warm]:
    """Have a warm pool."""
    with services.pool() as name:
        yield Warm(services, name)
