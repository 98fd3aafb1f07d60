"""All that measurements say: what they follow, which number of nodes to take, and what they can't tell."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from fastbatch.tuning import doubts
from fastbatch.tuning.advice import advised, cost, enough, node_hours
from fastbatch.tuning.conditions import Conditions
from fastbatch.tuning.findings import Findings, Forecast, Row
from fastbatch.tuning.measured import Measurements, Point
from fastbatch.tuning.scaling import Curve, fitted
from fastbatch.tuning.simulation import Replay
from fastbatch.tuning.spread import Samples
from fastbatch.tuning.timeline import stages
from fastbatch.tuning.times import Times

_AS_MEASURED = Conditions()


def study(
    measurements: Measurements,
    *,
    price: float | None = None,
    simulate: Sequence[int] = (),
    conditions: Conditions = _AS_MEASURED,
) -> Findings:
    """
    Find out what measurements say, with the price of a node for an hour.

    Some numbers of nodes are forecast for the whole work, under conditions; all else is about what was run, as it was.
    """
    known = _Known.of(measurements, price)
    rows = tuple(map(known.row, sorted(measurements.points, key=lambda point: point.nodes)))
    forecasts = tuple(known.forecasts(simulate, conditions))
    times = Times.of(known.samples, known.curve)
    advice = advised(times, price)
    return Findings(
        measurements=measurements,
        price=price,
        rows=rows,
        curve=known.curve,
        fastest=advice.fastest if advice else None,
        cheapest=advice.cheapest if advice else None,
        knee=advice.knee if advice else None,
        conditions=conditions,
        forecasts=forecasts,
        enough=enough({each.nodes: each.warm for each in forecasts}, price),
        warnings=(
            *doubts.of_choices(times, known.curve),
            *doubts.of_runs(measurements),
            *doubts.of_stages(measurements, rows),
            *doubts.of_forecasts(measurements, simulate, forecasts, known.largest),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is made of measurements, for each number of nodes."""

    measurements: Measurements
    price: float | None
    samples: Samples  # the least number of nodes first
    curve: Curve | None
    replay: Replay | None  # None where no task was measured

    @classmethod
    def of(cls, measurements: Measurements, price: float | None) -> Self:
        points = sorted(measurements.points, key=lambda point: point.nodes)
        samples = {point.nodes: [run.seconds for run in point.runs] for point in points if point.runs}
        replay = Replay(measurements) if any(map(_has_tasks, points)) else None
        return cls(measurements, price, samples, fitted(samples), replay)

    @property
    def largest(self) -> int:
        """Return the largest number of nodes that was measured."""
        return max(self.samples, default=0)

    def row(self, point: Point) -> Row:
        """Tell what is known of what was run."""
        row = Row(
            nodes=point.nodes,
            failures=point.failures,
            fitted=self.curve.estimate(point.nodes) if self.curve else None,
            simulated=self.replay.seconds(point.nodes) if self.replay else None,
        )
        return self._measured(row, point) if point.runs else row

    def _measured(self, row: Row, point: Point) -> Row:
        least, *_ = self.samples.values()
        median = statistics.median(self.samples[point.nodes])
        hours = node_hours(point.nodes, median)
        return replace(
            row,
            seconds=tuple(self.samples[point.nodes]),
            stages=stages(point.runs, self.measurements.slots, point.nodes) if _has_tasks(point) else None,
            speedup=statistics.median(least) / median,
            node_hours=hours,
            cost=cost(hours, self.price),
            cold=self._cold(point.nodes, median),
        )

    def _cold(self, nodes: int, warm: float) -> float | None:
        """Add to a time what the simulation says that the boot of the nodes adds."""
        if self.replay is None or self.replay.boot is None:
            return None
        return warm + self.replay.seconds(nodes, cold=True) - self.replay.seconds(nodes)

    def forecasts(self, simulate: Sequence[int], conditions: Conditions) -> Iterator[Forecast]:
        """Tell what the whole takes."""
        if self.replay is None:
            return
        boots = self.replay.boot is not None or conditions.boot is not None
        for nodes in simulate:
            warm = self.replay.seconds(nodes, conditions, whole=True)
            cold = self.replay.seconds(nodes, conditions, cold=True, whole=True) if boots else None
            hours = node_hours(nodes, warm)
            beyond = nodes > doubts.FAR * self.largest
            yield Forecast(nodes, warm, cold, hours, cost(hours, self.price), beyond)


def _has_tasks(point: Point) -> bool:
    return any(run.tasks for run in point.runs)
