"""How much times spread, as repeats tell: measurements drawn anew, and the interval of what follows from them."""

import math
import random
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Samples = Mapping[int, Sequence[float]]  # seconds of all repetitions, by number of nodes

_DRAWS = 500
_SEED = 20  # any: the same measurements shall say the same each time
_OUTSIDE = 0.05  # of the draws, on each side of an interval
_WIDEST = 8.0  # times what was seen: beyond what two repetitions leave possible nine times of ten


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, and the interval in which it lies nine times of ten, as far as the repeats tell; None if they don't."""

    value: float
    low: float | None = None
    high: float | None = None


def estimated(value: float, draws: Iterable[float]) -> Estimate:
    """Give a value with the interval in which nine of ten draws are, and it is, too."""
    ordered = sorted(draws)
    if not ordered:
        return Estimate(value)
    outside = int(_OUTSIDE * len(ordered))
    return Estimate(value, min(value, ordered[outside]), max(value, ordered[-1 - outside]))


def redrawn(samples: Samples) -> list[dict[int, list[float]]]:
    """
    Draw the repetitions of each count anew, many times; nothing where none was repeated.

    All counts are taken to spread alike, in proportion to their times: of each alone, three repetitions tell little.
    """
    centers = {nodes: statistics.fmean(map(math.log, seconds)) for nodes, seconds in samples.items()}
    deviations = [each for nodes, seconds in samples.items() for each in _deviations(seconds, centers[nodes])]
    if not deviations:
        return []
    known = sum(len(seconds) - 1 for seconds in samples.values())
    chance = random.Random(_SEED)  # noqa: S311 - draws are to be repeatable, not secret
    return [_drawn(samples, centers, deviations, known, chance) for _ in range(_DRAWS)]


def _deviations(seconds: Sequence[float], center: float) -> list[float]:
    """Give how far repetitions are from where they center, in logarithms; none of one."""
    if not seconds[1:]:
        return []
    # Few are nearer to their own center than to the true one, by so much.
    wider = math.sqrt(len(seconds) / (len(seconds) - 1))
    return [wider * (math.log(each) - center) for each in seconds]


def _drawn(
    samples: Samples, centers: Mapping[int, float], deviations: Sequence[float], known: int, chance: random.Random
) -> dict[int, list[float]]:
    """Draw once: how much times spread in truth, as so many degrees of freedom tell, and then each of them."""
    wider = min(_WIDEST, math.sqrt(known / 2 / chance.gammavariate(known / 2, 1)))
    return {
        nodes: [math.exp(centers[nodes] + wider * each) for each in chance.choices(deviations, k=len(seconds))]
        for nodes, seconds in samples.items()
    }
