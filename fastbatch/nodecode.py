"""The code that runs on the nodes: where it is, and how it travels."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

# The first moment that a zip can hold, and what a file is allowed: the same for everyone.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_CREATED_ON_UNIX = 3

_PROGRAM = "wordcount.py"
_PACKAGE = "counting"


def folder() -> Path:
    """Return where the node's code is: inside the package, by way of a link where that is a checkout."""
    return Path(__file__).with_name("_node").resolve()


@dataclass(frozen=True, slots=True)
class Zipapp:
    """The node's code as one file that Python runs."""

    content: bytes

    @property
    def digest(self) -> str:
        """Return what the file is known by."""
        return hashlib.sha256(self.content).hexdigest()


def zipapp() -> Zipapp:
    """Build the node's code into one file, the same to the byte wherever and whenever it is built."""
    root = folder()
    files = {"__main__.py": root / _PROGRAM}
    files |= {f"{_PACKAGE}/{path.name}": path for path in (root / _PACKAGE).glob("*.py")}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = _CREATED_ON_UNIX
            entry.external_attr = _MODE
            archive.writestr(entry, path.read_bytes())
    return Zipapp(out.getvalue())
