"""`fastbatch logs`."""

from collections.abc import Iterator
from typing import Any

import pytest

from fastbatch.journal.records import Attempt, Outcome
from fastbatch.model import Task
from tests.cli import FASTBATCH
from tests.cli.running import Runner
from tests.cli.terminals import terminal
from tests.local import instances
from tests.recorded import Recorded, planned

pytestmark = pytest.mark.timeout(120)

ODD = r"odd: \033[2J\302\205 \377 back\\slash\ttab"
FAILS = "sh -c 'printf said; echo wrong >&2; exit 3'"


@pytest.fixture(scope="module")
def pool(client: Any) -> Iterator[str]:
    """Have a pool with a node of four slots."""
    with instances.pool(client, slots=4) as name:
        yield name


@pytest.fixture
def run(runner: Runner, pool: str) -> Recorded:
    """Have a run in the user's journal, with a job."""
    found = Recorded(runner.services, planned(40), runner.state, pool=pool)
    found.make_job()
    return found


def test_both_streams_of_a_task_are_shown_with_a_line_before_each(runner: Runner, client: Any, run: Recorded) -> None:
    """Which says whose it is, where it ran and how it ended."""
    run.run_task("b00001", FAILS)
    node = client.get_task(run.id, "b00001").node_info.node_id
    done = runner.ask("logs", "last", "b00001")

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"==> b00001 stdout.txt (node {node}, failed with exit code 3) <==",
        "said",
        f"==> b00001 stderr.txt (node {node}, failed with exit code 3) <==",
        "wrong",
    ]


def test_one_stream_of_one_task_is_written_as_it_is(runner: Runner, run: Recorded) -> None:
    """Byte by byte, so that it can be piped; what it is goes to stderr."""
    run.run_task("b00001", f"printf '{ODD}'")
    file = runner.folder / "written"
    with file.open("wb") as out:
        done = runner.call(*FASTBATCH, "logs", run.id, "b00001", "--stdout", stdout=out)

    assert done.code == 0
    assert file.read_bytes() == b"odd: \x1b[2J\xc2\x85 \xff back\\slash\ttab"
    assert done.err.startswith("==> b00001 stdout.txt (node ")


def test_on_a_terminal_it_does_no_harm(runner: Runner, run: Recorded) -> None:
    """What would steer it is shown as escapes."""
    run.run_task("b00001", f"printf '{ODD}'")
    with terminal() as screen:
        done = runner.call(*FASTBATCH, "logs", run.id, "b00001", "--stdout", stdout=screen.theirs)
        screen.wait_for("slash")
        shown = screen.written

    assert done.code == 0
    assert shown.startswith(r"odd: \x1b[2J\u0085 \xff back\\slash")


def test_the_last_lines_are_shown_alone(runner: Runner, run: Recorded) -> None:
    """Of each stream."""
    run.run_task("b00001", "sh -c 'seq 1 100000; seq 1 3 >&2'")

    assert runner.ask("logs", run.id, "b00001", "--stdout", "--tail", "2").out == "99999\n100000\n"
    assert runner.ask("logs", run.id, "b00001", "--stderr", "--tail", "9").out == "1\n2\n3\n"


def test_what_is_long_is_shown_whole(runner: Runner, run: Recorded) -> None:
    """In pieces, none of which is lost."""
    run.run_task("b00001", "seq 1 400000")
    done = runner.ask("logs", run.id, "b00001", "--stdout")

    assert done.out == "".join(f"{n}\n" for n in range(1, 400001))


def test_failed_tasks_are_shown_wherever_it_is_known(runner: Runner, run: Recorded) -> None:
    """By the service, or by the journal and what they left beside the results."""
    run.run_task("b00001", "echo well")
    run.run_task("b00002", FAILS)
    run.note(attempts=[Attempt(Task("b00003"), 0, Outcome.FAILED, 9, "no memory", "node-9")])
    run.keep("b00003/stderr.txt", b"kept")
    done = runner.ask("logs", run.id, "--failed", "--stderr")
    first, wrong, second, kept = done.out.splitlines()

    assert (done.code, done.err) == (0, "")
    assert first.startswith("==> b00002 stderr.txt (node ")
    assert second == "==> b00003 stderr.txt (node node-9, failed with exit code 9) <=="
    assert (wrong, kept) == ("wrong", "kept")


