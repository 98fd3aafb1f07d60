"""
Which tasks have satisfied those that depend on them, and which tasks wait for whom: a part of the store.

An id satisfies for good, as in the real service: it still does when its task is deleted, or another comes in its place.
No range is ever written out. The numbers that satisfy are kept as runs of consecutive ones; a range that is waited for
ends with a number that doesn't satisfy yet, and is cut down to the next such number when it does. So a number that
comes to satisfy concerns only the ranges that end with it.
"""

import sqlite3
from collections.abc import Iterable

SCHEMA = (
    """CREATE TABLE satisfied (
        job INTEGER, id TEXT COLLATE NOCASE, PRIMARY KEY (job, id)
    ) WITHOUT ROWID""",
    """CREATE TABLE satisfied_runs (
        job INTEGER, first INTEGER, last INTEGER, PRIMARY KEY (job, first)
    ) WITHOUT ROWID""",
    """CREATE TABLE awaited_ids (
        job INTEGER, id TEXT COLLATE NOCASE, task INTEGER, PRIMARY KEY (job, id, task)
    ) WITHOUT ROWID""",
    """CREATE TABLE awaited_ranges (
        job INTEGER, last INTEGER, first INTEGER, task INTEGER, PRIMARY KEY (job, last, first, task)
    ) WITHOUT ROWID""",
    "CREATE INDEX awaited_ids_of_tasks ON awaited_ids (task)",
    "CREATE INDEX awaited_ranges_of_tasks ON awaited_ranges (task)",
)
_AWAIT_ID = (
    "INSERT OR IGNORE INTO awaited_ids SELECT :job, :id, :task"
    " WHERE NOT EXISTS (SELECT 1 FROM satisfied WHERE job = :job AND id = :id)"
)
_SEE_WHETHER_BLOCKED = (
    "UPDATE tasks SET blocked = EXISTS (SELECT 1 FROM awaited_ids WHERE task = tasks.key)"
    " OR EXISTS (SELECT 1 FROM awaited_ranges WHERE task = tasks.key) WHERE key = ?"
)
_GREATEST_NUMBER = 2**31 - 1  # of a range


class Dependencies:
    """The dependencies of tasks, by the keys of tasks and jobs; all calls belong into a transaction of the store."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._run = database.execute
        self._run_many = database.executemany

    def hold(self, job: int, task: int, ids: Iterable[str], ranges: Iterable[tuple[int, int]]) -> None:
        """Let a task wait for ids and for ranges of numbers, as far as they don't satisfy already."""
        self._run_many(_AWAIT_ID, [{"job": job, "id": task_id, "task": task} for task_id in ids])
        for first, last in ranges:
            end = self._last_awaited(job, last)
            if end >= first:
                self._run("INSERT OR IGNORE INTO awaited_ranges VALUES (?, ?, ?, ?)", (job, end, first, task))
        self._run(_SEE_WHETHER_BLOCKED, (task,))

    def satisfy(self, job: int, task_id: str) -> None:
        """Note that an id satisfies those that depend on it, and let those go that wait for nothing else."""
        awaited = (job, task_id)
        freed = self._run("SELECT task FROM awaited_ids WHERE job = ? AND id = ?", awaited).fetchall()
        self._run("DELETE FROM awaited_ids WHERE job = ? AND id = ?", awaited)
        self._run("INSERT OR IGNORE INTO satisfied VALUES (?, ?)", awaited)
        if task_id.isdecimal() and int(task_id) <= _GREATEST_NUMBER:  # the number of 007 is 7
            freed += self._satisfy_number(job, int(task_id))
        self._run_many(_SEE_WHETHER_BLOCKED, freed)

    def _satisfy_number(self, job: int, number: int) -> list[tuple[int]]:
        """Give the tasks that wait for one range less, as all numbers of it satisfy now."""
        if self._last_awaited(job, number) != number:
            return []
        end = self._lengthen_run(job, number) - 1
        over = (job, number, end)
        freed = self._run("SELECT task FROM awaited_ranges WHERE job = ? AND last = ? AND first > ?", over).fetchall()
        self._run("DELETE FROM awaited_ranges WHERE job = ? AND last = ? AND first > ?", over)
        self._run("UPDATE OR REPLACE awaited_ranges SET last = ? WHERE job = ? AND last = ?", (end, job, number))
        return freed

    def _last_awaited(self, job: int, number: int) -> int:
        """Give the greatest number up to this one that doesn't satisfy yet."""
        first, last = self._run_before(job, number)
        return first - 1 if last >= number else number

    def _lengthen_run(self, job: int, number: int) -> int:
        """Join a number with the runs that it lies between; give the first number of the run that it is in now."""
        first, last = self._run_before(job, number)
        if last != number - 1:
            first = number
        after = self._run("SELECT last FROM satisfied_runs WHERE job = ? AND first = ?", (job, number + 1)).fetchone()
        self._run("DELETE FROM satisfied_runs WHERE job = ? AND first = ?", (job, number + 1))
        (last,) = after or (number,)
        self._run("INSERT OR REPLACE INTO satisfied_runs VALUES (?, ?, ?)", (job, first, last))
        return first

    def _run_before(self, job: int, number: int) -> tuple[int, int]:
        """Give the last run that begins with this number or before; one that can't be if there is none."""
        query = "SELECT first, last FROM satisfied_runs WHERE job = ? AND first <= ? ORDER BY first DESC LIMIT 1"
        found: tuple[int, int] | None = self._run(query, (job, number)).fetchone()
        return found or (-2, -2)

    def forget_task(self, task: int) -> None:
        """Let a task that goes wait for nothing; what it satisfied stays so."""
        self._run("DELETE FROM awaited_ids WHERE task = ?", (task,))
        self._run("DELETE FROM awaited_ranges WHERE task = ?", (task,))

    def forget_job(self, job: int) -> None:
        """Forget all about a job that goes."""
        self._run("DELETE FROM awaited_ids WHERE job = ?", (job,))
        self._run("DELETE FROM awaited_ranges WHERE job = ?", (job,))
        self._run("DELETE FROM satisfied WHERE job = ?", (job,))
        self._run("DELETE FROM satisfied_runs WHERE job = ?", (job,))
