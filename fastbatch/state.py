"""Where things are kept on this machine between and during runs."""

import contextlib
import errno
import os
import sys
from pathlib import Path


def folder() -> Path:
    """Give fastbatch's folder in the user's state folder; it may not be there yet."""
    if named := os.environ.get("XDG_STATE_HOME"):
        return Path(named) / "fastbatch"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "fastbatch"
    return Path.home() / ".local" / "state" / "fastbatch"


def folder_of(run: str) -> Path:
    """Give the folder of a run, with what is kept of it on this machine."""
    return folder() / "runs" / run


def make(path: Path) -> None:
    """Make a folder, and those above it, for their owner's eyes only; what is there stays as it is. Raises OSError."""
    for each in (*reversed(path.parents), path):
        with contextlib.suppress(FileExistsError):
            if not each.is_dir():
                each.mkdir(mode=0o700)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
