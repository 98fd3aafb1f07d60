"""What a run asks of a pool, whatever number of nodes that has; and what a larger run of the same kind would ask."""

from __future__ import annotations

import itertools
import random
import statistics
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from fastbatch import limits
from fastbatch.model import Task
from fastbatch.tuning.timeline import Gaps, closing, gaps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fastbatch.tuning.measured import RunTimes, TaskTimes, Work

T = TypeVar("T")
_SEED = 1  # what is left to chance is the same each time


@dataclass(frozen=True, slots=True)
class Load:
    """What a run asks of a pool; moments are in seconds since its first request."""

    opening: float  # until the service had the first tasks
    arrivals: tuple[float, ...]  # of tasks, in their order
    services: tuple[float, ...]  # how long each of them holds a slot
    sizes: tuple[int, ...]  # bytes of input of each
    gaps: Gaps  # before tasks, in no order
    closing: float  # after the last of them
    merge: float  # of that

    @property
    def service(self) -> float:
        """Return how long a task holds a slot, in the mean."""
        return statistics.fmean(self.services) if self.services else 0.0

    @property
    def gap(self) -> float:
        """Return how long it takes to start a task that can be started, in the mean."""
        every = self.gaps.free + self.gaps.freed
        return statistics.fmean(every) if every else 0.0


def load(run: RunTimes, slots: int) -> Load:
    """
    Tell what a run asked of a pool with so many slots a node.

    A bundle that was tried again holds a slot for all of its attempts: they can't be at the same time either.
    """
    bundles = dict[str, list["TaskTimes"]]()
    for task in sorted(run.tasks, key=attrgetter("created")):
        bundles.setdefault(Task.of(task.task).bundle, []).append(task)
    between = gaps(run.tasks, slots)
    return Load(
        opening=run.opening,
        arrivals=tuple(run.opening + attempts[0].created for attempts in bundles.values()),
        services=tuple(sum(max(0.0, task.service) for task in attempts) for attempts in bundles.values()),
        sizes=tuple(attempts[0].bytes for attempts in bundles.values()),
        gaps=Gaps(_shuffled(between.free), _shuffled(between.freed)),
        closing=closing(run),
        merge=run.merge,
    )


def _shuffled(values: Sequence[T], turn: int = 0) -> tuple[T, ...]:
    return tuple(random.Random(_SEED + turn).sample(values, len(values)))  # noqa: S311, nothing is kept secret by it


def enlarged(load: Load, measured: Work, whole: Work) -> Load:
    """
    Give what the whole asks for, of which a part was measured.

    Its tasks come at the same rate, each measured one as often as any other, in another order each time. They take
    longer by what more bytes cost, and so does the merge by what is more to be merged.
    """
    if whole == measured or not load.arrivals:
        return load
    turns = (_shuffled(load.services, turn) for turn in itertools.count())
    services = itertools.islice(itertools.chain.from_iterable(turns), whole.bundles)
    longer = _longer(load, measured.bytes / measured.bundles, whole.bytes / whole.bundles)
    return replace(
        load,
        arrivals=tuple(itertools.islice(_going_on(load.arrivals), whole.bundles)),
        services=tuple(longer * service for service in services),
        closing=load.closing + load.merge * (whole.bundles / measured.bundles - 1),
    )


def _going_on(arrivals: Sequence[float]) -> Iterator[float]:
    """Let arrivals go on as they were, a gap like those between them after each turn."""
    more = len(arrivals) - 1
    period = (arrivals[-1] - arrivals[0]) * len(arrivals) / more if more else 0.0
    return (turn * period + arrival for turn in itertools.count() for arrival in arrivals)


def _longer(load: Load, size: float, other: float) -> float:
    """Tell how much longer tasks of another size take; not at all, if all were of one size and can't tell."""
    try:
        slope = statistics.linear_regression(load.sizes, load.services).slope
    except statistics.StatisticsError:
        return 1.0
    by_size = min(1.0, max(0.0, slope * size / load.service)) if load.service else 0.0
    return 1 + by_size * (other / size - 1)


def spaced(arrivals: Sequence[float], requests: float) -> Sequence[float]:
    """Let tasks arrive in collections, of which the service takes so many a second."""
    size, later, free = limits.TASKS_PER_COLLECTION, list[float](), 0.0
    for at in range(0, len(arrivals), size):
        begin = max(free, arrivals[at])
        later += [max(begin, arrival) for arrival in arrivals[at : at + size]]
        free = begin + 1 / requests
    return later
