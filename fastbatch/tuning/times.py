"""The times by number of nodes that choices are made by, and how they might have come out as well."""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from fastbatch.tuning.scaling import Curve
from fastbatch.tuning.spread import Estimate, Samples, estimated, redrawn

_CLOSE = 0.05  # so far from a median a curve may be, however little the repeats spread


@dataclass(frozen=True, slots=True)
class Times:
    """Times of the counts that were measured, with the same by each draw of the repetitions."""

    values: Mapping[int, float]  # by the number of nodes, the least first
    draws: Sequence[Mapping[int, float]]  # none where nothing was repeated
    by_curve: bool

    @classmethod
    def of(cls, samples: Samples, curve: Curve | None) -> Self:
        """Take the curve's times where it fits, and else the medians."""
        medians = cls(_medians(samples), [_medians(draw) for draw in redrawn(samples)], by_curve=False)
        if curve is None or not all(medians.near(nodes, curve.seconds(nodes)) for nodes in samples):
            return medians
        draws = [{nodes: draw.seconds(nodes) for nodes in medians.values} for draw in curve.draws]
        return cls({nodes: curve.seconds(nodes) for nodes in medians.values}, draws, by_curve=True)

    def near(self, nodes: int, seconds: float) -> bool:
        """Tell whether a time is as near to the one of a count as the draws are, or near enough for anybody."""
        known = self.estimate(nodes)
        within = known.low is not None and known.high is not None and known.low <= seconds <= known.high
        return within or abs(seconds - known.value) <= _CLOSE * known.value

    def estimate(self, nodes: int) -> Estimate:
        """Give the time on so many nodes."""
        return estimated(self.values[nodes], (draw[nodes] for draw in self.draws))

    def gain(self, fewer: int, more: int) -> Estimate:
        """Give the share of the time that more nodes save."""
        drawn = (1 - draw[more] / draw[fewer] for draw in self.draws)
        return estimated(1 - self.values[more] / self.values[fewer], drawn)

    def steps(self) -> list[tuple[int, int]]:
        """Give each count with the next one."""
        return list(itertools.pairwise(self.values))

    def node_seconds(self, nodes: int) -> float:
        """Give the time of all nodes together."""
        return nodes * self.values[nodes]


def _medians(samples: Samples) -> dict[int, float]:
    return {nodes: statistics.median(samples[nodes]) for nodes in sorted(samples)}
