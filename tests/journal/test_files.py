"""A file that is not as it is to be is told, with what to do, and harmed by nothing."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch.errors import FastbatchError, JournalFailed, UsageError
from fastbatch.journal import troubles
from fastbatch.journal.records import Attempt, Changes
from fastbatch.journal.schema import MIGRATIONS
from fastbatch.journal.store import Journal
from fastbatch.model import Task
from tests.journal import made
from tests.journal.files import NAMES, altered, read_all
from tests.journal.made import RUN, stored


def told(path: Path, kind: type[FastbatchError] = UsageError) -> str:
    """Open what can't be opened; give what is said, after seeing that nothing was changed."""
    before = path.read_bytes()
    with pytest.raises(kind) as caught:
        Journal.opened(path)
    assert path.read_bytes() == before
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_newer_journal_is_left_to_newer_versions(path: Path) -> None:
    """What is in it may mean something else by now."""
    altered(path, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")

    assert re.search("newer version of fastbatch. Use that one.*XDG_STATE_HOME.*gives up `resume`", told(path))


def test_a_run_of_a_newer_version_is_told(path: Path) -> None:
    """By the setting that this version does not know."""
    altered(path, "UPDATE runs SET settings = json_set(settings, '$.warp', 9)")
    with (
        Journal.opened(path) as journal,
        pytest.raises(UsageError, match=r"newer version.*which sets warp"),
    ):
        journal.record(RUN)


def test_settings_that_there_were_not_yet_are_the_defaults(path: Path) -> None:
    """An older version could not set them."""
    altered(path, "UPDATE runs SET settings = json_remove(settings, '$.task_retries')")
    with Journal.opened(path) as journal:
        assert journal.record(RUN).settings == made.record().settings


@pytest.mark.parametrize(
    "statements",
    [
        ("PRAGMA application_id = 7",),
        ("PRAGMA application_id = 0",),
        ("PRAGMA application_id = 0", "PRAGMA user_version = 0"),
    ],
)
def test_a_database_of_something_else_is_told(path: Path, statements: tuple[str, ...]) -> None:
    """It is not filled with our tables."""
    altered(path, *statements)

    assert "a database of another program" in told(path)


@pytest.mark.parametrize("content", [b"not a database", b"x" * 100_000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_told(path: Path, content: bytes) -> None:
    """It is not overwritten."""
    path.write_bytes(content)

    assert re.search(r"is damaged \(.*Nothing was changed in it.*move it away.*gives up `resume`", told(path))


def test_an_empty_file_with_a_log_is_damaged(path: Path) -> None:
    """The log may be all that is left of a journal, and would be removed as none of its own."""
    log = Path(f"{path}-wal")
    log.write_bytes(b"all that is left")
    path.write_bytes(b"")

    assert "is damaged (the file is empty, and its log is not)" in told(path)
    assert log.read_bytes() == b"all that is left"


def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    """As it is what a process leaves that is killed when it makes one."""
    path.write_bytes(b"")
    with Journal.opened(path) as journal:
        assert journal.runs() == []


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    """It is no journal."""
    with pytest.raises(UsageError, match=r"can't be made: Is a directory\."):
        Journal.opened(tmp_path)


def test_a_state_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    """With the way to name another."""
    (tmp_path / "state").touch()
    with pytest.raises(UsageError, match=r"can't be made: .*XDG_STATE_HOME"):
        Journal.opened(tmp_path / "state" / "journal.db")


@settings(max_examples=60)
@given(cut=st.floats(0, 1), wrong=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=600)), max_size=3))
def test_damage_anywhere_is_an_error_of_ours_and_gets_no_worse(
    whole: Path, tmp_path: Path, cut: float, wrong: list[tuple[float, bytes]]
) -> None:
    """Or it is not noticed at all, where it is in nothing that is read; nothing else is ever raised."""
    content = bytearray(whole.read_bytes())
    for where, bytes_there in wrong:
        at = int(where * len(content))
        content[at : at + len(bytes_there)] = bytes_there
    path = tmp_path / "journal.db"
    path.write_bytes(content[: int(cut * len(content))] if not wrong else content)
    before = path.read_bytes()
    try:
        with Journal.opened(path) as journal:
            read_all(journal)
    except (UsageError, JournalFailed) as error:
        told = str(error)
        assert str(path) in told or f"no run {RUN}" in told  # as an index may not lead to it
        assert len(before) < 1 or path.read_bytes() == before


