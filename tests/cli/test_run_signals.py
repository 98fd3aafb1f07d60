"""`fastbatch run`, ended by signals: at any moment, cleanly, and to be gone on with."""

import fcntl
import os
import random
import signal
import termios
from typing import Any

import pytest

from tests.cli.gates import gate
from tests.cli.running import Done, Runner, Running, unread
from tests.cli.terminals import Terminal, terminal
from tests.counted import counts, reference, texts, write
from tests.local.instances import eventually, new_name
from tests.proxy import Proxy, Rule

pytestmark = pytest.mark.timeout(120)

HINT = "To go on here: fastbatch resume "
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SIGNALS = [
    pytest.param(number, id=number.name, marks=() if number is signal.SIGINT else pytest.mark.slow) for number in CODES
]
by_one_or_the_other = pytest.mark.parametrize("number", SIGNALS[:2])
ALWAYS = 1_000_000
COMMAND = ["in", "--json", "--output", "out", "--files-per-task", "3"]


def corpus(runner: Runner) -> dict[str, bytes]:
    """Write texts that nobody has uploaded, below the user's folder `in`."""
    found = {**texts(9), "own.txt": new_name().encode()}
    write(runner.folder / "in", found)
    return found


def never_ending(batch: Proxy) -> None:
    """Have no task ever seen to end."""
    batch.rules.append(Rule("GET", "/tasks\\?", times=ALWAYS, edit=lambda _: b'{"value":[]}'))


def assert_ended(done: Done, number: signal.Signals, runner: Runner) -> None:
    """See that a run was ended by a signal, and left nothing on this machine but what it says."""
    assert done.code == CODES[number]
    assert HINT in done.err
    assert done.err.endswith(f"Interrupted ({number.name}).\n")
    assert "Exception" not in done.err
    assert all(record["event"] != "run.completed" for record in done.records())
    assert runner.left_here() == []
    assert list((runner.folder / "out").glob("*")) == []


def ended_at(runner: Runner, service: Proxy, method: str, path: str, number: signal.Signals) -> Done:
    """Signal a run while a request of a kind hangs, and see that it ends; the next such request passes."""
    with gate() as closed:
        service.rules.append(Rule(method, path, times=ALWAYS, then=closed))
        with runner.running(*COMMAND) as run:
            closed.wait()
            run.send(number)
            done = run.end(10)
    service.rules.clear()
    assert_ended(done, number, runner)
    return done


def assert_completes(runner: Runner, texts: dict[str, bytes]) -> Done:
    """Run the same command again, and see that it comes to the whole result."""
    done = runner.run(*COMMAND)
    assert done.code == 0
    assert counts(runner.folder / "out") == dict(reference(list(texts.values())))
    return done


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_tasks_run_ends_it_and_it_can_go_on(
    runner: Runner, batch: Proxy, number: signal.Signals
) -> None:
    """With the code of the signal; the same command again takes what was uploaded, and completes."""
    found = corpus(runner)
    never_ending(batch)
    with runner.running(*COMMAND) as run:
        run.until("tasks.submitted")
        run.send(number)
        done = run.end(10)
    assert_ended(done, number, runner)
    batch.rules.clear()
    again = assert_completes(runner, found).records()

    assert f"job {done.records()[0]['run']}" in done.err  # it is left, and named
    assert any(event["reused"] for event in again if event["event"] == "bundle.uploaded")


def test_what_was_uploaded_when_it_was_ended_is_not_uploaded_again(runner: Runner, batch: Proxy) -> None:
    """Every bundle was, here."""
    found = corpus(runner)
    never_ending(batch)
    with runner.running(*COMMAND) as run:
        for _ in range(4):
            run.until("bundle.uploaded")
        run.send(signal.SIGINT)
        assert_ended(run.end(10), signal.SIGINT, runner)
    batch.rules.clear()
    again = assert_completes(runner, found).records()

    assert [event["reused"] for event in again if event["event"] == "bundle.uploaded"] == [True] * 4


def test_a_signal_during_the_upload_ends_it_without_waiting(runner: Runner, storage: Proxy) -> None:
    """A request that hangs holds nobody."""
    found = corpus(runner)
    ended_at(runner, storage, "PUT", "/fastbatch-input/", signal.SIGTERM)
    assert_completes(runner, found)


