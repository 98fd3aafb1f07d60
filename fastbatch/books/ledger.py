"""
The books of a run.

Every change is one synchronous call of `apply`, which says what is to be done next; nothing here waits or does I/O.
Books are kept by bundle: whatever attempts there were, its first sound result counts; what comes later changes nothing.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import assert_never

from fastbatch.books.balance import check, check_bytes
from fastbatch.books.endings import Cure, Diagnosis, diagnose
from fastbatch.books.facts import (
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
    Returned,
    Stored,
    Submit,
    Submitted,
    Tell,
    Unsound,
)
from fastbatch.books.inputs import Inputs
from fastbatch.books.opentasks import OpenTasks
from fastbatch.books.standing import Cause, Standing, State
from fastbatch.events import BundleUploaded, InputFailed, TaskDone, TasksSubmitted
from fastbatch.model import Books, Bundle, Ending, Failure, Item, Kind, Plan, Task

_LONGEST_DELAY = 60.0
_BEFORE_RESULTS = frozenset({State.PREPARING, State.SUBMITTING, State.WAITING})


@dataclass(slots=True)
class _Entry:
    bundle: Bundle
    standing: Standing
    first: int  # attempt of this time; those before do not count as retries

    def what_is_left(self) -> Bundle:
        """Give the bundle without the inputs that failed, even if they are there again."""
        lost = self.standing.lost
        return dataclasses.replace(self.bundle, items=tuple(self.remaining())) if lost else self.bundle

    def remaining(self) -> Iterator[Item]:
        return (item for item in self.bundle.items if item.name not in self.standing.lost)

    def prepare(self, *, replace: bool = False) -> Prepare:
        return Prepare(self.what_is_left(), replace, self.standing.blob, self.standing.checks)


class Ledger:
    """The books of a run: where every bundle and every input is."""

    def __init__(
        self,
        plan: Plan,
        *,
        retries: int,
        retry_wait: float,
        standings: Mapping[str, Standing] | None = None,
        live: Mapping[Task, int] | None = None,
    ) -> None:
        """Open the books; `standings` are where they go on, by bundle, `live` what is waited for, with its jobs."""
        self._plan = plan
        self._retries = retries
        self._retry_wait = retry_wait
        self._inputs = Inputs(plan)
        self._states: Counter[State] = Counter()
        self._entries: dict[str, _Entry] = {}
        self._changed: set[str] = set()
        self._open_tasks = OpenTasks()
        self._ended_tasks: set[Task] = set()  # of bundles that are not done
        self.tasks = self.uploaded = self.uploaded_bytes = self.reused = 0
        for task, job in (live or {}).items():
            self._open_tasks.open(task, job)
        for bundle in plan.bundles:
            self._enter(bundle, (standings or {}).get(bundle.id) or Standing())

    def _enter(self, bundle: Bundle, standing: Standing) -> None:
        """Take a bundle in, where it stands."""
        entry = _Entry(bundle, standing, standing.attempt)
        self._entries[bundle.id] = entry
        self._states[standing.state] += 1
        for name, reason in standing.lost.items():
            self._inputs.lose(Failure(name, reason))
        if standing.uploaded is not None and standing.blob is not None:
            self._count_stored(standing.blob.length, reused=not standing.uploaded)
        match standing.state:
            case State.WAITING if Task(bundle.id, standing.attempt) not in self._open_tasks:
                entry.first += 1  # it ended before: the next attempt is the first of this time
            case State.DONE:
                self._inputs.finish(entry.bundle, standing.lost)
            case State.FAILED if standing.cause is not None:
                for failure in _failures(entry, standing.cause):
                    self._inputs.lose(failure)
            case _:
                pass

    def begin(self) -> list[Action]:
        """Say what is to be done first."""
        actions: list[Action] = []
        for entry in self._entries.values():
            if entry.standing.state is State.PREPARING:
                actions.append(entry.prepare())
            elif entry.standing.state is State.SUBMITTING:
                actions += self._submit(entry)
        return actions

    def knows(self, tasks: Iterable[Task]) -> None:
        """Take it that tasks ended before, so that it is no news."""
        self._ended_tasks.update(tasks)

    def changes(self) -> dict[str, Standing]:
        """Give where the bundles stand for which that changed since this was last asked."""
        changed = {bundle: copy(self._entries[bundle].standing) for bundle in self._changed}
        self._changed.clear()
        return changed

    def check(self) -> None:
        """See that every input is in exactly one place. Raises Imbalance with the ids where that is not so."""
        standings = {bundle: entry.standing for bundle, entry in self._entries.items()}
        check(self._plan, standings, self._inputs.lost, self.books)

    def check_bytes(self, counted: int) -> None:
        """See that as many bytes were counted as the inputs that are done have. Raises Imbalance where not."""
        check_bytes(sum(self._entries[bundle.id].what_is_left().size for bundle, _ in self.results()), counted)

    @property
    def books(self) -> Books:
        """Tell where the inputs are."""
        return self._inputs.books

    @property
    def settled(self) -> bool:
        """Tell whether nothing more will happen."""
        return self._states[State.DONE] + self._states[State.FAILED] == len(self._entries)

    @property
    def failures(self) -> list[Failure]:
        """Give the inputs that failed, in the order of the plan."""
        return self._inputs.failures

    @property
    def on_service(self) -> int:
        """Tell how many tasks the service has that are not known to be completed."""
        return len(self._open_tasks)

    @property
    def jobs(self) -> list[int]:
        """Give the jobs that have tasks that are not known to be completed."""
        return self._open_tasks.jobs

    def awaits(self, task: Task) -> bool:
        """Tell whether the service has a task that is not known to be completed."""
        return task in self._open_tasks

    def failed_by(self, task: Task) -> bool:
        """Tell whether a bundle failed, and that was its last task."""
        cause = self._entries[task.bundle].standing.cause
        return cause is not None and cause.task == task

    def needs_nodes(self) -> bool:
        """Tell whether anything is still to run on a node."""
        return any(self._states[state] for state in _BEFORE_RESULTS)

    def none_in(self, *states: State) -> bool:
        """Tell whether no bundle is in any of these states."""
        return not any(self._states[state] for state in states)

    def expects(self, task: Task) -> bool:
        """Tell whether the ending of a task is news."""
        entry = self._entries.get(task.bundle)
        if entry is None or entry.standing.state.final or entry.standing.state is State.PREPARING:
            return False
        return task.attempt <= entry.standing.attempt and task not in self._ended_tasks

    def results(self) -> Iterator[tuple[Bundle, Task]]:
        """Give the tasks whose results count: those of bundles whose inputs are done."""
        for entry in self._entries.values():
            by = entry.standing.done_by
            if entry.standing.state is State.DONE and by is not None and self._inputs.counts(entry.bundle):
                yield entry.bundle, by

    def apply(self, fact: Fact) -> list[Action]:
        """Note what happened; say what is to be done."""
        match fact:
            case Built() | Stored() | NotStored():
                return self._of_storage(fact)
            case Submitted() | Rejected() | Returned():
                return self._of_submission(fact)
            case Ended() | Abandoned():
                return self._ended(fact.ending) if isinstance(fact, Ended) else self._abandoned(fact)
            case Collected() | Unsound():
                return self._collected(fact.task) if isinstance(fact, Collected) else self._unsound(fact)
            case _:
                assert_never(fact)

    def _of_storage(self, fact: Built | Stored | NotStored) -> list[Action]:
        match fact:
            case Built():
                return self._built(fact)
            case Stored():
                return self._stored(fact)
            case NotStored():
                return self._not_stored(fact)

    def _of_submission(self, fact: Submitted | Rejected | Returned) -> list[Action]:
        match fact:
            case Submitted():
                return self._submitted(fact)
            case Rejected():
                return self._rejected(fact)
            case Returned():
                return self._returned(fact.tasks)

    def _built(self, fact: Built) -> list[Action]:
        entry = self._entries[fact.bundle]
        if entry.standing.state is not State.PREPARING:
            return []
        self._changed.add(fact.bundle)
        standing = entry.standing
        if standing.blob not in (None, fact.blob):  # what it was before is stored, not what it is now
            standing.uploaded = None
        if fact.blob is not None or entry.bundle.kind is not Kind.SLICE:  # what it was, other slices still are
            standing.blob, standing.checks = fact.blob, fact.checks
        # Who was told of changes may be writing them down: what they have is not changed.
        standing.lost = {**standing.lost, **{failure.name: failure.reason for failure in fact.failures}}
        told = [action for failure in fact.failures for action in self._lose(failure)]
        if fact.blob is None:
            self._move(entry, State.FAILED)
        return told

    def _stored(self, fact: Stored) -> list[Action]:
        entry = self._entries[fact.bundle]
        standing = entry.standing
        if standing.state is not State.PREPARING or standing.blob is None:
            return []
        if standing.uploaded is not None:  # one that is repaired was told when it was first uploaded
            if not (standing.uploaded or fact.reused):  # and now it is ours
                standing.uploaded = True
                self.reused -= 1
                self._count_stored(standing.blob.length, reused=False)
            return self._submit(entry)
        standing.uploaded = not fact.reused
        self._count_stored(standing.blob.length, reused=fact.reused)
        inputs = sum(1 for _ in entry.remaining())
        uploaded = BundleUploaded(entry.bundle.id, inputs, standing.blob.length, fact.reused)
        return [Tell(uploaded), *self._submit(entry)]

    def _count_stored(self, length: int, *, reused: bool) -> None:
        if reused:
            self.reused += 1
        else:
            self.uploaded += 1
            self.uploaded_bytes += length

    def _not_stored(self, fact: NotStored) -> list[Action]:
        entry = self._entries[fact.bundle]
        if entry.standing.state is not State.PREPARING:
            return []
        return self._fail(entry, Cause(f"it could not be uploaded: {fact.reason}", None, fact.passing))

    def _submit(self, entry: _Entry) -> list[Action]:
        standing = entry.standing
        if standing.blob is None or standing.uploaded is None:  # as it is to be built of what is there again
            self._move(entry, State.PREPARING)
            return [entry.prepare()]
        self._move(entry, State.SUBMITTING)
        task = Task(entry.bundle.id, standing.attempt)
        tried = standing.attempt - entry.first
        delay = min(_LONGEST_DELAY, self._retry_wait * 3.0 ** (tried - 1)) if tried else 0.0
        return [Submit(task, entry.bundle, standing.blob, delay)]

    def _submitted(self, fact: Submitted) -> list[Action]:
        self.tasks += len(fact.tasks)
        for task in fact.tasks:
            entry = self._entries[task.bundle]
            if self.expects(task):  # its ending may have been faster than the answer to its submission
                self._open_tasks.open(task, fact.job)
            if entry.standing.state is State.SUBMITTING and task.attempt == entry.standing.attempt:
                self._move(entry, State.WAITING)
        return [Tell(TasksSubmitted(len(fact.tasks)))]

    def _returned(self, tasks: tuple[Task, ...]) -> list[Action]:
        entries = [(task, self._entries[task.bundle]) for task in tasks]
        return [
            Submit(task, entry.bundle, entry.standing.blob)
            for task, entry in entries
            if entry.standing.state is State.SUBMITTING
            and entry.standing.blob is not None
            and task.attempt == entry.standing.attempt
        ]

    def _rejected(self, fact: Rejected) -> list[Action]:
        self._open_tasks.close(fact.task)
        entry = self._entries[fact.task.bundle]
        if entry.standing.state is not State.SUBMITTING or fact.task.attempt != entry.standing.attempt:
            return []
        return self._fail(entry, Cause(f"Batch did not take its task: {fact.reason}", fact.task, fact.passing))

    def _ended(self, ending: Ending) -> list[Action]:
        entry = self._entries[ending.task.bundle]
        if not self.expects(ending.task):
            return []
        if entry.standing.state is State.FETCHING:  # another's result is on its way: it is asked for again after that
            return []
        self._open_tasks.close(ending.task)
        self._ended_tasks.add(ending.task)
        if ending.succeeded:
            self._move(entry, State.FETCHING)
            return [Fetch(ending.task, entry.bundle, frozenset(entry.standing.lost))]
        if ending.task.attempt < entry.standing.attempt:
            return []
        return self._retry_or_fail(entry, ending, diagnose(ending))

    def _unsound(self, fact: Unsound) -> list[Action]:
        entry = self._entries[fact.task.bundle]
        if entry.standing.state is not State.FETCHING:
            return []
        if entry.standing.done_by == fact.task:
            entry.standing.done_by = None
        ending = Ending(fact.task, succeeded=False)
        if Task(entry.bundle.id, entry.standing.attempt) in self._open_tasks:  # a later attempt may have a sound one
            self._move(entry, State.WAITING)
            return [Explain(ending, fact.reason, retried=True)]
        return self._retry_or_fail(entry, ending, Diagnosis(fact.reason, Cure.LOOK))

    def _abandoned(self, fact: Abandoned) -> list[Action]:
        """Fail what is still to run; results that are on their way count."""
        actions: list[Action] = []
        for entry in self._entries.values():
            task = Task(entry.bundle.id, entry.standing.attempt)
            waits_there = self._open_tasks.job_of(task) == fact.job
            if waits_there or (not fact.all_done and entry.standing.state in _BEFORE_RESULTS):
                actions += self._fail(entry, Cause(fact.reason, task, passing=True))
        return actions

    def _retry_or_fail(self, entry: _Entry, ending: Ending, diagnosis: Diagnosis) -> list[Action]:
        cures_now = diagnosis.cure in (Cure.AGAIN, Cure.LOOK, Cure.UPLOAD)
        if not cures_now or entry.standing.attempt - entry.first >= self._retries:
            cause = Cause(diagnosis.reason, ending.task, passing=diagnosis.cure is not Cure.NONE)
            return [Explain(ending, diagnosis.reason, retried=False), *self._fail(entry, cause)]
        entry.standing.attempt += 1
        told = Explain(ending, diagnosis.reason, retried=True)
        if diagnosis.cure in (Cure.LOOK, Cure.UPLOAD):
            self._move(entry, State.PREPARING)
            return [told, entry.prepare(replace=diagnosis.cure is Cure.UPLOAD)]
        return [told, *self._submit(entry)]

    def _collected(self, task: Task) -> list[Action]:
        entry = self._entries[task.bundle]
        if entry.standing.state.final:
            return []
        entry.standing.done_by = task
        self._move(entry, State.DONE)
        inputs = self._inputs.finish(entry.bundle, entry.standing.lost)
        return [Tell(TaskDone(task.id, inputs, entry.what_is_left().size))]

    def _fail(self, entry: _Entry, cause: Cause) -> list[Action]:
        if entry.standing.state.final:
            return []
        entry.standing.cause = cause
        self._move(entry, State.FAILED)
        return [action for failure in _failures(entry, cause) for action in self._lose(failure)]

    def _lose(self, failure: Failure) -> list[Action]:
        if not self._inputs.lose(failure):
            return []
        return [Tell(InputFailed(failure.name, failure.reason, failure.task))]

    def _move(self, entry: _Entry, state: State) -> None:
        self._changed.add(entry.bundle.id)
        self._states[entry.standing.state] -= 1
        self._states[state] += 1
        entry.standing.state = state
        if state.final:
            for attempt in range(entry.standing.attempt + 1):
                task = Task(entry.bundle.id, attempt)
                self._open_tasks.close(task)
                self._ended_tasks.discard(task)


def _failures(entry: _Entry, cause: Cause) -> list[Failure]:
    """Give the failures of all inputs of a bundle that failed as a whole."""
    task = cause.task.id if cause.task else None
    return [Failure(item.name, cause.reason, task, cause.passing) for item in entry.remaining()]
