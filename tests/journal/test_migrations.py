"""A file of an older version becomes one of this."""

import sqlite3
from pathlib import Path

import pytest

from fastbatch.errors import UsageError
from fastbatch.journal import schema
from fastbatch.journal.schema import MIGRATIONS
from fastbatch.journal.store import Journal
from tests.journal import made
from tests.journal.files import NAMES
from tests.journal.made import RUN


def test_an_older_journal_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of versions, and with all that is in it."""
    newer = (
        *MIGRATIONS,
        ["ALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'good'"],
        ["UPDATE runs SET mood = mood || ', then better'", "CREATE INDEX moods ON runs (mood)"],
    )
    monkeypatch.setattr(schema, "MIGRATIONS", newer)
    for _ in range(2):
        with Journal.opened(path) as journal:
            assert journal.plan(RUN) == made.whole_files(*NAMES)

    database = sqlite3.connect(path)
    assert database.execute("SELECT mood FROM runs").fetchall() == [("good, then better",)]
    assert database.execute("PRAGMA user_version").fetchone() == (len(newer),)
    database.close()


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those before it are kept: each is a version by itself."""
    step = ["ALTER TABLE runs ADD COLUMN mood TEXT"]
    broken = ["ALTER TABLE runs DROP COLUMN mood", "UPDATE nowhere SET x = 1"]
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, step, broken))
    with pytest.raises(UsageError, match="no such table: nowhere"):
        Journal.opened(path)

    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, step))
    with Journal.opened(path) as journal:
        assert journal.runs()
