"""
The journal's storage: one SQLite file, in which several processes may read and write at once.

All calls are synchronous, and may come from any thread. Each is one transaction: a killed process loses none that is
finished, and leaves nothing half-done.
"""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fastbatch.books.standing import Standing
from fastbatch.errors import JournalFailed, UsageError
from fastbatch.journal import blobrows, rows, runrows, troubles
from fastbatch.journal.codecs import json_out, moment_in, moment_out
from fastbatch.journal.finding import find
from fastbatch.journal.opening import default_path, opened
from fastbatch.journal.records import Attempt, Changes, Phase, RunRecord
from fastbatch.journal.schema import transaction
from fastbatch.model import Plan

_OF_A_RUN = ("items", "bundles", "lost", "tasks")


class Journal:
    """What is known of all runs on this machine."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database
        self._lock = threading.RLock()

    @classmethod
    def opened(cls, path: Path | None = None) -> Self:
        """Open the user's journal, or the one in a file; it is made if need be. Raises UsageError, JournalFailed."""
        path = path or default_path()
        return cls(path, opened(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        with self._lock:
            self._database.close()

    # Reading

    def runs(self) -> list[RunRecord]:
        """Give all runs, the newest first."""
        with self._reading():
            return [runrows.run_in(row) for row in self._select(runrows.SELECT_RUNS)]

    def record(self, run: str) -> RunRecord:
        """Give what is known of a run as a whole."""
        with self._reading():
            for row in self._select(runrows.SELECT_RUN, run):
                return runrows.run_in(row)
            raise _unknown(run)

    def find(self, text: str) -> RunRecord:
        """Give the run that is meant by an id, the beginning of one, a name or `last`. Raises UsageError."""
        with self._reading():
            return self.record(find(text, [run for (run,) in self._select(runrows.SELECT_IDS)]))

    def plan(self, run: str) -> Plan:
        """Give the plan of a run that is not cleaned."""
        with self._reading():
            key = self._key(run)
            ((bundle_size,),) = self._select("SELECT bundle_size FROM runs WHERE key = ?", key)
            return rows.plan_in(
                self._select(rows.SELECT_ITEMS, key), self._select(rows.SELECT_BUNDLES, key), bundle_size
            )

    def standings(self, run: str) -> dict[str, Standing]:
        """Give where all bundles of a run stand."""
        with self._reading():
            key = self._key(run)
            return rows.standings_in(self._select(rows.SELECT_STANDINGS, key), self._select(rows.SELECT_LOST, key))

    def attempts(self, run: str) -> list[Attempt]:
        """Give the tasks of a run, by bundle and attempt."""
        with self._reading():
            return rows.attempts_in(self._select(rows.SELECT_ATTEMPTS, self._key(run)))

    def only_ours(self, run: str) -> list[tuple[str, datetime]]:
        """Give the blobs that runs here made, this one has, and no other that is not cleaned; and when."""
        with self._reading():
            found = self._select(blobrows.ONLY_OURS, {"run": self._any_key(run)})
            return [(digest.hex(), moment_in(stored)) for digest, stored in found]

    # Writing

    def begin(self, record: RunRecord, plan: Plan) -> None:
        """Note a new run, and all that it will do."""
        with self._writing() as now:
            if self._found(record.id) is not None:
                raise JournalFailed(f"The journal has a run {record.id} already. Run this again: it gets another name.")
            cursor = self._database.execute(runrows.INSERT_RUN, runrows.run_out(record, now, plan.bundle_size))
            assert cursor.lastrowid is not None  # noqa: S101, for the type checker
            self._database.executemany(rows.INSERT_ITEM, rows.items_out(cursor.lastrowid, plan))
            self._database.executemany(rows.INSERT_BUNDLE, rows.bundles_out(cursor.lastrowid, plan))

    def write(self, run: str, changes: Changes) -> None:
        """Note what changed. What is written last counts."""
        with self._writing() as now:
            key = self._key(run)
            self._write_standings(run, key, changes.standings, now)
            nodes = {(tried.node,) for tried in changes.attempts if tried.node is not None}
            self._database.executemany(rows.INSERT_NODE, nodes)
            self._database.executemany(rows.UPSERT_ATTEMPT, rows.attempts_out(key, changes.attempts))
            self._set(run, touched=now)
            if books := changes.books:
                self._set(run, planned=books.planned, done=books.done, failed=books.failed)

    def _write_standings(self, run: str, key: int, standings: Mapping[str, Standing], now: int) -> None:
        written = self._database.executemany(rows.UPDATE_STANDING, rows.standings_out(key, standings)).rowcount
        if standings and written != len(standings):
            raise ValueError(f"{len(standings) - written} of the bundles to note are none of the plan of {run}")
        self._database.executemany(rows.DELETE_LOST, rows.keys_out(key, standings))
        self._database.executemany(rows.INSERT_LOST, rows.lost_out(key, standings))
        self._database.executemany(blobrows.INSERT, blobrows.blobs_out(key, standings, now))

    def note_job(self, run: str, number: int, signed_until: datetime | None) -> None:
        """Note the newest job of a run, and how long its tasks may read and write."""
        until = None if signed_until is None else moment_out(signed_until)
        with self._writing() as now:
            self._set(run, job=number, signed_until=until, touched=now)

    def note_pool_made(self, run: str) -> None:
        """Note that a run made its pool."""
        with self._writing() as now:
            self._set(run, made_pool=True, touched=now)

    def enter(
        self, run: str, phase: Phase, summary: Mapping[str, object] | None = None, *, unless: Phase | None = None
    ) -> None:
        """
        Note what became of a run; a summary that there is stays if there is no newer one.

        The phase stays as it is if it is the one that is excepted: it is another process that entered that.
        """
        with self._writing() as now:
            if unless is None or self._phase(run) is not unless:
                self._set(run, phase=phase.value)
            self._set(run, touched=now)
            if summary is not None:
                self._set(run, summary=json_out(summary))

    def clean(self, run: str) -> None:
        """Note that what a run made on the services is deleted; of the run itself only the record stays."""
        with self._writing() as now:
            key = self._any_key(run)
            for table in _OF_A_RUN:
                self._database.execute(f"DELETE FROM {table} WHERE run = ?", (key,))  # noqa: S608, names of ours
            self._set(run, cleaned=True, touched=now)

    def forget_blobs(self, run: str, digests: Collection[str]) -> None:
        """Note that blobs are no longer in the storage account of a run."""
        with self._writing():
            key = self._any_key(run)
            self._database.executemany(blobrows.FORGET, [(bytes.fromhex(digest), key) for digest in digests])

    # The file

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Read, all as it is at one moment."""
        with self._lock, troubles.reading(self.path):
            if self._database.in_transaction:
                yield
                return
            with transaction(self._database, "DEFERRED"):
                yield

    @contextmanager
    def _writing(self) -> Iterator[int]:
        """Write all of it, or nothing; give the moment."""
        with self._lock, troubles.using(self.path), transaction(self._database):
            yield moment_out(datetime.now(UTC))

    def _select(self, statement: str, values: Any = ()) -> sqlite3.Cursor:
        return self._database.execute(statement, values if isinstance(values, dict | tuple) else (values,))

    def _key(self, run: str) -> int:
        """Give the key of a run that is not cleaned."""
        key = self._any_key(run)
        if self._select("SELECT cleaned FROM runs WHERE key = ?", key).fetchone()[0]:
            raise UsageError(f"Run {run} is cleaned: its inputs and results are no longer known. Run it anew.")
        return key

    def _any_key(self, run: str) -> int:
        key = self._found(run)
        if key is None:
            raise _unknown(run)
        return key

    def _found(self, run: str) -> int | None:
        found = self._select("SELECT key FROM runs WHERE id = ?", run).fetchone()
        return None if found is None else int(found[0])

    def _phase(self, run: str) -> Phase:
        return Phase(self._select("SELECT phase FROM runs WHERE key = ?", self._any_key(run)).fetchone()[0])

    def _set(self, run: str, **columns: Any) -> None:
        assignments = ", ".join(f"{column} = ?" for column in columns)
        statement = f"UPDATE runs SET {assignments} WHERE id = ?"  # noqa: S608, names of ours
        if not self._database.execute(statement, (*columns.values(), run)).rowcount:
            raise _unknown(run)


def _unknown(run: str) -> UsageError:
    return UsageError(f"The journal has no run {run}. See what there is with: fastbatch ls")
