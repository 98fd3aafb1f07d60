"""How what a task takes grows with the number of nodes: much where they share a machine, elsewhere hardly at all."""

from __future__ import annotations

import itertools
import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOISE = 0.05  # growth by less is none


class Slowing:
    """
    A time by the number of nodes, of which several were measured for each.

    As it was measured, in the middle; in between on straight lines; beyond the most nodes as it grew at last. But if
    that may as well be chance, it grows no more. And it grows at most as the nodes do: then more of them get as much
    done as fewer, not less, which two measurements alone would not prove.
    """

    def __init__(self, measured: Mapping[int, Sequence[float]]) -> None:
        self._known = {nodes: statistics.median(times) for nodes, times in measured.items()}
        self._most = max(measured)
        self._slope = min(_slope(measured), self._known[self._most] / self._most)

    def at(self, nodes: int) -> float:
        """Give the time on so many nodes."""
        return interpolated(self._known, nodes) + self._slope * max(0, nodes - self._most)


def interpolated(known: Mapping[int, float], at: int) -> float:
    """Give the value on the straight line between the neighbours; beyond the first and the last it stays the same."""
    if at in known:
        return known[at]
    places = sorted(known)
    if at < places[0]:
        return known[places[0]]
    for before, after in itertools.pairwise(places):
        if at < after:
            return known[before] + (known[after] - known[before]) * (at - before) / (after - before)
    return known[places[-1]]


def _slope(measured: Mapping[int, Sequence[float]]) -> float:
    """Tell by how much it grew with each node at last; nothing, if it may as well not have grown."""
    if len(measured) == 1:
        return 0.0
    before, last = sorted(measured)[-2:]
    less, more = statistics.median(measured[before]), statistics.median(measured[last])
    grew = min(measured[last]) > max(measured[before]) and more > less * (1 + _NOISE)
    return (more - less) / (last - before) if grew else 0.0
