"""How what a task takes grows with the number of nodes: much where they share a machine, elsewhere hardly at all."""

from __future__ import annotations

import itertools
import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOISE = 0.05  # growth by less is none


class Slowing:
    """A mean by the number of nodes: as measured, in between on straight lines, beyond as it grew at last."""

    def __init__(self, measured: Mapping[int, Sequence[float]]) -> None:
        self._means = {nodes: statistics.median(means) for nodes, means in sorted(measured.items())}
        self._largest = max(measured)
        self._slope = _slope(measured)

    def at(self, nodes: float) -> float:
        """Give the mean for so many nodes."""
        if nodes > self._largest:
            return self._means[self._largest] + self._slope * (nodes - self._largest)
        return interpolated(self._means, nodes)


def interpolated(known: Mapping[int, float], at: float) -> float:
    """Give the value on the straight line between the neighbours; beyond the first and the last it stays the same."""
    places = sorted(known)
    if at <= places[0]:
        return known[places[0]]
    for before, after in itertools.pairwise(places):
        if at <= after:
            return known[before] + (known[after] - known[before]) * (at - before) / (after - before)
    return known[places[-1]]


def _slope(measured: Mapping[int, Sequence[float]]) -> float:
    """Tell by how much it grows with each node at last; not at all, if it may as well not have grown."""
    if len(measured) == 1:
        return 0.0
    before, last = sorted(measured)[-2:]
    less, more = statistics.median(measured[before]), statistics.median(measured[last])
    grew = min(measured[last]) > max(measured[before]) and more > less * (1 + _NOISE)
    return (more - less) / (last - before) if grew else 0.0