def test_damage_may_be_found_while_reading_or_writing(path: Path) -> None:
    """Where the file begins well; what is beside the damage can still be read."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 2))
    with Journal.opened(path) as journal:
        assert journal.record(RUN).id == RUN
        with pytest.raises(JournalFailed, match=r"is damaged \(.*move it away"):
            read_all(journal)
        with pytest.raises(JournalFailed, match=r"is damaged \(.*move it away"):
            journal.clean(RUN)
        assert not journal.record(RUN).cleaned


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (sqlite3.SQLITE_PROTOCOL, "SQLite can't use it"),
        (sqlite3.SQLITE_NOMEM, "SQLite can't use it"),
        (sqlite3.SQLITE_IOERR_FSYNC, "the disk fails, or is full"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "it may not be written"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "is damaged"),
    ],
)
def test_what_sqlite_says_is_told_by_its_kind(code: int, said: str, tmp_path: Path) -> None:
    """Only what is damage is called so."""
    error = sqlite3.OperationalError("so it is\x1b")
    error.sqlite_errorcode = code
    with pytest.raises(JournalFailed) as caught, troubles.using(tmp_path):
        raise error

    assert said in str(caught.value)
    assert r"(so it is\x1b)" in str(caught.value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have a journal, that is not to be changed."""
    path = tmp_path_factory.mktemp("whole") / "journal.db"
    with Journal.opened(path) as journal:
        journal.begin(made.record(), made.whole_files(*NAMES[:300]))
        changes = Changes({"b00002": stored("aa")}, [Attempt(Task("b00002"), node="n")])
        journal.write(RUN, changes)
    return path


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE runs SET settings = 'x'", lambda journal: journal.record(RUN)),
        ("UPDATE runs SET settings = '[]'", lambda journal: journal.record(RUN)),
        ("UPDATE runs SET phase = 'x'", lambda journal: journal.runs()),
        ("UPDATE runs SET made = 'x'", lambda journal: journal.runs()),
        ("UPDATE runs SET made = 9223372036854775807", lambda journal: journal.runs()),
        ("UPDATE runs SET id = CAST(x'ff' AS TEXT)", lambda journal: journal.runs()),
        ("UPDATE runs SET id = '../../run-abcdefgh'", lambda journal: journal.runs()),
        ("UPDATE runs SET id = '../../run-abcdefgh'", lambda journal: journal.find("last")),
        ("UPDATE bundles SET kind = 9", lambda journal: journal.plan(RUN)),
        ("UPDATE bundles SET item = 9999", lambda journal: journal.plan(RUN)),
        ("UPDATE items SET bundle = 1", lambda journal: journal.plan(RUN)),
        ("UPDATE items SET path = 5", lambda journal: journal.plan(RUN)),
        ("UPDATE bundles SET state = 9", lambda journal: journal.standings(RUN)),
        ("UPDATE bundles SET digest = 'x'", lambda journal: journal.standings(RUN)),
        ("DROP TABLE tasks", lambda journal: journal.attempts(RUN)),
    ],
)
def test_rows_that_make_no_sense_are_damage(path: Path, statement: str, read: Callable[[Journal], Any]) -> None:
    """Told when they are read."""
    altered(path, statement)
    with Journal.opened(path) as journal, pytest.raises(JournalFailed, match=r"is damaged .* Nothing was changed"):
        read(journal)
