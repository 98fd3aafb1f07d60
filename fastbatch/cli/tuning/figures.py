"""Numbers and times as a report of measurements shows them."""

import math
from collections.abc import Sequence

from fastbatch.tuning.spread import Estimate
from fastbatch.units import shown_duration

NOTHING = "-"  # where a number is not known
_MOST_DECIMALS = 9


def significant(number: float, digits: int = 3) -> str:
    """Write a number with so many digits that tell something, and without an exponent."""
    if not number:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(number)))
    return f"{number:,.{min(max(decimals, 0), _MOST_DECIMALS)}f}"


def share(part: float) -> str:
    """Write a share as percents, with two digits that tell something."""
    percents = significant(100 * part, 2)
    return f"{percents.rstrip('0').rstrip('.') if '.' in percents else percents} %"


def seconds(found: float | None) -> str:
    """Write a time."""
    return NOTHING if found is None else shown_duration(max(found, 0.0))


def known(found: float | None) -> str:
    """Write a number, if there is one."""
    return NOTHING if found is None else significant(found)


def estimated(found: Estimate | None) -> str:
    """Write a time with its interval."""
    if found is None:
        return NOTHING
    if found.low is None or found.high is None:
        return seconds(found.value)
    return f"{seconds(found.value)} ({between(seconds(found.low), seconds(found.high))})"


def between(low: str, high: str) -> str:
    """Write an interval, or a single value if its ends look alike."""
    return low if low == high else f"{low}-{high}"


def extremes(found: Sequence[float]) -> str:
    """Write the least and the most of some times."""
    return between(seconds(min(found)), seconds(max(found)))
