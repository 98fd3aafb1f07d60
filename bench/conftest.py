"""What benchmarks are given: the scale, contests and figures, accounts; and what is shown at the end."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import accounts, tables, texts
from .accounts import Warm
from .arena import Arena, Stopwatch
from .results import Figure, Results
from .scale import Scale, counts, how_many, size
from .surroundings import versions_of_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .accounts import Accounts, Hosted

HERE = Path(__file__).parent
PARTS = ("node", "submit", "scale", "local")  # each benchmark is marked as part of one
_MINUTES = 30
_RESULTS = pytest.StashKey[Results]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the benchmarks."""
    group = parser.getgroup("fastbatch's benchmarks")
    group.addoption("--quick", action="store_true", help="small sizes and few rounds: to see that it works")
    group.addoption("--nodes", type=counts, default=(), help="numbers of nodes to compare, such as 1,2,4 (-m scale)")
    group.addoption("--files", type=how_many, help="how many files a corpus has")
    group.addoption("--file-size", type=size, help="how large each of them is, such as 10KiB")
    group.addoption("--output", type=Path, help="a folder for results.json and a picture of each contest")


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no results. Raises UsageError, before anything is measured that could not be written."""
    if folder := config.getoption("output"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"--output {folder}: no folder, nor can it be made: {error.strerror}") from None
    asked = {name: config.getoption(name) for name in ("quick", "nodes", "files", "file_size")}
    config.stash[_RESULTS] = Results(Scale(**asked))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow a benchmark the time that a test is not allowed; show each with its part, a contest by its laps."""
    for item in items:
        if item.path.is_relative_to(HERE):
            timed = {"timer": Stopwatch()} if "contest" in getattr(item, "fixturenames", ()) else {}
            item.add_marker(pytest.mark.timeout(60 * _MINUTES))
            item.add_marker(pytest.mark.benchmark(group=_part(item), **timed))


def _part(item: pytest.Item) -> str:
    return next(part for part in PARTS if item.get_closest_marker(part))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show all that was found, and write it."""
    results = config.stash[_RESULTS]
    for contest in results.contests:
        terminalreporter.section(contest.title)
        terminalreporter.write_line(tables.of_contest(contest))
    for part in PARTS:
        if figures := [figure for figure in results.figures if figure.group == part]:
            terminalreporter.section(f"figures: {part}")
            terminalreporter.write_line(tables.of_figures(figures))
    if folder := config.getoption("output"):
        terminalreporter.write_line(f"\nWritten: {results.write(folder)}")
        for line in _drawn(results, folder):
            terminalreporter.write_line(line)


def _drawn(results: Results, folder: Path) -> Iterator[str]:
    """Draw, and tell what was drawn; or why not, where there are numbers that would be lost by an error."""
    try:
        from . import pictures
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        yield "No pictures are drawn, as matplotlib is not there: pip install 'fastbatch[plot]'"
        return
    yield from (f"Drawn: {path}" for path in pictures.draw(results.contests, folder))


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest) -> Results:
    """Give the results, to add to them."""
    return request.config.stash[_RESULTS]


@pytest.fixture(scope="session")
def scale(results: Results) -> Scale:
    """Give the scale that was asked for."""
    return results.scale


@pytest.fixture
def contest(benchmark: Any, scale: Scale, results: Results, request: pytest.FixtureRequest) -> Arena:
    """Give a way to hold a contest."""
    stopwatch = request.node.get_closest_marker("benchmark").kwargs["timer"]
    return Arena(benchmark, stopwatch, scale, results)


@pytest.fixture
def figure(benchmark: Any, results: Results) -> Callable[..., None]:
    """Give a way to note a figure."""

    def note(what: str, values: Sequence[float], unit: str = "", *, asked: str | None = None) -> None:
        found = Figure(what, values, unit, asked, benchmark.group)
        results.figures.append(found)
        benchmark.extra_info.setdefault("figures", []).append(found.json())

    return note


@pytest.fixture(scope="session", params=["zipf", "repetitive"])
def text(request: pytest.FixtureRequest, scale: Scale, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a text."""
    path: Path = tmp_path_factory.mktemp("text") / request.param
    path.write_bytes(getattr(texts, request.param)(scale.text))
    return path


@pytest.fixture(scope="session", autouse=True)
def _room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """
    Give back in the end the gigabytes that benchmarks take; what failed may be looked at.

    Not before: on ext4, making folders right after thousands were removed takes many times as long as else.
    """
    yield
    if not request.session.testsfailed:
        shutil.rmtree(tmp_path_factory.getbasetemp(), ignore_errors=True)


@pytest.fixture(scope="session")
def hosted(tmp_path_factory: pytest.TempPathFactory, results: Results) -> Hosted:
    """Give a way to have accounts on an instance of the local services, for a while."""

    @contextmanager
    def host() -> Iterator[Accounts]:
        with accounts.lasting_as_long_as_we(tmp_path_factory.mktemp("accounts")) as found:
            results.versions |= versions_of_storage()
            yield found

    return host


@pytest.fixture(scope="session")
def services(hosted: Hosted) -> Iterator[Accounts]:
    """Have accounts that many benchmarks share."""
    with hosted() as found:
        yield found


@pytest.fixture(scope="session")
def warm(services: Accounts) -> Iterator[Warm]:
    """Have a warm pool."""
    with services.pool() as name:
        yield Warm(services, name)
