"""What `fastbatch run` says, and where."""

import json
import os
import re
import stat
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli import FASTBATCH
from tests.cli.running import Record, Runner, records
from tests.cli.terminals import terminal
from tests.counted import account_of, counts, reference, texts, write
from tests.proxy import Rule, proxy

pytestmark = pytest.mark.timeout(120)

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
COLOR = re.compile(r"\x1b\[[0-9;]*m")
TABLE = "count  word"


def corpus(runner: Runner, number: int = 12) -> dict[str, bytes]:
    """Write some texts below the user's folder `in`."""
    found = texts(number)
    write(runner.folder / "in", found)
    return found


def test_the_result_goes_to_stdout_and_progress_to_stderr(runner: Runner) -> None:
    """Plain lines, where there is no terminal."""
    corpus(runner)
    done = runner.run("in")

    assert done.code == 0
    assert done.out.splitlines()[0].strip() == TABLE
    assert "12 done, 0 failed, 0 open" in done.out
    assert done.err.startswith("Run run-")
    assert TABLE not in done.err
    assert "Planned" not in done.out
    assert "\x1b" not in done.out + done.err
    assert "\r" not in done.out + done.err


def test_json_is_all_that_stdout_holds(runner: Runner) -> None:
    """An event a line, from the start to the completion, each with its time in UTC."""
    found = corpus(runner)
    done = runner.run("in", "--json", "--output", "out")
    events = done.records()
    last = events[-1]

    assert done.code == 0
    assert [events[0]["event"], last["event"]] == ["run.started", "run.completed"]
    assert [event["event"] for event in events].count("run.completed") == 1
    assert last["run"] == events[0]["run"]
    assert last["complete"] is True
    assert last["inputs"] == {"planned": 12, "done": 12, "failed": 0, "open": 0}
    assert last["words"] == reference(list(found.values())).total()
    times = [event["time"] for event in events]
    assert all(TIME.fullmatch(time) for time in times)
    assert times == sorted(times)
    assert abs((datetime.now().astimezone() - datetime.fromisoformat(times[-1])).total_seconds()) < 60
    assert done.err.startswith("Run run-")


def test_json_tells_an_odd_name_without_loss(runner: Runner) -> None:
    """Beside one for people."""
    name = b"\xff\n.txt"
    write(runner.folder / "in", {"good.txt": b"good"})
    gone = runner.folder / "in" / os.fsdecode(name)
    gone.write_bytes(b"bad")
    with proxy(account_of(runner.services).storage_endpoint) as storage:
        storage.rules.append(Rule("GET", "comp=list", then=gone.unlink))
        runner.reach_storage_at(storage.url)
        done = runner.run("in", "--json")
    (failed,) = [event for event in done.records() if event["event"] == "input.failed"]

    assert done.code == 1
    assert failed["name_b64"] == "/woudHh0"
    assert failed["name"] == "\ufffd\n.txt"


def test_quiet_leaves_the_result_only(runner: Runner) -> None:
    """All went well, so there is nothing else to say."""
    corpus(runner)
    done = runner.run("in", "-q")

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0].strip() == TABLE


def test_quiet_with_json_leaves_the_events_only(runner: Runner) -> None:
    """They are not the less."""
    corpus(runner)
    done = runner.run("in", "-q", "--json")

    assert (done.code, done.err) == (0, "")
    assert [done.records()[0]["event"], done.records()[-1]["event"]] == ["run.started", "run.completed"]


def test_a_log_file_gets_all_events_of_one_run_after_the_other(runner: Runner) -> None:
    """The same ones as stdout has as JSON; for its owner's eyes."""
    corpus(runner)
    log = runner.folder / "events.log"
    first = runner.run("in", "--json", "--log-file", log)

    def timeless(events: list[Record]) -> list[Record]:
        return [{key: value for key, value in event.items() if key != "time"} for event in events]

    assert first.code == 0
    assert timeless(records(log.read_text())) == timeless(first.records())
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert runner.run("in", "--log-file", log).code == 0
    kinds = [event["event"] for event in records(log.read_text())]
    assert [kinds.count("run.started"), kinds.count("run.completed")] == [2, 2]


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["for-people", "json"])
def test_a_reader_who_leaves_stops_nothing(runner: Runner, options: list[str]) -> None:
    """As `| head -1` does."""
    found = corpus(runner)
    command = 'set -o pipefail; "$@" | head -1'
    done = runner.call("bash", "-c", command, "bash", *FASTBATCH, "run", "in", "--output", "out", *options)

    assert done.code == 0
    assert len(done.out.splitlines()) == 1
    assert "pipe" not in done.err.lower()
    assert "Exception" not in done.err
    assert counts(runner.folder / "out") == dict(reference(list(found.values())))
    assert json.loads((runner.folder / "out" / "summary.json").read_text())["complete"] is True


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["for-people", "json"])
def test_a_stdout_that_was_never_read_stops_nothing(runner: Runner, options: list[str]) -> None:
    """The first line finds the pipe closed; so does the last."""
    found = corpus(runner)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = runner.run("in", "--output", "out", *options, stdout=writer)
    finally:
        os.close(writer)

    assert done.code == 0
    assert counts(runner.folder / "out") == dict(reference(list(found.values())))


def test_a_stdout_that_is_closed_stops_nothing(runner: Runner) -> None:
    """As who started us may have it; neither may stderr."""
    found = corpus(runner)
    done = runner.call("sh", "-c", 'exec "$@" >&- 2>&-', "sh", *FASTBATCH, "run", "in", "--output", "out")

    assert done.code == 0
    assert counts(runner.folder / "out") == dict(reference(list(found.values())))


def test_a_result_that_could_not_be_written_is_not_done(runner: Runner) -> None:
    """A full disk behind stdout is told; what goes to the output folder is there."""
    found = corpus(runner)
    with Path("/dev/full").open("wb") as full:
        done = runner.run("in", "--output", "out", stdout=full)

    assert done.code == 1
    assert "No space left on device" in done.err
    assert counts(runner.folder / "out") == dict(reference(list(found.values())))


@pytest.mark.slow
def test_there_is_color_only_where_it_is_wanted(runner: Runner) -> None:
    """FORCE_COLOR asks for it, NO_COLOR forbids it, whatever else is said."""
    corpus(runner)
    runner.environment["FORCE_COLOR"] = "1"
    assert COLOR.search(runner.run("in").out)
    runner.environment["NO_COLOR"] = "1"
    done = runner.run("in")

    assert not COLOR.search(done.out + done.err)


@pytest.mark.parametrize("variable", ["NO_COLOR", "TERM"])
def test_a_terminal_without_color_gets_none(runner: Runner, variable: str) -> None:
    """By wish, or because it can do no more than print."""
    corpus(runner)
    runner.environment[variable] = "dumb"
    with terminal() as screen:
        done = runner.run("in", stdout=screen.theirs, stderr=screen.theirs)
        screen.wait_for("left ")

        assert done.code == 0
        painted = [code for code in COLOR.findall(screen.written) if code not in ("\x1b[0m", "\x1b[1m", "\x1b[2m")]
        assert painted == []
        assert screen.is_restored
        assert variable == "NO_COLOR" or "\x1b" not in screen.written
