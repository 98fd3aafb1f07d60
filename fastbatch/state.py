"""Where things are kept on this machine between and during runs."""

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
