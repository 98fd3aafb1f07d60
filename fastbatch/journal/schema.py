"""
The tables of the journal, and how a file of an older version becomes one of this.

A version that was ever released is never changed: what is new is another migration at the end.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

APPLICATION_ID = 0x66426A31  # "fBj1": by which the file is known to be ours

# What is known of a run is a row of `runs`, and all else hangs on its key. Inputs and bundles are known by their places
# in the plan.
_FIRST = (
    """
    CREATE TABLE runs (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        uid TEXT NOT NULL,
        made INTEGER NOT NULL,  -- moments are microseconds since 1970, UTC
        place TEXT NOT NULL,  -- as JSON, without keys
        storage TEXT NOT NULL,  -- what tells the storage account of this place from others
        settings TEXT NOT NULL,  -- as JSON
        bundle_size INTEGER,
        planned INTEGER NOT NULL,
        done INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        bundles INTEGER NOT NULL,
        phase TEXT NOT NULL,
        touched INTEGER NOT NULL,
        job INTEGER NOT NULL,
        signed_until INTEGER,
        made_pool INTEGER NOT NULL,
        cleaned INTEGER NOT NULL,
        summary TEXT  -- as JSON
    )
    """,
    """
    CREATE TABLE items (
        run INTEGER NOT NULL,
        number INTEGER NOT NULL,
        bundle INTEGER,  -- the number of the bundle that has it whole
        path BLOB NOT NULL,
        name NOT NULL,  -- a blob, or how many bytes of the end of the path it is
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        PRIMARY KEY (run, number)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE bundles (
        run INTEGER NOT NULL,
        number INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        item INTEGER,  -- the number of the input that it is a slice of
        start INTEGER NOT NULL,
        stop INTEGER NOT NULL,
        state INTEGER NOT NULL,
        digest BLOB,
        length INTEGER,
        checks BLOB NOT NULL,
        uploaded INTEGER,
        attempt INTEGER NOT NULL,
        done_by INTEGER,  -- an attempt, as cause_attempt
        cause TEXT,
        cause_attempt INTEGER,
        passing INTEGER,
        PRIMARY KEY (run, number)
    )
    """,
    """
    CREATE TABLE lost (
        run INTEGER NOT NULL,
        bundle INTEGER NOT NULL,
        name BLOB NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (run, bundle, name)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE tasks (
        run INTEGER NOT NULL,
        bundle INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        job INTEGER NOT NULL,
        outcome INTEGER NOT NULL,
        exit_code INTEGER,
        reason TEXT NOT NULL,
        node INTEGER,
        PRIMARY KEY (run, bundle, attempt)
    ) WITHOUT ROWID
    """,
    # A node runs thousands of tasks, and what Azure calls it is long.
    "CREATE TABLE nodes (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    # What runs of here stored; a row outlives what its run is cleaned of, as others may refer to the blob.
    """
    CREATE TABLE blobs (
        digest BLOB NOT NULL,
        run INTEGER NOT NULL,
        stored INTEGER NOT NULL,
        PRIMARY KEY (digest, run)
    ) WITHOUT ROWID
    """,
)

MIGRATIONS: Sequence[Sequence[str]] = (_FIRST,)  # each from one version to the next


class Newer(Exception):
    """Raised when a file has tables of a version that this program does not know."""


class Foreign(Exception):
    """Raised when a file is a database of something else."""


def migrate(database: sqlite3.Connection) -> None:
    """Bring a database, which may be empty, up to this version. Raises Newer, Foreign, sqlite3.Error."""
    while _version(database) < len(MIGRATIONS):
        with transaction(database):
            version = _version(database)  # anew, as another process may have been faster
            if version < len(MIGRATIONS):
                for statement in MIGRATIONS[version]:
                    database.execute(statement)
                database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                database.execute(f"PRAGMA user_version = {version + 1}")


@contextmanager
def transaction(database: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Do all of what follows, or nothing of it."""
    database.execute(f"BEGIN {kind}")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:  # a full disk may have ended it already
            database.execute("ROLLBACK")
        raise


def _version(database: sqlite3.Connection) -> int:
    """Tell the version of a database that is ours or empty."""
    owner, version, tables = database.execute(
        "SELECT (SELECT * FROM pragma_application_id), (SELECT * FROM pragma_user_version), "
        "(SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if owner != APPLICATION_ID and (owner or version or tables):
        raise Foreign
    if version > len(MIGRATIONS):
        raise Newer
    return int(version)
