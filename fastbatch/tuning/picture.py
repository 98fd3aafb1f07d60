"""What was measured and fitted, as a picture; importing it needs matplotlib."""

import io
import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator, NullLocator

from fastbatch.terminal import escaped
from fastbatch.tuning.findings import Choice, Findings, Row
from fastbatch.units import counted, shown_duration, shown_size

_WIDTH, _HEIGHT = 8.0, 5.6  # inches
_FINE = 200  # points of the curve
_ASIDE = 1.18  # from the first and last count to the frame, as a factor
_ABOVE = 1.12
_ROOMY = 0.3  # of the height: under such a point nothing else is drawn
_NAME = 0.03  # of the axis of nodes that the name of a count takes

# Okabe and Ito's colors, which everybody can tell apart.
_BLUE, _ORANGE, _GREEN, _RED = "#0072b2", "#d55e00", "#009e73", "#b00020"
_INK, _GREY, _PALE = "#222222", "#6b6b6b", "#d9d9d9"

_RC: dict[Any, Any] = {
    "svg.hashsalt": "fastbatch",  # the same findings give the same bytes
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",  # which comes with matplotlib
    "font.size": 10,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _INK,
    "text.color": _INK,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
}
_STEPS = [step * unit for unit in (1, 60, 3600) for step in (1, 2, 5, 10, 15, 30)]  # seconds between ticks
_TICKS = 7  # about


def svg(findings: Findings) -> bytes:
    """Draw findings as SVG."""
    return _saved(findings, "svg", {"Date": None})


def png(findings: Findings) -> bytes:
    """Draw findings as PNG."""
    return _saved(findings, "png", {"Software": None})


def _saved(findings: Findings, form: str, metadata: dict[str, None]) -> bytes:
    file = io.BytesIO()
    with mpl.rc_context(_RC):
        _drawn(findings).savefig(file, format=form, metadata=metadata, facecolor="white", dpi=144)
    return file.getvalue()


def _drawn(findings: Findings) -> Figure:
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    _time(above, findings)
    _spent(below, findings)
    _nodes(below, [row.nodes for row in findings.rows], findings.knee.nodes if findings.knee else None)
    handles, labels = above.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False, fontsize=8, columnspacing=1.4)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color=_PALE, linewidth=0.6)
        axes.set_axisbelow(True)
    return figure


def _time(axes: Axes, findings: Findings) -> None:
    """Draw what was measured, the curve and the simulation."""
    measured = [row for row in findings.rows if row.seconds]
    most = max((max(*row.seconds, row.simulated or 0.0) for row in measured), default=1.0)
    axes.set_ylim(0, most * _ABOVE)
    axes.yaxis.set_major_locator(MultipleLocator(_step(most)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: shown_duration(value)))
    axes.set_ylabel("time of a run")
    axes.set_title("How many nodes?", loc="left", fontweight="bold", fontsize=13, pad=22)
    axes.text(0, 1.03, _about(findings), transform=axes.transAxes, color=_GREY, fontsize=9)
    _points(axes, measured)
    _curve(axes, findings)
    _failed(axes, [row.nodes for row in findings.rows if row.failures and not row.seconds])
    if findings.knee:
        _recommend(axes, findings.knee, findings.rows[-1].nodes)


def _curve(axes: Axes, findings: Findings) -> None:
    if findings.curve is None:
        return
    first, last = findings.rows[0].nodes, findings.rows[-1].nodes
    nodes = [first * (last / first) ** (step / (_FINE - 1)) for step in range(_FINE)]
    times = [findings.curve.estimate(each) for each in nodes]
    axes.plot(nodes, [each.value for each in times], color=_BLUE, linewidth=1.6, label=findings.curve.law.value)
    low, high = [each.low for each in times if each.low], [each.high for each in times if each.high]
    if low and high:
        axes.fill_between(nodes, low, high, color=_BLUE, alpha=0.15, linewidth=0, label="its interval, 9 times of 10")


def _points(axes: Axes, measured: Sequence[Row]) -> None:
    if not measured:
        return
    counts, medians = _divided((row.nodes, statistics.median(row.seconds)) for row in measured)
    axes.scatter(counts, medians, s=52, color=_BLUE, edgecolors="white", linewidths=1.2, zorder=4, label="median")
    counts, runs = _divided((row.nodes, seconds) for row in measured for seconds in row.seconds)
    axes.scatter(counts, runs, s=160, marker="_", color=_INK, alpha=0.7, linewidths=1, zorder=3, label="each run")
    counts, simulated = _divided((row.nodes, row.simulated) for row in measured if row.simulated is not None)
    if counts:
        axes.scatter(
            counts,
            simulated,
            s=46,
            marker="D",
            facecolors="none",
            edgecolors=_ORANGE,
            linewidths=1.4,
            zorder=5,
            label="simulated",
        )


