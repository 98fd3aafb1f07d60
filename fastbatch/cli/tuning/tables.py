"""What was measured and what is foretold, as tables."""

import statistics
from collections.abc import Iterator, Sequence

from fastbatch.cli.display.sentences import brief
from fastbatch.cli.table import table
from fastbatch.cli.tuning.figures import NOTHING, estimated, extremes, known, seconds, share
from fastbatch.cli.tuning.words import filled
from fastbatch.tuning.findings import Findings, Forecast, Row, Stages
from fastbatch.units import counted

_MARK = "*"  # of what is foretold too far
_COUNTED = ("SIMULATED", "SPEED-UP")
_STAGES = ("WAITING", "STAGE-IN", "COMPUTE", "STAGE-OUT", "SUBMIT", "TAIL", "IDLE")


def measured(findings: Findings, width: int) -> str:
    """Give all numbers of nodes, and under them why runs failed."""
    has_price = findings.price is not None
    head = ("NODES", "TIME", "FITTED", *_COUNTED, "COST" if has_price else "NODE-HOURS", "COLD")
    rows = [head, *(_row(row, has_price=has_price) for row in findings.rows)]
    return "\n".join([table(rows, right={0, 3, 4, 5, 6}), *_failures(findings.rows, width)])


def stages(findings: Findings) -> str:
    """Give where the time went, by number of nodes; empty where nothing is known of it."""
    rows = [(str(row.nodes), *_stages(row.stages)) for row in findings.rows if row.stages]
    if not rows:
        return ""
    return table([("NODES", *_STAGES), *rows], right=range(len(_STAGES) + 1))


def forecasts(findings: Findings) -> str:
    """Give what the simulation says, with marks where that is far from all that was measured; empty if nothing."""
    if not findings.forecasts:
        return ""
    has_cost = findings.price is not None
    head = ("NODES", "WARM", "COLD", "NODE-HOURS", *(["COST"] if has_cost else []), "")
    rows = [_forecast(forecast, has_cost=has_cost) for forecast in findings.forecasts]
    lines = [table([head, *rows], right=range(len(head) - 1))]
    if any(forecast.beyond for forecast in findings.forecasts):
        lines.append(f"{_MARK} more than twice as many nodes as were measured: what only shows with many is not in it")
    return "\n".join(lines)


def _row(row: Row, *, has_price: bool) -> tuple[str, ...]:
    spent = row.cost if has_price else row.node_hours
    return (
        str(row.nodes),
        _times(row),
        estimated(row.fitted),
        seconds(row.simulated),
        known(row.speedup),
        known(spent),
        seconds(row.cold),
    )


def _times(row: Row) -> str:
    """Give median, least and most, and how many runs failed."""
    if not row.seconds:
        return "failed" if row.failures else NOTHING
    median = seconds(statistics.median(row.seconds))
    spread = f" ({extremes(row.seconds)})" if len(row.seconds) > 1 else ""
    failed = f", {len(row.failures)} failed" if row.failures else ""
    return f"{median}{spread}{failed}"


def _failures(rows: Sequence[Row], width: int) -> Iterator[str]:
    for row in rows:
        for reason in dict.fromkeys(row.failures):
            times = row.failures.count(reason)
            often = f" {times} times" if times > 1 else ""
            yield filled(f"{counted(row.nodes, 'node')} failed{often}: {brief(reason)}", width)


def _stages(found: Stages) -> Iterator[str]:
    times = (found.waiting, found.stage_in, found.compute, found.stage_out, found.submit, found.tail)
    yield from map(seconds, times)
    yield share(found.idle)


def _forecast(forecast: Forecast, *, has_cost: bool) -> tuple[str, ...]:
    return (
        f"{forecast.nodes:,}",
        seconds(forecast.warm),
        seconds(forecast.cold),
        known(forecast.node_hours),
        *([known(forecast.cost)] if has_cost else []),
        _MARK if forecast.beyond else "",
    )
