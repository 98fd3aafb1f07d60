"""
The books of a run.

Every change is one synchronous call of `apply`, which says what is to be done next; nothing here waits or does I/O.
Books are kept by bundle: whatever attempts there were, its first sound result counts; what comes later changes nothing.
"""

import dataclasses
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from fastbatch.endings import Cure, Diagnosis, diagnose
from fastbatch.events import BundleUploaded, InputFailed, TaskDone, TasksSubmitted
from fastbatch.facts import (
    Abandoned,
    Action,
    Built,
    Collected,
    Ended,
    Explain,
    Fact,
    Fetch,
    NotStored,
    Prepare,
    Rejected,
    Stored,
    Submit,
    Submitted,
    Tell,
    Unsound,
)
from fastbatch.model import Blob, Books, Bundle, Ending, Failure, Item, Kind, Plan, Task


class State(enum.Enum):
    """Where a bundle is."""

    PREPARING = "preparing"
    SUBMITTING = "submitting"
    WAITING = "waiting"  # for the service
    FETCHING = "fetching"
    DONE = "done"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Tell whether nothing more happens to it."""
        return self in (State.DONE, State.FAILED)


_LONGEST_DELAY = 60.0
_BEFORE_RESULTS = frozenset({State.PREPARING, State.SUBMITTING, State.WAITING})


@dataclass(slots=True)
class _Entry:
    bundle: Bundle
    state: State = State.PREPARING
    blob: Blob | None = None
    attempt: int = 0
    lost: frozenset[str] = frozenset()
    done_by: Task | None = None

    def what_is_left(self) -> Bundle:
        """Give the bundle without the inputs that failed, even if they are there again."""
        return dataclasses.replace(self.bundle, items=tuple(self.remaining())) if self.lost else self.bundle

    def remaining(self) -> Iterator[Item]:
        return (item for item in self.bundle.items if item.name not in self.lost)


class Ledger:
    """The books of a run: where every bundle and every input is."""

    def __init__(self, plan: Plan, *, retries: int, retry_wait: float) -> None:
        self._plan = plan
        self._retries = retries
        self._retry_wait = retry_wait
        self._entries = {bundle.id: _Entry(bundle) for bundle in plan.bundles}
        # Of each input that was cut, how many slices are not done.
        self._slices: dict[str, int] = {}
        for bundle in plan.bundles:
            if bundle.kind is Kind.SLICE:
                name = bundle.items[0].name
                self._slices[name] = self._slices.get(name, 0) + 1
        self._failures: dict[str, Failure] = {}
        self._done = 0
        self._final = 0
        self._open_tasks: set[Task] = set()
        self._ended_tasks: set[Task] = set()  # of bundles that are not done
        self.tasks = self.uploaded = self.uploaded_bytes = self.reused = 0

    def begin(self) -> list[Action]:
        """Say what is to be done first."""
        return [Prepare(entry.bundle) for entry in self._entries.values()]

    @property
    def books(self) -> Books:
        """Tell where the inputs are."""
        return Books(len(self._plan.items), self._done, len(self._failures))

    @property
    def settled(self) -> bool:
        """Tell whether nothing more will happen."""
        return self._final == len(self._entries)

    @property
    def failures(self) -> list[Failure]:
        """Give the inputs that failed, in the order of the plan."""
        return [self._failures[item.name] for item in self._plan.items if item.name in self._failures]

    @property
    def on_service(self) -> int:
        """Tell how many tasks the service has that are not known to be completed."""
        return len(self._open_tasks)

    def needs_nodes(self) -> bool:
        """Tell whether anything is still to run on a node."""
        return any(entry.state in _BEFORE_RESULTS for entry in self._entries.values())

    def expects(self, task: Task) -> bool:
        """Tell whether the ending of a task is news."""
        entry = self._entries.get(task.bundle)
        if entry is None or entry.state.final:
            return False
        return task.attempt <= entry.attempt and task not in self._ended_tasks

    def results(self) -> Iterator[tuple[Bundle, Task]]:
        """Give the tasks whose results count: those of bundles whose inputs are done."""
        for entry in self._entries.values():
            if entry.done_by is not None and not self._failed_elsewhere(entry.bundle):
                yield entry.bundle, entry.done_by

    def apply(self, fact: Fact) -> list[Action]:
        """Note what happened; say what is to be done."""
        actions: list[Action] = []
        match fact:
            case Built():
                actions = self._built(fact)
            case Stored():
                actions = self._stored(fact)
            case NotStored():
                actions = self._not_stored(fact)
            case Submitted():
                actions = self._submitted(fact.tasks)
            case Rejected():
                actions = self._rejected(fact)
            case Ended():
                actions = self._ended(fact.ending)
            case Collected():
                actions = self._collected(fact.task)
            case Unsound():
                actions = self._unsound(fact)
            case Abandoned():
                actions = self._abandoned(fact.reason)
            case _:
                assert_never(fact)
        return actions

    def _built(self, fact: Built) -> list[Action]:
        entry = self._entries[fact.bundle]
        if entry.state is not State.PREPARING:
            return []
        entry.blob = fact.blob
        entry.lost |= {failure.name for failure in fact.failures}
        told = [action for failure in fact.failures for action in self._lose(failure)]
        if fact.blob is None:
            self._close(entry, State.FAILED)
        return told

    def _stored(self, fact: Stored) -> list[Action]:
        entry = self._entries[fact.bundle]
        if entry.state is not State.PREPARING or entry.blob is None:
            return []
        if entry.attempt:  # a bundle that is repaired was told when it was first uploaded
            return self._submit(entry)
        if fact.reused:
            self.reused += 1
        else:
            self.uploaded += 1
            self.uploaded_bytes += entry.blob.length
        inputs = sum(1 for _ in entry.remaining())
        uploaded = BundleUploaded(entry.bundle.id, inputs, entry.blob.length, fact.reused)
        return [Tell(uploaded), *self._submit(entry)]

    def _not_stored(self, fact: NotStored) -> list[Action]:
        entry = self._entries[fact.bundle]
        if entry.state is not State.PREPARING:
            return []
        return self._fail(entry, f"it could not be uploaded: {fact.reason}", None)

    def _submit(self, entry: _Entry) -> list[Action]:
        if entry.blob is None:
            return []
        entry.state = State.SUBMITTING
        task = Task(entry.bundle.id, entry.attempt)
        delay = min(_LONGEST_DELAY, self._retry_wait * 3.0 ** (entry.attempt - 1)) if entry.attempt else 0.0
        return [Submit(task, entry.bundle, entry.blob, delay)]

    def _submitted(self, tasks: tuple[Task, ...]) -> list[Action]:
        self.tasks += len(tasks)
        for task in tasks:
            entry = self._entries[task.bundle]
            if self.expects(task):  # its ending may have been faster than the answer to its submission
                self._open_tasks.add(task)
            if entry.state is State.SUBMITTING and task.attempt == entry.attempt:
                entry.state = State.WAITING
        return [Tell(TasksSubmitted(len(tasks)))]

    def _rejected(self, fact: Rejected) -> list[Action]:
        self._open_tasks.discard(fact.task)
        entry = self._entries[fact.task.bundle]
        if entry.state is not State.SUBMITTING or fact.task.attempt != entry.attempt:
            return []
        return self._fail(entry, f"Batch did not take its task: {fact.reason}", fact.task)

    def _ended(self, ending: Ending) -> list[Action]:
        entry = self._entries[ending.task.bundle]
        if not self.expects(ending.task):
            return []
        self._open_tasks.discard(ending.task)
        self._ended_tasks.add(ending.task)
        if entry.state is State.FETCHING:  # an earlier attempt's result is on its way
            return []
        if ending.succeeded:
            entry.state = State.FETCHING
            return [Fetch(ending.task, entry.bundle, entry.lost)]
        if ending.task.attempt < entry.attempt:
            return []
        return self._retry_or_fail(entry, ending, diagnose(ending))

    def _unsound(self, fact: Unsound) -> list[Action]:
        entry = self._entries[fact.task.bundle]
        if entry.state is not State.FETCHING:
            return []
        ending = Ending(fact.task, succeeded=False)
        return self._retry_or_fail(entry, ending, Diagnosis(fact.reason, Cure.AGAIN))

    def _abandoned(self, reason: str) -> list[Action]:
        """Fail what is still to run; results that are on their way count."""
        still = [entry for entry in self._entries.values() if entry.state in _BEFORE_RESULTS]
        return [action for entry in still for action in self._fail(entry, reason, Task(entry.bundle.id, entry.attempt))]

    def _retry_or_fail(self, entry: _Entry, ending: Ending, diagnosis: Diagnosis) -> list[Action]:
        if diagnosis.cure is Cure.NONE or entry.attempt >= self._retries:
            return [Explain(ending, diagnosis.reason, retried=False), *self._fail(entry, diagnosis.reason, ending.task)]
        entry.attempt += 1
        told = Explain(ending, diagnosis.reason, retried=True)
        if diagnosis.cure is Cure.UPLOAD:
            entry.state = State.PREPARING
            return [told, Prepare(entry.what_is_left(), replace=True)]
        return [told, *self._submit(entry)]

    def _collected(self, task: Task) -> list[Action]:
        entry = self._entries[task.bundle]
        if entry.state.final:
            return []
        entry.done_by = task
        self._close(entry, State.DONE)
        inputs = self._count_done(entry)
        return [Tell(TaskDone(task.id, inputs, entry.what_is_left().size))]

    def _count_done(self, entry: _Entry) -> int:
        """Note the inputs that are done by now; tell how many that adds."""
        if entry.bundle.kind is not Kind.SLICE:
            inputs = sum(1 for _ in entry.remaining())
            self._done += inputs
            return inputs
        name = entry.bundle.items[0].name
        self._slices[name] -= 1
        if self._slices[name] or name in self._failures:
            return 0
        self._done += 1
        return 1

    def _fail(self, entry: _Entry, reason: str, task: Task | None) -> list[Action]:
        if entry.state.final:
            return []
        failures = [Failure(item.name, reason, task.id if task else None) for item in entry.remaining()]
        self._close(entry, State.FAILED)
        return [action for failure in failures for action in self._lose(failure)]

    def _lose(self, failure: Failure) -> list[Action]:
        if failure.name in self._failures:
            return []
        self._failures[failure.name] = failure
        return [Tell(InputFailed(failure.name, failure.reason, failure.task))]

    def _close(self, entry: _Entry, state: State) -> None:
        entry.state = state
        self._final += 1
        attempts = {Task(entry.bundle.id, attempt) for attempt in range(entry.attempt + 1)}
        self._open_tasks -= attempts
        self._ended_tasks -= attempts

    def _failed_elsewhere(self, bundle: Bundle) -> bool:
        """Tell whether a slice is of an input that failed: then it counts for nothing."""
        return bundle.kind is Kind.SLICE and bundle.items[0].name in self._failures
