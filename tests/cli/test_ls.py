"""`fastbatch ls`: what is shown of the runs that the journal knows."""

import dataclasses
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fastbatch import Settings, state
from fastbatch.cli.main import main
from fastbatch.journal.records import Phase, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Books
from fastbatch.place import Place
from fastbatch.running.holding import held
from tests.cli import FASTBATCH
from tests.journal import made
from tests.journal.made import PLACE

LOCAL = Place("batch", "http://127.0.0.1:10000", "blobs", "http://127.0.0.1:10001", local=True)


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Have the user's journal."""
    with Journal.opened() as found:
        yield found


def ls(*arguments: str) -> Result:
    """Ask for the runs, and have them."""
    shown = CliRunner().invoke(main, ["ls", *arguments])
    assert (shown.exit_code, shown.exception) == (0, None)
    return shown


def rows() -> list[list[str]]:
    """Give what is shown, by columns."""
    return [re.split(r"\s\s+", line) for line in ls().stdout.splitlines()]


def begin(journal: Journal, record: RunRecord) -> None:
    """Note a run."""
    journal.begin(record, made.whole_files("a"))


def ago(**time: float) -> datetime:
    """Give a moment that was some time ago."""
    return datetime.now(UTC) - timedelta(**time)


def test_runs_are_shown_newest_first_with_what_became_of_them(journal: Journal) -> None:
    """Counts, age, pool and account, in columns."""
    begin(
        journal,
        made.record(
            "run-aaaaaaaa",
            made=ago(days=2, hours=4, minutes=10),
            books=Books(2000, 1998, 2),
            phase=Phase.OVER,
            settings=Settings(pool="big"),
        ),
    )
    begin(
        journal,
        made.record("nightly-bbbbbbbb", made=ago(minutes=3), books=Books(3, 1, 0), phase=Phase.DETACHED, place=LOCAL),
    )

    assert rows() == [
        ["RUN", "STATE", "DONE", "FAILED", "AGE", "POOL", "ACCOUNT"],
        ["nightly-bbbbbbbb", "detached", "1 of 3", "0", "3m", "fastbatch", "local"],
        ["run-aaaaaaaa", "2 failed", "1,998 of 2,000", "2", "2d4h", "big", "mine"],
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "broken off"),
        ({"phase": Phase.DETACHED}, "detached"),
        ({"phase": Phase.CANCELLED}, "cancelled"),
        ({"phase": Phase.OVER, "books": Books(3, 3, 0)}, "done"),
        ({"phase": Phase.OVER, "books": Books(3, 1, 2)}, "2 failed"),
        ({"phase": Phase.OVER, "books": Books(3, 1, 0)}, "2 open"),
        ({"phase": Phase.OVER, "books": Books(3000, 0, 1)}, "1 failed, 2,999 open"),
        ({"phase": Phase.OVER, "books": Books(3, 3, 0), "cleaned": True}, "done, cleaned"),
        ({"phase": Phase.CANCELLED, "cleaned": True}, "cancelled, cleaned"),
    ],
)
def test_states_are_words(journal: Journal, more: dict[str, object], said: str) -> None:
    """Of what the run's own process noted last."""
    begin(journal, dataclasses.replace(made.record(), **more))  # type: ignore[arg-type]

    assert rows()[1][1] == said
    assert json.loads(ls("--json").stdout)["state"] == said


def test_a_run_is_going_while_a_process_drives_it(journal: Journal) -> None:
    """And broken off as soon as none does."""
    begin(journal, made.record())
    with held(made.RUN):
        assert rows()[1][1] == "going"
    assert rows()[1][1] == "broken off"


def test_without_runs_the_way_to_make_one_is_told() -> None:
    """To people only; nothing is made to find out."""
    shown = ls()

    assert (shown.stdout, shown.stderr) == (
        "",
        "There are no runs yet. Make one with: fastbatch run --local --sample 100\n",
    )
    assert not state.folder().exists()


def test_an_empty_journal_has_no_runs(journal: Journal) -> None:
    """It is as if there were none."""
    assert journal.runs() == []
    assert "There are no runs yet" in ls().stderr


