"""What a session found: contests and figures, and on what."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from fastbatch import __version__

from .contests import Contest, Spread
from .programs import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .scale import Scale

NAME = "results.json"
_PACKAGES = ("azure-batch", "azure-storage-blob", "azure-core", "aiohttp", "anyio")


@dataclass(frozen=True)
class Figure:
    """Something that is measured by itself, and what was asked for, if anything was."""

    what: str
    values: Sequence[float]
    unit: str = ""
    asked: str | None = None

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
    versions: dict[str, str] = field(default_factory=dict)  # of what else took part, as Azurite

    def json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "taken": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "versions": {**versions(), **self.versions},
            "commit": commit(),
            "scale": asdict(self.scale),
            "contests": [contest.json() for contest in self.contests],
            "figures": [figure.json() for figure in self.figures],
        }

    def write(self, folder: Path) -> Path:
        """Write it into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / NAME
        path.write_text(json.dumps(self.json(), indent=1) + "\n", encoding="utf-8")
        return path


def machine() -> dict[str, Any]:
    """Tell what all ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory": memory,
        "kernel": platform.release(),
        "system": platform.system(),
    }


def versions() -> dict[str, str]:
    """Tell which versions took part."""
    found = {package: importlib.metadata.version(package) for package in _PACKAGES}
    return {"fastbatch": __version__, "Python": platform.python_version(), **found}


def commit() -> Mapping[str, Any] | None:
    """Tell which commit was measured, and whether it was as it was committed; nothing where there is no Git."""
    try:
        name, changed = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"id": name, "clean": not changed}


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()
