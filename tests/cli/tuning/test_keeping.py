"""What was measured is kept as soon as it is."""

import dataclasses
import stat
from pathlib import Path

import pytest

from fastbatch import state
from fastbatch.cli.tuning.keeping import Keeper
from fastbatch.tuning.saved import load
from tests.cli.tuning import MEASUREMENTS

LESS = dataclasses.replace(MEASUREMENTS, points=MEASUREMENTS.points[:1])


def silent(text: str) -> None:
    """Expect that nothing is said."""
    raise AssertionError(text)


def test_measurements_are_in_the_folder_for_outputs_each_time_that_there_are_more(tmp_path: Path) -> None:
    """Whole."""
    keeper = Keeper(str(tmp_path / "new" / "out"), None, silent)
    for measurements in (LESS, MEASUREMENTS):
        keeper.keep(measurements)
        assert load(keeper.path) == keeper.last == measurements

    assert [path.name for path in (tmp_path / "new" / "out").iterdir()] == ["measurements.json"]


def test_what_was_measured_before_is_put_aside(tmp_path: Path) -> None:
    """Never written over, however often."""
    for pool in ("first", "second", "third"):
        Keeper(str(tmp_path), None, silent).keep(dataclasses.replace(MEASUREMENTS, pool=pool))

    assert {path.name: load(str(path)).pool for path in tmp_path.iterdir()} == {
        "measurements.json": "third",
        "measurements-1.json": "first",
        "measurements-2.json": "second",
    }


def test_without_a_folder_they_are_in_one_of_our_own() -> None:
    """For the eyes of their owner; named as the runs are."""
    keeper = Keeper(None, "nightly", silent)
    keeper.keep(MEASUREMENTS)
    path = Path(keeper.path)

    assert path.parent == state.folder() / "tunes"
    assert path.name.startswith("nightly-")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load(keeper.path) == MEASUREMENTS
    assert Keeper(None, None, silent).path != keeper.path


def test_nothing_is_made_before_something_is_measured(tmp_path: Path) -> None:
    """Neither here nor there."""
    Keeper(str(tmp_path / "out"), None, silent)
    Keeper(None, None, silent)

    assert not (tmp_path / "out").exists()
    assert not (state.folder() / "tunes").exists()


def test_what_cant_be_kept_is_told_once_and_stays_at_hand(tmp_path: Path) -> None:
    """So that it can still be shown."""
    (tmp_path / "file").write_text("in the way")
    said: list[str] = []
    keeper = Keeper(str(tmp_path / "file" / "out"), None, said.append)
    keeper.keep(LESS)
    keeper.keep(MEASUREMENTS)

    assert len(said) == 1
    assert said[0].startswith("What is measured can't be kept: ")
    assert (keeper.last, keeper.is_sound) == (MEASUREMENTS, False)


@pytest.mark.parametrize("name", [None, "words"])
def test_two_that_measure_at_once_are_in_nobodys_way(name: str | None) -> None:
    """Each has its own file."""
    assert len({Keeper(None, name, silent).path for _ in range(20)}) == 20
