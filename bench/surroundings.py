"""What a session ran on: the machine, versions, and the commit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from typing import Any

from fastbatch import __version__
from fastbatch.local.azurite.finding import program
from fastbatch.local.azurite.node import find_node

from .programs import ROOT

_PACKAGES = ("azure-batch", "azure-storage-blob", "azure-core", "aiohttp", "anyio")


def machine() -> dict[str, Any]:
    """Tell what all ran on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.system(),
        "kernel": platform.release(),
    }


def versions() -> dict[str, str]:
    """Tell which versions took part in any case."""
    found = {package: importlib.metadata.version(package) for package in _PACKAGES}
    return {"fastbatch": __version__, "Python": platform.python_version(), **found}


def versions_of_storage() -> dict[str, str]:
    """Tell which versions take part where there is storage on this machine."""
    return {"Azurite": _said(*program(), "--version"), "Node.js": _said(find_node().program, "--version")}


def commit() -> dict[str, Any] | None:
    """Tell which commit was measured, and whether it was as it was committed; nothing where there is no Git."""
    try:
        name, changed = (
            _said("git", "-C", str(ROOT), *what) for what in (["rev-parse", "HEAD"], ["status", "--short"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"id": name, "clean": not changed}


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()