def test_json_is_an_object_a_line(journal: Journal) -> None:
    """With plain values."""
    begin(journal, made.record("run-aaaaaaaa"))
    begin(journal, made.record("run-bbbbbbbb", place=LOCAL, books=Books(4, 2, 1), phase=Phase.OVER))
    newest, other = map(json.loads, ls("--json").stdout.splitlines())

    assert other["run"] == "run-aaaaaaaa"
    assert newest.pop("touched").startswith("20")
    assert newest == {
        "run": "run-bbbbbbbb",
        "state": "1 failed, 1 open",
        "cleaned": False,
        "inputs": {"planned": 4, "done": 2, "failed": 1, "open": 1},
        "bytes": 30,
        "bundles": 2,
        "made": "2026-05-09T07:35:25.123456+00:00",
        "pool": "fastbatch",
        "local": True,
        "batch_account": "batch",
        "storage_account": "blobs",
    }


def test_without_runs_json_is_empty() -> None:
    """What is no run is no line."""
    shown = ls("--json")

    assert (shown.stdout, shown.stderr) == ("", "")


def test_what_is_wrong_with_the_journal_is_told() -> None:
    """With code 2."""
    state.folder().mkdir(parents=True)
    (state.folder() / "journal.db").write_bytes(b"x" * 5000)
    shown = CliRunner().invoke(main, ["ls"])

    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "is damaged" in shown.stderr


def test_lines_fit_a_terminal(journal: Journal) -> None:
    """Pool and account give way, what tells runs from each other does not; elsewhere nothing is cut."""
    place = dataclasses.replace(PLACE, batch_account="a" * 24)
    run = f"{'r' * 30}-aaaaaaaa"
    begin(journal, made.record(run, place=place, settings=Settings(pool="p" * 64)))
    lines = _on_a_terminal(120)

    assert max(map(len, lines)) <= 120
    assert lines[1].startswith(f"{run}  broken off  ")
    assert re.search(r"  pp+\.\.\.  a{24}$", lines[1])
    assert [len(line) for line in _on_a_terminal(40)] == [len(line) for line in _on_a_terminal(50)]
    assert rows()[1][-2:] == ["p" * 64, "a" * 24]


def _on_a_terminal(columns: int) -> list[str]:
    """Give the lines that are shown on a terminal."""
    ours, theirs = os.openpty()
    try:
        environment = {**os.environ, "COLUMNS": str(columns)}
        subprocess.run([*FASTBATCH, "ls"], stdout=theirs, env=environment, check=True)
        return os.read(ours, 1 << 16).decode().splitlines()
    finally:
        os.close(ours)
        os.close(theirs)


def test_it_is_fast_and_asks_no_service(journal: Journal) -> None:
    """As nothing that speaks to one is imported; a thousand runs take a moment."""
    for number in range(1000):
        begin(journal, made.record(f"run-{number:08}", phase=Phase.OVER))
    code = """
import sys
from fastbatch.cli.main import main
main(["ls"], standalone_mode=False)
print(sorted({"aiohttp", "azure", "asyncio", "anyio", "rich"} & set(sys.modules)))
"""
    start = time.perf_counter()
    done = subprocess.run([*FASTBATCH[:1], "-c", code], capture_output=True, text=True, check=True)

    assert time.perf_counter() - start < 5  # 0.2 s where nothing else goes on
    assert len(done.stdout.splitlines()) == 1002
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_reader_may_leave(journal: Journal, tmp_path: Path) -> None:
    """As `head` does."""
    for number in range(1000):
        begin(journal, made.record(f"run-{number:08}"))
    with (tmp_path / "err").open("w+") as err:
        with subprocess.Popen([*FASTBATCH, "ls"], stdout=subprocess.PIPE, stderr=err) as process:
            assert process.stdout
            process.stdout.readline()
            process.stdout.close()
        err.seek(0)
        assert err.read() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it needs a file that is always full")
@pytest.mark.parametrize("command", [["ls"], ["ls", "--json"], ["status", "last"], ["status", "last", "--json"]])
def test_what_takes_nothing_more_is_told(journal: Journal, command: list[str]) -> None:
    """Without a word about where in the program that was; so does `status`."""
    begin(journal, made.record())
    with open("/dev/full", "w") as full:
        done = subprocess.run([*FASTBATCH, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith("Error: No space left on device.")
    assert "Traceback" not in done.stderr
