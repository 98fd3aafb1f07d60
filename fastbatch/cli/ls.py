"""`fastbatch ls`: the runs of this machine."""

import json
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from fastbatch.cli.exits import boundary
from fastbatch.cli.table import fitted, table

if TYPE_CHECKING:
    from fastbatch.journal.records import RunRecord

_HEADINGS = ("RUN", "STATE", "DONE", "FAILED", "AGE", "POOL", "ACCOUNT")
_TO_THE_RIGHT = (2, 3, 4)
_MAY_BE_CUT = (5, 6)


@click.command(short_help="The runs of this machine, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line, one for each run.")
def ls(*, as_json: bool) -> None:
    """
    Show the runs that were started on this machine, the newest first. Asks no service.

    \b
    STATE is one of:
      going         a process of this machine drives it
      broken off    none does, though it is not done; `fastbatch resume RUN` goes on with it
      detached      the service has all of its tasks; `fastbatch watch RUN` sees to the rest
      done          every input is done
      2 failed      so many inputs have no result, and none is open
      cancelled     it was stopped on the service
    and, with `cleaned` behind it, nothing of it is left on the services.

    Other commands know a run by what is shown here, by a unique beginning of that, by its name (the newest run of
    that name), or as `last`.

    \b
    Examples:
      fastbatch ls
      fastbatch ls --json | jq -r 'select(.state == "broken off").run'
    """
    with boundary():
        _show(_runs(), as_json=as_json)


def _show(found: "Sequence[tuple[RunRecord, str]]", *, as_json: bool) -> None:
    if as_json:
        for record, state in found:
            click.echo(json.dumps(_json(record, state)))
    elif found:
        now = datetime.now(UTC)
        click.echo(_table([_HEADINGS, *(_row(record, state, now) for record, state in found)]))
    else:
        click.echo("There are no runs yet. Make one with: fastbatch run --local --sample 100", err=True)


def _runs() -> "list[tuple[RunRecord, str]]":
    """Give all runs and how they are; nothing is made to find out that there are none."""
    from fastbatch.journal.opening import default_path
    from fastbatch.journal.records import Phase
    from fastbatch.journal.store import Journal
    from fastbatch.journal.wording import in_words
    from fastbatch.running.holding import holder

    if not default_path().exists():
        return []
    with Journal.opened() as journal:
        records = journal.runs()
    return [
        (record, in_words(record, held=record.phase is Phase.GOING and holder(record.id) is not None))
        for record in records
    ]


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out; on a terminal, values that are not needed to tell runs from each other give way."""
    if sys.stdout and sys.stdout.isatty():  # it may be closed
        rows = fitted(rows, shutil.get_terminal_size().columns, _MAY_BE_CUT)
    return table(rows, right=_TO_THE_RIGHT)


def _row(record: "RunRecord", state: str, now: datetime) -> tuple[str, ...]:
    from fastbatch.terminal import escaped
    from fastbatch.units import shown_duration

    books = record.books
    return (
        escaped(record.id),
        state,
        f"{books.done:,} of {books.planned:,}",
        f"{books.failed:,}",
        shown_duration(max(0, round((now - record.made).total_seconds()))),
        escaped(record.settings.pool),
        "local" if record.place.local else escaped(record.place.batch_account),
    )


def _json(record: "RunRecord", state: str) -> dict[str, Any]:
    from fastbatch.model import shown

    books, place = record.books, record.place
    return {
        "run": record.id,
        "state": state,
        "cleaned": record.cleaned,
        "inputs": {"planned": books.planned, "done": books.done, "failed": books.failed, "open": books.open},
        "bytes": record.bytes,
        "bundles": record.bundles,
        "made": record.made.isoformat(),
        "touched": record.touched and record.touched.isoformat(),
        "pool": shown(record.settings.pool),
        "local": place.local,
        "batch_account": shown(place.batch_account),
        "storage_account": shown(place.storage_account),
    }
