"""Files of journals, and who looks at them."""

import sqlite3
from pathlib import Path

from fastbatch.journal.store import Journal

NAMES = [f"text-{number:04}" for number in range(2000)]


def altered(path: Path, *statements: str) -> None:
    """Do something to the file that we never do."""
    database = sqlite3.connect(path)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def read_all(journal: Journal) -> None:
    """Read all that there is."""
    for run in journal.runs():
        journal.find(run.id)
        journal.plan(run.id)
        journal.standings(run.id)
        journal.attempts(run.id)
        journal.only_ours(run.id)
