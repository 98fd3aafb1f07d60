"""How a run stands: what its journal and the services know, put together. Nothing is asked here, or put into words."""

import base64
import enum
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from fastbatch.books.ledger import Ledger
from fastbatch.books.standing import Standing, State
from fastbatch.journal.records import Attempt, Outcome, Phase, RunRecord
from fastbatch.journal.wording import in_words
from fastbatch.model import Books, Failure, Plan
from fastbatch.telling.failing import Group, grouped
from fastbatch.telling.speeds import Completion, Speed, lately, overall


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the journal knows of a run; of one that is cleaned no more than its record."""

    record: RunRecord
    plan: Plan | None
    standings: Mapping[str, Standing]
    attempts: Sequence[Attempt]
    driver: int | None  # the process that drives it; 0 if it can't be told which

    @property
    def going(self) -> bool:
        """Tell whether somebody sees to it that it goes on."""
        return self.record.phase is Phase.GOING and self.driver is not None


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A job of a run, as the service shows it."""

    id: str
    state: str
    waiting: int
    running: int
    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the services show of a run."""

    at: datetime  # by the service's clock
    jobs: Sequence[JobSeen] = ()
    gone: Sequence[str] = ()  # jobs that are not there
    strange: Sequence[str] = ()  # jobs that have the name of one of the run's, and are not
    pool: str | None = None  # its state; None if it is not there
    nodes: Mapping[str, int] = field(default_factory=dict)
    completions: Sequence[Completion] = ()  # of late

    @property
    def waiting(self) -> int:
        """Tell how many tasks wait for a node."""
        return sum(job.waiting for job in self.jobs)

    @property
    def running(self) -> int:
        """Tell how many tasks run."""
        return sum(job.running for job in self.jobs)


class Step(enum.Enum):
    """What may be done next."""

    WATCH = "watch"
    FETCH = "fetch"
    RESUME = "resume"
    RESUME_FAILED = "resume --failed"
    LOGS = "logs --failed"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Report:
    """How a run stands."""

    record: RunRecord
    state: str  # in words
    driver: int | None  # of a run that is going
    books: Books
    bytes_done: int
    bundles: Mapping[State, int]
    tasks: Mapping[Outcome, int]  # as far as the journal knows
    failures: Sequence[Group]
    speed: Speed | None
    left: float | None  # seconds until the service has completed all tasks, if it goes on like this
    seen: Seen | None
    steps: Sequence[Step]

    def json(self) -> dict[str, Any]:
        """Return it for JSON."""
        record, books = self.record, self.books
        return {
            "run": record.id,
            "state": self.state,
            "driver": self.driver,
            "made": record.made.isoformat(),
            "touched": record.touched.isoformat() if record.touched else None,
            "pool": record.settings.pool,
            "inputs": {"planned": books.planned, "done": books.done, "failed": books.failed, "open": books.open},
            "bytes": {"planned": record.bytes, "done": self.bytes_done},
            "bundles": {state.value: self.bundles.get(state, 0) for state in State},
            "tasks": {outcome.value: self.tasks.get(outcome, 0) for outcome in Outcome},
            "failures": [group.json() for group in self.failures],
            "speed": asdict(self.speed) if self.speed else None,
            "seconds_left": self.left,
            "service": _seen_json(self.seen) if self.seen else None,
            "next": [f"fastbatch {command(step, record.id)}" for step in self.steps],
        }


def report(known: Recorded, seen: Seen | None) -> Report:
    """Tell how a run stands; `seen` is None if the services could not be asked."""
    record = known.record
    states = _states(known)
    books, failures = _books(known)
    done = _bytes_done(known)
    groups = tuple(grouped(failures))
    late = _lately(known, seen)
    return Report(
        record=record,
        state=in_words(replace(record, books=books), held=known.going),
        driver=known.driver if known.going else None,
        books=books,
        bytes_done=done,
        bundles=states,
        tasks=Counter(attempt.outcome for attempt in known.attempts),
        failures=groups,
        speed=late or overall(books.done, done, record.made, record.touched),
        left=_left(states, late, seen, going=known.going),
        seen=seen,
        steps=tuple(_steps(books, groups, known, seen)),
    )


def command(step: Step, run: str) -> str:
    """Give the words that do it, after `fastbatch`."""
    verb, _, option = step.value.partition(" ")
    return " ".join(filter(None, (verb, run, option)))


def _states(known: Recorded) -> dict[State, int]:
    if known.plan is None:
        return {}
    fresh = Standing()
    return Counter(known.standings.get(bundle.id, fresh).state for bundle in known.plan.bundles)


def _books(known: Recorded) -> tuple[Books, list[Failure]]:
    """Count by where the bundles stand; what a summary says counts where they are forgotten."""
    if known.plan is None:
        return known.record.books, list(_told(known.record.summary or {}))
    ledger = Ledger(known.plan, retries=0, retry_wait=0.0, standings=known.standings)
    return ledger.books, ledger.failures


def _told(summary: Mapping[str, Any]) -> Iterator[Failure]:
    """Read the failures of a summary."""
    for failure in summary.get("failures", ()):
        name = base64.b64decode(failure["name_b64"]).decode("utf-8", "surrogateescape")
        yield Failure(name, failure["reason"], failure.get("task"), bool(failure.get("passing")))


def _bytes_done(known: Recorded) -> int:
    if known.plan is None:
        return _number((known.record.summary or {}).get("bytes"))
    total = 0
    for bundle in known.plan.bundles:
        standing = known.standings.get(bundle.id)
        if standing is not None and standing.state is State.DONE:
            total += bundle.size - sum(item.size for item in bundle.items if item.name in standing.lost)
    return total


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _lately(known: Recorded, seen: Seen | None) -> Speed | None:
    if known.plan is None or seen is None or not seen.completions:
        return None
    return lately(seen.completions, seen.at, {bundle.id: bundle for bundle in known.plan.bundles})


def _left(states: Mapping[State, int], speed: Speed | None, seen: Seen | None, *, going: bool) -> float | None:
    """Tell how long the tasks take that are still to do; None where something else must happen first."""
    if seen is None or speed is None or not speed.tasks or not seen.running:
        return None
    to_come = states.get(State.PREPARING, 0) + states.get(State.SUBMITTING, 0)
    if to_come and not going:  # nobody submits them
        return None
    return (seen.waiting + seen.running + to_come) / speed.tasks


def _steps(books: Books, groups: Sequence[Group], known: Recorded, seen: Seen | None) -> Iterator[Step]:
    if known.record.cleaned:
        return
    match known.record.phase:
        case Phase.GOING:
            yield Step.WATCH if known.going else Step.RESUME
        case Phase.DETACHED:
            yield from (Step.WATCH, Step.FETCH)
        case Phase.CANCELLED:
            yield from (Step.FETCH, Step.RESUME, Step.CLEAN)
        case Phase.OVER:
            yield from _steps_after(books, groups, known, seen)


def _steps_after(books: Books, groups: Sequence[Group], known: Recorded, seen: Seen | None) -> Iterator[Step]:
    """Give what may be done when a run is over."""
    if books.open or any(group.passing for group in groups):
        yield Step.RESUME
    if any(not group.passing for group in groups):
        yield Step.RESUME_FAILED
    if any(attempt.outcome is Outcome.FAILED for attempt in known.attempts) and books.done < books.planned:
        yield Step.LOGS
    if seen.jobs if seen else (known.record.summary or {}).get("left"):
        yield Step.CLEAN


def _seen_json(seen: Seen) -> dict[str, Any]:
    return {
        "at": seen.at.isoformat(),
        "jobs": [asdict(job) for job in seen.jobs],
        "jobs_gone": list(seen.gone),
        "jobs_of_others": list(seen.strange),
        "pool": seen.pool,
        "nodes": dict(seen.nodes),
    }
