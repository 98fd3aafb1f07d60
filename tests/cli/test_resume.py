"""`fastbatch resume`: a run goes on from whatever it reached."""

import signal
from collections.abc import Iterator

import pytest

from fastbatch.local.instance import asking
from fastbatch.local.instance.home import Home
from tests.cli.broken import ALWAYS, COMMAND, corpus, do, is_whole, killed, never_ending, of
from tests.cli.gates import gate
from tests.cli.running import Runner
from tests.cli.terminals import terminal
from tests.counted import write
from tests.local.instances import Instance, new_name
from tests.proxy import Proxy, Rule

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def refusal(local_services: Instance) -> Iterator[None]:
    """Let the next task end as if its program said no."""
    control = asking.control(Home(local_services.home))
    control.ask(
        "PUT",
        "/local/faults",
        {"rules": [{"operation": "node.run_task", "fault": "fail", "exitCode": 3, "count": 1}]},
    )
    yield
    control.ask("DELETE", "/local/faults")


def test_a_run_that_was_killed_goes_on_and_does_nothing_twice(runner: Runner, batch: Proxy) -> None:
    """What is stored is not uploaded, and what was submitted is not added again."""
    found = corpus(runner)
    run = killed(runner, batch)
    done = do(runner, "resume", "last", "--json")
    last = done.records()[-1]

    assert done.code == 0
    assert is_whole(runner, found)
    assert (last["run"], last["complete"], last["bundles"]) == (run, True, 3)
    assert last["tasks"] == 3
    assert sum(event["tasks"] for event in [*of(done, "run.resumed"), *of(done, "tasks.submitted")]) == 3
    assert {f"job {run}", f"container fastbatch-out-{run}"} & runner.left_there() == set()
    assert runner.left_here() == []


@pytest.mark.slow
def test_a_run_is_known_by_any_of_its_names(runner: Runner, batch: Proxy) -> None:
    """By its id, the beginning of it, its name, or as the last one; when it is over, its result is shown again."""
    name = new_name("big")
    corpus(runner, 2)
    run = killed(runner, batch, *COMMAND, "--name", name)
    for text in ("last", name, run[:-2], run):
        done = do(runner, "resume", text, "--json")
        assert (done.code, done.records()[-1]["run"]) == (0, run)


def test_a_run_that_nobody_knows_is_code_2(runner: Runner) -> None:
    """Nothing is begun."""
    for verb in ("resume", "watch", "fetch"):
        done = do(runner, verb, "run-none")
        assert (done.code, done.out) == (2, "")
        assert "run-none" in done.err
        assert "There is no run run-none" in done.err


def test_a_run_that_another_process_drives_is_left_to_it(runner: Runner, batch: Proxy) -> None:
    """Who comes second is told who drives it, and how to watch."""
    found = corpus(runner)
    with gate() as closed:
        batch.rules.append(Rule("POST", "/addtaskcollection", times=ALWAYS, then=closed))
        with runner.running(*COMMAND) as first:
            closed.wait()
            second = do(runner, "resume", "last")
            closed.open()
            done = first.end()

    assert (second.code, second.out) == (2, "")
    assert f"pid {first.process.pid}" in second.err
    assert f"fastbatch watch {done.records()[0]['run']}" in second.err
    assert done.code == 0
    assert is_whole(runner, found)


@pytest.mark.slow
def test_a_run_that_is_complete_shows_its_result_again(runner: Runner) -> None:
    """It asks nothing of the services, and leaves the outputs as they are."""
    corpus(runner)
    first = runner.run(*COMMAND)
    before = (runner.folder / "out" / "counts.tsv").stat().st_mtime_ns
    again = do(runner, "resume", "last", "--json")

    assert (first.code, again.code) == (0, 0)
    for part in ("inputs", "words", "top", "left"):
        assert again.records()[-1][part] == first.records()[-1][part]
    assert (runner.folder / "out" / "counts.tsv").stat().st_mtime_ns == before
    assert "count" in do(runner, "resume", "last", "-q").out


