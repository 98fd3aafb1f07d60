"""Runs that several clients would drive, and clients that sleep."""

import signal

import pytest

from fastbatch.local.testing import LocalBatch
from tests.breaking.trial import Trial

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]


def test_while_a_client_sleeps_no_other_takes_its_run(trial: Trial, local: LocalBatch) -> None:
    """A closed laptop that is opened again: its own client goes on."""
    local.faults.add("node.run_task", "slow", seconds=2)
    with trial.running() as run:
        run.until("tasks.submitted")
        run.send(signal.SIGSTOP)
        told = trial.runner.resume("last")
        run.send(signal.SIGCONT)
        done = run.end()

    assert told.code == 2
    assert str(run.process.pid) in told.err
    assert done.code == 0
    trial.assert_whole()


def test_of_two_that_go_on_at_once_one_does(trial: Trial) -> None:
    """The other is told, or finds that all is done."""
    with trial.running() as run:
        run.until("tasks.submitted")
        run.process.kill()
        run.end()
    with trial.running(verb="resume") as one, trial.running(verb="resume") as other:
        codes = [one.end().code, other.end().code]

    assert sorted(codes) in ([0, 0], [0, 2])
    trial.assert_whole()


def test_runs_side_by_side_are_killed_and_go_on_side_by_side(trial: Trial) -> None:
    """With one journal, one pool, and the same inputs, so the same blobs, too."""
    names = ["one", "two", "three"]
    runs = []
    for name in names:
        with trial.running("--name", name, "--output", f"out/{name}") as run:
            run.until("bundle.uploaded")
            run.process.kill()
            runs.append(run.end().records()[0]["run"])
    with (
        trial.runner.running(runs[0], "--json", verb="resume") as one,
        trial.runner.running(runs[1], "--json", verb="resume") as two,
        trial.runner.running(runs[2], "--json", verb="resume") as three,
    ):
        assert [each.end(60).code for each in (one, two, three)] == [0, 0, 0]
    for name in names:
        trial.output = trial.runner.folder / "out" / name
        trial.assert_whole()
