"""`fastbatch status`: how a run stands."""

import json
import os
import shutil
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from fastbatch.cli.exits import boundary
from fastbatch.cli.options import run_argument

if TYPE_CHECKING:
    from fastbatch.journal.records import RunRecord
    from fastbatch.settings import Account
    from fastbatch.telling.reporting import Recorded, Report, Seen

_SECONDS = 20.0  # in which the services must have answered
_NO_TERMINAL = 1000  # columns


@click.command(short_help="How a run stands.")
@run_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(run: str, *, as_json: bool) -> None:
    """
    Show how a run stands: inputs, bundles, tasks, nodes, speed, and what failed for which cause.

    RUN is the id of a run, the beginning of one, a name (its newest run), or last. It works from the journal
    of this machine and from the services, also while the run goes on elsewhere, and changes nothing. What can't be
    asked of the services is missing, and said to be.

    \b
    Examples:
      fastbatch status last
      fastbatch status corpus               the newest run that was given this --name
      fastbatch status last --json | jq .inputs
    """
    from fastbatch.telling.reporting import report

    with boundary():
        known = _recorded(run)
        seen, missing = _look(known.record)
        found = report(known, seen)
        for text in missing:
            click.echo(text, err=True)
        click.echo(json.dumps({**found.json(), "missing": missing}) if as_json else _text(found))


def _recorded(run: str) -> "Recorded":
    from fastbatch.journal.store import Journal
    from fastbatch.running.holding import holder
    from fastbatch.telling.reporting import Recorded

    with Journal.opened() as journal:
        record = journal.find(run)
        driver = holder(record.id)
        if record.cleaned:
            return Recorded(record, None, {}, (), driver)
        plan = journal.plan(record.id)
        return Recorded(record, plan, journal.standings(record.id), journal.attempts(record.id), driver)


def _look(record: "RunRecord") -> tuple["Seen | None", list[str]]:
    """Give what the services show, and say what keeps them from it."""
    import anyio

    from fastbatch.cli.reaching import account_to_look_at
    from fastbatch.cli.signalled import until_signalled
    from fastbatch.errors import ServiceError, UsageError

    if record.cleaned:
        return None, []
    only = "So this is only what the journal knows."
    try:
        account = account_to_look_at(record)
        if account is None:
            return None, [f"The local services do not run; to start them: fastbatch local up. {only}"]
        seen = anyio.run(until_signalled, partial(_asked, account, record))
    except (ServiceError, UsageError) as error:
        return None, [*str(error).splitlines(), only]
    return seen, [] if seen else [f"The services gave no answer within {_SECONDS:.0f} seconds. {only}"]


async def _asked(account: "Account", record: "RunRecord") -> "Seen | None":
    import anyio

    from fastbatch.azure.services import connected
    from fastbatch.events import nobody
    from fastbatch.groups import unwrapped
    from fastbatch.stages.overview import look

    with anyio.move_on_after(_SECONDS), unwrapped():
        async with connected(account, record.settings, nobody) as services:
            return await look(services.batch, record)
    return None


def _text(found: "Report") -> str:
    from fastbatch.cli.display.colors import wants_color
    from fastbatch.cli.display.standing import standing_text

    terminal = sys.stdout is not None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else _NO_TERMINAL
    return standing_text(found, datetime.now(UTC), width, color=wants_color(os.environ, terminal=terminal))