@pytest.mark.slow
def test_a_clean_up_that_was_killed_is_finished(runner: Runner, batch: Proxy) -> None:
    """By then all was written down, and the outputs are there."""
    found = corpus(runner)
    with gate() as closed:
        batch.rules.append(Rule("DELETE", "/jobs/", times=ALWAYS, then=closed))
        with runner.running(*COMMAND) as run:
            closed.wait()
            run.send(signal.SIGKILL)
            first = run.end(10)
    batch.rules.clear()
    name = first.records()[0]["run"]
    assert is_whole(runner, found)
    assert f"container fastbatch-out-{name}" in runner.left_there()
    done = do(runner, "resume", "last", "--json")

    assert done.code == 0
    assert [what.split()[0] for what in done.records()[-1]["left"]] == ["pool"]
    assert {f"job {name}", f"container fastbatch-out-{name}"} & runner.left_there() == set()


@pytest.mark.slow
def test_outputs_can_be_written_anew_while_the_results_are_there(runner: Runner) -> None:
    """In another folder; later it is told where they were written."""
    found = corpus(runner)
    runner.run(*COMMAND, "--keep-data")
    kept = do(runner, "resume", "last", "--output", "new", "--keep-data", "--per-file")
    assert kept.code == 0
    assert is_whole(runner, found, "new")
    assert len(list((runner.folder / "new").rglob("*_OUTPUT.txt"))) == len(found)

    assert do(runner, "resume", "last", "--no-keep-data").code == 0
    gone = do(runner, "resume", "last", "--output", "newer")
    assert gone.code == 2
    assert f"written to '{runner.folder}/new'" in gone.err


@pytest.mark.slow
def test_a_wrong_option_is_code_2_and_nothing_is_done(runner: Runner, batch: Proxy) -> None:
    """All that is wrong is told."""
    corpus(runner, 2)
    killed(runner, batch)
    before = len(batch.requests)
    done = do(runner, "resume", "last", "--timeout", "soon", "--output", "in/text-0000.txt")

    assert (done.code, done.out) == (2, "")
    assert "soon" in done.err
    assert "text-0000.txt" in done.err
    assert len(batch.requests) == before


def test_a_run_on_another_account_is_code_2_and_nothing_is_sent(runner: Runner, batch: Proxy) -> None:
    """It is told which one it is on, and which is set."""
    corpus(runner, 2)
    run = killed(runner, batch)
    runner.environment["AZURE_BATCH_ACCOUNT"] = "another"
    before = len(batch.requests)
    done = do(runner, "resume", "last")

    assert (done.code, done.out) == (2, "")
    assert run in done.err
    assert "another" in done.err
    assert len(batch.requests) == before


@pytest.mark.slow
def test_a_job_of_its_name_that_is_not_its_own_is_left_alone(runner: Runner, batch: Proxy) -> None:
    """As when the run was killed before it made one, and somebody else did."""
    corpus(runner, 2)
    with gate() as closed:
        batch.rules.append(Rule("POST", "/jobs\\?", times=ALWAYS, then=closed, drop="before"))
        with runner.running(*COMMAND) as going:
            closed.wait()
            going.send(signal.SIGKILL)
            run = going.end(10).records()[0]["run"]
    batch.rules.clear()
    with runner.services.client() as client:
        client.create_job({"id": run, "poolInfo": {"poolId": "any"}})
        for verb in ("resume", "watch", "fetch"):
            done = do(runner, verb, "last")
            assert (done.code, done.out) == (3, "")
            assert f"a job {run} that this run did not make" in done.err
        assert list(client.list_tasks(run)) == []
        assert client.get_job(run).state == "active"
        client.begin_delete_job(run, polling_interval=3600)


