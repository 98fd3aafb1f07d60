"""`fastbatch clean`: it asks, and deletes what a run made."""

import signal
from typing import Any

import pytest
from click.testing import CliRunner

from fastbatch import Account, state
from fastbatch.azure import services as services_of_an_account
from fastbatch.cli.main import main
from fastbatch.journal.records import Phase
from fastbatch.running.holding import held
from fastbatch.sending.retry import Policy
from tests.cli import FASTBATCH
from tests.cli.gates import gate
from tests.cli.running import Done, Runner
from tests.cli.terminals import terminal
from tests.counted import account_of
from tests.local.instances import new_name
from tests.proxy import Rule, proxy
from tests.recorded import Stored, journal_in

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def _state_of_the_user(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the state folder of the user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(runner.state))


def clean(runner: Runner, *arguments: str) -> Done:
    """Run `fastbatch clean`; what it has to say goes to stderr."""
    done = runner.call(*FASTBATCH, "clean", *arguments)
    assert done.out == ""
    return done


def made(runner: Runner, number: int = 2, account: Account | None = None, **more: Any) -> Stored:
    """Have a run in the user's journal that made all that runs make, from contents that no other run has."""
    contents = [new_name().encode() for _ in range(number)]
    run = Stored(runner.services, account or account_of(runner.services), *contents, **more)
    run.make_job()
    run.make_data()
    return run


def is_whole(run: Stored) -> bool:
    """Tell whether all of it is there."""
    return bool(
        run.job_state() and run.has_results() and run.stored() == run.contents and state.folder_of(run.id).exists()
    )


def is_gone(run: Stored) -> bool:
    """Tell whether nothing of it is there."""
    return not (run.job_state() or run.has_results() or run.stored() or state.folder_of(run.id).exists())


def test_who_says_yes_before_is_not_asked(runner: Runner) -> None:
    """It is said what was lost and what stays; a second time there is nothing to do."""
    run, other = made(runner), made(runner)
    done, again = clean(runner, run.id, "--yes"), clean(runner, run.id)

    assert done.code == 0
    assert f"The results of run {run.id} may not have been fetched, and are lost then." in done.err
    assert f"1 input of 2 is not done, and run {run.id} can't be resumed afterwards." in done.err
    assert f"Run {run.id} is cleaned: 1 job, its results and 2 bundles are deleted.\n" in done.err
    assert done.err.endswith("Pool fastbatch stays. To delete it: fastbatch pool delete fastbatch\n")
    assert (again.code, again.err) == (0, f"Run {run.id} is cleaned already.\n")
    assert is_gone(run)
    assert is_whole(other)


def test_nothing_is_deleted_where_nobody_can_be_asked(runner: Runner) -> None:
    """It is said how to do it."""
    run = made(runner)
    done = clean(runner, "last")

    assert done.code == 2
    assert done.err.endswith(
        f"Error: Nothing of run {run.id} was deleted: nobody can be asked, as this is no terminal. "
        "If it is meant, say --yes\n"
    )
    assert is_whole(run)


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("\x04", 1)])
def test_who_sits_at_a_terminal_is_asked(runner: Runner, typed: str, code: int) -> None:
    """With what goes; only yes deletes it."""
    run = made(runner)
    question = f"Delete job {run.id}, container fastbatch-out-{run.id} and 2 bundles that only this run has? [y/N]: "
    with (
        terminal() as screen,
        runner.running(run.id, verb="clean", stdin=screen.theirs, stderr=screen.theirs) as cleaning,
    ):
        screen.wait_for(question)
        screen.type(typed)
        done = cleaning.end()
    assert done.code == code
    assert is_whole(run) == bool(code)
    assert is_gone(run) != bool(code)


def test_a_signal_at_the_question_deletes_nothing(runner: Runner) -> None:
    """The run can be driven again."""
    run = made(runner)
    with terminal() as screen:
        with runner.running(run.id, verb="clean", stdin=screen.theirs, stderr=screen.theirs) as cleaning:
            screen.wait_for("[y/N]: ")
            cleaning.send(signal.SIGTERM)
            assert cleaning.end().code == 143
        assert "Traceback" not in screen.text
    assert is_whole(run)
    with held(run.id):
        pass


def test_a_run_that_is_cleaned_half_way_is_cleaned_when_it_is_done_again(runner: Runner) -> None:
    """A signal leaves what is not yet deleted, and nothing is forgotten."""
    with proxy(account_of(runner.services).storage_endpoint) as storage, gate() as closed:
        runner.reach_storage_at(storage.url)
        run = made(runner, 40, account_of(runner.services, storage_endpoint=storage.url))
        storage.rules += [
            Rule("DELETE", "fastbatch-input/", times=10),
            Rule("DELETE", "fastbatch-input/", times=1000, then=closed),
        ]
        with runner.running(run.id, "--yes", verb="clean") as cleaning:
            closed.wait()
            cleaning.send(signal.SIGINT)
            assert cleaning.end().code == 130
        closed.open()
        assert 0 < len(run.stored()) < 40
        done = clean(runner, run.id, "--yes")

    assert done.code == 0
    assert "40 bundles are deleted" in done.err
    assert is_gone(run)


def test_a_run_that_is_done_has_nothing_to_lose(runner: Runner) -> None:
    """Its results were shown or written when it ended."""
    run = made(runner, 1, phase=Phase.OVER)
    done = clean(runner, run.id, "-y")

    assert done.code == 0
    assert "lost" not in done.err
    assert "resumed" not in done.err
    assert is_gone(run)


def test_a_run_that_is_driven_is_not_cleaned(runner: Runner) -> None:
    """Whoever drives it needs all of it."""
    run = made(runner)
    with held(run.id):
        done = clean(runner, run.id, "--yes")

    assert done.code == 2
    assert f"Run {run.id} is driven by another process" in done.err
    assert is_whole(run)


@pytest.mark.parametrize("words", [[], ["none-such"], ["a", "b"]], ids=" ".join)
def test_wrong_usage_is_code_2(runner: Runner, words: list[str]) -> None:
    """No run, and one that there is not."""
    done = clean(runner, *words)

    assert done.code == 2
    assert "Error: " in done.err


@pytest.mark.parametrize("verb", [["cancel"], ["clean", "--yes"]], ids=lambda words: words[0])
def test_a_service_out_of_reach_is_code_3(runner: Runner, monkeypatch: pytest.MonkeyPatch, verb: list[str]) -> None:
    """Nothing is forgotten: it can be done later."""
    account = account_of(runner.services, batch_endpoint="http://127.0.0.1:9")
    run = Stored(runner.services, account, b"1")
    monkeypatch.setattr(services_of_an_account, "Policy", lambda: Policy(attempts=2, wait_initial=0.0))
    environment = {**runner.environment, "AZURE_BATCH_ENDPOINT": account.batch_endpoint}
    ended = CliRunner(env=environment).invoke(main, [*verb, run.id])

    assert (ended.exit_code, ended.stdout) == (3, "")
    assert "Error: Batch gave no answer when asked to look at the job" in ended.stderr
    with journal_in(runner.state) as journal:
        assert journal.record(run.id).phase is Phase.GOING
        assert not journal.record(run.id).cleaned
