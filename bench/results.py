"""What a session found: contests and figures, and on what."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from . import surroundings
from .contests import Contest, Spread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .scale import Scale

NAME = "results.json"


@dataclass(frozen=True)
class Figure:
    """Something that is measured by itself, and what was asked for, if anything was."""

    what: str
    values: Sequence[float]
    unit: str = ""
    asked: str | None = None
    group: str = ""  # of benchmarks: which part it belongs to

    @property
    def spread(self) -> Spread:
        """Return its values in short."""
        return Spread.of(self.values)

    def json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**asdict(self), "values": list(self.values), **self.spread.json()}


@dataclass
class Results:
    """All that was found so far."""

    scale: Scale
    contests: list[Contest] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=surroundings.versions)

    def json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "taken": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "machine": surroundings.machine(),
            "versions": self.versions,
            "commit": surroundings.commit(),
            "scale": self.scale.json(),
            "contests": [contest.json() for contest in self.contests],
            "figures": [figure.json() for figure in self.figures],
        }

    def write(self, folder: Path) -> Path:
        """Write it into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / NAME
        path.write_text(json.dumps(self.json(), indent=1) + "\n", encoding="utf-8")
        return path
