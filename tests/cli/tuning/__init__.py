"""Tests of what `fastbatch tune` asks for and shows."""

from fastbatch.tuning.conditions import Conditions
from fastbatch.tuning.findings import Choice, Findings, Forecast, Row, Stages
from fastbatch.tuning.measured import Boot, Measurements, Point, RunTimes, TaskTimes, Work
from fastbatch.tuning.scaling import fitted
from fastbatch.tuning.spread import Estimate

WORK = Work(inputs=2000, bytes=20_480_000, bundles=32)

TASK = TaskTimes("b00001", "node-1", 640_000, created=0.0, started=0.5, computing=1.0, computed=3.0, ended=3.25)


def times(*seconds: float) -> tuple[RunTimes, ...]:
    """Give runs that took so long."""
    return tuple(RunTimes(each, 0.5, 0.1, 0, (TASK,)) for each in seconds)


POINTS = (
    Point(1, times(42.3, 41.9, 43.0)),
    Point(2, times(21.9, 22.4, 21.5), ("Batch gave no answer when asked to add tasks: \x1b[31mtimeout",)),
    Point(4, times(12.3, 12.1, 12.9)),
    Point(8, times(9.1, 8.8, 9.4)),
    Point(16, (), ("no quota", "no quota")),
)
MEASUREMENTS = Measurements(
    version="0.1",
    began="2026-11-22T01:02:03Z",
    pool="fastbatch",
    vm_size="standard_d2s_v3",
    slots=2,
    local=False,
    bundle_size=1 << 20,
    measured=WORK,
    whole=WORK,
    points=POINTS,
    boots=(Boot(1, 65.0), Boot(2, 80.0)),
)


def row(point: Point, speedup: float) -> Row:
    """Give a row as if it were found out."""
    seconds = tuple(run.seconds for run in point.runs)
    if not seconds:
        return Row(point.nodes, failures=point.failures, fitted=Estimate(11.0, 8.0, 14.0), simulated=7.7)
    middle = sorted(seconds)[1]
    return Row(
        nodes=point.nodes,
        seconds=seconds,
        failures=point.failures,
        fitted=Estimate(middle * 1.01, middle * 0.97, middle * 1.05),
        simulated=middle * 0.95,
        stages=Stages(12.1, 0.4, 2.1, 0.2, 1.5, 1.1, 0.043),
        speedup=speedup,
        node_hours=point.nodes * middle / 3600,
        cost=point.nodes * middle / 3600 * 0.096,
        cold=middle + 80,
    )


ROWS = tuple(map(row, POINTS, (1.0, 1.93, 3.44, 4.65, 0.0)))
NOTHING = Findings(MEASUREMENTS, None, ROWS[-1:], None, None, None, None, Conditions(), (), None, ())
FINDINGS = Findings(
    measurements=MEASUREMENTS,
    price=0.096,
    rows=ROWS,
    curve=fitted({row.nodes: row.seconds for row in ROWS if row.seconds}),
    fastest=Choice(8, Estimate(9.1, 8.8, 9.4), 0.0202, 0.00194, "8 nodes take 78 % less time than 1."),
    cheapest=Choice(1, Estimate(42.3, 41.9, 43.0), 0.01175, 0.00113, "More nodes cost more."),
    knee=Choice(4, Estimate(12.3, 12.1, 12.9), 0.01367, 0.00131, "8 nodes would gain less than 10 %."),
    conditions=Conditions(latency=(2, 5)),
    forecasts=(
        Forecast(8, 9.0, 95.0, 0.02, 0.00192, beyond=False),
        Forecast(16, 7.7, 93.1, 0.0342, 0.00329, beyond=False),
        Forecast(1000, 6.5, None, 1.81, 0.173, beyond=True),
    ),
    enough=Choice(16, Estimate(7.7), 0.0342, 0.00329, "1000 nodes gain only 16 % over 16."),
    warnings=("16 nodes failed in all of 2 runs.",),
)
