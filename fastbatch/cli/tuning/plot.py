"""Time by number of nodes as a plot of characters."""

import dataclasses
import math
import statistics
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastbatch.cli.tuning.figures import seconds
from fastbatch.tuning.findings import Findings, Row

HEIGHT = 14  # lines
NARROWEST = 30
WIDEST = 100
_PAD = 1  # columns between the axis and the first point
_BESIDE = " |"  # what stands between a label and that

_DOTS_ACROSS, _DOTS_DOWN = 2, 4  # in a character of Braille
_BRAILLE = 0x2800
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True, slots=True)
class Signs:
    """What a plot is drawn with."""

    median: str
    run: str
    simulated: str
    up: str
    corner: str
    along: str
    tick: str
    curve: str  # one dot of it; none where there is Braille


FINE = Signs(median="●", run="│", simulated="○", up="│", corner="└", along="─", tick="┴", curve="")
ROUGH = Signs(median="*", run=":", simulated="o", up="|", corner="+", along="-", tick="+", curve=".")


def signs_for(encoding: str) -> Signs:
    """Choose the finest signs that can be written."""
    try:
        f"{''.join(dataclasses.astuple(FINE))}{chr(_BRAILLE)}".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ROUGH
    return FINE


def plot(findings: Findings, width: int, signs: Signs) -> str:
    """Draw points, curve and simulation; empty with fewer than two points, as there is nothing to see."""
    points = [row for row in findings.rows if row.seconds]
    if len(points) < 2:  # noqa: PLR2004, which make a line
        return ""
    width = max(min(width, WIDEST), NARROWEST)
    most = max(max(*row.seconds, row.simulated or 0.0) for row in points)
    labels = {0: seconds(most), HEIGHT // 2: seconds(most / 2), HEIGHT: "0s"}
    margin = max(map(len, labels.values()))
    area = _Area(points[0].nodes, points[-1].nodes, most, width - margin - len(_BESIDE) - _PAD)
    ticks, names = _axis(points, area, signs)
    drawn = [f"{signs.up}{'':{_PAD}}{''.join(line)}" for line in _drawn(findings, points, area, signs)]
    drawn += [f"{signs.corner}{signs.along * _PAD}{ticks}", f"{'':{_PAD + 1}}{names}"]
    lines = (f"{labels.get(number, ''):>{margin}} {line}".rstrip() for number, line in enumerate(drawn))
    return "\n".join([*lines, _key(signs, width)])


@dataclass(frozen=True, slots=True)
class _Area:
    """Where numbers of nodes and times are; equal ratios of nodes are equally wide."""

    first: int
    last: int
    most: float
    width: int

    def column(self, nodes: float, across: int = 1) -> int:
        """Give the column of a number of nodes, where each has so many parts."""
        part = math.log(nodes / self.first) / math.log(self.last / self.first)
        return round(part * (self.width * across - 1))

    def line(self, time: float, down: int = 1) -> int:
        """Give the line of a time from above, where each has so many parts."""
        return min(round((1 - time / self.most) * HEIGHT * down), HEIGHT * down - 1)

    def nodes(self, column: int, across: int) -> float:
        """Give the number of nodes that a column stands for."""
        return float(self.first * (self.last / self.first) ** (column / (self.width * across - 1)))


def _drawn(findings: Findings, points: Sequence[Row], area: _Area, signs: Signs) -> list[list[str]]:
    canvas = [[" "] * area.width for _ in range(HEIGHT)]
    for line, column, sign in _curve(findings, area, signs):
        canvas[line][column] = sign
    for row in points:
        column = area.column(row.nodes)
        for line in range(area.line(max(row.seconds)), area.line(min(row.seconds)) + 1):
            canvas[line][column] = signs.run
        if row.simulated is not None:
            canvas[area.line(row.simulated)][column] = signs.simulated
        canvas[area.line(statistics.median(row.seconds))][column] = signs.median
    return canvas


def _curve(findings: Findings, area: _Area, signs: Signs) -> Iterator[tuple[int, int, str]]:
    """Give the characters of the curve: single dots, or Braille that has eight in each."""
    if findings.curve is None:
        return
    across, down = (1, 1) if signs.curve else (_DOTS_ACROSS, _DOTS_DOWN)
    bits: dict[tuple[int, int], int] = {}
    for dot in range(area.width * across):
        height = area.line(findings.curve.seconds(area.nodes(dot, across)), down)
        if 0 <= height < HEIGHT * down:
            place = height // down, dot // across
            bits[place] = bits.get(place, 0) | _BITS[height % down][dot % across]
    yield from ((line, column, signs.curve or chr(_BRAILLE + found)) for (line, column), found in bits.items())


def _axis(points: Sequence[Row], area: _Area, signs: Signs) -> tuple[str, str]:
    """Give the line with ticks, and the one with the numbers of nodes, as far as there is room for them."""
    ticks, names = [signs.along] * area.width, ""
    for row in points:
        column, name = area.column(row.nodes), str(row.nodes)
        ticks[column] = signs.tick
        start = min(column, area.width - len(name))
        if start > len(names) or not names:
            names = f"{names:<{start}}{name}"
    return "".join(ticks), names


def _key(signs: Signs, width: int) -> str:
    curve = signs.curve or chr(_BRAILLE + 0x24)
    text = f"time by nodes: {signs.median} median, {signs.run} runs, {curve} curve, {signs.simulated} simulated"
    return textwrap.fill(text, width)
