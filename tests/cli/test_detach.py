"""`fastbatch run --detach`: all is submitted, and left to the service."""

import pytest

from tests.cli.broken import COMMAND, corpus, detached, do, is_whole, of
from tests.cli.running import Runner
from tests.cli.terminals import terminal
from tests.counted import account_of
from tests.local.instances import eventually
from tests.proxy import Proxy, Rule, proxy

pytestmark = pytest.mark.timeout(120)


def job_state(runner: Runner, job: str) -> str:
    """Tell how a job is."""
    with runner.services.client() as client:
        return str(client.get_job(job).state.value)


def test_it_returns_when_all_is_submitted_and_the_job_ends_by_itself(runner: Runner) -> None:
    """It says what to do next, on stderr, and nothing on stdout."""
    corpus(runner)
    done = runner.run(*[word for word in COMMAND if word != "--json"], "--detach")
    run = done.err.split("Run ")[1].split()[0]

    assert (done.code, done.out) == (0, "")
    assert "All is submitted: 3 tasks, left to the service." in done.err
    assert f"fastbatch watch {run}" in done.err
    eventually(lambda: job_state(runner, run), lambda state: state == "completed")
    assert "detached" in do(runner, "ls").out


@pytest.mark.slow
def test_a_job_that_ended_by_itself_has_a_successor_for_new_attempts(runner: Runner) -> None:
    """In which what is missing is done, and both are deleted then."""
    found = corpus(runner)
    run = detached(runner)
    eventually(lambda: job_state(runner, run), lambda state: state == "completed")
    with runner.services.blobs() as blobs:
        container = blobs.get_container_client(f"fastbatch-out-{run}")
        for name in list(container.list_blob_names()):
            container.delete_blob(name)
    done = do(runner, "resume", "last", "--json", "--keep-data")

    assert done.code == 0
    assert is_whole(runner, found)
    with runner.services.client() as client:
        assert {task.id for task in client.list_tasks(f"{run}-a1")} == {f"b0000{n}-r1" for n in (1, 2, 3)}
    assert {f"job {run}", f"job {run}-a1"} <= set(done.records()[-1]["left"])
    assert do(runner, "resume", "last", "--no-keep-data").code == 0
    assert not any(run in name for name in runner.left_there())


def test_an_input_that_failed_by_then_is_code_1(runner: Runner) -> None:
    """The others are with the service."""
    found = corpus(runner)
    gone = runner.folder / "in" / "text-0004.txt"
    with proxy(account_of(runner.services).storage_endpoint) as storage:
        storage.rules.append(Rule("GET", "comp=list", then=gone.unlink))
        runner.reach_storage_at(storage.url)
        done = runner.run(*COMMAND, "--detach")
        watched = do(runner, "watch", "last")
    del found["text-0004.txt"]

    assert (done.code, done.records()[-1]["event"]) == (1, "run.detached")
    assert watched.code == 1
    assert is_whole(runner, found)


@pytest.mark.slow
def test_a_time_that_is_over_before_all_is_submitted_is_code_1(runner: Runner, batch: Proxy) -> None:
    """It is not detached then, but can be gone on with."""
    found = corpus(runner)
    batch.rules.append(Rule("POST", "/addtaskcollection", times=1000, refuse=(503, {}, b"{}")))
    done = runner.run(*COMMAND, "--detach", "--timeout", "2s")
    assert (done.code, of(done, "run.detached")) == (1, [])
    batch.rules.clear()

    assert do(runner, "resume", "last", "--timeout", "1h").code == 0
    assert is_whole(runner, found)


def test_on_a_terminal_it_gives_it_back_with_what_to_do(runner: Runner) -> None:
    """The bars stay above it."""
    corpus(runner)
    with terminal() as screen:
        with runner.running("in", "--detach", stdin=screen.theirs, stdout=screen.theirs, stderr=screen.theirs) as run:
            assert run.end().code == 0
        screen.wait_for("To wait for the results: fastbatch watch run-")
        assert screen.is_restored
