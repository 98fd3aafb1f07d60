"""Times that follow a law, and noise."""

import random
from collections.abc import Iterable

from fastbatch.tuning.scaling import Coefficients


def following(
    counts: Iterable[int], one: float, contention: float, crosstalk: float = 0.0, *, repeat: int = 1
) -> dict[int, list[float]]:
    """Have times on so many nodes that follow the universal scalability law."""
    law = Coefficients(one * (1 - contention), one * contention, one * crosstalk)
    return {nodes: [law.seconds(nodes)] * repeat for nodes in counts}


def noisy(samples: dict[int, list[float]], noise: float, *, seed: int = 1, repeat: int = 3) -> dict[int, list[float]]:
    """Measure each time again and again, with so much noise."""
    chance = random.Random(seed)
    return {
        nodes: [seconds[0] * chance.lognormvariate(0, noise) for _ in range(repeat)]
        for nodes, seconds in samples.items()
    }
