"""Several processes use a journal at once, and may be killed at any moment."""

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from fastbatch.errors import JournalFailed
from fastbatch.journal.records import Changes
from fastbatch.journal.store import Journal
from tests.journal.children import child, said, tell
from tests.journal.files import read_all
from tests.journal.made import RUN


def test_processes_may_open_at_once_what_is_not_there_yet(tmp_path: Path) -> None:
    """One makes it, and all have it."""
    program = """
for line in sys.stdin:
    with Journal.opened(path / line.strip() / "journal.db") as journal:
        journal.begin(made.record(f"run-{os.getpid():08}"), made.whole_files("a"))
    print(line, end="", flush=True)
"""
    children = [child(program, tmp_path) for _ in range(3)]
    for line in (f"{number}\n" for number in range(10)):
        for process in children:
            tell(process, line)
        assert [process.stdout and process.stdout.readline() for process in children] == [line] * 3
        with Journal.opened(tmp_path / line.strip() / "journal.db") as journal:
            assert len(journal.runs()) == 3
    assert [said(process) for process in children] == [""] * 3


def test_processes_may_write_at_once(path: Path) -> None:
    """Each write is one by itself, and none is refused because another is under way."""
    program = """
mine = int(sys.stdin.readline())
with Journal.opened(path) as journal:
    for n in range(30):
        journal.write(RUN, Changes({f"b{mine:05}": Standing(attempt=n)}, [Attempt(Task(f"b{mine:05}", n))]))
        assert journal.standings(RUN)[f"b{mine:05}"].attempt == n
"""
    children = [child(program, path) for _ in range(3)]
    for number, process in enumerate(children, 1):
        tell(process, f"{number}\n")
    assert [said(process) for process in children] == [""] * 3

    with Journal.opened(path) as journal:
        assert len(journal.attempts(RUN)) == 90
        standings = journal.standings(RUN)
        assert [standings[f"b{number:05}"].attempt for number in range(1, 5)] == [29, 29, 29, 0]


def test_what_is_locked_for_long_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a process that is stopped, for example."""
    monkeypatch.setattr("fastbatch.journal.opening._PATIENCE", 0.05)
    with Journal.opened(path) as journal:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalFailed, match="another process keeps it locked"):
            journal.write(RUN, Changes())
        other.close()
        journal.write(RUN, Changes())


def test_a_killed_process_loses_nothing_that_it_wrote(path: Path) -> None:
    """At whatever moment it is killed; what it was writing is there as a whole, or not at all."""
    program = """
with Journal.opened(path) as journal:
    for n in range(1000):
        changes = {f"b{b:05}": Standing(attempt=n) for b in range(1, 500)}
        journal.write(RUN, Changes(changes, [Attempt(Task(b, n)) for b in changes]))
        print(n, flush=True)
"""
    process = child(program, path)
    assert process.stdout
    for last in ("3\n", "7\n"):
        while process.stdout.readline() != last:
            pass
    process.send_signal(signal.SIGKILL)
    written = [int(line) for line in process.stdout.read().split()] or [7]
    process.communicate()

    with Journal.opened(path) as journal:
        standings, attempts = journal.standings(RUN), journal.attempts(RUN)
        read_all(journal)
    (reached,) = {standings[f"b{b:05}"].attempt for b in range(1, 500)}
    assert reached in {written[-1], written[-1] + 1}
    assert len(attempts) == 499 * (reached + 1)
    assert os.path.getsize(path)