def test_no_more_are_shown_than_can_be_read(runner: Runner, client: Any, run: Recorded) -> None:
    """Unless that is asked for."""
    bodies = [{"id": bundle.id, "commandLine": "true"} for bundle in run.plan.bundles[:23]]
    client.create_tasks(run.id, bodies)
    instances.eventually(
        lambda: client.get_job_task_counts(run.id).task_counts.completed, lambda completed: completed == 23
    )
    some = runner.ask("logs", run.id, "--stdout")
    everything = runner.ask("logs", run.id, "--stdout", "--all")

    assert some.code == everything.code == 0
    assert (some.out.count("==>"), everything.out.count("==>")) == (20, 23)
    assert some.err == "20 of 23 tasks are shown. Say --all, or name one.\n"
    assert everything.err == ""


def test_a_run_without_such_tasks_says_so(runner: Runner, run: Recorded) -> None:
    """It is no failure that there are none."""
    assert runner.ask("logs", run.id).err == f"Run {run.id} has no task so far.\n"
    done = runner.ask("logs", run.id, "--failed")
    assert (done.code, done.out, done.err) == (0, "", f"Run {run.id} has no task that failed so far.\n")


def test_a_task_that_waits_is_told_to_have_written_nothing(runner: Runner, client: Any, run: Recorded) -> None:
    """Yet."""
    client.begin_disable_job(run.id, {"disableTasks": "requeue"}, polling_interval=3600)
    run.begin_task("b00001", "true")
    done = runner.ask("logs", run.id, "b00001")

    assert (done.code, done.out, done.err) == (0, "", "Task b00001 (waiting): it has written nothing yet.\n")


def test_what_is_gone_is_told_and_is_code_1(runner: Runner, client: Any, run: Recorded) -> None:
    """With its job, or because it was never there; and the rest is shown."""
    run.note(attempts=[Attempt(Task("b00001"), 0, Outcome.SUCCEEDED, 0, "", "node-9")])
    run.note(attempts=[Attempt(Task("b00002"), 0, Outcome.FAILED, 3, "", "node-9")])
    run.keep("b00002/stdout.txt", b"kept\n")
    client.begin_delete_job(run.id, polling_interval=3600)
    done = runner.ask("logs", run.id)
    never = runner.ask("logs", run.id, "b00040-r1")

    assert done.code == never.code == 1
    assert done.out.splitlines()[1:] == ["kept"]
    assert "Task b00001 (node node-9, succeeded): what it wrote is gone" in done.err
    assert "Error: What 1 task wrote is not there, or not all of it." in done.err
    assert "Task b00040-r1 is not on the service" in never.err


@pytest.mark.parametrize("text", ["b99999", "b00001-r", "x", "b00001-r" + "9" * 5000, "\x1b[2J", "b00001-rx"])
def test_what_is_no_task_of_the_run_is_wrong_usage(runner: Runner, run: Recorded, text: str) -> None:
    """With how its tasks are called."""
    done = runner.ask("logs", run.id, text)

    assert (done.code, done.out) == (2, "")
    assert "Its tasks are b00001 to b00040; one that is tried again says how often: b00001-r1" in done.err
    assert "\x1b" not in done.err


def test_other_attempts_are_named(runner: Runner, run: Recorded) -> None:
    """As the one that matters may be among them; one that Batch did not take never ran."""
    run.run_task("b00001-r1", "echo again")
    run.note(attempts=[Attempt(Task("b00001"), 0, Outcome.REJECTED, reason="no"), Attempt(Task("b00001", 1), 0)])
    second = runner.ask("logs", run.id, "b00001-r1", "--stdout")
    first = runner.ask("logs", run.id, "b00001")

    assert (second.code, second.out, second.err.splitlines()[1:]) == (0, "again\n", ["Other attempts: b00001."])
    assert (first.code, first.out) == (1, "")
    assert "Task b00001 is not on the service" in first.err
    assert "Other attempts: b00001-r1." in first.err


def test_one_task_or_those_that_failed_are_asked_for(runner: Runner, run: Recorded) -> None:
    """Not both."""
    assert runner.ask("logs", run.id, "b00001", "--failed").code == 2


def test_a_cleaned_run_has_nothing_to_show(runner: Runner, run: Recorded) -> None:
    """That is wrong usage, as it can't be helped."""
    with run.journal() as journal:
        journal.clean(run.id)
    done = runner.ask("logs", run.id)

    assert (done.code, done.err) == (2, f"Error: Run {run.id} is cleaned: nothing of its tasks is left.\n")


def test_another_account_than_the_run_s_is_not_asked(runner: Runner, run: Recorded) -> None:
    """It is told which one it is."""
    runner.environment["AZURE_BATCH_ACCOUNT"] = "other"
    done = runner.ask("logs", run.id)

    assert (done.code, done.out) == (2, "")
    assert f"Run {run.id} is on the Batch account {runner.services.account} at " in done.err
