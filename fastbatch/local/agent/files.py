"""The files that a task has left, as they are listed, read and removed from outside."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from fastbatch.local import wire
from fastbatch.local.agent.folders import inside, within


@dataclass(frozen=True, slots=True)
class File:
    """A file or a folder; `name` is relative to where the list begins."""

    name: str
    path: str
    is_folder: bool
    size: int
    modified: int
    mode: int


def walk(root: str, *, recursive: bool) -> Iterator[File]:
    """
    Give the files and folders below a folder, a folder before what is in it, and otherwise in the order of names.

    Links to folders are not followed, and links that lead out are left out. Nothing is too deep for the stack.
    """
    limits = os.path.realpath(root)
    waiting = _last_first(root, "")
    while waiting:
        name, entry = waiting.pop()
        if entry.is_symlink() and not within(limits, os.path.realpath(entry.path)):
            continue
        found = _look(entry.path, name)
        if found is not None:
            yield found
            if recursive and found.is_folder and not entry.is_symlink():
                waiting += _last_first(entry.path, f"{name}/")


def _last_first(folder: str, prefix: str) -> list[tuple[str, os.DirEntry[str]]]:
    try:
        with os.scandir(folder) as entries:
            named = [(prefix + entry.name, entry) for entry in entries]
    except OSError:  # it went while we looked, or nobody may look
        return []
    return sorted(named, key=itemgetter(0), reverse=True)


def find(root: str, name: str, limits: str) -> File | None:
    """Give a file below a folder; ValueError if its name leads elsewhere, None if it leads out of `limits` by links."""
    path = inside(root, name)
    if not within(os.path.realpath(limits), os.path.realpath(path)):
        return None
    return _look(path, name)


def _look(path: str, name: str) -> File | None:
    try:
        about = os.stat(path)
    except OSError:
        return None
    if not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
        return None  # to open a pipe would wait for ever
    return File(
        name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        path,
        stat.S_ISDIR(about.st_mode),
        about.st_size,
        about.st_mtime_ns // (1_000_000_000 // wire.SECOND),
        about.st_mode,
    )
