"""The files that a task has left, as they are listed and read from outside."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

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
    """Give the files and folders below a folder in the order of their names; links to folders are not followed."""
    yield from _walk(root, "", recursive=recursive)


def _walk(folder: str, prefix: str, *, recursive: bool) -> Iterator[File]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # it went while we looked, or nobody may look
        return
    for entry in entries:
        found = _look(entry.path, prefix + entry.name)
        if found is not None:
            yield found
            if recursive and found.is_folder and not entry.is_symlink():
                yield from _walk(entry.path, f"{found.name}/", recursive=True)


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
