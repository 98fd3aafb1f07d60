"""Contests and figures as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastbatch.cli.table import fitted, table
from fastbatch.units import shown_duration, shown_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .contests import Contest, Spread
    from .results import Figure

WIDTH = 100
_BRIEF = 0.0995  # seconds; what takes less is shown in milliseconds
_LARGE = 99.95  # what is more has no decimals


def of_contest(contest: Contest) -> str:
    """Show a contest: who took how long, who could not, and what else was used."""
    lines = [*_times(contest), *_used(contest), ""]
    lines += [f"{name}: could not; {why}" for name, why in contest.failed.items()]
    lines += [f"{name}: asked for {what}" for name, what in contest.asked.items()]
    return "\n".join(lines).strip()


def of_figures(figures: Sequence[Figure]) -> str:
    """Show figures."""
    rows = [["MEDIAN (LEAST TO MOST)", "ASKED", "WHAT"]]
    rows += [[_measured(figure), figure.asked or "", figure.what] for figure in figures]
    return table(fitted(rows, WIDTH, give=[2]))


def seconds(value: float) -> str:
    """Show a time in short; a brief one in milliseconds."""
    return shown_duration(value) if value >= _BRIEF else f"{1000 * value:.3g}ms"


def size(value: float) -> str:
    """Show a size in short."""
    return shown_size(round(value))


def number(value: float) -> str:
    """Show a number to three digits, a large one whole."""
    return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:.3g}"


def amount(value: float, unit: str) -> str:
    """Show an amount of a unit in short."""
    way = _WAYS.get(unit)
    return way(value) if way else f"{number(value)} {unit}".strip()


def spread(values: Spread, shown: Callable[[float], str]) -> str:
    """Show values in short; one that stands alone has no values."""
    if values.least == values.most:
        return shown(values.median)
    return f"{shown(values.median)} ({shown(values.least)} to {shown(values.most)})"


_WAYS = {"s": seconds, "bytes": size}  # to show amounts of some units


def _measured(figure: Figure) -> str:
    if way := _WAYS.get(figure.unit):
        return spread(figure.spread, way)
    return f"{spread(figure.spread, number)} {figure.unit}".strip()


def _times(contest: Contest) -> Iterator[str]:
    if not contest.finishers:
        return
    rate = f"{contest.amount[1]}/s".upper() if contest.amount else ""
    rows = [["ENTRANT", "MEDIAN (LEAST TO MOST)", "TIMES AS FAST", rate, "CPU", "PEAK"]]
    rows += [_row(contest, name) for name in contest.finishers]
    kept = [column for column in zip(*rows, strict=True) if any(column[1:])]  # what nobody was measured by is left out
    yield table(fitted([list(row) for row in zip(*kept, strict=True)], WIDTH, give=[0]))


def _row(contest: Contest, name: str) -> list[str]:
    took, ratio = contest.seconds(name), contest.times_as_fast(name)
    rate, cpu, peak = contest.rate(name), contest.cpu(name), contest.peak(name)
    return [
        name,
        spread(took, seconds),
        spread(ratio, number) if ratio else "",
        number(rate) if rate is not None else "",
        seconds(cpu) if cpu is not None else "",
        size(peak) if peak is not None else "",
    ]


def _used(contest: Contest) -> Iterator[str]:
    """Tell what else was used, and which part it is of what the one they are compared with used."""
    amounts = {name: contest.used(name) for name in contest.finishers}
    kinds = list(dict.fromkeys(kind for used in amounts.values() for kind in used))
    if kinds:
        first = next(iter(amounts.values()))
        rows = [["USED", *kinds]]
        rows += [[name, *(_part(used, first, kind) for kind in kinds)] for name, used in amounts.items()]
        yield "\n" + table(fitted(rows, WIDTH, give=range(len(kinds) + 1)))


def _part(used: dict[str, float], first: dict[str, float], kind: str) -> str:
    if kind not in used:
        return ""
    shown = number(used[kind])
    return shown if used is first or not first.get(kind) else f"{shown} ({100 * used[kind] / first[kind]:.3g} %)"
