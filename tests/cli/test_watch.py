"""`fastbatch watch`: attaching to a run until it is over."""

import signal

import pytest

from tests.cli.broken import ALWAYS, COMMAND, corpus, detached, do, is_whole, killed, never_ending, of
from tests.cli.gates import gate
from tests.cli.running import Runner
from tests.cli.terminals import terminal
from tests.proxy import Proxy, Rule

pytestmark = pytest.mark.timeout(120)


def test_a_run_that_nobody_drives_is_driven_to_its_end(runner: Runner) -> None:
    """Fetched, merged, cleaned up, as `run` would have done it."""
    found = corpus(runner)
    run = detached(runner)
    done = do(runner, "watch", "last", "--json")

    assert (done.code, done.records()[-1]["event"]) == (0, "run.completed")
    assert of(done, "tasks.submitted") == []
    assert is_whole(runner, found)
    assert {f"job {run}", f"container fastbatch-out-{run}"} & runner.left_there() == set()
    assert runner.left_here() == []


def test_a_run_that_another_process_drives_is_followed_to_its_end(runner: Runner, batch: Proxy) -> None:
    """Its events say how far it is, and it ends with the result of the first, and its code."""
    corpus(runner)
    with gate() as closed:
        batch.rules.append(Rule("POST", "/addtaskcollection", times=ALWAYS, then=closed))
        with runner.running(*COMMAND) as first:
            closed.wait()
            with runner.running("last", "--json", verb="watch") as second:
                read = second.until("books.read")
                closed.open()
                done, watched = first.end(), second.end()

    assert (done.code, watched.code) == (0, 0)
    assert (read["done"], read["failed"]) == (0, 0)
    assert watched.records()[0]["run"] == done.records()[0]["run"]
    for part in ("run", "complete", "inputs", "words", "top"):
        assert watched.records()[-1][part] == done.records()[-1][part]


@pytest.mark.slow
def test_a_run_whose_process_is_killed_meanwhile_is_driven_on(runner: Runner, batch: Proxy) -> None:
    """As nobody drives it any more."""
    found = corpus(runner)
    never_ending(batch)
    with runner.running(*COMMAND) as first:
        first.until("tasks.submitted")
        with runner.running("last", "--json", verb="watch") as second:
            second.until("books.read")
            first.send(signal.SIGKILL)
            first.end()
            batch.rules.clear()
            done = second.end()

    assert done.code == 0
    assert is_whole(runner, found)


@pytest.mark.slow
def test_two_who_watch_do_not_both_drive(runner: Runner) -> None:
    """One does, and the other one follows; both end with the result."""
    found = corpus(runner)
    detached(runner)
    with (
        runner.running("last", "--json", verb="watch") as one,
        runner.running("last", "--json", verb="watch") as other,
    ):
        ends = [one.end(), other.end()]

    assert [done.code for done in ends] == [0, 0]
    assert [done.records()[-1]["inputs"]["done"] for done in ends] == [9, 9]
    assert is_whole(runner, found)


@pytest.mark.slow
def test_a_run_that_is_over_is_shown(runner: Runner) -> None:
    """With nothing done."""
    corpus(runner, 2)
    runner.run(*COMMAND)
    done = do(runner, "watch", "last")

    assert done.code == 0
    assert "3 done, 0 failed, 0 open" in done.out


@pytest.mark.slow
def test_a_time_limit_ends_the_watching_and_not_the_run(runner: Runner, batch: Proxy) -> None:
    """It is code 1, and it can be watched again."""
    found = corpus(runner)
    killed(runner, batch)
    never_ending(batch)
    done = do(runner, "watch", "last", "--timeout", "1s", "--json")
    assert (done.code, done.records()[-1]["inputs"]["open"]) == (1, 9)
    batch.rules.clear()

    assert do(runner, "watch", "last").code == 0
    assert is_whole(runner, found)


def test_a_signal_ends_the_watching_and_not_the_run(runner: Runner, batch: Proxy) -> None:
    """Who drives it is not disturbed."""
    found = corpus(runner)
    with gate() as closed:
        batch.rules.append(Rule("POST", "/addtaskcollection", times=ALWAYS, then=closed))
        with runner.running(*COMMAND) as first:
            closed.wait()
            with runner.running("last", "--json", verb="watch") as second:
                second.until("books.read")
                second.send(signal.SIGINT)
                watched = second.end()
            closed.open()
            done = first.end()

    assert (watched.code, done.code) == (130, 0)
    assert "Stopped watching; the run goes on. To watch it again: fastbatch watch run-" in watched.err
    assert is_whole(runner, found)


@pytest.mark.slow
def test_bars_show_what_is_known_of_what_another_process_does(runner: Runner, batch: Proxy) -> None:
    """How many inputs are done; of uploads and tasks nothing is known."""
    corpus(runner)
    with gate() as closed, terminal() as screen:
        batch.rules.append(Rule("POST", "/addtaskcollection", times=ALWAYS, then=closed))
        with runner.running(*COMMAND) as first:
            closed.wait()
            streams = {"stdin": screen.theirs, "stdout": screen.theirs, "stderr": screen.theirs}
            with runner.running("last", verb="watch", **streams) as second:
                screen.wait_for("0 of 9 inputs")
                shown = screen.text[screen.text.rindex("on pool") :]
                closed.open()
                assert first.end().code == second.end().code == 0
        screen.wait_for("9 done, 0 failed, 0 open")
        assert screen.is_restored

    assert "uploaded" not in shown