@pytest.mark.slow
def test_a_run_that_was_cancelled_goes_on_if_that_is_asked_for(runner: Runner, batch: Proxy) -> None:
    """But who only watches is told that it was cancelled."""
    found = corpus(runner)
    run = killed(runner, batch)
    assert do(runner, "cancel", "last").code == 0
    watched = do(runner, "watch", "last")
    assert watched.code == 2
    assert f"Run {run} was cancelled" in watched.err
    assert f"fastbatch resume {run}" in watched.err

    assert do(runner, "resume", "last").code == 0
    assert is_whole(runner, found)


@pytest.mark.slow
def test_an_input_that_can_be_read_again_is_counted_with_failed(runner: Runner, storage: Proxy) -> None:
    """Without it, it stays failed; both are said by the exit code."""
    found = corpus(runner)
    away, there = runner.folder / "away", runner.folder / "in" / "text-0004.txt"

    def hide() -> None:
        there.rename(away)

    storage.rules.append(Rule("GET", "comp=list", then=hide))
    assert runner.run(*COMMAND).code == 1
    away.rename(there)
    passing = do(runner, "resume", "last", "--json")
    assert (passing.code, passing.records()[-1]["inputs"]["failed"]) == (1, 1)
    done = do(runner, "resume", "last", "--failed", "--json")

    assert done.code == 0
    assert done.records()[-1]["inputs"] == {"planned": 9, "done": 9, "failed": 0, "open": 0}
    assert is_whole(runner, found)


@pytest.mark.slow
@pytest.mark.usefixtures("refusal")
def test_what_the_program_says_no_to_is_tried_again_with_failed_only(runner: Runner) -> None:
    """In the job of the run, as another attempt."""
    found = corpus(runner)
    first = runner.run(*COMMAND)
    assert (first.code, first.records()[-1]["inputs"]["failed"]) == (1, 3)
    again = do(runner, "resume", "last", "--json")
    assert (again.code, of(again, "tasks.submitted")) == (1, [])
    done = do(runner, "resume", "last", "--failed", "--json")

    assert done.code == 0
    assert [event["tasks"] for event in of(done, "tasks.submitted")] == [1]
    assert [str(event["task"])[6:] for event in of(done, "task.done")].count("-r1") == 1
    assert is_whole(runner, found)


@pytest.mark.slow
def test_a_service_that_is_out_of_reach_leaves_the_run_as_it_is(runner: Runner, batch: Proxy) -> None:
    """It is code 3, and the run goes on later."""
    found = corpus(runner)
    killed(runner, batch)
    batch.rules.append(Rule("GET", "/jobs/", times=ALWAYS, refuse=(403, {}, b'{"code":"Forbidden"}')))
    assert do(runner, "resume", "last").code == 3
    batch.rules.clear()

    assert do(runner, "resume", "last").code == 0
    assert is_whole(runner, found)


@pytest.mark.slow
def test_bars_on_a_terminal_begin_with_what_was_reached(runner: Runner, batch: Proxy) -> None:
    """What is stored and submitted is shown to be so."""
    corpus(runner)
    killed(runner, batch)
    never_ending(batch)
    with terminal() as screen:
        streams = {"stdin": screen.theirs, "stdout": screen.theirs, "stderr": screen.theirs}
        with runner.running("last", verb="resume", **streams) as going:
            screen.wait_for("3 of 3 bundles, 0B sent, 3 reused")
            screen.wait_for("3 of 3 tasks")
            screen.wait_for("0 of 9 inputs")
            batch.rules.clear()
            screen.wait_for("Delete job")
            screen.type("\n")
            assert going.end().code == 0
        assert screen.is_restored


def test_a_name_that_can_not_be_two_files_is_code_2(runner: Runner, batch: Proxy) -> None:
    """Also where outputs for each input are asked for only now."""
    write(runner.folder / "in", {"a.txt": b"one", "A.txt": b"two"})
    killed(runner, batch)
    done = do(runner, "resume", "last", "--per-file")

    assert (done.code, done.out) == (2, "")
    assert "rename one" in done.err
