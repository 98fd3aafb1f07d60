"""Two commits by what their benchmarks measured: what the second takes, as a share of what the first takes."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastbatch.cli.table import fitted, table

from . import tables
from .contests import Spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HERE = "bench/"


@dataclass(frozen=True)
class Measured:
    """Something that a run of the benchmarks measured."""

    median: float
    unit: str = "s"


def measured(told: Mapping[str, Any]) -> dict[str, Measured]:
    """Read what pytest-benchmark wrote: each benchmark by its name, and each figure by what it is of."""
    found = {}
    for benchmark in told["benchmarks"]:
        found[benchmark["fullname"].removeprefix(_HERE)] = Measured(benchmark["stats"]["median"])
        for figure in benchmark["extra_info"].get("figures", []):
            found[figure["what"]] = Measured(figure["median"], figure["unit"])
    return found


@dataclass(frozen=True)
class Comparison:
    """Runs of the benchmarks of two commits, in turn."""

    first: Sequence[Mapping[str, Measured]]
    second: Sequence[Mapping[str, Measured]]

    @property
    def names(self) -> list[str]:
        """Return what was measured of both, in order."""
        return [name for name in _names(self.first) if name in _names(self.second) and self._pairs(name)]

    @property
    def only_first(self) -> list[str]:
        """Return what only the first has, or was never measured in the same round."""
        return [name for name in _names(self.first) if name not in self.names]

    @property
    def only_second(self) -> list[str]:
        """Return what only the second has, or was never measured in the same round."""
        return [name for name in _names(self.second) if name not in self.names]

    def ratio(self, name: str) -> Spread | None:
        """Tell which part of the first the second is, round by round; nothing, where the first is none at all."""
        ratios = [second.median / first.median for first, second in self._pairs(name) if first.median]
        return Spread.of(ratios) if ratios else None

    def shown(self) -> str:
        """Show it: a table, and below it what only one has."""
        rows = [["FIRST", "SECOND", "SECOND / FIRST", "WHAT"], *(self._row(name) for name in self.names)]
        lines = [table(fitted(rows, tables.WIDTH, give=[3]))]
        lines += [f"only the first has: {name}" for name in self.only_first]
        lines += [f"only the second has: {name}" for name in self.only_second]
        return "\n".join(lines)

    def _row(self, name: str) -> list[str]:
        first, second = zip(*self._pairs(name), strict=True)
        ratio = self.ratio(name)
        return [_middle(first), _middle(second), tables.spread(ratio, tables.number) if ratio else "", name]

    def _pairs(self, name: str) -> list[tuple[Measured, Measured]]:
        rounds = zip(self.first, self.second, strict=True)
        return [(first[name], second[name]) for first, second in rounds if name in first and name in second]


def _names(rounds: Sequence[Mapping[str, Measured]]) -> dict[str, None]:
    return dict.fromkeys(name for one in rounds for name in one)


def _middle(values: Sequence[Measured]) -> str:
    return tables.amount(statistics.median(one.median for one in values), values[-1].unit)
