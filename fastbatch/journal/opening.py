"""The file of the journal: how it is made and opened."""

import os
import sqlite3
import time
from pathlib import Path

from fastbatch import state
from fastbatch.journal import troubles
from fastbatch.journal.schema import migrate

_PATIENCE = 30.0  # seconds for which another process may keep it locked
_PAUSE = 0.01


def default_path() -> Path:
    """Give the path of the user's journal."""
    return state.folder() / "journal.db"


def opened(path: Path) -> sqlite3.Connection:
    """Open a journal, which is made if need be. Raises UsageError or JournalFailed; then nothing was changed in it."""
    with troubles.opening(path):
        _make(path)
        database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            migrate(database)
            _tune(database)
        except BaseException:
            database.close()
            raise
    return database


def _make(path: Path) -> None:
    """Make an empty file unless there is one, for its owner's eyes only: as its folder is."""
    state.make(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    # In this order: another process may be making it, and fills the file before its log.
    if _is_full(Path(f"{path}-wal")) and not _is_full(path):
        # SQLite would take it for new, and remove what is in its log.
        raise sqlite3.DatabaseError("the file is empty, and its log is not")


def _is_full(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _tune(database: sqlite3.Connection) -> None:
    """Let readers and a writer work side by side, and a write take no longer than it must."""
    _keep_a_log(database)
    database.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut the last moments
    database.execute("PRAGMA cache_size = -16384")  # KiB


def _keep_a_log(database: sqlite3.Connection) -> None:
    """Have changes written into a log beside the file: for this SQLite has no patience with others of its own."""
    until = time.monotonic() + _PATIENCE
    while database.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
