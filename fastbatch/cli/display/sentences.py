"""What is said about an event, and what kind of thing that is."""

import enum
from collections import Counter
from dataclasses import dataclass

from fastbatch.events import (
    Detached,
    Event,
    InputFailed,
    Left,
    Noticed,
    PoolFound,
    RequestRetried,
    RunCompleted,
    RunPlanned,
    RunResumed,
    RunStarted,
    TaskFailed,
)
from fastbatch.terminal import escaped
from fastbatch.units import counted, shown_duration, shown_size

_LONGEST = 500  # characters of a message; a log file has all of it
_STDERR_LINES = 10


class Tone(enum.Enum):
    """What kind of thing is said."""

    STEP = "step"  # the run goes on; bars show it, too
    NOTICE = "notice"
    FAILURE = "failure"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class Topic:
    """What is spoken of."""

    tone: Tone
    subject: str  # in singular


_RETRIED_TASK = Topic(Tone.NOTICE, "retried task")
_STEP = Topic(Tone.STEP, "step")
_TOPICS = {
    InputFailed: Topic(Tone.FAILURE, "failed input"),
    TaskFailed: Topic(Tone.FAILURE, "failed task"),
    Left: Topic(Tone.FAILURE, "run that is broken off"),
    Noticed: Topic(Tone.NOTICE, "notice"),
    RequestRetried: Topic(Tone.DETAIL, "retried request"),
    RunStarted: _STEP,
    RunPlanned: _STEP,
    RunResumed: _STEP,
    Detached: Topic(Tone.NOTICE, "run that is left to the service"),
    PoolFound: _STEP,
    RunCompleted: _STEP,
}


def topic_of(event: Event) -> Topic | None:
    """Tell what an event would have us speak of, if anything."""
    if isinstance(event, TaskFailed) and event.retried:
        return _RETRIED_TASK
    return _TOPICS.get(type(event))


def sentences(event: Event) -> tuple[str, ...]:
    """Give the lines about an event; they are safe to be shown."""
    match event:
        case InputFailed():
            return (f"Failed: {escaped(event.name)}: {brief(event.reason)}",)
        case TaskFailed():
            return _about_failed_task(event)
        case Noticed():
            return tuple(brief(line) for line in _lines(event.text))
        case Left() | Detached():
            return (_about_what_is_left(event),)
        case RequestRetried():
            wait = shown_duration(event.wait)
            return (f"A request to {brief(event.service)} is sent again after {wait}: {brief(event.reason)}",)
        case _:
            return _about_step(event)


def brief(text: str) -> str:
    """Make text from outside safe to be shown, and cut it where it goes on for too long."""
    return escaped(text) if len(text) <= _LONGEST else f"{escaped(text[:_LONGEST])}..."


class Handful:
    """Lets a handful of each subject be said in full, and counts the others."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._met: Counter[str] = Counter()

    def admits(self, subject: str) -> bool:
        """Tell whether one more is to be said."""
        self._met[subject] += 1
        return self._met[subject] <= self._most

    def withheld(self) -> str:
        """Say how many were not said; empty if there are none."""
        more = ((subject, met - self._most) for subject, met in self._met.items())
        return ", ".join(counted(number, f"more {subject}") for subject, number in more if number > 0)


def _about_failed_task(event: TaskFailed) -> tuple[str, ...]:
    node = f" on node {escaped(event.node)}" if event.node else ""
    code = f" with exit code {event.exit_code}" if event.exit_code is not None else ""
    again = " (tried again)" if event.retried else ""
    tail = _lines(event.stderr)[-_STDERR_LINES:] if event.stderr else []
    first = f"Task {escaped(event.task)} failed{node}{code}: {brief(event.reason)}{again}"
    return (first, *(f"    | {brief(line)}" for line in tail))


def _about_what_is_left(event: Left | Detached) -> str:
    if isinstance(event, Left):
        return f"Left as it is: {', '.join(escaped(what) for what in event.what)}."
    left = f"All is submitted: {counted(event.tasks, 'task')}, left to the service."
    return f"{left} To wait for the results: fastbatch watch {escaped(event.run)}"


def _about_step(event: Event) -> tuple[str, ...]:
    match event:
        case RunStarted():
            return (f"Run {escaped(event.run)} on pool {escaped(event.pool)}.",)
        case RunPlanned():
            many = f"{counted(event.inputs, 'input')} ({shown_size(event.bytes)}) in {counted(event.bundles, 'bundle')}"
            size = f" of about {shown_size(event.bundle_size)}" if event.bundle_size else ""
            return (f"Planned: {many}{size}.",)
        case RunResumed():
            before = f"{counted(event.stored, 'bundle')} stored and {counted(event.tasks, 'task')} submitted before"
            return (f"Goes on: {before}; {event.ended:,} ended by now.",)
        case PoolFound():
            return (_about_pool(event),)
        case RunCompleted():
            books = event.summary.books
            return (f"The run is over: {books.done:,} done, {books.failed:,} failed, {books.open:,} open.",)
        case _:
            return ()


def _about_pool(event: PoolFound) -> str:
    there = "was resized" if event.resized else "is there"
    size = f"{counted(event.nodes, 'node')} with {counted(event.slots, 'slot')} each"
    return f"Pool {escaped(event.pool)} {'was made' if event.made else there}: {size}."


def _lines(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.rstrip("\r\n").split("\n")]
