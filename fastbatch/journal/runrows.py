"""The row of a run."""

import json
from collections.abc import Sequence
from typing import Any

from fastbatch import names
from fastbatch.journal.codecs import (
    json_out,
    moment_in,
    moment_out,
    place_in,
    place_out,
    settings_in,
    settings_out,
    storage_of,
)
from fastbatch.journal.records import Phase, RunRecord
from fastbatch.model import Books

_COLUMNS = (
    "id, uid, made, place, settings, planned, done, failed, bytes, bundles, phase, touched, job, signed_until, "
    "made_pool, cleaned, summary"
)

INSERT_RUN = (
    f"INSERT INTO runs ({_COLUMNS}, storage, bundle_size) "  # noqa: S608, names of ours
    f"VALUES ({', '.join('?' * (_COLUMNS.count(',') + 3))})"
)
SELECT_RUN = f"SELECT {_COLUMNS} FROM runs WHERE id = ?"  # noqa: S608, names of ours
SELECT_RUNS = f"SELECT {_COLUMNS} FROM runs ORDER BY made DESC, key DESC"  # noqa: S608, names of ours
SELECT_IDS = "SELECT id FROM runs ORDER BY made DESC, key DESC"


def run_out(record: RunRecord, touched: int, bundle_size: int | None) -> Sequence[Any]:
    """Give the row of a run."""
    return (
        record.id,
        record.uid,
        moment_out(record.made),
        place_out(record.place),
        settings_out(record.settings),
        record.books.planned,
        record.books.done,
        record.books.failed,
        record.bytes,
        record.bundles,
        record.phase.value,
        touched,
        record.job,
        None if record.signed_until is None else moment_out(record.signed_until),
        record.made_pool,
        record.cleaned,
        None if record.summary is None else json_out(record.summary),
        storage_of(record.place),
        bundle_size,
    )


def run_in(row: Sequence[Any]) -> RunRecord:
    """Read a run. Raises Unknown, and ValueError if it has a name that no run is given."""
    run, uid, made, place, settings, planned, done, failed, size, bundles, phase, touched, job, until, *rest = row
    made_pool, cleaned, summary = rest
    if not names.may_be_run(run):
        raise ValueError(f"{run!r} is no name of a run")
    return RunRecord(
        id=run,
        uid=uid,
        made=moment_in(made),
        place=place_in(place),
        settings=settings_in(settings),
        books=Books(planned, done, failed),
        bytes=size,
        bundles=bundles,
        phase=Phase(phase),
        touched=moment_in(touched),
        job=job,
        signed_until=None if until is None else moment_in(until),
        made_pool=bool(made_pool),
        cleaned=bool(cleaned),
        summary=None if summary is None else json.loads(summary),
    )
