"""More nodes: how long the same files take on more and on fewer of them, each with one slot, on this machine."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from fastbatch import Settings
from fastbatch.api import prepare
from fastbatch.events import nobody
from fastbatch.place import Place
from fastbatch.tuning.measuring import Intention, TuneManners, measure, work_of
from tests.counted import account_of
from tests.local.instances import new_name

from . import corpora
from .contests import Contest, Lap
from .scale import MB

if TYPE_CHECKING:
    from pathlib import Path

    from fastbatch import Account
    from fastbatch.model import Plan
    from fastbatch.tuning.measured import Measurements, Point

    from .accounts import Accounts
    from .results import Results
    from .scale import Scale

pytestmark = pytest.mark.scale

FILES, SIZE = 60, 7 * corpora.MIB  # of which each is worth one job of the node's program, and not two


@pytest.fixture
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what runs leave on this machine apart from the user's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.usefixtures("_own_state")
def bench_more_nodes(benchmark: Any, services: Accounts, scale: Scale, results: Results, tmp_path: Path) -> None:
    """Count words of files that take most of their time to count, a task each."""
    files, size = scale.corpus(FILES, SIZE)
    (tmp_path / "in").mkdir()
    for number in range(files):
        corpora.large(tmp_path / "in" / f"text-{number:04}.txt", size, seed=number)
    settings = Settings(pool=new_name("scale"), slots=1, files_per_task=1)
    plan = prepare([str(tmp_path / "in")], settings)
    measurements = benchmark.pedantic(_measured, args=(plan, settings, account_of(services.instance), scale))
    title = f"More nodes, one slot each: {files} files of {size / MB:.1f} MB"
    results.contests.append(_contest(title, measurements, plan.bytes))
    benchmark.extra_info["measurements"] = measurements.json()


def _measured(plan: Plan, settings: Settings, account: Account, scale: Scale) -> Measurements:
    intention = Intention(scale.node_counts, scale.few, work_of(plan))
    manners = TuneManners(nobody, lambda _so_far: None)
    place = Place.of(account, local=True)
    return anyio.run(partial(measure, plan, settings, account, intention, manners, place=place))


def _contest(title: str, measurements: Measurements, size: int) -> Contest:
    """Show it as a contest of node counts, in which a count has failed if one of its runs did."""
    points = {_name(point): point for point in measurements.points}
    failed = {name: point.failures[0] for name, point in points.items() if point.failures}
    laps = {name: [] if name in failed else [Lap(run.seconds) for run in point.runs] for name, point in points.items()}
    return Contest(title, "scale", laps, failed, (size / MB, "MB"))


def _name(point: Point) -> str:
    return f"{point.nodes} node{'s' if point.nodes > 1 else ''}"
