"""The curve that was fitted, between and beside the numbers of nodes that were measured."""

import bisect
import math
from collections.abc import Sequence

from fastbatch.tuning.findings import Curve, Findings


def seconds(curve: Curve, nodes: float) -> float:
    """Give the time that a curve has for so many nodes."""
    crosstalk = curve.crosstalk.value if curve.crosstalk else 0.0
    return curve.one.value * ((1 + curve.contention.value * (nodes - 1)) / nodes + crosstalk * (nodes - 1))


def band(findings: Findings, nodes: float) -> tuple[float, float] | None:
    """Give the interval of the curve at so many nodes, from those at the counts on both sides, if known."""
    if findings.curve is None:
        return None
    known = [
        (row.nodes, fitted.low / fitted.value, fitted.high / fitted.value)
        for row in findings.rows
        if (fitted := row.fitted) and fitted.low is not None and fitted.high is not None and fitted.value
    ]
    if not known:
        return None
    low, high = (_between([(each[0], each[side]) for each in known], nodes) for side in (1, 2))
    value = seconds(findings.curve, nodes)
    return value * low, value * high


def _between(known: Sequence[tuple[int, float]], nodes: float) -> float:
    """Go straight from point to point, on a scale on which a ratio is a distance."""
    after = bisect.bisect_left(known, nodes, key=lambda point: point[0])
    if after in {0, len(known)}:
        return known[min(after, len(known) - 1)][1]
    (left, one), (right, other) = known[after - 1], known[after]
    part = math.log(nodes / left) / math.log(right / left)
    return one + part * (other - one)
