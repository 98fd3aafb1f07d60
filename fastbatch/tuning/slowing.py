"""How what a task takes grows with the number of nodes: much where they share a machine, elsewhere hardly at all."""

from __future__ import annotations

import itertools
import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOISE = 0.1  # growth by less is none: on a thousand nodes, it would be all that is seen
_SURE = 0.8  # of the pairs, at least, tell of growth


class Slowing:
    """
    A time by the number of nodes, of which several were measured for each.

    As it was measured, in the middle; in between on straight lines; beyond the most nodes as it grew at last. What may
    as well be chance is no growth. And it grows at most as the nodes do: then more of them get as much done as fewer,
    not less, which a few measurements would not prove.
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
    """Tell by how much it grew with each node at last, since the most nodes before that it has outgrown; else none."""
    *fewer, most = sorted(measured)
    since = next((nodes for nodes in reversed(fewer) if _outgrew(measured[nodes], measured[most])), None)
    if since is None:
        return 0.0
    return (statistics.median(measured[most]) - statistics.median(measured[since])) / (most - since)


def _outgrew(before: Sequence[float], after: Sequence[float]) -> bool:
    """Tell whether times grew by more than noise: by enough, and whichever two of them are compared, but for few."""
    pairs = [more > less for less in before for more in after]
    enough = statistics.median(after) > statistics.median(before) * (1 + _NOISE)
    return enough and statistics.fmean(pairs) >= _SURE
