"""`fastbatch tune`: what it asks for, what it shows, what it leaves."""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fastbatch.cli.main import main
from fastbatch.tuning.measured import Point
from fastbatch.tuning.saved import load, save
from tests.cli import FASTBATCH
from tests.cli.running import Done, Record, Runner
from tests.cli.terminals import HIDDEN, terminal
from tests.cli.tuning import MEASUREMENTS, times
from tests.counted import texts, write
from tests.local import instances

pytestmark = pytest.mark.timeout(120)

NO_ACCOUNT = dict.fromkeys((name for name in os.environ if name.startswith(("AZURE_", "FASTBATCH_"))), None)


@pytest.fixture
def saved(tmp_path: Path) -> str:
    """Have saved measurements in a file."""
    path = str(tmp_path / "measurements.json")
    save(path, replace(MEASUREMENTS, points=MEASUREMENTS.points[:-1]))
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    """Have some texts in a folder."""
    return str(write(tmp_path / "in", texts(12)))


def tune(*arguments: str, **environment: str | None) -> Result:
    """Have it do something that ends soon, within this process."""
    ended = CliRunner(env={**NO_ACCOUNT, **environment}).invoke(main, ["tune", *arguments])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended


def problems(ended: Result) -> list[str]:
    """Give what was wrong, of a command that did nothing."""
    assert (ended.exit_code, ended.stdout) == (2, "")
    return [line.removeprefix("Error: ") for line in ended.stderr.splitlines()]


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_made(tmp_path: Path) -> None:
    """Options, settings, outputs, account and inputs."""
    (tmp_path / "file").write_text("in the way")
    found = problems(
        tune(
            *("nowhere", "--nodes", "0,1", "--repeat", "x", "--price-per-node-hour", "-1", "--simulate", "0"),
            *("--top", "0", "--output", str(tmp_path / "file")),
            XDG_CONFIG_HOME=str(tmp_path),
        )
    )

    for part in ("--nodes: ", "--repeat: ", "--price-per-node-hour: ", "--simulate: ", "--top ", "is not a folder"):
        assert any(part in problem for problem in found), part
    assert any("nowhere" in problem for problem in found)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_there_must_be_inputs_or_measurements(saved: str) -> None:
    """One or the other."""
    either = "name files, folders or globs to measure, or saved measurements with --from FILE; not both."

    assert either in problems(tune("--local"))
    assert either in problems(tune("some.txt", "--from", saved))


def test_what_says_how_to_measure_goes_with_inputs_alone(saved: str) -> None:
    """Each such option is named."""
    arguments = ["--nodes", "1", "--sample", "0.1", "--repeat", "1", "--slots", "2", "--ignore-case", "--local"]
    (problem,) = problems(tune("--from", saved, *arguments, "--dry-run"))

    named, _, why = problem.partition(": ")
    assert named.split(", ") == [
        *("--nodes", "--sample", "--repeat"),
        *("--ignore-case", "--slots", "--local", "--dry-run"),
    ]
    assert why == "of use when something is measured, and with --from nothing is."


def test_a_file_without_measurements_is_wrong_usage(tmp_path: Path) -> None:
    """As is one that is not there."""
    (problem,) = problems(tune("--from", str(tmp_path / "none.json")))

    assert "none.json can't be read as measurements: No such file or directory." in problem


def test_a_dry_run_shows_how_much_would_be_run(corpus: str, tmp_path: Path) -> None:
    """No service is asked, and nothing is made."""
    before = sorted(tmp_path.rglob("*"))
    arguments = [corpus, "--local", "--files-per-task", "1", "--nodes", "4,1", "--sample", "25%", "--dry-run"]
    shown = tune(*arguments)
    as_json = json.loads(tune(*arguments, "--json").stdout)

    assert (shown.exit_code, shown.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines())
    assert lines["runs"] == "6: 3 on each of 1 and 4 nodes, after one that only warms up"
    assert lines["tasks"] == f"{as_json['tasks']:,} tasks a run, {7 * as_json['tasks']:,} in all"
    assert " of 12 files, " in lines["inputs"]
    assert lines["pool"] == "fastbatch, with up to 4 nodes; it is left as it was found"
    assert (as_json["nodes"], as_json["repeat"], as_json["runs"]) == ([1, 4], 3, 6)
    assert as_json["whole"]["inputs"] == 12
    assert 2 <= as_json["inputs"] <= 4
    assert sorted(tmp_path.rglob("*")) == before


