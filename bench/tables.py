"""Contests and figures as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastbatch.cli.table import fitted, table
from fastbatch.units import shown_duration, shown_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .contests import Contest, Spread
    from .results import Figure

WIDTH = 100
_BRIEF = 0.0995  # seconds; what takes less is shown in milliseconds


def of_contest(contest: Contest) -> str:
    """Show a contest: who took how long, who could not, and what else was used."""
    lines = [_times(contest), *_used(contest)]
    lines += [f"{name}: could not; {why}" for name, why in contest.failed.items()]
    lines += [f"{name}: asked for {what}" for name, what in contest.asked.items()]
    return "\n".join(lines)


def of_figures(figures: Sequence[Figure]) -> str:
    """Show figures."""
    rows = [["MEASURED", "MEDIAN (LEAST TO MOST)", "ASKED"]]
    rows += [
        [figure.what, f"{_numbers(figure.spread)} {figure.unit}".strip(), figure.asked or ""] for figure in figures
    ]
    return table(fitted(rows, WIDTH, give=[0]))


def seconds(value: float) -> str:
    """Show a time in short; a brief one in milliseconds."""
    return shown_duration(value) if value >= _BRIEF else f"{1000 * value:.3g}ms"


def number(value: float) -> str:
    """Show a number to three digits, a large one whole."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits


def _times(contest: Contest) -> str:
    rows = [["ENTRANT", "MEDIAN (LEAST TO MOST)", "TIMES AS FAST", "RATE", "CPU", "PEAK"]]
    rows += [_row(contest, name) for name in contest.finishers]
    kept = [column for column in zip(*rows, strict=True) if any(column[1:])]  # what nobody was measured by is left out
    return table(fitted([list(row) for row in zip(*kept, strict=True)], WIDTH, give=[0]))


def _row(contest: Contest, name: str) -> list[str]:
    took, ratio = contest.seconds(name), contest.times_as_fast(name)
    rate, cpu, peak = contest.rate(name), contest.cpu(name), contest.peak(name)
    unit = contest.amount[1] if contest.amount else ""
    return [
        name,
        f"{seconds(took.median)} ({seconds(took.least)} to {seconds(took.most)})",
        _numbers(ratio) if ratio else "",
        f"{number(rate)} {unit}/s" if rate is not None else "",
        seconds(cpu) if cpu is not None else "",
        shown_size(round(peak)) if peak is not None else "",
    ]


def _numbers(spread: Spread) -> str:
    if spread.least == spread.most:
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.least)} to {number(spread.most)})"


def _used(contest: Contest) -> Iterator[str]:
    """Tell what else was used, and which part it is of what the first entrant used."""
    amounts = {name: contest.used(name) for name in contest.finishers}
    kinds = list(dict.fromkeys(kind for used in amounts.values() for kind in used))
    if kinds:
        first = amounts.get(contest.baseline, {})
        rows = [["USED", *kinds]]
        rows += [[name, *(_part(used, first, kind) for kind in kinds)] for name, used in amounts.items()]
        yield table(fitted(rows, WIDTH, give=range(len(kinds) + 1)))


def _part(used: dict[str, float], first: dict[str, float], kind: str) -> str:
    if kind not in used:
        return ""
    shown = number(used[kind])
    return shown if used is first or not first.get(kind) else f"{shown} ({100 * used[kind] / first[kind]:.3g} %)"
