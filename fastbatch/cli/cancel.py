"""`fastbatch cancel`: a run is stopped on the service, and what is finished stays."""

from typing import TYPE_CHECKING

import click

from fastbatch.cli.exits import boundary
from fastbatch.cli.options import run_argument

if TYPE_CHECKING:
    from fastbatch.running.cancelling import Cancelled


@click.command(short_help="Stop a run on the service; what is finished stays.")
@run_argument
def cancel(*, run: str) -> None:
    """
    Stop a run on the service at once, also while another terminal shows it. What is finished stays.

    RUN is the id of a run, the beginning of one, a name (its newest run), or last.

    \b
    Examples:
      fastbatch cancel last
      fastbatch cancel run-k3v7          the beginning of its id will do
    """
    with boundary():
        from fastbatch.cli import speaking
        from fastbatch.cli.reaching import account_of
        from fastbatch.journal.store import Journal
        from fastbatch.running import cancelling

        with Journal.opened() as journal:
            record = journal.find(run)
            if record.cleaned:
                speaking.say(f"Run {record.id} is cleaned: nothing of it runs.")
                return
            done = speaking.with_services(
                account_of(record, speaking.say),
                record.settings,
                lambda services: cancelling.cancel(record.id, services.batch, journal, speaking.show),
            )
        for line in _about(done):
            speaking.say(line)


def _about(done: "Cancelled") -> list[str]:
    from fastbatch.journal.records import Phase
    from fastbatch.units import counted

    record, run = done.record, done.record.id
    books = record.books
    inputs = f"{counted(books.planned, 'input')}: {books.done:,} done, {books.failed:,} failed, {books.open:,} open"
    if not done.ended:
        was = {Phase.OVER: "is over", Phase.CANCELLED: "is cancelled already"}.get(record.phase, "has no job that runs")
        lines = [f"Run {run} {was}; nothing of it runs on the service. {inputs}."]
    else:
        lines = [f"Run {run} is cancelled: {counted(len(done.ended), 'job')} ended. {inputs}, as far as is known here."]
    if done.driver is not None and done.ended:
        pid = f" (pid {done.driver})" if done.driver else ""
        lines.append(f"The process that drives it{pid} sees that within a minute, and ends with what is finished.")
    if books.done < books.planned:
        lines.append(
            f"What is finished stays. To bring it here: fastbatch fetch {run}   To go on: fastbatch resume {run}"
        )
    return lines
