"""`fastbatch logs`: what tasks wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from fastbatch.cli.exits import Incomplete, boundary
from fastbatch.cli.options import run_argument

if TYPE_CHECKING:
    from fastbatch.azure.services import Services
    from fastbatch.journal.records import Attempt, RunRecord
    from fastbatch.model import Task
    from fastbatch.stages.logs import Stream

_AT_MOST = 20  # tasks, unless more are asked for
_LONGEST_ID = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is asked for."""

    task: "Task | None"
    failed: bool
    everything: bool
    streams: Sequence["Stream"]
    tail: int | None


@click.command(short_help="What tasks wrote.")
@run_argument
@click.argument("task", required=False)
@click.option("--failed", is_flag=True, help="Show the tasks that failed.")
@click.option("--all", "everything", is_flag=True, help=f"Show all tasks, and not {_AT_MOST} at most.")
@click.option("--stdout/--stderr", "out", default=None, help="Show only what went there.")
@click.option("--tail", type=click.IntRange(1), metavar="N", help="Show the last N lines of each.")
def logs(run: str, task: str | None, *, out: bool | None, **given: Any) -> None:
    """
    Show what tasks wrote to stdout and stderr, whether they run or are done.

    It comes from their nodes, for as long as Batch keeps it: an hour after a task ended, and no longer than its node.
    What failed tasks wrote is kept beside the run's results, too. One stream of one task is written as it is, so that
    it can be piped; where there are more, each has a line before it. On a terminal nothing in it can do harm.

    \b
    Examples:
      fastbatch logs last --failed          why did tasks fail?
      fastbatch logs last b00012            what did this one write so far?
      fastbatch logs last b00012-r1         its second attempt
      fastbatch logs last b00012 --stderr --tail 20
    """
    from fastbatch.errors import UsageError
    from fastbatch.stages.logs import Stream
    from fastbatch.units import counted

    streams = tuple(Stream) if out is None else (Stream.STDOUT if out else Stream.STDERR,)
    with boundary():
        record, attempts, wanted = _recorded(run, task)
        asked = _Asked(task=wanted, streams=streams, **given)
        if asked.task is not None and (asked.failed or asked.everything):
            raise UsageError("Name a TASK, or say --failed or --all; not both.")
        if missing := _show(record, attempts, asked):
            raise Incomplete(f"What {counted(missing, 'task')} wrote is not there, or not all of it.")


def _recorded(run: str, text: str | None) -> tuple["RunRecord", "Sequence[Attempt]", "Task | None"]:
    from fastbatch.errors import UsageError
    from fastbatch.journal.store import Journal

    with Journal.opened() as journal:
        record = journal.find(run)
        if record.cleaned:
            raise UsageError(f"Run {record.id} is cleaned: nothing of its tasks is left.")
        task = None if text is None else _task(text, record, [each.id for each in journal.plan(record.id).bundles])
        return record, journal.attempts(record.id), task


def _task(text: str, record: "RunRecord", bundles: Sequence[str]) -> "Task":
    from fastbatch.errors import UsageError
    from fastbatch.model import Task
    from fastbatch.terminal import escaped

    task = Task.of(text) if len(text) <= _LONGEST_ID else None
    if task is None or task.bundle not in bundles:
        raise UsageError(
            f"Run {record.id} has no task {escaped(text)}. Its tasks are {bundles[0]} to {bundles[-1]}; one that is "
            f"tried again says how often: {bundles[0]}-r1"
        )
    return task


def _show(record: "RunRecord", attempts: "Sequence[Attempt]", asked: _Asked) -> int:
    """Show what is asked for; give the number of tasks of which nothing could be shown."""
    from fastbatch.cli.display.passages import Passages
    from fastbatch.cli.reaching import account_of
    from fastbatch.cli.speaking import say, with_services
    from fastbatch.stages.logs import Logs

    passages = Passages(say, several=asked.task is None or len(asked.streams) > 1, tail=asked.tail)

    async def showing(services: "Services") -> int:
        found = Logs(services, record, attempts)
        tasks = [asked.task] if asked.task else await found.tasks(failed=asked.failed)
        wanted = tasks if asked.everything else tasks[:_AT_MOST]
        shown = [await passages.show(task, await found.of(task, asked.streams)) for task in wanted]
        _tell(record, tasks, asked)
        _tell_of_others(asked.task, attempts)
        return shown.count(False)

    return with_services(account_of(record, say), record.settings, showing)


def _tell(record: "RunRecord", tasks: "Sequence[Task]", asked: _Asked) -> None:
    """Say what was not shown, and why."""
    from fastbatch.cli.speaking import say

    failed = " that failed" if asked.failed else ""
    if not tasks:
        say(f"Run {record.id} has no task{failed} so far.")
    elif len(tasks) > _AT_MOST and not asked.everything:
        say(f"{_AT_MOST} of {len(tasks):,} tasks{failed} are shown. Say --all, or name one.")


def _tell_of_others(task: "Task | None", attempts: "Sequence[Attempt]") -> None:
    """Say which other attempts there were at what was asked for."""
    from fastbatch.cli.speaking import say

    if task is None:
        return
    others = [each.task.id for each in attempts if each.task.bundle == task.bundle and each.task != task]
    if others:
        say(f"Other attempts: {', '.join(others)}.")
