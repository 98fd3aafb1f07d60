"""What a run would take on another number of nodes: its tasks, as they were measured, are run through again."""

from __future__ import annotations

import heapq
import itertools
import math
import random
import statistics
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from fastbatch import limits
from fastbatch.model import Task
from fastbatch.tuning.conditions import Conditions
from fastbatch.tuning.slowing import Slowing, interpolated
from fastbatch.tuning.timeline import Gaps, closing, gaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fastbatch.tuning.measured import Measurements, RunTimes, TaskTimes

_SEED = 1
_MEASURED = Conditions()


@dataclass(frozen=True, slots=True)
class Load:
    """What a run asks of a pool."""

    opening: float  # from the first request of the run until the service had tasks
    arrivals: tuple[float, ...]  # of tasks, since the first request of the run
    services: tuple[float, ...]  # how long each holds a slot
    gaps: Gaps
    closing: float  # after the last of them

    @property
    def service(self) -> float:
        """Return how long a task holds a slot, in the mean."""
        return statistics.fmean(self.services) if self.services else 0.0

    @property
    def gap(self) -> float:
        """Return how long it takes to start a task that can be started, in the mean."""
        return statistics.fmean(self.gaps.all) if self.gaps.all else 0.0


def load(run: RunTimes, slots: int) -> Load:
    """
    Tell what a run asked of a pool with so many slots a node.

    A bundle that was tried again holds its slot for all of its attempts: they can't be at the same time either.
    """
    bundles = dict[str, list["TaskTimes"]]()
    for task in sorted(run.tasks, key=attrgetter("created")):
        bundles.setdefault(Task.of(task.task).bundle, []).append(task)
    return Load(
        run.opening,
        tuple(run.opening + attempts[0].created for attempts in bundles.values()),
        tuple(sum(max(0.0, task.service) for task in attempts) for attempts in bundles.values()),
        gaps(run.tasks, slots),
        closing(run),
    )


def enlarged(load: Load, tasks: int, merge: float) -> Load:
    """
    Give a load of so many tasks, whose closing takes longer by what is added to the merge.

    All tasks come equally often, and at the same rate, but in another order each time.
    """
    if not load.arrivals:
        return load
    chance = random.Random(_SEED)  # noqa: S311, it is to be the same each time
    rounds = (chance.sample(load.services, len(load.services)) for _ in itertools.count())
    services = itertools.islice(itertools.chain.from_iterable(rounds), tasks)
    return replace(
        load,
        arrivals=tuple(itertools.islice(_going_on(load.arrivals), tasks)),
        services=tuple(services),
        closing=load.closing + merge,
    )


def _going_on(arrivals: Sequence[float]) -> Iterator[float]:
    first, last, number = arrivals[0], arrivals[-1], len(arrivals)
    period = (last - first) * number / (number - 1) if number > 1 else 0.0
    return (arrival + turn * period for turn in itertools.count() for arrival in arrivals)


