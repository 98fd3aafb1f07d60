"""A picture of each contest: how long each entrant took, the least and the most, and how many times as fast it was."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from . import tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from .contests import Contest

OTHERS, OURS, WHISKERS, FAILED = "#9aa5b1", "#0b6fb8", "#3e4c59", "#7b8794"
_WIDTH, _HEAD, _BAR = 8.0, 1.2, 0.42  # inches
_LETTERS, _BOLD_LETTERS = 90, 72  # in a line of small ones, and of a title
_ROOM = 1.45  # times the longest bar, for what is written beside it
_NEVER_THE_SAME = {"Date": None}  # so that the same contest gives the same file
_SALT = "fastbatch"  # the same


def draw(contests: Sequence[Contest], folder: Path) -> list[Path]:
    """Draw contests into a folder, a file each, named for what they are."""
    paths = []
    for contest in contests:
        paths.append(folder / f"{_name(contest.title)}.svg")
        with mpl.rc_context({"svg.hashsalt": _SALT, "axes.spines.top": False, "axes.spines.right": False}):
            _drawn(contest).savefig(paths[-1], metadata=_NEVER_THE_SAME)
    return paths


def _name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _drawn(contest: Contest) -> Figure:
    figure = Figure(figsize=(_WIDTH, _HEAD + _BAR * len(contest.names)), layout="constrained")
    axes = figure.add_subplot()
    longest = max((contest.seconds(name).most for name in contest.finishers), default=1.0)
    for row, name in enumerate(contest.names):
        if name in contest.failed:
            why = textwrap.fill(f"could not: {contest.failed[name]}", _LETTERS)
            axes.annotate(why, (0, row), (6, 0), textcoords="offset points", va="center", color=FAILED, fontsize=8)
        else:
            _draw_bar(axes, contest, name, row)
    axes.set_xlim(0, _ROOM * longest)
    axes.set_yticks(range(len(contest.names)), contest.names)
    axes.set_ylim(len(contest.names) - 0.4, -0.6)  # the first is at the top
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("seconds: the median, the least and the most; shorter is better")
    figure.suptitle(textwrap.fill(contest.title, _BOLD_LETTERS), x=0.01, ha="left", fontweight="bold")
    return figure


def _draw_bar(axes: Axes, contest: Contest, name: str, row: int) -> None:
    took = contest.seconds(name)
    whiskers = [[took.median - took.least], [took.most - took.median]]
    color = OURS if name in contest.ours else OTHERS
    axes.barh(row, took.median, height=0.7, color=color, xerr=whiskers, ecolor=WHISKERS, capsize=3)
    axes.annotate(_label(contest, name), (took.most, row), (6, 0), textcoords="offset points", va="center")


def _label(contest: Contest, name: str) -> str:
    took = tables.seconds(contest.seconds(name).median)
    ratio = contest.times_as_fast(name)
    return f"{took}, {tables.number(ratio.median)} times as fast" if ratio else took
