"""`fastbatch fetch`: what is done of a run, brought here, and what is not, named."""

import pytest

from tests.cli.broken import ALWAYS, COMMAND, corpus, detached, do, is_whole, killed, of
from tests.cli.gates import gate
from tests.cli.running import Runner
from tests.counted import account_of
from tests.local.instances import eventually
from tests.proxy import Proxy, Rule, proxy

pytestmark = pytest.mark.timeout(120)


def tasks_end(runner: Runner, run: str) -> None:
    """Wait until all tasks of a run are completed."""
    with runner.services.client() as client:
        eventually(
            lambda: [task.state for task in client.list_tasks(run)],
            lambda states: bool(states) and set(states) == {"completed"},
        )


@pytest.mark.slow
def test_all_that_is_done_is_brought_and_nothing_is_changed(runner: Runner) -> None:
    """Job and results stay; and it can be brought again, also elsewhere."""
    found = corpus(runner)
    run = detached(runner)
    tasks_end(runner, run)
    before = runner.left_there()
    first = do(runner, "fetch", "last", "--json")
    second = do(runner, "fetch", run, "--json", "--output", "new")

    assert (first.code, second.code) == (0, 0)
    assert is_whole(runner, found)
    assert is_whole(runner, found, "new")
    assert runner.left_there() == before
    for done in (first, second):
        assert set(done.records()[-1]["requests"]["batch"]) == {"look at the job", "list tasks"}
        assert all(what.startswith(("get", "fetch", "look")) for what in done.records()[-1]["requests"]["storage"])
    assert runner.left_here() == []
    assert list((runner.state / "fastbatch").glob("runs/*/*")) == []


def test_what_is_not_there_is_named_and_the_rest_is_brought(runner: Runner, batch: Proxy) -> None:
    """It is code 1; who goes on with the run then comes to all of it."""
    found = corpus(runner)
    with gate() as closed:
        batch.rules.append(Rule("POST", "/addtaskcollection", times=ALWAYS, then=closed, drop="before"))
        with runner.running(*COMMAND) as run:
            closed.wait()
            run.process.kill()
            run.end()
    batch.rules.clear()
    done = do(runner, "fetch", "last", "--json")
    assert (done.code, done.records()[-1]["inputs"]["open"]) == (1, len(found))
    assert "--json" not in done.err

    assert do(runner, "resume", "last").code == 0
    assert is_whole(runner, found)


def test_a_run_that_another_process_drives_is_not_disturbed(runner: Runner) -> None:
    """What is done is brought meanwhile; nothing of it stays here but the outputs."""
    found = corpus(runner)
    with proxy(account_of(runner.services).storage_endpoint) as storage, gate() as closed:
        runner.reach_storage_at(storage.url)
        with runner.running(*COMMAND) as first:
            run = first.until("run.started")["run"]
            storage.rules.append(Rule("GET", "/result", times=2, then=closed))
            first.until("tasks.submitted")
            tasks_end(runner, run)
            closed.wait()
            done = do(runner, "fetch", "last", "--json", "--output", "now")
            closed.open()
            ended = first.end()

    assert done.records()[-1]["inputs"]["done"] + done.records()[-1]["inputs"]["open"] == len(found)
    assert done.code in {0, 1}
    assert ended.code == 0
    assert is_whole(runner, found)
    assert runner.left_here() == []


@pytest.mark.slow
def test_a_run_that_is_complete_and_cleaned_up_says_where_its_outputs_are(runner: Runner) -> None:
    """Or that they were only shown."""
    corpus(runner, 2)
    runner.run(*COMMAND)
    done = do(runner, "fetch", "last")
    assert (done.code, done.out) == (2, "")
    assert f"they were written to '{runner.folder}/out'" in done.err

    runner.run("in", "-q")
    assert "they were only shown" in do(runner, "fetch", "last").err


@pytest.mark.slow
def test_a_run_that_was_brought_whole_is_cleaned_up_by_who_watches_it(runner: Runner) -> None:
    """As fetch leaves all as it is."""
    corpus(runner, 2)
    run = detached(runner)
    tasks_end(runner, run)
    assert do(runner, "fetch", "last").code == 0
    done = do(runner, "watch", "last", "--json")

    assert done.code == 0
    assert {f"job {run}", f"container fastbatch-out-{run}"} & runner.left_there() == set()


@pytest.mark.slow
def test_a_result_that_is_gone_is_a_gap_and_no_new_attempt_is_made(runner: Runner) -> None:
    """That is for resume, which makes one."""
    found = corpus(runner)
    run = detached(runner)
    tasks_end(runner, run)
    with runner.services.blobs() as blobs:
        container = blobs.get_container_client(f"fastbatch-out-{run}")
        name = next(name for name in container.list_blob_names() if "b00002" in name and name.endswith("result"))
        container.delete_blob(name)
    done = do(runner, "fetch", "last", "--json")
    assert (done.code, done.records()[-1]["inputs"]["open"] > 0) == (1, True)
    with runner.services.client() as client:
        assert len(list(client.list_tasks(run))) == 3

    resumed = do(runner, "resume", "last", "--json")
    assert resumed.code == 0
    assert [event["task"] for event in of(resumed, "task.done")].count("b00002-r1") == 1
    assert is_whole(runner, found)


@pytest.mark.slow
def test_a_wrong_option_is_code_2(runner: Runner, batch: Proxy) -> None:
    """Nothing is brought."""
    corpus(runner, 2)
    killed(runner, batch)
    done = do(runner, "fetch", "last", "--timeout", "never")

    assert (done.code, done.out) == (2, "")
    assert "never" in done.err
