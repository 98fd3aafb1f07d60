"""
Where a run goes on: by what its journal has, and what the service has of its tasks.

A valid result of any attempt is taken; a task that waits or runs is waited for; everything else is prepared anew, which
finds what is in storage.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field

from fastbatch.books.endings import Cure, diagnose
from fastbatch.books.standing import Standing, State
from fastbatch.model import Bundle, Ending, Kind, Task


class Again(enum.Enum):
    """What of all that failed is tried again."""

    NOTHING = "nothing"
    PASSING = "passing"  # what may go well another time
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A task that the service has; without an ending while it waits or runs."""

    task: Task
    job: int
    running: bool = False
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a run's tasks."""

    sightings: Iterable[Sighting] = ()
    attempts: Mapping[Task, int] = field(default_factory=dict)  # those that were ever submitted, and their jobs
    live_job: int | None = None  # in which tasks still run, if any
    signed: bool = True  # what waits may still read and write


@dataclass(frozen=True, slots=True)
class Recovery:
    """Where bundles stand now, what came of their tasks meanwhile, and what of them is still to come or to be ended."""

    standings: dict[str, Standing]
    endings: tuple[Ending, ...]
    live: dict[Task, int]  # tasks that are waited for, and their jobs
    stops: tuple[Sighting, ...]
    over: frozenset[Task]  # those that ended, and of which nothing more is expected


def recover(
    bundles: Iterable[Bundle],
    standings: Mapping[str, Standing],
    known: Known,
    again: Again,
    returned: frozenset[str] = frozenset(),
) -> Recovery:
    """Tell where bundles stand; `returned` are the names of inputs that were lost and are there again as planned."""
    seen: defaultdict[str, list[Sighting]] = defaultdict(list)
    for sighting in known.sightings:
        seen[sighting.task.bundle].append(sighting)
    tried: dict[str, int] = {}
    for task in [*known.attempts, *(sighting.task for found in seen.values() for sighting in found)]:
        tried[task.bundle] = max(tried.get(task.bundle, -1), task.attempt)
    found, endings, live, stops = dict[str, Standing](), list[Ending](), dict[Task, int](), list[Sighting]()
    for bundle in bundles:
        standing = copy(standings.get(bundle.id) or Standing())
        one = _Bundle(bundle.kind, standing, seen[bundle.id], tried.get(bundle.id), known)
        found[bundle.id] = one.recovered(again, returned)
        endings += one.endings
        live |= one.live
        stops += one.stops
    over = {sighting.task for every in seen.values() for sighting in every if sighting.ending}
    return Recovery(found, tuple(endings), live, tuple(stops), frozenset(over - {ending.task for ending in endings}))


def has_work(
    bundles: Iterable[Bundle], standings: Mapping[str, Standing], again: Again, returned: frozenset[str]
) -> bool:
    """Tell whether there is anything to do for a run that went on before to where its bundles stand."""
    for bundle in bundles:
        standing = standings.get(bundle.id) or Standing()
        if not standing.state.final or (standing.state is State.FAILED and is_tried_again(standing, again)):
            return True
        if again is Again.ALL and not returned.isdisjoint(standing.lost):
            return True
    return False


def is_tried_again(standing: Standing, again: Again) -> bool:
    """Tell whether a bundle that failed is tried again."""
    if standing.cause is None:  # all its inputs are lost
        return False
    return again is Again.ALL or (again is Again.PASSING and standing.cause.passing)


def _is_final(ending: Ending, again: Again) -> bool:
    """Tell whether a task that failed since is not tried again."""
    match diagnose(ending).cure:
        case Cure.NONE:
            return again is not Again.ALL
        case Cure.LATER:
            return again is Again.NOTHING
        case _:
            return False


class _Bundle:
    """A bundle whose standing is found."""

    def __init__(self, kind: Kind, standing: Standing, seen: list[Sighting], tried: int | None, known: Known) -> None:
        self.endings: list[Ending] = []
        self.live: dict[Task, int] = {}
        self.stops: list[Sighting] = []
        self._kind = kind
        self._standing = standing
        self._seen = sorted(seen, key=lambda sighting: sighting.task.attempt)
        self._tried = tried
        self._known = known

    def recovered(self, again: Again, returned: frozenset[str]) -> Standing:
        standing = self._standing
        standing.lost = dict(standing.lost)
        if again is Again.ALL and not returned.isdisjoint(standing.lost):
            return self._built_anew(returned)
        if standing.state is State.FAILED and not is_tried_again(standing, again):
            return standing
        failed_before, standing.cause = standing.state is State.FAILED, None
        if reached := self._success() or self._live() or self._forgotten_success():
            return self._waiting(reached)
        if not failed_before and (failure := self._final_failure(again)):
            return self._waiting(failure)
        return self._prepared()

    def _built_anew(self, returned: frozenset[str]) -> Standing:
        """Build it of what is there again, too; what it was before counts only for a slice, which others must fit."""
        self.stops += [one for one in self._seen if one.ending is None and one.job == self._known.live_job]
        lost = {name: reason for name, reason in self._standing.lost.items() if name not in returned}
        blob = self._standing.blob if self._kind is Kind.SLICE else None
        return Standing(blob=blob, lost=lost, attempt=self._next_attempt())

    def _success(self) -> Sighting | None:
        """Give an attempt that ended well."""
        done_by = self._standing.done_by
        successes = [one for one in self._seen if one.ending and one.ending.succeeded]
        newest = successes[-1] if successes else None  # there is one after another only if that was found to be bad
        return next((one for one in successes if one.task == done_by), newest)

    def _forgotten_success(self) -> Sighting | None:
        """Give the attempt whose result was taken, though the service has it no more."""
        done_by = self._standing.done_by
        if done_by is None:
            return None
        job = self._known.attempts.get(done_by, 0)
        return Sighting(done_by, job, ending=Ending(done_by, succeeded=True, exit_code=0, job=job))

    def _live(self) -> Sighting | None:
        """Give the last attempt if it runs, or will run; end those that would, but may read and write no more."""
        alive = [one for one in self._seen if one.ending is None and one.job == self._known.live_job]
        if not self._known.signed:
            self.stops += [one for one in alive if not one.running]
            alive = [one for one in alive if one.running]
        return alive[-1] if alive and alive[-1].task.attempt == self._tried else None

    def _final_failure(self, again: Again) -> Sighting | None:
        """Give the last attempt if it ended in a way that has no other one follow."""
        last = self._seen[-1] if self._seen else None
        if last is None or last.ending is None or last.task.attempt != self._tried:
            return None
        is_given_up = last.task.attempt < self._standing.attempt  # as it was decided before that there is to be another
        return last if _is_final(last.ending, again) and not is_given_up else None

    def _waiting(self, sighting: Sighting) -> Standing:
        """Let its ending, now or later, tell how it goes on."""
        standing = self._standing
        standing.state = State.WAITING
        standing.attempt = max(sighting.task.attempt, self._tried or 0)
        if sighting.ending:
            self.endings.append(sighting.ending)
        else:
            self.live[sighting.task] = sighting.job
        return standing

    def _prepared(self) -> Standing:
        standing = self._standing
        standing.state = State.PREPARING
        standing.attempt = self._next_attempt()
        return standing

    def _next_attempt(self) -> int:
        return 0 if self._tried is None else self._tried + 1
