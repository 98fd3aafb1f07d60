"""What measurements can't tell, and what about them was not as it should be, in sentences."""

import statistics
from collections.abc import Iterator, Sequence

from fastbatch.tuning.advice import ENOUGH, bend
from fastbatch.tuning.findings import Forecast, Row
from fastbatch.tuning.measured import Measurements, Point
from fastbatch.tuning.scaling import Curve
from fastbatch.tuning.times import Times
from fastbatch.tuning.wording import listed, percent
from fastbatch.units import counted, shown_duration

FAR = 2  # times the largest count that was measured; what is beyond is far from what is known
_ALWAYS_FITS = 2  # counts
_SHORT_TASK = 10.0  # seconds
_SMALL_STEP = 2 * ENOUGH  # in what it gains where nothing is lost
_LONG_TAIL = 1 / 3  # of a run


def of_choices(times: Times, curve: Curve | None) -> Iterator[str]:
    """Tell what is not known of the counts that were measured, and so of which one to take."""
    if not times.values:
        yield "No run was measured, so nothing can be said of any number of nodes."
    elif curve is None:
        yield (
            f"No count but {listed([*times.values])} was measured, so nothing is known of others. "
            "Measure more of them, as with --nodes 1,2,4."
        )
    elif not times.by_curve:
        yield f"The curve is off by up to {percent(curve.off)}, so the choices are by the medians alone."
    elif len(times.values) == _ALWAYS_FITS:
        yield "A curve goes through any two counts, so nobody knows whether it holds. Measure a third one."
    yield from _undecided(times)
    yield from _too_near(times)


def _undecided(times: Times) -> Iterator[str]:
    """Tell of the first step, up to the knee, that may gain a tenth or not, as far as the repeats tell."""
    for fewer, more in times.steps():
        gain = times.gain(fewer, more)
        if fewer <= bend(times) and gain.low is not None and gain.high is not None and gain.low < ENOUGH <= gain.high:
            least = percent(gain.low) if gain.low > 0 else "nothing"
            yield (
                f"The runs differ too much to tell whether {fewer} or {listed([more])} should be taken: the step gains "
                f"between {least} and {percent(gain.high)}. More repetitions (--repeat) tell more."
            )
            return


def _too_near(times: Times) -> Iterator[str]:
    """Tell that the step from the knee is small: that it gains little says little of how more nodes scale."""
    for knee, following in times.steps():
        possible = 1 - knee / following
        if knee == bend(times) and possible < _SMALL_STEP and times.gain(knee, following).value > possible / 2:
            yield (
                f"From {knee} to {listed([following])} nothing can gain more than {percent(possible)}, so that many "
                f"more may still help. Measure larger steps, as with --nodes {knee},{2 * knee}."
            )


def of_runs(measurements: Measurements) -> Iterator[str]:
    """Tell what went wrong with the runs, and what makes them unlike those that are planned with them."""
    measured = [point for point in measurements.points if point.runs]
    if failed := [point for point in measurements.points if point.failures]:
        yield f"Not everything was measured: {'; '.join(map(_failures, failed))}."
    if once := [point.nodes for point in measured if len(point.runs) == 1]:
        yield f"On {listed(once)} there was one run only, so nobody knows how much others differ. Take --repeat 3."
    if cold := [point.nodes for point in measured if any(run.uploaded for run in point.runs)]:
        yield f"Runs on {listed(cold)} uploaded bundles that were not there, so their times are not those of warm runs."
    yield from _of_tasks(measurements, measured)


def _failures(point: Point) -> str:
    return f"on {listed([point.nodes])}, {counted(len(point.failures), 'run')} failed"


def _of_tasks(measurements: Measurements, measured: Sequence[Point]) -> Iterator[str]:
    if idle := [point.nodes for point in measured if starving(measurements, point.nodes)]:
        tasks = counted(measurements.measured.bundles, "task")
        larger = ", or the sample larger (--sample)" if measurements.share < 1 else ""
        yield (
            f"On {listed(idle)} there are more slots than the {tasks} of a run. "
            f"Make bundles smaller (--bundle-size){larger}, to keep all of them busy."
        )
    if measurements.local:
        yield "All nodes shared the cores of this machine. On Azure each has its own, so more of them help there."
        return
    services = [task.service for point in measured for run in point.runs for task in run.tasks]
    if services and (service := statistics.median(services)) < _SHORT_TASK:
        yield (
            f"A task takes {shown_duration(max(0.0, service))} (the median), little against the 2 to 5 s that the "
            "service takes to start the next one. Make bundles larger (--bundle-size)."
        )


def starving(measurements: Measurements, nodes: int) -> bool:
    """Tell whether so many nodes have more slots than there were tasks."""
    return nodes * measurements.slots > measurements.measured.bundles


def of_stages(measurements: Measurements, rows: Sequence[Row]) -> Iterator[str]:
    """Tell where slots wait for the last tasks of a run, though there were tasks for all of them."""
    tails = {row.nodes: row.stages.tail / statistics.median(row.seconds) for row in rows if row.stages and row.seconds}
    long = {nodes: tail for nodes, tail in tails.items() if tail > _LONG_TAIL and not starving(measurements, nodes)}
    if long:
        yield (
            f"On {listed([*long])}, ever fewer slots were busy for up to {percent(max(long.values()))} of the time, "
            "until the last task ended. Smaller bundles (--bundle-size) spread more evenly."
        )


def of_forecasts(
    measurements: Measurements, asked: Sequence[int], forecasts: Sequence[Forecast], largest: int
) -> Iterator[str]:
    """Tell that some forecasts are far from what was measured, or that none tells of the whole."""
    if asked and largest and not forecasts:
        yield "Nothing is simulated, as it is not known of any run what its tasks took."
    elif largest and measurements.share < 1 and not forecasts:
        yield (
            f"Only {percent(measurements.share)} of the work was run, and all times, costs and choices are of that. "
            "What the whole takes, on as many nodes and on more, is foretold with --simulate 1..1000."
        )
    if any(forecast.beyond for forecast in forecasts):
        yield (
            f"Forecasts for more than {listed([FAR * largest])} are beyond twice the largest count that was measured; "
            "what slows so many down may not have shown yet."
        )
