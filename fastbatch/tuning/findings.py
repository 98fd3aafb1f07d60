"""What measurements say: curve, simulation, and which number of nodes to take; all that a report shows."""

from __future__ import annotations

import dataclasses
import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastbatch.tuning.scaling import Curve

if TYPE_CHECKING:
    from fastbatch.tuning.conditions import Conditions
    from fastbatch.tuning.measured import Measurements
    from fastbatch.tuning.spread import Estimate

_OF_A_CURVE = ("law", "one", "contention", "crosstalk", "r_squared", "off")  # in JSON


@dataclass(frozen=True, slots=True)
class Stages:
    """Where the time goes: of a median task in seconds, and of a median run."""

    waiting: float
    stage_in: float
    compute: float
    stage_out: float
    submit: float  # from the first request of the run until the last task was created
    tail: float  # from the moment when the first slot had nothing more to do until the last task ended
    idle: float  # the share of the slots' time in which they had no task, from the first start to the last end


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one number of nodes, for what was run."""

    nodes: int
    seconds: tuple[float, ...] = ()  # measured, warm
    failures: tuple[str, ...] = ()
    fitted: Estimate | None = None  # by the curve
    simulated: float | None = None
    stages: Stages | None = None
    speedup: float | None = None  # against the least number of nodes that was measured, by medians
    node_hours: float | None = None
    cost: float | None = None  # where a price is known
    cold: float | None = None  # seconds on nodes that boot meanwhile, where that was measured


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the simulation says of a number of nodes, for the whole work."""

    nodes: int
    warm: float  # seconds
    cold: float | None  # on nodes that boot meanwhile, where it is known how long that takes
    node_hours: float  # warm
    cost: float | None
    beyond: bool  # more than twice the largest number of nodes that was measured


@dataclass(frozen=True, slots=True)
class Choice:
    """A number of nodes to take, and why, in a sentence."""

    nodes: int
    seconds: Estimate
    node_hours: float
    cost: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All of it; choices are None where nothing was measured, and are among the counts that were measured."""

    measurements: Measurements
    price: float | None  # of a node for an hour
    rows: tuple[Row, ...]
    curve: Curve | None  # None with fewer than two counts
    fastest: Choice | None
    cheapest: Choice | None
    knee: Choice | None  # the first count from which the next one that was measured gains less than a tenth
    conditions: Conditions  # of the forecasts
    forecasts: tuple[Forecast, ...]  # as asked for
    enough: Choice | None  # the knee of the forecasts; None where there are none
    warnings: tuple[str, ...]  # what the data can't tell, in sentences

    def json(self) -> dict[str, object]:
        """Return it for JSON, without what was measured task by task."""
        names = (field.name for field in dataclasses.fields(self) if field.name != "measurements")
        return {"measurements": _about(self.measurements)} | {name: _plain(getattr(self, name)) for name in names}


def _about(measurements: Measurements) -> dict[str, object]:
    names = (field.name for field in dataclasses.fields(measurements) if field.name != "points")
    return {name: _plain(getattr(measurements, name)) for name in names} | {"share": measurements.share}


def _plain(value: object) -> object:
    """Give a value in what JSON has; a number that is not finite is not in it."""
    match value:
        case enum.Enum():
            return value.value
        case Curve():
            return {name: _plain(getattr(value, name)) for name in _OF_A_CURVE}
        case float() if not math.isfinite(value):
            return None
        case tuple():
            return [_plain(each) for each in value]
        case _ if dataclasses.is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return value
