"""
The service's state, in SQLite: this and its part `dependencies` are the only places that know so.

Each kind of record is a table whose columns are the record's fields. All calls are synchronous and quick; a caller
groups what belongs together in one transaction. A killed process loses no finished transaction.
"""

import contextlib
import dataclasses
import sqlite3
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from fastbatch.local.dependencies import SCHEMA, Dependencies
from fastbatch.local.errors import Unavailable
from fastbatch.local.records import Errand, Job, Node, Pool, Record, Specification, Task

VERSION = 2

AWAY = "state IN ('rebooting', 'reimaging', 'starting', 'preempted')"  # the nodes on their way down or up again

Damaged = sqlite3.DatabaseError  # what any reading raises where a file is damaged further on than its beginning

R = TypeVar("R", Pool, Node, Job, Task, Errand)

_TABLES: dict[type[Any], str] = {
    Pool: "pools",
    Node: "nodes",
    Job: "jobs",
    Task: "tasks",
    Specification: "specifications",
    Errand: "errands",
}
_LAST_CHANGE = {
    Pool: "max(modified, state_time)",
    Node: "state_time",
    Job: "max(modified, state_time)",
    Task: "max(modified, state_time)",
}
_CONSTRAINTS = {
    Pool: ["UNIQUE (id)"],
    Node: ["UNIQUE (pool, id)"],
    Job: ["UNIQUE (id)"],
    Task: ["UNIQUE (job, id)"],
    Specification: ["PRIMARY KEY (task)"],
    Errand: ["UNIQUE (job, node, kind)"],
}
_NAMES = {kind: tuple(field.name for field in dataclasses.fields(kind)) for kind in _TABLES}
_VALUES: dict[type[Any], Callable[[Any], tuple[Any, ...]]] = {kind: attrgetter(*_NAMES[kind]) for kind in _TABLES}
_INSERT = {
    kind: f"INSERT INTO {table} ({', '.join(_NAMES[kind])}) VALUES ({', '.join('?' * len(_NAMES[kind]))})"
    for kind, table in _TABLES.items()
}
_INDEXES = [
    "CREATE INDEX jobs_to_run ON jobs (pool_id) WHERE state = 'active'",
    f"CREATE INDEX nodes_away ON nodes (pool) WHERE {AWAY}",
    "CREATE INDEX tasks_by_state ON tasks (job, state)",
    "CREATE INDEX tasks_to_run ON tasks (job, blocked) WHERE state = 'active'",
    "CREATE INDEX tasks_on_nodes ON tasks (key) WHERE state IN ('preparing', 'running')",
    "CREATE INDEX tasks_with_files ON tasks (files_until) WHERE files_until IS NOT NULL",
]


