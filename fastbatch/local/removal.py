"""Removing whatever a task may have left: folders however deep, and folders that nobody may write in."""

import itertools
import os
import secrets
from collections.abc import Iterator


def remove(path: str) -> None:
    """
    Remove a file, a link, or a folder with all that is in it; OSError if something of it stays.

    Folders in folders are first moved up into the one that goes, as their paths may be longer than the system takes.
    """
    if os.path.islink(path) or not os.path.isdir(path):
        os.unlink(path)
        return
    # No name that is there already begins so.
    places = (f"{path}/{prefix}{number}" for prefix in [secrets.token_hex(16)] for number in itertools.count())
    waiting = _emptied(path, places)
    for folder in waiting:  # which grows meanwhile
        waiting += _emptied(folder, places)
        os.rmdir(folder)
    os.rmdir(path)


def _emptied(folder: str, places: Iterator[str]) -> list[str]:
    """Remove the files of a folder, move its folders to other places, and give those."""
    os.chmod(folder, 0o700)
    moved = []
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                os.chmod(entry.path, 0o700)  # to move a folder is to write in it
                moved.append(next(places))
                os.rename(entry.path, moved[-1])
            else:
                os.unlink(entry.path)
    return moved
