"""What happens in a run, as observers are told."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from fastbatch.model import Summary, name_fields


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    kind: ClassVar[str]

    def json(self) -> dict[str, object]:
        """Return it for JSON."""
        return {"event": self.kind, **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)}}


Observer = Callable[[Event], None]


def nobody(event: Event) -> None:
    """Be the observer where nobody observes."""


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """The run has its name."""

    kind = "run.started"
    run: str
    pool: str


@dataclass(frozen=True, slots=True)
class RunPlanned(Event):
    """It is known what will be done."""

    kind = "run.planned"
    inputs: int
    bytes: int
    bundles: int
    bundle_size: int | None  # about; None where files were counted


@dataclass(frozen=True, slots=True)
class RunResumed(Event):
    """The run goes on; this much of it was reached before."""

    kind = "run.resumed"
    stored: int  # bundles that are in storage
    tasks: int  # that were submitted
    ended: int  # of them, whose results are looked at now
    failed: int = 0  # inputs, for good


@dataclass(frozen=True, slots=True)
class PoolFound(Event):
    """The pool is there, or was made."""

    kind = "pool.found"
    pool: str
    made: bool
    nodes: int  # that it is to have
    slots: int  # of each node
    resized: bool = False


@dataclass(frozen=True, slots=True)
class NodesCounted(Event):
    """Some nodes of the pool are in other states than before."""

    kind = "nodes.counted"
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class InputFailed(Event):
    """An input will have no result."""

    kind = "input.failed"
    name: str
    reason: str
    task: str | None = None

    def json(self) -> dict[str, object]:
        """Return it for JSON."""
        return {"event": self.kind, **name_fields(self.name), "reason": self.reason, "task": self.task}


@dataclass(frozen=True, slots=True)
class BundleUploaded(Event):
    """A bundle is in storage."""

    kind = "bundle.uploaded"
    bundle: str
    inputs: int
    bytes: int
    reused: bool  # it was there already


@dataclass(frozen=True, slots=True)
class TasksSubmitted(Event):
    """The service took tasks."""

    kind = "tasks.submitted"
    tasks: int


@dataclass(frozen=True, slots=True)
class TasksCounted(Event):
    """The service counted the tasks; not exact."""

    kind = "tasks.counted"
    waiting: int
    running: int
    completed: int


@dataclass(frozen=True, slots=True)
class TaskDone(Event):
    """A task's result is here, and sound."""

    kind = "task.done"
    task: str
    inputs: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TaskFailed(Event):
    """A task gave no sound result."""

    kind = "task.failed"
    task: str
    reason: str
    retried: bool
    exit_code: int | None = None
    node: str | None = None
    stderr: str = ""  # its last lines


@dataclass(frozen=True, slots=True)
class RequestRetried(Event):
    """A request did not go well, and will be sent again."""

    kind = "request.retried"
    service: str
    reason: str
    wait: float


@dataclass(frozen=True, slots=True)
class Noticed(Event):
    """Something that people should know of."""

    kind = "noticed"
    text: str


@dataclass(frozen=True, slots=True)
class Left(Event):
    """The run is broken off; this is left on the services."""

    kind = "run.left"
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BooksRead(Event):
    """Another process drives the run; this is how far it is."""

    kind = "books.read"
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class Detached(Event):
    """All is submitted, and left to the service."""

    kind = "run.detached"
    run: str
    tasks: int


@dataclass(frozen=True, slots=True)
class RunCompleted(Event):
    """The run is over."""

    kind = "run.completed"
    summary: Summary

    def json(self) -> dict[str, object]:
        """Return it for JSON."""
        return {"event": self.kind, **self.summary.json()}


@dataclass(frozen=True, slots=True)
class PoolReady(Event):
    """All nodes of the pool are ready, of which so many are new."""

    kind = "pool.ready"
    pool: str
    nodes: int
    new: int
    seconds: float  # that it took


@dataclass(frozen=True, slots=True)
class PoolLeft(Event):
    """The pool is left as it was found: with so many nodes, or None where it was not there."""

    kind = "pool.left"
    pool: str
    nodes: int | None


@dataclass(frozen=True, slots=True)
class RoundBegun(Event):
    """A run begins that is measured, on so many nodes; number 0 is one that only warms up, and is not counted."""

    kind = "round.begun"
    nodes: int
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class RoundMeasured(Event):
    """It is over; this is how long it took."""

    kind = "round.measured"
    nodes: int
    number: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RoundFailed(Event):
    """A run, or the wait for so many nodes, failed; it goes on with the next number of nodes."""

    kind = "round.failed"
    nodes: int
    number: int
    reason: str
