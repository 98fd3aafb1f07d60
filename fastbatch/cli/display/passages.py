"""What tasks wrote, one after the other, with a line before each that says what it is."""

import sys
from collections.abc import Callable

import click

from fastbatch.books.endings import diagnose
from fastbatch.cli.display.raw import Raw
from fastbatch.cli.display.sentences import brief
from fastbatch.cli.display.streams import lenient
from fastbatch.errors import Refused
from fastbatch.model import Ending, Task
from fastbatch.stages.logs import Log, Written
from fastbatch.terminal import escaped

_STATES = {"active": "waiting", "preparing": "getting its files", "running": "running"}
_NOTHING_YET = frozenset({"active", "preparing"})
_GONE = (
    "what it wrote is gone: Batch removes it an hour after a task ended, or with its job or its node. "
    "Only what failed tasks wrote is kept, beside the run's results"
)


class Passages:
    """Shows what tasks wrote."""

    def __init__(self, say: Callable[[str], None], *, several: bool, tail: int | None) -> None:
        self._say = say
        self._several = several  # then it must be told apart where it is read
        self._tail = tail
        self._terminal = sys.stdout is not None and sys.stdout.isatty()
        lenient(sys.stdout)

    async def show(self, task: Task, log: Log | None) -> bool:
        """Show what a task wrote; tell whether all of it was there."""
        if log is None:
            self._say(f"Task {task.id} is not on the service: it was not submitted yet, or its job is gone.")
            return False
        if not log.written:
            yet = log.state in _NOTHING_YET
            self._say(f"Task {task.id} ({_how(log)}): {'it has written nothing yet' if yet else _GONE}.")
            return yet
        try:
            for written in log.written:
                await self._write(log, written)
        except Refused as refused:
            self._say(f"Task {task.id}: the rest is out of reach: {brief(str(refused))}")
            return False
        return True

    async def _write(self, log: Log, written: Written) -> None:
        heading = f"==> {log.task.id} {written.stream.value} ({_how(log)}{'' if written.size else ', empty'}) <=="
        if self._several:
            click.echo(heading)
        else:
            self._say(heading)
        raw = Raw(terminal=self._terminal)
        start = 0 if self._tail is None else await written.last_lines(self._tail)
        async for piece in written.pieces(start):
            raw.write(piece)
        raw.end(line=self._several or self._terminal)


def _how(log: Log) -> str:
    node = [f"node {escaped(log.node)}"] if log.node else []
    if log.ending is not None:
        return ", ".join([*node, _end(log.ending)])
    state = "no longer on the service" if log.state is None else _STATES.get(log.state, escaped(log.state))
    return ", ".join([*node, state])


def _end(ending: Ending) -> str:
    if ending.succeeded:
        return "succeeded"
    return (
        f"failed with exit code {ending.exit_code}" if ending.exit_code else f"failed: {brief(diagnose(ending).reason)}"
    )
