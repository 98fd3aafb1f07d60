"""`fastbatch clean`: what a run made is deleted."""

from typing import TYPE_CHECKING

import click

from fastbatch.cli.exits import Incomplete, boundary
from fastbatch.cli.options import run_argument

if TYPE_CHECKING:
    from fastbatch.azure.services import Services
    from fastbatch.journal.store import Journal
    from fastbatch.running.clearing import Cleared, Remains


@click.command(short_help="Delete what a run made.")
@run_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def clean(*, run: str, yes: bool) -> None:
    """
    Delete what a run made: its jobs, its results on the service, and the bundles that no other run here has.

    It asks first; where nobody can be asked, --yes is needed. Pools stay, and what others made. Results that were
    written with --output stay, too.

    RUN is the id of a run, the beginning of one, a name (its newest run), or last.

    \b
    Examples:
      fastbatch clean last
      fastbatch clean run-k3v7 --yes     the beginning of its id will do
    """
    with boundary():
        from fastbatch.cli import speaking
        from fastbatch.cli.reaching import account_of
        from fastbatch.journal.store import Journal
        from fastbatch.running.holding import held

        with Journal.opened() as journal:
            record = journal.find(run)
            if record.cleaned:
                speaking.say(f"Run {record.id} is cleaned already.")
                return
            with held(record.id):
                speaking.with_services(
                    account_of(record, speaking.say),
                    record.settings,
                    lambda services: _clean(record.id, services, journal, yes=yes),
                )


async def _clean(run: str, services: "Services", journal: "Journal", *, yes: bool) -> None:
    from fastbatch.cli.asking import agreed
    from fastbatch.cli.speaking import say
    from fastbatch.running.clearing import clear, look_at_remains

    remains = await look_at_remains(run, services, journal)
    for line in _losses(remains):
        say(line)
    if not await agreed(_question(remains), yes=yes, undone=f"Nothing of run {run} was deleted"):
        raise Incomplete(f"Nothing of run {run} was deleted.")
    for line in _about(remains, await clear(remains, services, journal)):
        say(line)


def _losses(remains: "Remains") -> list[str]:
    """Say what can't be had any more afterwards."""
    from fastbatch.journal.records import Phase
    from fastbatch.units import counted

    record, books = remains.record, remains.record.books
    lines = []
    if remains.jobs.live:
        lines.append(f"Tasks of run {record.id} may still run; they are ended.")
    if record.phase is not Phase.OVER:
        lines.append(
            f"The results of run {record.id} may not have been fetched, and are lost then. "
            f"To bring them here first: fastbatch fetch {record.id}"
        )
    if undone := books.planned - books.done:
        lines.append(
            f"{counted(undone, 'input')} of {books.planned:,} {'is' if undone == 1 else 'are'} not done, "
            f"and run {record.id} can't be resumed afterwards."
        )
    return lines


def _question(remains: "Remains") -> str:
    from fastbatch.units import counted

    jobs = [f"job {job}" for job in remains.jobs.ours]
    named = ", ".join([*jobs, f"container {remains.container}"])
    return f"Delete {named} and {counted(len(remains.blobs), 'bundle')} that only this run has?"


def _about(remains: "Remains", cleared: "Cleared") -> list[str]:
    from fastbatch.terminal import escaped
    from fastbatch.units import counted

    record = remains.record
    done = f"{counted(cleared.jobs, 'job')}, its results and {counted(cleared.blobs, 'bundle')} are deleted"
    lines = [f"Run {record.id} is cleaned: {done}."]
    if cleared.kept:
        lines.append(f"{counted(cleared.kept, 'bundle')} stayed, as others have stored or used the same since.")
    if remains.jobs.of_others:
        lines.append(f"{', '.join(remains.jobs.of_others)} stayed, as this run did not make it.")
    pool = escaped(record.settings.pool)
    lines.append(f"Pool {pool} stays. To delete it: fastbatch pool delete {pool}")
    return lines