class Store:
    """The records of one service."""

    def __init__(self, path: Path) -> None:
        try:
            self._database = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        except sqlite3.Error as error:
            raise unusable(path, error) from error
        self.dependencies = Dependencies(self._database)
        try:
            self._prepare(path)
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise unusable(path, error) from error
            raise

    def _prepare(self, path: Path) -> None:
        run = self._database.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut at most the last moments
        run("PRAGMA wal_autocheckpoint = 8192")  # each checkpoint waits for the disk
        run("PRAGMA cache_size = -65536")
        (version,) = run("PRAGMA user_version").fetchone()
        if version == 0:
            with self.transaction():
                for kind in _TABLES:
                    run(_table(kind))
                for statement in (*_INDEXES, *SCHEMA):
                    run(statement)
                run("CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
                run(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            raise Unavailable(
                f"The state in {path} was written by another version of fastbatch. Move it away, or use that version."
            )

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of what follows, or nothing of it. A transaction within another is part of that one."""
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._database.in_transaction:  # a full disk may have ended it already
            self._database.execute("ROLLBACK")

    def add(self, record: R) -> R:
        """Add a record, and give it with the key that it got."""
        row: tuple[Any, ...] = _VALUES[type(record)](record)
        cursor = self._database.execute(_INSERT[type(record)], (None, *row[1:]))
        return dataclasses.replace(record, key=typing.cast("int", cursor.lastrowid))

    def add_tasks(self, tasks: Sequence[Task], bodies: Sequence[str]) -> range:
        """Add tasks to a job, none of which is there yet; give their keys."""
        (last,) = self._database.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'tasks'").fetchone()
        keys = range((last or 0) + 1, (last or 0) + 1 + len(tasks))
        values = _VALUES[Task]
        rows = [(key, *values(task)[1:]) for key, task in zip(keys, tasks, strict=True)]
        self._database.executemany(_INSERT[Task], rows)
        self._database.executemany(_INSERT[Specification], list(zip(keys, bodies, strict=True)))
        return keys

    def save(self, old: R, new: R) -> R:
        """Write what changed from one version of a record to the next; give the next."""
        changed: list[str] = [name for name in _NAMES[type(old)] if getattr(old, name) != getattr(new, name)]
        if changed:
            assignments = ", ".join(f"{name} = ?" for name in changed)
            row = [*(getattr(new, name) for name in changed), old.key]
            self._database.execute(f"UPDATE {_TABLES[type(old)]} SET {assignments} WHERE key = ?", row)
        return new

    def clear(self) -> None:
        """Remove everything; no key that was given is given again."""
        tables = self._database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        for (table,) in tables.fetchall():
            self._database.execute(f"DELETE FROM {table}")

    def note(self, name: str, value: str) -> None:
        """Write down something about the service itself."""
        self._database.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def noted(self, name: str) -> str | None:
        """Give what was written down about the service itself."""
        row = self._database.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return row and str(row[0])

    def note_process(self, record: Node | Task | Errand, process: str) -> None:
        """Write down the process that a node, a task or an errand has now."""
        self._database.execute(f"UPDATE {_TABLES[type(record)]} SET process = ? WHERE key = ?", (process, record.key))

    def note_lost(self, node: int, process: str) -> None:
        """Write down a process that goes on on a lost node."""
        self._database.execute("UPDATE nodes SET lost = json_insert(lost, '$[#]', ?) WHERE key = ?", (process, node))

    def processes(self) -> list[str]:
        """Give all processes that were written down."""
        return [
            process
            for (process,) in self._database.execute(
                "SELECT process FROM tasks WHERE process IS NOT NULL "
                "UNION ALL SELECT process FROM nodes WHERE process IS NOT NULL "
                "UNION ALL SELECT process FROM errands WHERE process IS NOT NULL "
                "UNION ALL SELECT value FROM nodes, json_each(lost)"
            )
        ]

    def specify(self, task: Task, body: str) -> None:
        """Write anew what was asked of a task."""
        self._database.execute("UPDATE specifications SET body = ? WHERE task = ?", (body, task.key))

    def specification(self, task: Task) -> str:
        """Give what was asked of a task."""
        return str(self._database.execute("SELECT body FROM specifications WHERE task = ?", (task.key,)).fetchone()[0])

    def remove(self, record: Record) -> None:
        """Remove a record, and what belongs to it."""
        if isinstance(record, Job):
            self._database.execute(
                "DELETE FROM specifications WHERE task IN (SELECT key FROM tasks WHERE job = ?)", (record.key,)
            )
            for table in ("tasks", "errands"):
                self._database.execute(f"DELETE FROM {table} WHERE job = ?", (record.key,))
            self.dependencies.forget_job(record.key)
        if isinstance(record, Task):
            self._database.execute("DELETE FROM specifications WHERE task = ?", (record.key,))
            self.dependencies.forget_task(record.key)
        self._database.execute(f"DELETE FROM {_TABLES[type(record)]} WHERE key = ?", (record.key,))

    def get(self, kind: type[R], key: int) -> R | None:
        """Give the record with a key, if it is there."""
        return next(self.select(kind, "key = ?", [key]), None)

    def by_keys(self, kind: type[R], keys: Collection[int]) -> dict[int, R]:
        """Give the records with certain keys that are there."""
        marks = ", ".join("?" * len(keys))
        return {record.key: record for record in self.select(kind, f"key IN ({marks})", list(keys))}

    def find(self, kind: type[R], record_id: str, **within: int) -> R | None:
        """Give the record with an id, in any letter case, of a pool or job."""
        condition = " AND ".join(["id = ?", *(f"{name} = ?" for name in within)])
        return next(self.select(kind, condition, [record_id, *within.values()]), None)

    def select(
        self, kind: type[R], condition: str = "1", values: Sequence[Any] = (), order: str = "", most: int = -1
    ) -> Iterator[R]:
        """Give the records for which a condition holds; the condition is ours, and names columns."""
        order = f"ORDER BY {order}" if order else ""
        columns = ", ".join(_NAMES[kind])
        rows = self._database.execute(
            f"SELECT {columns} FROM {_TABLES[kind]} WHERE {condition} {order} LIMIT ?", (*values, most)
        )
        return (kind(*row) for row in rows)

    def page(self, kind: type[R], condition: str, values: Sequence[Any], after: int, most: int) -> list[R]:
        """Give the records after a key, in the order of keys, for which a condition holds."""
        return list(self.select(kind, f"key > ? AND ({condition})", [after, *values], "key", most))

    def specifications(self, tasks: Sequence[Task]) -> dict[int, str]:
        """Give what was asked of some tasks, by their keys."""
        marks = ", ".join("?" * len(tasks))
        rows = self._database.execute(
            f"SELECT task, body FROM specifications WHERE task IN ({marks})", [task.key for task in tasks]
        )
        return dict(rows.fetchall())

    def ids_there(self, job: Job, ids: Iterable[str]) -> set[str]:
        """Give those of some task ids that the job has already, in lower case."""
        wanted = list(ids)
        marks = ", ".join("?" * len(wanted))
        rows = self._database.execute(f"SELECT id FROM tasks WHERE job = ? AND id IN ({marks})", [job.key, *wanted])
        return {name.lower() for (name,) in rows}

    def count(self, kind: type[R], condition: str = "1", values: Sequence[Any] = ()) -> int:
        """Count the records for which a condition holds."""
        query = f"SELECT count(*) FROM {_TABLES[kind]} WHERE {condition}"
        return int(self._database.execute(query, values).fetchone()[0])

    def any(self, kind: type[R], condition: str, values: Sequence[Any]) -> bool:
        """Tell whether a condition holds for any record."""
        query = f"SELECT EXISTS (SELECT 1 FROM {_TABLES[kind]} WHERE {condition})"
        return bool(self._database.execute(query, values).fetchone()[0])

    def tally(
        self, kind: type[R], columns: str, condition: str = "1", values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Count records by the values of some columns: each row ends with the count."""
        query = f"SELECT {columns}, count(*) FROM {_TABLES[kind]} WHERE {condition} GROUP BY {columns}"
        return self._database.execute(query, values).fetchall()

    def task_counts(self, job: Job) -> list[tuple[str, str | None, int, int]]:
        """Count a job's tasks and their slots, by state and result."""
        return self._database.execute(
            "SELECT state, result, count(*), sum(slots) FROM tasks WHERE job = ? GROUP BY state, result", (job.key,)
        ).fetchall()

    def earliest(self, kind: type[R], column: str) -> int | None:
        """Give the least value of a column of times, if there is any."""
        query = f"SELECT min({column}) FROM {_TABLES[kind]} WHERE {column} IS NOT NULL"
        return typing.cast("int | None", self._database.execute(query).fetchone()[0])

    def last_moment(self) -> int:
        """Give the last time at which anything was changed, or changed its state; 0 where there is nothing."""
        changes = " UNION ALL ".join(
            f"SELECT {last} AS moment FROM {_TABLES[kind]}" for kind, last in _LAST_CHANGE.items()
        )
        return int(self._database.execute(f"SELECT ifnull(max(moment), 0) FROM ({changes})").fetchone()[0])


def is_full(error: BaseException) -> bool:
    """Tell whether what was not done would have needed more space than the disk has."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def unusable(path: Path, error: sqlite3.Error) -> Unavailable:
    """Say of a state that can't be read, or not be written, what to do."""
    if is_full(error):
        return Unavailable(f"The state in {path} can't be written: the disk is full. Free some space, and start anew.")
    return Unavailable(f"The state in {path} can't be read ({error}). Move it away to start anew.")


def _table(kind: type[Any]) -> str:
    columns = [_column(name, hint) for name, hint in typing.get_type_hints(kind).items()]
    return f"CREATE TABLE {_TABLES[kind]} ({', '.join([*columns, *_CONSTRAINTS[kind]])})"


def _column(name: str, hint: Any) -> str:
    if name == "key":
        return "key INTEGER PRIMARY KEY AUTOINCREMENT"  # a key is never given twice
    if name in {"id", "pool_id", "node_id"}:
        return f"{name} TEXT COLLATE NOCASE"
    kinds = set(typing.get_args(hint) or (hint,))
    required = "" if type(None) in kinds else " NOT NULL"
    return f"{name} {'TEXT' if str in kinds else 'INTEGER'}{required}"
