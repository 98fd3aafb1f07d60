"""
What can go wrong on nodes, when a start task or a task is about to run.

A fault takes the turn of its rule, what runs it (or the next fault), and the event.
"""

import dataclasses
import logging
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastbatch.local.clock import sleep
from fastbatch.local.errors import Refused
from fastbatch.local.faultplan import Turn
from fastbatch.local.faults.kinds import SECONDS, Kind, microseconds, misbehaving
from fastbatch.local.fields import Check, Field, integer
from fastbatch.local.records import Node
from fastbatch.local.service import core as cores
from fastbatch.local.service import losing
from fastbatch.local.service.core import Core
from fastbatch.local.service.runs import Run, Running
from fastbatch.local.states.outcomes import Outcome

START_TASK, TASK = "node.run_start_task", "node.run_task"
OPERATIONS = frozenset({START_TASK, TASK})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """A run that is about to begin, and what was asked of its task."""

    core: Core
    run: Run
    body: Mapping[str, Any]


Do = Callable[[Event], Awaitable[Outcome]]
Fault = Callable[[Turn, Do, Event], Awaitable[Outcome]]
Fate = Callable[[Core, Node], None]


def running(core: Core, run: Run, body: Mapping[str, Any], do: cores.Do) -> Running:
    """Give what lets a task run, or a start task, as the rules have it whose turn it is."""
    turns = core.faults.draw(START_TASK if run.task is None else TASK)

    def plainly(event: Event) -> Running:
        return do(event.body)

    return misbehaving(KINDS, turns, plainly)(Event(core, run, body))


async def _slow(turn: Turn, do: Do, event: Event) -> Outcome:
    """Let it run, but later; it counts as running meanwhile."""
    await sleep(event.core.clock, turn.parameters["seconds"])
    return await do(event)


async def _fail(turn: Turn, do: Do, event: Event) -> Outcome:
    """Run a command in its place that says so and fails: all else is as with any task."""
    script = f"echo 'The fault plan has this command fail.' >&2; exit {turn.parameters['exitCode']}"
    command = shlex.join(["/bin/sh", "-c", script])
    return await do(dataclasses.replace(event, body={**event.body, "commandLine": command}))


async def _befall(fate: Fate, turn: Turn, do: Do, event: Event) -> Outcome:
    """Run it, and let something happen to its node meanwhile, or when it is over already."""
    moment = event.core.clock.shown() + microseconds(turn.parameters)
    _expect(event, "fate", moment, fate)
    if "returnsAfter" in turn.parameters:
        _expect(event, "return", moment + microseconds(turn.parameters, "returnsAfter"), losing.bring_back)
    return await do(event)


def _expect(event: Event, kind: str, moment: int, fate: Fate) -> None:
    core, run = event.core, event.run
    core.at(kind, id(run), moment, lambda: _happen(core, run, kind, fate))  # which keeps the run, and its id


def _happen(core: Core, run: Run, kind: str, fate: Fate) -> None:
    try:
        fate(core, run.node)
    except Refused as refused:  # it has gone, say, or is dedicated and can't be preempted
        _log.warning("the fault plan has no effect: %s", refused)
    core.never(kind, id(run))


_FATE: Mapping[str, Field | Check] = {
    "seconds": Field(SECONDS.check, default=0),
    "returnsAfter": SECONDS.check,
}
_OF_TASKS = frozenset({TASK})

KINDS: Mapping[str, Kind[Fault]] = {
    "slow": Kind(_slow, {"seconds": SECONDS}, goes_on=True),
    "fail": Kind(_fail, {"exitCode": Field(integer(1, 255), default=1)}),
    "loseNode": Kind(partial(_befall, losing.lose), _FATE, _OF_TASKS),
    "preemptNode": Kind(partial(_befall, losing.preempt), _FATE, _OF_TASKS),
}