class Replay:
    """Runs that were measured, to be gone through again under other conditions. Raises ValueError if there are none."""

    def __init__(self, measurements: Measurements) -> None:
        self._measurements = measurements
        self._runs = {point.nodes: point.runs for point in measurements.points if point.runs}
        if not self._runs:
            raise ValueError("no run was measured, so none can be simulated")
        slots = measurements.slots
        self._loads = {nodes: [load(run, slots) for run in runs] for nodes, runs in self._runs.items()}
        self._service = Slowing({nodes: [load.service for load in loads] for nodes, loads in self._loads.items()})
        self._gap = Slowing({nodes: [load.gap for load in loads] for nodes, loads in self._loads.items()})
        self._closing = {
            nodes: statistics.median(load.closing for load in loads) for nodes, loads in self._loads.items()
        }

    @cached_property
    def _whole(self) -> dict[int, list[Load]]:
        whole, measured = self._measurements.whole.bundles, self._measurements.measured.bundles
        more = whole / measured - 1 if measured else 0.0
        return {
            nodes: [enlarged(load, whole, run.merge * more) for run, load in zip(self._runs[nodes], loads, strict=True)]
            for nodes, loads in self._loads.items()
        }

    @property
    def boot(self) -> float | None:
        """Return how long it took until the last of the most nodes was ready; None if that was not measured."""
        largest = max(self._measurements.boots, key=lambda boot: (boot.nodes, boot.seconds), default=None)
        return largest.seconds if largest else None

    def seconds(
        self, nodes: int, conditions: Conditions = _MEASURED, *, cold: bool = False, whole: bool = False
    ) -> float:
        """
        Tell how long a run takes on so many nodes, from its first request to its merged result.

        Of what was measured, or of the whole that it is a sample of; on nodes that are ready, or that are asked for
        when the run begins. Raises ValueError where there are no nodes, or where nobody knows how long they boot.
        """
        if nodes < 1:
            raise ValueError(f"a run needs a node at least, not {nodes}")
        ready = self._ready(conditions) if cold else 0.0
        loads = self._whole if whole else self._loads
        return statistics.median(self._run(load, nodes, conditions, ready) for load in loads[self._nearest(nodes)])

    def _ready(self, conditions: Conditions) -> float:
        boot = self.boot if conditions.boot is None else conditions.boot
        if boot is None:
            raise ValueError("no node was booted while runs were measured, so how long that takes has to be told")
        return boot

    def _nearest(self, nodes: int) -> int:
        return min(self._loads, key=lambda measured: (abs(measured - nodes), measured))

    def _run(self, load: Load, nodes: int, conditions: Conditions, ready: float) -> float:
        near = self._nearest(nodes)
        slots = self._measurements.slots
        busy = nodes if nodes in self._loads else min(nodes, max(near, math.ceil(len(load.arrivals) / slots)))
        services = _times(load.services, self._service, near, busy)
        end = last_end(
            spaced(load.arrivals, conditions.requests),
            services,
            self._latencies(load, conditions, near, busy),
            slots=nodes * slots,
            ready=ready,
        )
        more = interpolated(self._closing, nodes) - self._closing[near]
        return max(load.opening, end) + load.closing + more

    def _latencies(
        self, load: Load, conditions: Conditions, near: int, busy: int
    ) -> tuple[Iterable[float], Iterable[float]]:
        if conditions.latency is not None:
            same = evenly(*conditions.latency)
            return same, same
        free, freed = load.gaps.free or load.gaps.freed or (0.0,), load.gaps.freed or load.gaps.free or (0.0,)
        return again(_times(free, self._gap, near, busy)), again(_times(freed, self._gap, near, busy))


def _times(values: Sequence[float], slowing: Slowing, near: int, nodes: int) -> Sequence[float]:
    """Give what tasks took on the nearest number of nodes as they take it on another."""
    known = slowing.at(near)
    factor = slowing.at(nodes) / known if known > 0 else 1.0
    return values if factor == 1 else [value * factor for value in values]


def again(values: Sequence[float]) -> Iterator[float]:
    """Give values over and over, in no order, each as often as any other."""
    return itertools.cycle(random.Random(_SEED).sample(values, len(values)))  # noqa: S311, the same each time


def evenly(low: float, high: float) -> Iterator[float]:
    """Give values that are spread evenly."""
    chance = random.Random(_SEED)  # noqa: S311, it is to be the same each time
    return (chance.uniform(low, high) for _ in itertools.count())


def spaced(arrivals: Sequence[float], requests: float | None) -> Sequence[float]:
    """Let tasks come in collections, at most so many a second; no task comes before the first of its collection may."""
    if requests is None:
        return arrivals
    size, later, may = limits.TASKS_PER_COLLECTION, list[float](), -math.inf
    for at in range(0, len(arrivals), size):
        may = max(may, arrivals[at])
        later += [max(may, arrival) for arrival in arrivals[at : at + size]]
        may += 1 / requests
    return later


def last_end(
    arrivals: Sequence[float],
    services: Sequence[float],
    latencies: tuple[Iterable[float], Iterable[float]],
    *,
    slots: int,
    ready: float,
) -> float:
    """
    Tell when the last task ends, if each takes the slot that comes free first, in the order of their arrival.

    A latency goes before it: one of the first for a slot that was free, one of the second for one that came free.
    """
    ends = [ready] * min(slots, len(arrivals))
    free, freed = map(iter, latencies)
    for arrival, service in zip(arrivals, services, strict=True):
        end = ends[0]
        start = end + next(freed) if end > arrival else arrival + next(free)
        heapq.heapreplace(ends, start + service)
    return max(ends, default=0.0)
