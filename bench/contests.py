"""Contests: some ways of doing the same, each run in turn, and how many times as fast they were."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OURS = ("ours", "fastbatch")  # how the names of our entrants begin


class Unable(Exception):  # a result, not an error
    """Raised by an entrant that can't do what is asked for; it says why."""


@dataclass(frozen=True)
class Lap:
    """What an entrant took once, and what it came to."""

    seconds: float  # that count
    outcome: object = None
    cpu: float | None = None  # seconds
    peak: float | None = None  # bytes
    used: Mapping[str, float] = field(default_factory=dict)  # more that it used: "requests", "bytes received"

    def json(self) -> dict[str, Any]:
        """Return it for JSON, but what it came to."""
        return {"seconds": self.seconds, "cpu": self.cpu, "peak": self.peak, "used": dict(self.used)}


@dataclass(frozen=True)
class Entrant:
    """Who competes: what it does, and what is done before it and not timed."""

    name: str
    go: Callable[[], Lap]
    prepare: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Spread:
    """Values, in short."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Give that of values."""
        return cls(statistics.median(values), min(values), max(values))

    def json(self) -> dict[str, float]:
        """Return it for JSON."""
        return {"median": self.median, "least": self.least, "most": self.most}


@dataclass(frozen=True)
class Contest:
    """
    What came of a contest.

    The first entrant that could do it is the one that others are compared with. Who could not has no laps.
    """

    title: str
    group: str  # of benchmarks: which part it belongs to
    laps: Mapping[str, Sequence[Lap]]
    failed: Mapping[str, str]
    amount: tuple[float, str] | None = None  # what is done in a lap, as (64, "MB") or (2000, "tasks")
    asked: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Return who took part, in order."""
        return list(self.laps)

    @property
    def baseline(self) -> str | None:
        """Return who the others are compared with."""
        return next(iter(self.finishers), None)

    @property
    def ours(self) -> list[str]:
        """Return who is ours: the last one, and who says so in its name."""
        return [name for name in self.names if name == self.names[-1] or name.startswith(OURS)]

    @property
    def finishers(self) -> list[str]:
        """Return who could do it."""
        return [name for name in self.laps if name not in self.failed]

    def seconds(self, name: str) -> Spread:
        """Tell how long an entrant took."""
        return Spread.of([lap.seconds for lap in self.laps[name]])

    def times_as_fast(self, name: str) -> Spread | None:
        """Tell how an entrant compares, round by round; nothing, where there is no one to compare it with."""
        if self.baseline is None or name == self.baseline:
            return None
        pairs = zip(self.laps[self.baseline], self.laps[name], strict=True)
        return Spread.of([first.seconds / other.seconds for first, other in pairs])

    def rate(self, name: str) -> float | None:
        """Tell how much of the amount an entrant did in a second, in the middle."""
        return self.amount[0] / self.seconds(name).median if self.amount else None

    def cpu(self, name: str) -> float | None:
        """Tell how many seconds of CPU an entrant took, in the middle."""
        return _middle([lap.cpu for lap in self.laps[name]])

    def peak(self, name: str) -> float | None:
        """Tell how much memory an entrant took, in the middle."""
        return _middle([lap.peak for lap in self.laps[name]])

    def used(self, name: str) -> dict[str, float]:
        """Tell what else an entrant used, in the middle."""
        kinds = dict.fromkeys(kind for lap in self.laps[name] for kind in lap.used)
        return {kind: statistics.median(lap.used[kind] for lap in self.laps[name]) for kind in kinds}

    def json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "title": self.title,
            "group": self.group,
            "amount": list(self.amount) if self.amount else None,
            "entrants": [self._entrant(name) for name in self.names],
        }

    def _entrant(self, name: str) -> dict[str, Any]:
        if name in self.failed:
            return {"name": name, "failed": self.failed[name]}
        ratio = self.times_as_fast(name)
        return {
            "name": name,
            "seconds": self.seconds(name).json(),
            "times as fast": ratio.json() if ratio else None,
            "asked": self.asked.get(name),
            "rate": self.rate(name),
            "cpu": self.cpu(name),
            "peak": self.peak(name),
            "used": self.used(name),
            "laps": [lap.json() for lap in self.laps[name]],
        }


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
