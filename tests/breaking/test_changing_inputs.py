"""Runs whose inputs change, vanish or can't be read on the way: exactly these fail, by name, and the rest is done."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.breaking.trial import Trial
from tests.proxy import Rule

pytestmark = pytest.mark.timeout(120)


def _becomes_longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" longer")


def _becomes_another(path: Path) -> None:
    path.write_bytes(path.read_bytes().upper())


def _vanishes(path: Path) -> None:
    path.unlink()


def _becomes_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _becomes_unreadable(path: Path) -> None:
    """Be so to all, root too."""
    path.unlink()
    path.symlink_to(path)


def _moves_into_a_folder(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))


CHANGES = [
    _becomes_longer,
    _becomes_another,
    _vanishes,
    _becomes_a_folder,
    _becomes_unreadable,
    _moves_into_a_folder,
]


def some(trial: Trial) -> dict[str, Callable[[Path], None]]:
    """Choose an input for each change: several of one bundle, some alone in theirs."""
    return dict(zip(sorted(trial.corpus)[2:], CHANGES, strict=False))


def test_what_changes_before_it_is_bundled_fails_by_name(trial: Trial) -> None:
    """What a run counted is what was planned."""
    changed = some(trial)

    def befall() -> None:
        for name, change in changed.items():
            change(trial.inputs / name)

    trial.storage.rules.append(Rule("GET", "comp=list", then=befall))
    done = trial.run()

    assert done.code == 1
    trial.assert_counted(without=changed)


@pytest.mark.slow
def test_what_changes_before_it_is_uploaded_again_fails_by_name(trial: Trial) -> None:
    """Its bundle is gone from storage and has other bytes now: the rest of it is another one."""
    victims: list[str] = []

    def befall() -> None:
        bundled = trial.bundled_by_blob()
        victims.append(next(iter(bundled.values()))[0])
        trial.lose_blobs(bundled)
        _becomes_longer(trial.inputs / victims[0])

    trial.batch.rules.append(Rule("POST", "/addtaskcollection", then=befall))
    done = trial.run()

    assert done.code == 1
    trial.assert_counted(without=victims)


@pytest.mark.slow
@pytest.mark.parametrize("change", [_becomes_another, _vanishes])
def test_what_changes_before_a_resume_fails_by_name_where_it_is_needed(
    trial: Trial, change: Callable[[Path], None]
) -> None:
    """What is in storage is what was planned; of what is gone from there, the inputs must be what they were."""
    trial.kill_when_uploaded(8)
    first, *_, last = trial.bundled_by_blob().items()
    trial.lose_blobs([first[0]])
    victim, unharmed = first[1][0], last[1][0]
    change(trial.inputs / victim)
    change(trial.inputs / unharmed)
    done = trial.runner.resume("last", "--json")

    assert done.code == 1
    trial.assert_counted(without=[victim])
    again = trial.runner.resume("last", "--json")
    assert again.code == 1
    trial.assert_counted(without=[victim])


@pytest.mark.slow
def test_inputs_that_are_gone_after_the_upload_are_not_missed(trial: Trial) -> None:
    """The run is resumed without any of them."""
    trial.kill_when_uploaded(8)
    trial.inputs.rename(trial.inputs.with_name("elsewhere"))

    trial.resumed()
    trial.assert_whole()
