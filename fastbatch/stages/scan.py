"""What a run's inputs are: from what was named to items."""

import errno
import os
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import BinaryIO

from fastbatch.errors import UsageError
from fastbatch.model import Item
from fastbatch.stages.matching import (
    NOWHERE,
    Choice,
    Found,
    Obstacle,
    Pattern,
    everything,
    glob,
    reason,
    walk,
    wildcard,
)
from fastbatch.terminal import escaped

_TOLD = 20  # problems, before the rest is only counted
_NO_PATH = NOWHERE | {errno.ENAMETOOLONG, errno.EINVAL}  # as a pattern may be, read as a path
_DENIED = os.strerror(errno.EACCES)
_FOR_ALL = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
_EFFECTIVELY = os.access in os.supports_effective_ids


@dataclass(frozen=True, slots=True)
class _Base:
    """A folder from which names are told, and what is put before them: nothing, or folders and a slash."""

    path: str
    real: str
    prefix: str


@dataclass(frozen=True, slots=True)
class _File:
    """An INPUT that is a file."""

    base: str
    item: Item  # with the last part of its name only
    mode: int
    linked: bool
    must_match: None = None

    def found(self, base: _Base) -> Iterable[Found | Obstacle]:
        """Return the file."""
        item = replace(self.item, name=base.prefix + self.item.name) if base.prefix else self.item
        real = os.path.realpath(item.path) if self.linked else os.path.join(base.real, self.item.name)
        return [Found(item, real, self.linked, self.mode)]


@dataclass(frozen=True, slots=True)
class _Tree:
    """An INPUT that is what matches below a folder."""

    base: str
    pattern: Pattern
    must_match: str | None = None  # the glob, which is wrong if nothing does

    def found(self, base: _Base) -> Iterable[Found | Obstacle]:
        """Give the files."""
        return walk(base.path, base.real, base.prefix, self.pattern)


