"""How fast a run goes, and how long that may take, as far as it can be told from what was done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastbatch.model import Bundle, Kind, Task

_FEWEST = 3  # completed tasks tell a speed
_SHORTEST = 2.0  # seconds that tell one


@dataclass(frozen=True, slots=True)
class Completion:
    """A task that was completed well."""

    at: datetime  # by the service's clock
    task: Task


@dataclass(frozen=True, slots=True)
class Speed:
    """What was done in a second, over how many seconds."""

    inputs: float
    bytes: float
    seconds: float
    tasks: float | None = None  # None if it is that of the whole time of a run, and not of late


def lately(completions: Sequence[Completion], now: datetime, bundles: Mapping[str, Bundle]) -> Speed | None:
    """
    Give the speed at which tasks were completed of late, until now.

    It is measured from the first of them on, which is not counted: nobody knows how long that took. None if there is
    too little to tell it from.
    """
    if len(completions) < _FEWEST:
        return None
    first = min(completion.at for completion in completions)
    seconds = (now - first).total_seconds()
    later = [completion.task for completion in completions if completion.at > first]
    if seconds < _SHORTEST or len(later) + 1 < _FEWEST:
        return None
    known = [bundles[task.bundle] for task in later if task.bundle in bundles]
    inputs = sum(map(_inputs, known))
    return Speed(inputs / seconds, sum(bundle.size for bundle in known) / seconds, seconds, len(later) / seconds)


def _inputs(bundle: Bundle) -> float:
    """Tell how many inputs are in a bundle; of one that was cut, which part."""
    if bundle.kind is Kind.SLICE:
        return bundle.size / max(1, bundle.items[0].size)
    return len(bundle.items)


def overall(inputs: int, size: int, begun: datetime, ended: datetime | None) -> Speed | None:
    """Give the speed over all the time of a run; None if nothing was done."""
    seconds = (ended - begun).total_seconds() if ended else 0.0
    return Speed(inputs / seconds, size / seconds, seconds) if inputs and seconds > 0 else None
