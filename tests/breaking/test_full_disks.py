"""Runs whose disks fill up: the user's own, under the journal and the outputs, and those of nodes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.breaking.disks import Disk, disk
from tests.breaking.trial import Trial, trial_at
from tests.cli import FASTBATCH
from tests.local import instances
from tests.proxy import Rule

pytestmark = pytest.mark.timeout(120)

# Requests before which the disk is full: of a run that has just begun, and of one that has much to write down.
MOMENTS = {
    "job": ("POST", "/jobs\\?"),
    "upload": ("PUT", "/fastbatch-input/"),
    "submit": ("POST", "/addtaskcollection"),
    "watch": ("GET", "/tasks\\?"),
    "fetch": ("GET", "/result"),
    "clean": ("DELETE", "/jobs/"),
}
moments = pytest.mark.parametrize(
    "moment", [each if each == "fetch" else pytest.param(each, marks=pytest.mark.slow) for each in MOMENTS]
)


def filled_at(trial: Trial, moment: str, small: Disk) -> None:
    """Have a disk filled up at a moment of a run, and room on it again afterwards; see that the run goes on then."""
    trial.runner.within = small.within(trial.runner.folder)
    rule = Rule(*MOMENTS[moment], then=small.fill)
    for service in (trial.batch, trial.storage):
        service.rules.append(rule)
    done = trial.run()
    assert rule.times == 0
    small.free()
    assert done.code in {0, 1}
    assert done.code == 0 or "No space left on device" in done.err or "disk is full" in done.err
    trial.ends(done)


@moments
def test_a_disk_that_is_full_under_the_journal_is_told_and_loses_nothing(trial: Trial, moment: str) -> None:
    """What the journal has is as it was, and the run goes on from there when there is room."""
    with disk(trial.runner.state, "2m") as small:
        filled_at(trial, moment, small)
        trial.runner.state = small.seen(trial.runner.state)
        trial.assert_whole()


@pytest.mark.slow
@moments
def test_a_disk_that_is_full_under_the_output_is_told_and_loses_nothing(trial: Trial, moment: str) -> None:
    """Files are there whole or not at all."""
    with disk(trial.output, "1m") as small:
        filled_at(trial, moment, small)
        trial.output = small.seen(trial.output)
        trial.assert_whole()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Disk]:
    """Have a small disk."""
    with disk(tmp_path / "small", "2m") as found:
        yield found


@pytest.fixture
def cramped(tmp_path: Path, small: Disk) -> Iterator[Trial]:
    """Have a trial with services of its own, whose nodes have that disk."""
    home, user = tmp_path / "services", tmp_path / "user"
    nodes = home / "nodes"
    user.mkdir()
    small.run(*FASTBATCH, "local", "up", "--ephemeral", f"--owner={os.getpid()}", f"--home={home}")
    nodes.mkdir(exist_ok=True)
    small.run("mount", "--bind", tmp_path / "small", nodes)
    try:
        with trial_at(instances.look(home), user) as found:
            yield found
    finally:
        small.run("umount", "--lazy", nodes)
        small.run(*FASTBATCH, "local", "down", f"--home={home}")


@pytest.mark.slow
def test_tasks_that_find_no_room_on_their_nodes_run_when_there_is_some(cramped: Trial, small: Disk) -> None:
    """They fail in a way that passes, and are tried again."""
    cramped.batch.rules.append(Rule("POST", "/addtaskcollection", then=small.fill))
    with cramped.running() as run:
        run.until("task.failed")
        small.free()
        done = run.end()

    assert done.code == 0
    cramped.assert_whole()


@pytest.mark.slow
def test_tasks_that_find_no_room_for_long_run_after_a_resume(cramped: Trial, small: Disk) -> None:
    """What failed for it is named, and tried again."""
    cramped.batch.rules.append(Rule("POST", "/addtaskcollection", then=small.fill))
    done = cramped.run("--task-retries", "0")
    assert done.code == 1
    small.free()

    cramped.resumed()
    cramped.assert_whole()
