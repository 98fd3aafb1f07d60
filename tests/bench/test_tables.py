"""What was found is shown on a terminal, and drawn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import pictures, tables
from bench.contests import Contest, Lap
from bench.results import Figure, Results
from bench.scale import Scale

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=60)
SECONDS = st.floats(1e-4, 1e5)


@pytest.fixture
def contest() -> Contest:
    """Give a contest of three, of which one could not do it."""
    them = [Lap(4.0, None, 2.0, 64 << 20, {"requests": 200}), Lap(6.0, None, 2.0, 64 << 20, {"requests": 200})]
    ours = [Lap(1.0, None, 0.05, 32 << 20, {"requests": 10}), Lap(1.5, None, 0.05, 32 << 20, {"requests": 10})]
    laps = {"the SDK": them, "azcopy": [], "ours": ours}
    failed = {"azcopy": "it is not on PATH"}
    return Contest("Upload: 100 files", "submit", laps, failed, (100, "files"), {"ours": "8 times as fast"})


def test_a_contest_is_a_table(contest: Contest) -> None:
    """Who took how long and used what, and who could not."""
    assert tables.of_contest(contest).splitlines() == [
        "ENTRANT  MEDIAN (LEAST TO MOST)  TIMES AS FAST  FILES/S  CPU   PEAK",
        "the SDK  5s (4s to 6s)                          20       2s    64MiB",
        "ours     1.25s (1s to 1.5s)      4              80       50ms  32MiB",
        "",
        "USED     requests",
        "the SDK  200",
        "ours     10 (5 %)",
        "",
        "azcopy: could not; it is not on PATH",
        "ours: asked for 8 times as fast",
    ]


def test_names_of_entrants_are_whole_beside_numbers_of_some_rounds() -> None:
    """As they are what the others are read by."""
    name = "create_tasks, 8 threads"
    them = [Lap(one, None, 0.0395, 64.7 * (1 << 20)) for one in (0.0581, 0.0551, 0.0602)]
    ours = [Lap(one, None, 0.0159, 67.6 * (1 << 20)) for one in (0.0253, 0.0223, 0.0313)]
    contest = Contest("Submit", "submit", {name: them, "fastbatch, all uploaded": ours}, {}, (10_000, "tasks"))

    found = tables.of_contest(contest)

    assert f"{name}  " in found
    assert "fastbatch, all uploaded  " in found


@given(st.dictionaries(NAMES, st.lists(SECONDS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_no_line_of_a_table_is_too_long(found: dict[str, list[float]]) -> None:
    """Names give way to numbers."""
    laps = {name: [Lap(one, None, one, 1e9) for one in seconds] for name, seconds in found.items()}
    contest = Contest("any", "node", laps, {}, (1e6, "tasks"))

    assert all(len(line) <= tables.WIDTH for line in tables.of_contest(contest).splitlines())


def test_figures_are_shown_in_their_units() -> None:
    """With what was asked for."""
    figures = [
        Figure("memory", [261 << 20], "bytes", "under 300 MB"),
        Figure("start", [0.5, 0.08, 0.6], "s"),
        Figure("tasks run", [1234.5, 1000.0, 2000.0], "tasks/s"),
    ]

    assert tables.of_figures(figures).splitlines() == [
        "MEDIAN (LEAST TO MOST)          ASKED         WHAT",
        "261MiB                          under 300 MB  memory",
        "0.5s (80ms to 0.6s)                           start",
        "1,234 (1,000 to 2,000) tasks/s                tasks run",
    ]


def test_a_picture_is_the_same_for_the_same_contest(contest: Contest, tmp_path: Path) -> None:
    """So that it changes in a repository only if the numbers do."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (one,) = pictures.draw([contest], tmp_path / "a")
    (other,) = pictures.draw([contest], tmp_path / "b")

    assert one.name == "upload-100-files.svg"
    assert one.read_bytes() == other.read_bytes()


def test_where_nobody_could_do_it_that_is_what_is_shown(tmp_path: Path) -> None:
    """As when no node of any number came."""
    contest = Contest("More nodes", "scale", {"1 node": []}, {"1 node": "they did not come"}, (1, "MB"))

    (path,) = pictures.draw([contest], tmp_path)

    assert tables.of_contest(contest) == "1 node: could not; they did not come"
    assert path.stat().st_size


def test_results_say_on_what_they_were_found(contest: Contest, tmp_path: Path) -> None:
    """Else they can't be judged later."""
    results = Results(Scale(quick=True), [contest], [Figure("wheel", [1], "bytes")])

    told = json.loads(results.write(tmp_path / "new").read_bytes())

    assert told["machine"]["cores"] >= 1
    assert {"fastbatch", "Python", "azure-batch"} <= told["versions"].keys()
    assert told["scale"]["quick"]
    assert told["scale"]["node_counts"] == [1, 2]
    assert [one["title"] for one in told["contests"]] == ["Upload: 100 files"]
    assert [one["what"] for one in told["figures"]] == ["wheel"]