def test_a_signal_while_the_job_is_made_ends_it(runner: Runner, batch: Proxy) -> None:
    """Batch makes it all the same, so it is named."""
    found = corpus(runner)
    done = ended_at(runner, batch, "POST", "/jobs\\?", signal.SIGINT)
    assert f"job {done.records()[0]['run']}" in done.err
    assert_completes(runner, found)


def test_a_signal_while_results_come_ends_it(runner: Runner, storage: Proxy) -> None:
    """Tasks are done by then; the next run does them again."""
    found = corpus(runner)
    ended_at(runner, storage, "GET", "/result", signal.SIGHUP)
    assert_completes(runner, found)


@pytest.mark.slow
def test_a_signal_during_the_merge_ends_it_and_no_part_of_an_output_is_seen(runner: Runner) -> None:
    """The merge of many words takes seconds; it begins with a file that has another name."""
    chance = random.Random(1)
    words = {f"{n}.txt": b" ".join(b"%x" % chance.randrange(1 << 40) for _ in range(250_000)) for n in range(8)}
    write(runner.folder / "in", words)
    with runner.running("in", "--json", "--output", "out", "--files-per-task", "1") as run:
        eventually(lambda: list(runner.folder.glob("out/.*.partial")), bool, 60)
        run.send(signal.SIGINT)
        assert_ended(run.end(10), signal.SIGINT, runner)


def test_a_signal_while_it_cleans_up_ends_it_with_the_outputs_whole(runner: Runner, batch: Proxy) -> None:
    """What they are does not change any more."""
    found = corpus(runner)
    with gate() as closed:
        batch.rules.append(Rule("DELETE", "/jobs/", times=ALWAYS, then=closed))
        with runner.running(*COMMAND) as run:
            closed.wait()
            run.send(signal.SIGINT)
            done = run.end(10)

    assert done.code == 130
    assert counts(runner.folder / "out") == dict(reference(list(found.values())))
    assert runner.left_here() == []


def test_a_signal_while_a_list_is_read_ends_it(runner: Runner) -> None:
    """Before there is a plan."""
    reader, writer = os.pipe()
    with runner.running("-", stdin=reader) as run:
        os.write(writer, b"some")
        eventually(lambda: unread(reader), lambda number: number == 0)
        run.send(signal.SIGINT)
        done = run.end(10)
    os.close(reader)
    os.close(writer)

    assert (done.code, done.out, done.err) == (130, "", "Interrupted (SIGINT).\n")


def test_a_sample_that_is_interrupted_is_gone(runner: Runner, batch: Proxy) -> None:
    """The same one is made by the next run, which finds it uploaded."""
    never_ending(batch)
    with runner.running("--sample", "20", "--json") as run:
        run.until("tasks.submitted")
        run.send(signal.SIGTERM)
        done = run.end(10)
        assert_ended(done, signal.SIGTERM, runner)
    assert "What of the sample was not uploaded is gone" in done.err


def test_what_log_and_json_hold_when_it_is_ended_is_whole(runner: Runner, batch: Proxy) -> None:
    """Each line of it."""
    corpus(runner)
    never_ending(batch)
    log = runner.folder / "events.log"
    with runner.running(*COMMAND, "--log-file", log) as run:
        run.until("tasks.submitted")
        run.send(signal.SIGINT)
        done = run.end(10)

    assert len(log.read_text().splitlines()) == len(done.records()) > 2


@by_one_or_the_other
def test_a_second_signal_ends_it_at_once(runner: Runner, number: signal.Signals) -> None:
    """What the first one waits for is of no matter then: here, that a place is found where a file can be cut."""
    endless(runner)
    with runner.running("in", "--json", "--files-per-task", "1") as run:
        run.until("bundle.uploaded")
        end_impatiently(run, number)
        done = run.end()

    assert done.code in {130, 128 + number}


def endless(runner: Runner) -> None:
    """Write a small input below `in`, and beside it one in which that place is searched for minutes."""
    write(runner.folder / "in", {"a.txt": new_name().encode(), "b.txt": b""})
    os.truncate(runner.folder / "in" / "b.txt", 1 << 39)


def end_impatiently(run: Running, number: signal.Signals) -> None:
    """Send Ctrl-C, and then a signal over and over."""
    run.send(signal.SIGINT)

    def again() -> int | None:
        run.send(number)
        return run.process.poll()

    eventually(again, lambda code: code is not None, 5)