def scan(inputs: Sequence[str], *, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> tuple[Item, ...]:
    """
    Return the files that the INPUTs mean, each once, in the order of their names' bytes.

    An INPUT is a file, a folder (with all below it that is not hidden), or a glob with `*`, `?`, `[...]` and `**`;
    what is there under that very name is no glob. A folder that matches a glob is taken with all below it, as it is
    when a shell expands the glob. Links are followed; a file to which several ways lead is taken on the straight one.

    Names are told from the folder that was named, from the folder of a glob's first wildcard, or from a file's own
    folder; if these are several folders, from the one that they all are in.

    The patterns apply to all these names, also to those of files that were named themselves, and only narrow down
    what is found: they find nothing hidden. One without a slash has to match the last part of a name, one with a
    slash the whole name, and one that ends with a slash means all in that folder; `**` crosses folders.

    Raises:
        UsageError: what was named is not there, can't be read or is no file, or nothing is left; with all problems,
            each on one line that is safe to be shown.

    """
    sources, problems = _read(inputs)
    bases = _bases({source.base for source in sources})
    choice = Choice.of(include, exclude)
    kept: dict[str, Found] = {}
    for source in sources:
        problems += _gather(source, bases[source.base], choice, kept)
    problems += sorted(_unreadable(found.item.path, _DENIED) for found in kept.values() if not _readable(found))
    if not kept and not problems:
        problems = [_nothing(inputs, narrowed=bool(include or exclude))]
    if problems:
        raise UsageError(_told(problems))
    return distinct(found.item for found in kept.values())


def read_list(stream: BinaryIO, *, nul: bool) -> list[str]:
    """Return the INPUTs of a list: one a line or, with `nul`, separated by NULs; empty ones are dropped."""
    entries = stream.read().split(b"\0" if nul else b"\n")
    if os.name == "nt" and not nul:
        entries = [entry.removesuffix(b"\r") for entry in entries]
    return [os.fsdecode(entry) for entry in entries if entry]


def collisions(items: Iterable[Item], output_name: Callable[[str], str]) -> list[str]:
    """
    Tell which outputs can't all be written, a line each that is safe to be shown.

    Names that differ in letter case or normal form only are the same file on some systems, so they are the same here;
    and where one output needs a folder, no other can be a file.
    """
    inputs = defaultdict[str, list[str]](list)
    for item in items:
        inputs[_folded(output_name(item.name))].append(item.name)
    folders = {folder for output in inputs for folder in _folders(output)}
    return [
        f"{_quoted(output_name(names[0]))} would be the output of {_listed(names)}; rename one, or run them apart"
        for names in inputs.values()
        if len(names) > 1
    ] + [
        f"{_quoted(output_name(names[0]))} would be the output of {_listed(names)}, and the folder of other outputs; "
        "rename it, or run it apart"
        for output, names in inputs.items()
        if output in folders
    ]


def distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return items of names that differ, in the order of their names' bytes: if two are alike, all get whole paths."""
    items = tuple(items)
    if len({item.name for item in items}) < len(items):
        items = tuple(replace(item, name=_rootless(item.path)) for item in items)
    return tuple(sorted(items, key=attrgetter("raw_name")))


def _read(inputs: Iterable[str]) -> tuple[list[_File | _Tree], list[str]]:
    """Return what the INPUTs stand for, and what is wrong with them."""
    sources: list[_File | _Tree] = []
    problems: list[str] = []
    for text in inputs:
        try:
            sources.append(_source(text))
        except UsageError as error:
            problems += error.problems
    return sources, problems


def _source(text: str) -> _File | _Tree:
    try:
        status = os.lstat(text)
        if linked := stat.S_ISLNK(status.st_mode):
            status = os.stat(text)
    except ValueError:
        raise UsageError(f"{_quoted(text)} is no path, as no file can be named so; check what was named") from None
    except OSError as error:
        if error.errno not in _NO_PATH:
            raise UsageError(_unreadable(text, reason(error))) from None
        return _glob(text)
    if stat.S_ISDIR(status.st_mode):
        return _Tree(_absolute(text), everything())
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{_quoted(text)} is a pipe, socket or device; write what it gives to a file, and name that")
    path = _absolute(text)
    base, name = os.path.split(path)
    return _File(base, Item(path, name, status.st_size, status.st_mtime_ns), status.st_mode, linked)


def _glob(text: str) -> _Tree:
    """Read as a glob what is not there as a path."""
    if os.path.lexists(text):
        raise UsageError(f"{_quoted(text)} is a link that leads nowhere; name what it should lead to")
    at = wildcard(text)
    if at is None:
        raise UsageError(f"{_quoted(text)} is not there; check the path")
    folder = text[: text.replace(os.sep, "/").rfind("/", 0, at) + 1]
    rest = text[len(folder) :].replace(os.sep, "/")
    if ".." in rest.split("/"):
        raise UsageError(f"{_quoted(text)} has '..' behind a wildcard; name the folder that is meant")
    return _Tree(_absolute(folder or "."), glob(rest), text)


def _absolute(path: str) -> str:
    """Return an absolute path to the same; `..` behind a link is not where it seems to be."""
    plain = os.path.abspath(path)
    if ".." in path and os.path.realpath(plain) != os.path.realpath(path):
        plain = os.path.realpath(path)
    return plain[1:] if plain.startswith("//") else plain


def _bases(paths: Collection[str]) -> dict[str, _Base]:
    """Return what each base's names start with, so that they are told from the folder that all bases are in."""
    real = {path: os.path.realpath(path) for path in paths}
    chosen: dict[str, str] = {}
    for path in sorted(paths, key=lambda path: (path != real[path], path)):
        chosen.setdefault(real[path], path)
    prefixes = _prefixes(chosen.values())
    return {path: _Base(path, real[path], prefixes[chosen[real[path]]]) for path in paths}


def _prefixes(bases: Collection[str]) -> dict[str, str]:
    try:
        common = os.path.commonpath(bases)
    except ValueError:  # they are on several drives
        return {base: f"{_rootless(base)}/" for base in bases}
    relative = {base: os.path.relpath(base, common).replace(os.sep, "/") for base in bases}
    return {base: "" if path == "." else f"{path}/" for base, path in relative.items()}


def _rootless(path: str) -> str:
    drive, tail = os.path.splitdrive(path)
    return (drive.replace(":", "") + tail).replace(os.sep, "/").strip("/")


def _gather(source: _File | _Tree, base: _Base, choice: Choice, kept: dict[str, Found]) -> list[str]:
    """Keep what is found and chosen, by where it really is; return the problems that are met."""
    problems: list[str] = []
    matched = False
    for found in source.found(base):
        matched = True
        if isinstance(found, Obstacle):
            problems += [] if _left_out(found, choice) else [_unreadable(found.path, found.why)]
        elif choice.takes(found.item.name):
            other = kept.setdefault(found.real, found)
            if other is not found and _straightness(found) < _straightness(other):
                kept[found.real] = found
    if source.must_match is not None and not matched:
        problems.append(f"{_quoted(source.must_match)} matches no file; check the pattern, and the folder it starts in")
    return sorted(problems)


def _straightness(found: Found) -> tuple[bool, str, str]:
    return found.linked, found.item.name, found.item.path


def _left_out(obstacle: Obstacle, choice: Choice) -> bool:
    if obstacle.name.endswith("/"):
        return choice.drops_all_in(obstacle.name)
    return not choice.takes(obstacle.name)


def _readable(found: Found) -> bool:
    """Ask the system only where the file does not say that everyone may read it, as asking costs as much as finding."""
    return found.mode & _FOR_ALL == _FOR_ALL or os.access(found.item.path, os.R_OK, effective_ids=_EFFECTIVELY)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _folders(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _nothing(inputs: Sequence[str], *, narrowed: bool) -> str:
    if not inputs:
        return "nothing was named; name files, folders or globs"
    if narrowed:
        return "no file is left of what was named; check what is included and excluded"
    return "no file is in what was named; hidden files have to be named themselves"


def _unreadable(path: str, why: str) -> str:
    return f"{_quoted(path)} can't be read ({why}); change its permissions, or exclude it"


def _told(problems: Iterable[str]) -> list[str]:
    told = list(dict.fromkeys(problems))
    return told if len(told) <= _TOLD else [*told[:_TOLD], f"and {len(told) - _TOLD} more"]


def _listed(names: Sequence[str]) -> str:
    first, rest = names[:2], names[2:]
    return " and ".join(map(_quoted, first)) + (f" and {len(rest)} more" if rest else "")


def _quoted(text: str) -> str:
    return f'"{escaped(text)}"'
