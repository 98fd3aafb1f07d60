"""What a run would take on another number of nodes: its tasks, as they were measured, are gone through again."""

from __future__ import annotations

import heapq
import itertools
import math
import random
import statistics
from typing import TYPE_CHECKING

from fastbatch.tuning.conditions import Conditions
from fastbatch.tuning.load import Load, enlarged, load, spaced
from fastbatch.tuning.slowing import Slowing, interpolated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from fastbatch.tuning.measured import Measurements

_SEED = 1  # what is left to chance is the same each time
_AS_MEASURED = Conditions()


class Replay:
    """
    Runs that were measured, to be gone through on any number of nodes.

    Where that number was measured, with its own tasks and latencies; elsewhere with those of the nearest that was, as
    much slower as they are by then. Raises ValueError if no run was measured.
    """

    def __init__(self, measurements: Measurements) -> None:
        self._slots = measurements.slots
        self._boots = measurements.boots
        self._loads = {
            point.nodes: [load(run, self._slots) for run in point.runs] for point in measurements.points if point.runs
        }
        if not self._loads:
            raise ValueError("no run was measured, so that none can be simulated")
        self._whole = {
            nodes: [enlarged(each, measurements.measured, measurements.whole) for each in loads]
            for nodes, loads in self._loads.items()
        }
        self._service = Slowing({nodes: [each.service for each in loads] for nodes, loads in self._loads.items()})
        self._gap = self._medians(lambda load: load.gap)
        self._closing = self._medians(lambda load: load.closing)

    def _medians(self, of: Callable[[Load], float]) -> dict[int, float]:
        return {nodes: statistics.median(map(of, loads)) for nodes, loads in self._loads.items()}

    @property
    def boot(self) -> float | None:
        """Return how long it took until the last of the most nodes was ready; None if none was booted."""
        largest = max(self._boots, key=lambda boot: (boot.nodes, boot.seconds), default=None)
        return largest.seconds if largest else None

    def seconds(
        self, nodes: int, conditions: Conditions = _AS_MEASURED, *, cold: bool = False, whole: bool = False
    ) -> float:
        """
        Tell how long a run takes on so many nodes, from its first request to its merged result.

        A run of what was measured, or of the `whole` of which that is a sample; on nodes that are ready, or, if it is
        `cold`, on such as begin to boot with its first request. Raises ValueError if there is no node, or if nobody
        knows how long that takes.
        """
        if nodes < 1:
            raise ValueError(f"a run needs a node, not {nodes}")
        ready = self._ready(conditions) if cold else 0.0
        near = min(self._loads, key=lambda measured: (abs(measured - nodes), measured))
        loads = self._whole if whole else self._loads
        return statistics.median(self._one(each, near, nodes, conditions, ready) for each in loads[near])

    def _ready(self, conditions: Conditions) -> float:
        boot = self.boot if conditions.boot is None else conditions.boot
        if boot is None:
            raise ValueError("no node was booted when runs were measured: a cold run needs to know how long that takes")
        return boot

    def _one(self, load: Load, near: int, nodes: int, conditions: Conditions, ready: float) -> float:
        arrivals = load.arrivals if conditions.requests is None else spaced(load.arrivals, conditions.requests)
        end = last_end(
            [max(ready, arrival) for arrival in arrivals],
            self._services(load, near, nodes),
            *self._latencies(load, near, nodes, conditions),
            slots=nodes * self._slots,
        )
        more = interpolated(self._closing, nodes) - self._closing[near]
        return max(load.opening, end) + load.closing + more

    def _services(self, load: Load, near: int, nodes: int) -> Sequence[float]:
        """Give how long tasks take on so many nodes; those that have no task slow down none."""
        most = max(*self._loads, math.ceil(len(load.services) / self._slots))
        slower = _ratio(self._service.at(min(nodes, most)), self._service.at(near))
        return [slower * service for service in load.services]

    def _latencies(
        self, load: Load, near: int, nodes: int, conditions: Conditions
    ) -> tuple[Iterator[float], Iterator[float]]:
        if conditions.latency is not None:
            spread = _spread(*conditions.latency)
            return spread, spread
        longer = _ratio(interpolated(self._gap, nodes), self._gap[near])
        free, freed = load.gaps.free or load.gaps.freed, load.gaps.freed or load.gaps.free
        return itertools.cycle(longer * gap for gap in free), itertools.cycle(longer * gap for gap in freed)


def _ratio(value: float, to: float) -> float:
    return value / to if to > 0 else 1.0


def _spread(low: float, high: float) -> Iterator[float]:
    chance = random.Random(_SEED)  # noqa: S311, nothing is kept secret by it
    return (chance.uniform(low, high) for _ in itertools.count())


def last_end(
    arrivals: Iterable[float],
    services: Sequence[float],
    free: Iterator[float],
    freed: Iterator[float],
    *,
    slots: int,
) -> float:
    """
    Tell when the last task ends if each, as it arrives, takes the slot that comes free first.

    It starts after a latency: one of those of slots that are `free`, or of those that came free for what waited.
    """
    ends = [0.0] * min(slots, len(services))
    for arrival, service in zip(arrivals, services, strict=True):
        start = arrival + next(free) if ends[0] <= arrival else ends[0] + next(freed)
        heapq.heapreplace(ends, start + service)
    return max(ends, default=0.0)