def test_signals_that_are_ignored_stay_so(runner: Runner, batch: Proxy) -> None:
    """As under nohup: the run goes on, and completes."""
    found = corpus(runner)
    with gate() as closed:
        batch.rules.append(Rule("POST", "/addtaskcollection", then=closed))
        with runner.running(*COMMAND, preexec_fn=_ignore_hangups) as run:
            closed.wait()
            run.send(signal.SIGHUP)
            closed.open()
            assert run.end().code == 0

    assert counts(runner.folder / "out") == dict(reference(list(found.values())))


def _ignore_hangups() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


# --- on a terminal ----------------------------------------------------------------------------------------------------


def at(screen: Terminal) -> dict[str, Any]:
    """Give the options of a process that has a terminal only."""
    return {"stdin": screen.theirs, "stdout": screen.theirs, "stderr": screen.theirs}


def test_a_terminal_is_as_before_and_shows_the_hint_below_the_bars(runner: Runner, batch: Proxy) -> None:
    """Where they can't draw over it."""
    corpus(runner)
    never_ending(batch)
    with terminal() as screen:
        before = screen.attributes()
        with runner.running("in", **at(screen)) as run:
            screen.wait_for("0 of 10 inputs")
            run.send(signal.SIGINT)
            assert run.end(10).code == 130
        screen.wait_for("Interrupted (SIGINT).")

        assert screen.is_restored
        assert screen.attributes() == before
        *_, after = screen.written.split("\x1b[?25h")
        assert HINT in after


@by_one_or_the_other
def test_a_signal_at_a_question_ends_it_without_an_answer(runner: Runner, number: signal.Signals) -> None:
    """Nothing is deleted, and the outputs are there."""
    found = corpus(runner)
    with terminal() as screen:
        before = screen.attributes()
        with runner.running(*COMMAND, "--keep-pool", stdin=screen.theirs, stderr=screen.theirs) as run:
            screen.wait_for("Delete job")
            run.send(number)
            done = run.end(10)

        assert done.code == CODES[number]
        assert screen.is_restored
        assert screen.attributes() == before
        assert f"job {done.records()[0]['run']}" in runner.left_there()
    assert counts(runner.folder / "out") == dict(reference(list(found.values())))


def test_ctrl_c_is_heard_where_it_is_typed(runner: Runner, batch: Proxy) -> None:
    """By a run that is in the foreground of a terminal."""
    corpus(runner)
    never_ending(batch)
    with terminal() as screen:
        with runner.running("in", **at(screen), preexec_fn=_take_the_terminal) as run:
            screen.wait_for("0 of 10 inputs")
            screen.type("\x03")
            assert run.end(10).code == 130

        assert "Traceback" not in screen.text
        assert screen.is_restored


@pytest.mark.parametrize(
    "options", [pytest.param([], id="with-bars"), pytest.param(["-q"], id="quiet", marks=pytest.mark.slow)]
)
def test_a_terminal_that_is_gone_ends_it_as_its_signal_does(runner: Runner, batch: Proxy, options: list[str]) -> None:
    """A window that is closed: SIGHUP comes, and nothing that is written is taken any more."""
    found = corpus(runner)
    never_ending(batch)
    window, screen = os.openpty()
    with runner.running(
        "in",
        "--files-per-task",
        "3",
        *options,
        stdin=screen,
        stdout=screen,
        stderr=screen,
        preexec_fn=_take_the_terminal,
    ) as run:
        os.close(screen)
        eventually(lambda: batch.count("POST", "/addtaskcollection"), bool)
        os.close(window)
        assert run.end(10).code == CODES[signal.SIGHUP]
    assert runner.left_here() == []
    batch.rules.clear()
    assert_completes(runner, found)


def _take_the_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_second_signal_leaves_the_terminal_as_it_was(runner: Runner) -> None:
    """However little time there is."""
    endless(runner)
    with terminal() as screen:
        with runner.running("in", "--files-per-task", "1", **at(screen)) as run:
            screen.wait_for("uploaded")
            eventually(lambda: "1 of 8,193 bundles" in screen.text, bool)
            end_impatiently(run, signal.SIGTERM)
            assert run.end().code in {130, 143}

        eventually(lambda: screen.is_restored, bool, 5)
