"""`fastbatch cancel`: a run is stopped from any terminal."""

import os
from typing import Any

import pytest

from fastbatch.journal.records import Phase
from fastbatch.running.holding import held
from tests.cli import FASTBATCH
from tests.cli.running import Done, Runner
from tests.counted import account_of
from tests.recorded import Stored, journal_in

pytestmark = pytest.mark.timeout(120)


def cancel(runner: Runner, *arguments: str) -> Done:
    """Run `fastbatch cancel`; what it has to say goes to stderr."""
    done = runner.call(*FASTBATCH, "cancel", *arguments)
    assert done.out == ""
    return done


def written(runner: Runner, *contents: bytes, **more: Any) -> Stored:
    """Have a run in the user's journal."""
    return Stored(runner.services, account_of(runner.services), *contents, folder=runner.state, **more)


def test_a_run_is_cancelled_and_it_is_said_how_to_go_on(runner: Runner) -> None:
    """With what is known of its inputs; a second time there is nothing to do."""
    run = written(runner, b"1", b"2", b"3")
    run.make_job()
    done, again = cancel(runner, "last"), cancel(runner, run.id)

    assert (done.code, again.code) == (0, 0)
    assert f"Run {run.id} is cancelled: 1 job ended. 3 inputs: 1 done, 0 failed, 2 open" in done.err
    assert f"fastbatch fetch {run.id}" in done.err
    assert f"fastbatch resume {run.id}" in done.err
    assert f"Run {run.id} is cancelled already; nothing of it runs on the service." in again.err
    assert run.job_state() == "completed"


def test_a_run_that_another_process_drives_is_cancelled(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is told of; it ends by itself."""
    monkeypatch.setenv("XDG_STATE_HOME", str(runner.state))
    run = written(runner, b"1")
    run.make_job()
    with held(run.id):
        done = cancel(runner, run.id)

    assert done.code == 0
    assert f"The process that drives it (pid {os.getpid()}) sees that" in done.err
    assert run.job_state() == "completed"


def test_a_run_that_is_over_is_told(runner: Runner) -> None:
    """As one that is cleaned; that needs no service."""
    run = written(runner, b"1", phase=Phase.OVER)
    assert f"Run {run.id} is over; nothing of it runs on the service." in cancel(runner, run.id).err

    with journal_in(runner.state) as journal:
        journal.clean(run.id)
    runner.forget_account()
    done = cancel(runner, run.id)
    assert (done.code, done.err) == (0, f"Run {run.id} is cleaned: nothing of it runs.\n")


def test_a_job_of_others_is_code_3(runner: Runner) -> None:
    """It is told, and left."""
    run = written(runner, b"1")
    run.make_job(uid="another run")
    done = cancel(runner, run.id)

    assert done.code == 3
    assert f"Error: There is a job {run.id} that run {run.id} did not make" in done.err
    assert run.job_state() == "active"


@pytest.mark.parametrize("words", [[], ["none-such"], ["a", "b"], ["last", "--yes"]], ids=" ".join)
def test_wrong_usage_is_code_2(runner: Runner, words: list[str]) -> None:
    """No run, one that there is not, and what there is no option for."""
    done = cancel(runner, *words)

    assert done.code == 2
    assert "Error: " in done.err


def test_another_account_than_that_of_the_run_is_code_2(runner: Runner) -> None:
    """Both are named, and nothing is done."""
    run = written(runner, b"1")
    run.make_job()
    runner.environment["AZURE_BATCH_ACCOUNT"] = "another"
    done = cancel(runner, run.id)

    assert done.code == 2
    assert "another" in done.err
    assert run.job_state() == "active"
