"""What a session ran on: the machine, versions, and the commit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

from fastbatch import __version__
from fastbatch.local.azurite.finding import program
from fastbatch.local.azurite.node import find_node

from .programs import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@cache
def versions_of_storage() -> Mapping[str, str]:
    """Tell which versions take part where there is storage on this machine."""
    azcopy = {"azcopy": _said("azcopy", "--version").rpartition(" ")[2]} if shutil.which("azcopy") else {}
    return {"Azurite": _said(*program(), "--version"), "Node.js": _said(find_node().program, "--version"), **azcopy}


def commit() -> dict[str, Any] | None:
    """Tell which commit was measured, and whether it was as it was committed; nothing where there is no Git."""
    try:
        name = _said("git", "-C", str(ROOT), "rev-parse", "HEAD")
        changed = _said("git", "-C", str(ROOT), "status", "--short", "--untracked-files=no")
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