def _divided(points: Iterable[tuple[int, float]]) -> tuple[list[int], list[float]]:
    found = list(points)
    return [nodes for nodes, _ in found], [value for _, value in found]


def _failed(axes: Axes, counts: Sequence[int]) -> None:
    """Mark the counts on which every run failed; none is left out."""
    if not counts:
        return
    axes.scatter(counts, [0] * len(counts), s=60, marker="x", color=_RED, clip_on=False, zorder=6, label="failed")


def _recommend(axes: Axes, choice: Choice, last: int) -> None:
    """Mark the recommended count, down to the axis."""
    seconds = choice.seconds.value
    axes.plot([choice.nodes, choice.nodes], [0, seconds], color=_GREEN, linewidth=1.4, linestyle=(0, (4, 3)), zorder=2)
    axes.scatter([choice.nodes], [seconds], s=190, facecolors="none", edgecolors=_GREEN, linewidths=1.8, zorder=6)
    below = seconds > _ROOMY * axes.get_ylim()[1]
    at_the_end = choice.nodes > 1 and choice.nodes == last
    side = -1 if at_the_end else 1
    axes.annotate(
        f"take {counted(choice.nodes, 'node')}\n{shown_duration(seconds)}",
        (choice.nodes, seconds / 2 if below else seconds),
        xytext=(side * 10, 0) if below else (side * 4, 16),
        textcoords="offset points",
        horizontalalignment="right" if at_the_end else "left",
        color=_GREEN,
        fontweight="bold",
        linespacing=1.35,
        verticalalignment="center" if below else "bottom",
        path_effects=[withStroke(linewidth=3, foreground="white")],
        zorder=7,
    )


def _spent(axes: Axes, findings: Findings) -> None:
    """Draw node-hours, or what they cost where a price is known."""
    by_count = [(row.nodes, row.node_hours if findings.price is None else row.cost) for row in findings.rows]
    known = [(nodes, spent) for nodes, spent in by_count if spent is not None]
    if known:
        axes.plot(*_divided(known), color=_GREY, linewidth=1.2, marker="o", markersize=5)
    if findings.knee:
        chosen = _divided((nodes, spent) for nodes, spent in known if nodes == findings.knee.nodes)
        axes.scatter(*chosen, s=52, color=_GREEN, edgecolors="white", linewidths=1.2, zorder=4)
    axes.set_ylim(0, max((spent for _, spent in known), default=0.0) * _ABOVE or 1)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6f}".rstrip("0").rstrip(".")))
    axes.set_ylabel("node-hours" if findings.price is None else "cost of a run")
    axes.set_xlabel("nodes")


def _nodes(axes: Axes, counts: Sequence[int], recommended: int | None) -> None:
    """Set the axis of nodes, on which equal ratios are equally wide."""
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(counts, default=1) / _ASIDE, max(counts, default=2) * _ASIDE)
    axes.xaxis.set_major_locator(FixedLocator(list(counts)))
    named = _named(counts, recommended)
    axes.xaxis.set_major_formatter(FixedFormatter([f"{count:,}" if count in named else "" for count in counts]))
    axes.xaxis.set_minor_locator(NullLocator())


def _named(counts: Sequence[int], recommended: int | None) -> list[int]:
    """Choose the counts for whose names there is room, before all the recommended one, the last and the first."""
    named = list[int]()
    for nodes in sorted(counts, key=lambda nodes: (nodes != recommended, nodes != counts[-1], nodes)):
        room = _NAME * math.log(counts[-1] / counts[0])
        if all(abs(math.log(nodes / other)) >= room for other in named):
            named.append(nodes)
    return named


def _step(most: float) -> float:
    """Give the seconds from one tick to the next, such as people count in."""
    wanted = most / _TICKS
    if wanted < _STEPS[0] / 2:
        return float(10 ** math.ceil(math.log10(wanted))) / 2 if wanted > 0 else 1.0
    return float(next((step for step in _STEPS if step >= wanted), _STEPS[-1] * math.ceil(wanted / _STEPS[-1])))


def _about(findings: Findings) -> str:
    measurements = findings.measurements
    done = measurements.measured
    where = "local services" if measurements.local else escaped(measurements.vm_size)
    return (
        f"{counted(done.inputs, 'input')} ({shown_size(done.bytes)}) in {counted(done.bundles, 'task')}, "
        f"{counted(measurements.slots, 'slot')} a node, {where}"
    )
