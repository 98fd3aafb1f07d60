"""How much times spread, as repeats tell: measurements drawn anew, and the interval of what follows from them."""

import math
import random
import statistics
from collections.abc import Iterable, Mapping, Sequence

from fastbatch.tuning.findings import Estimate

Samples = Mapping[int, Sequence[float]]  # seconds of all repetitions, by number of nodes

_DRAWS = 500
_SEED = 20  # any: the same measurements shall say the same each time
_OUTSIDE = 0.05  # of the draws, on each side of an interval


def redrawn(samples: Samples) -> list[dict[int, list[float]]]:
    """
    Draw the repetitions of each count anew, many times; nothing where none was repeated.

    A count that was not repeated is taken to spread as the others do.
    """
    centers = {nodes: statistics.fmean(map(math.log, seconds)) for nodes, seconds in samples.items()}
    deviations = {nodes: _deviations(seconds, centers[nodes]) for nodes, seconds in samples.items()}
    everywhere = [deviation for several in deviations.values() for deviation in several]
    if not everywhere:
        return []
    chance = random.Random(_SEED)  # noqa: S311 - draws are to be repeatable, not secret
    return [
        {
            nodes: _away(centers[nodes], chance.choices(deviations[nodes] or everywhere, k=len(seconds)))
            for nodes, seconds in samples.items()
        }
        for _ in range(_DRAWS)
    ]


def estimated(value: float, draws: Iterable[float]) -> Estimate:
    """Give a value with the interval in which nine of ten draws are, and it is, too."""
    ordered = sorted(draws)
    if not ordered:
        return Estimate(value)
    outside = int(_OUTSIDE * len(ordered))
    return Estimate(value, min(value, ordered[outside]), max(value, ordered[-1 - outside]))


def _deviations(seconds: Sequence[float], center: float) -> list[float]:
    """Give how far repetitions are from where they center, in logarithms; none of one."""
    if not seconds[1:]:
        return []
    # Few are nearer to their own center than to the true one, by so much.
    wider = math.sqrt(len(seconds) / (len(seconds) - 1))
    return [wider * (math.log(each) - center) for each in seconds]


def _away(center: float, deviations: Iterable[float]) -> list[float]:
    return [math.exp(center + deviation) for deviation in deviations]