def test_what_was_measured_before_is_shown_again(saved: str) -> None:
    """All on stdout; nothing is written anywhere."""
    ended = tune("--from", saved, "--price-per-node-hour", "0.096", "--simulate", "1..3,1000")

    assert (ended.exit_code, ended.stderr) == (0, "")
    for part in ("NODES  TIME", "WAITING", "The curve is", "recommended", "1,000", "COST"):
        assert part in ended.stdout
    assert [path.name for path in Path(saved).parent.iterdir()] == ["measurements.json"]


def test_as_json_the_findings_are_one_event(saved: str) -> None:
    """The last, and of measurements from a file the only one."""
    ended = tune("--from", saved, "--json")
    (record,) = map(json.loads, ended.stdout.splitlines())

    assert record["event"] == "tune.completed"
    assert [row["nodes"] for row in record["rows"]] == [1, 2, 4, 8]


def test_findings_and_a_picture_are_written_to_a_folder(saved: str, tmp_path: Path) -> None:
    """Which is made; the measurements are where they are."""
    ended = tune("--from", saved, "--output", str(tmp_path / "out"))

    assert (ended.exit_code, ended.stderr) == (0, "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"findings.json", "how-many-nodes.svg"}
    assert len(json.loads((tmp_path / "out" / "findings.json").read_text())["rows"]) == 4


def test_without_matplotlib_the_rest_is_written(saved: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is said how to have a picture."""
    monkeypatch.delitem(sys.modules, "fastbatch.tuning.picture", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ended = tune("--from", saved, "--output", str(tmp_path / "out"))

    assert ended.exit_code == 0
    assert "pip install 'fastbatch[plot]'" in ended.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["findings.json"]


def test_what_cant_be_written_is_told_after_what_was_found(saved: str, tmp_path: Path) -> None:
    """And not all is done then."""
    (tmp_path / "out" / "findings.json").mkdir(parents=True)
    ended = tune("--from", saved, "--output", str(tmp_path / "out"))

    assert ended.exit_code == 1
    assert "recommended" in ended.stdout
    assert ended.stderr.startswith("What was found is not all there: cannot write ")


def test_measurements_without_any_run_are_shown_as_failed(tmp_path: Path) -> None:
    """There is nothing to recommend."""
    save(str(tmp_path / "m.json"), replace(MEASUREMENTS, points=(Point(3, (), ("no quota",)),), boots=()))
    ended = tune("--from", str(tmp_path / "m.json"), "--output", str(tmp_path / "out"), "--simulate", "1..1000")

    assert ended.exit_code == 0
    assert "3 nodes failed: no quota" in ended.stdout
    assert "recommended" not in ended.stdout


@pytest.mark.parametrize("seconds", [1e-6, 1.0, 1e9])
def test_whatever_runs_took_it_is_shown(seconds: float, tmp_path: Path) -> None:
    """Nothing divides by nought."""
    points = tuple(Point(nodes, times(seconds, seconds)) for nodes in (1, 2, 3, 4))
    save(str(tmp_path / "m.json"), replace(MEASUREMENTS, points=points))
    ended = tune("--from", str(tmp_path / "m.json"), "--output", str(tmp_path / "out"), "--simulate", "8")

    assert ended.exit_code == 0
    assert "NODES  TIME" in ended.stdout


def measured(runner: Runner, *arguments: str) -> Done:
    """Measure in a process of its own, on a pool of its own."""
    return runner.call(*FASTBATCH, "tune", "in", "--pool", "tuned", "--slots", "1", *arguments)


def test_runs_are_measured_by_number_of_nodes(runner: Runner) -> None:
    """With the real services: what is shown is kept, and nothing else stays."""
    write(runner.folder / "in", texts(9))
    before = runner.left_there()
    done = measured(runner, "--files-per-task", "3", "--nodes", "2,1", "--repeat", "1", "--output", "out")

    assert done.code == 0, done.err
    assert [line.split()[0] for line in done.out.splitlines()[3:6]] == ["NODES", "1", "2"]
    for nodes in ("1 node", "2 nodes"):
        assert f"{nodes}, run 1 of 1: " in done.err
    assert done.err.splitlines()[-1] == "To look at it again: fastbatch tune --from out/measurements.json"
    found = load(str(runner.folder / "out" / "measurements.json"))
    assert [(point.nodes, len(point.runs), point.failures) for point in found.points] == [(1, 1, ()), (2, 1, ())]
    assert {path.name for path in (runner.folder / "out").iterdir()} == {
        *("measurements.json", "findings.json", "how-many-nodes.svg"),
    }
    assert {left for left in runner.left_there() - before if not left.startswith("container fastbatch-")} == set()
    assert runner.left_here() == []
    again = runner.ask("tune", "--from", str(runner.folder / "out" / "measurements.json"))
    assert again.out == done.out


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_keeps_and_shows_what_was_measured_and_gives_the_pool_back(
    runner: Runner, number: signal.Signals
) -> None:
    """In the midst of a run."""
    write(runner.folder / "in", texts(9))
    assert runner.ask("pool", "create", "tuned", "--nodes", "1", "--slots", "1").code == 0
    arguments = ["in", "--pool", "tuned", "--files-per-task", "1", "--nodes", "1,2,3", "--repeat", "2", "--json"]
    with runner.running(*arguments, verb="tune") as running:
        records: list[Record] = [running.until("round.measured")]
        while records[-1]["number"] < 1:
            records.append(running.until("round.measured"))
        running.until("tasks.submitted")
        running.send(number)
        done = running.end()
    try:
        (pool,) = (line.split() for line in runner.ask("pool", "ls").out.splitlines() if line.startswith("tuned "))
    finally:
        runner.ask("pool", "delete", "tuned", "--yes")

    assert done.code == 128 + number
    last = done.records()[-1]
    assert (last["event"], [len(row["seconds"]) for row in last["rows"]]) == ("tune.completed", [0, 0, 1])
    assert pool[2] == "1"
    (kept,) = (runner.state / "fastbatch" / "tunes").iterdir()
    assert f"To look at it again: fastbatch tune --from {kept}" in done.err
    assert "A second signal leaves at once" in done.err
    assert "fastbatch pool show tuned" in done.err
    assert runner.ask("tune", "--from", str(kept)).code == 0
    assert not [left for left in runner.left_there() if left.startswith("job tune-")]


@pytest.mark.slow
def test_nodes_that_are_not_to_be_had_are_shown_as_failed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With the reason; the others are measured, and not all is done."""
    with instances.lasting_as_long_as_we(tmp_path_factory.mktemp("tight"), node_quota=1) as tight:
        runner = Runner(tmp_path, tight)
        write(runner.folder / "in", texts(4))
        done = measured(runner, "--nodes", "1,2", "--repeat", "1")

    assert done.code == 1
    rows = [line.split() for line in done.out.splitlines() if line.lstrip().startswith(("1 ", "2 "))]
    assert rows[1][:2] == ["2", "failed"]
    assert "quota" in done.out
    assert "2 nodes failed: " in done.err
    assert "1 node, run 1 of 1: " in done.err


@pytest.mark.slow
def test_on_a_terminal_a_line_moves_and_is_gone_at_the_end(runner: Runner) -> None:
    """Also if a signal ends it."""
    write(runner.folder / "in", texts(9))
    with terminal() as found:
        arguments = ["in", "--pool", "tuned", "--nodes", "1", "--repeat", "9"]
        places = {"stdin": found.theirs, "stdout": found.theirs, "stderr": found.theirs}
        with runner.running(*arguments, verb="tune", **places) as running:
            found.wait_for("1 node, run 2 of 9: ")
            running.send(signal.SIGINT)
            code = running.process.wait(30)
        found.wait_for("Interrupted (SIGINT).")

        assert code == 130
        assert HIDDEN in found.written
        assert found.is_restored
        assert "Stopping: the pool is left as it was found" in found.text
        assert "NODES  TIME" in found.text.partition("Stopping: ")[2]
