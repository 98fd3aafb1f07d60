"""Runs to write down."""

from datetime import UTC, datetime
from typing import Any

from fastbatch import Settings
from fastbatch.books.standing import Standing, State
from fastbatch.journal.records import Changes, RunRecord
from fastbatch.model import Blob, Books, Bundle, Item, Kind, Plan, bundle_id
from fastbatch.place import Place

PLACE = Place("mine", "https://mine.eu.batch.azure.com", "stored", "https://stored.blob.core.windows.net", "work")
MADE = datetime(2026, 5, 9, 7, 35, 25, 123456, UTC)
RUN = "run-abcdefgh"


def record(run: str = RUN, **more: Any) -> RunRecord:
    """Give a run."""
    said = {"place": PLACE, "settings": Settings(), "books": Books(3, 0, 0), "bytes": 30, "bundles": 2, "made": MADE}
    return RunRecord(id=run, uid=f"uid of {run}", **{**said, **more})


def whole_files(*names: str) -> Plan:
    """Plan a bundle for each file."""
    items = tuple(Item(f"/in/{name}", name, 10, 0) for name in names)
    bundles = tuple(Bundle(bundle_id(number), Kind.WHOLE, (item,)) for number, item in enumerate(items, 1))
    return Plan(items, bundles, None)


def stored(digest: str, *, uploaded: bool = True) -> Standing:
    """Give where a bundle stands whose blob is there."""
    return Standing(State.WAITING, Blob(digest * 32, 10), uploaded=uploaded)


def standing_changes(**standings: Standing) -> Changes:
    """Give changes of nothing but standings."""
    return Changes(standings=standings)
