"""Which files a pattern means."""

import errno
import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Self

from fastbatch.model import Item

# What the system says of a path on which there is nothing, or a link that leads nowhere.
NOWHERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})

# Which parts of a pattern may match next, once it was led some way down a path.
States = frozenset[int]

_WILDCARD = re.compile(r"[*?[]")
_UNKNOWN = "\0"  # no file can be called that


@dataclass(frozen=True, slots=True)
class Part:
    """What matches one part of a path, or with `crosses` any number of them."""

    wanted: re.Pattern[str]
    crosses: bool

    @classmethod
    def of(cls, text: str, *, hides: bool) -> Self:
        """Return the part that is written so; with `hides`, a name that starts with a dot needs one here, too."""
        hiding = r"(?!\.)" if hides and not text.startswith(".") else ""
        return cls(re.compile(hiding + fnmatch.translate(text)), crosses=text == "**")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of paths, which can be led down a tree of folders part by part."""

    parts: tuple[Part, ...]
    ends: States  # the states in which a path matches
    reached: tuple[States, ...]  # by part: the states in which it may match next, as `**` may stand for nothing

    @classmethod
    def of(cls, parts: Iterable[Part], ends: Iterable[int]) -> Self:
        """Return the pattern of these parts."""
        parts = tuple(parts)
        reached = [frozenset({len(parts)})]
        for at in reversed(range(len(parts))):
            reached.insert(0, frozenset({at}) | (reached[0] if parts[at].crosses else frozenset()))
        return cls(parts, frozenset(ends), tuple(reached))

    @property
    def start(self) -> States:
        """Return the states from which to lead it down."""
        return self.reached[0]

    def after(self, states: States, name: str) -> States:
        """Return the states after one more part of a path; without any, nothing below can match."""
        after: States = frozenset()
        for at in states:
            if at < len(self.parts) and self.parts[at].wanted.match(name):
                after |= self.reached[at if self.parts[at].crosses else at + 1]
        return after

    def accepts(self, states: States) -> bool:
        """Tell whether a path that led to these states matches."""
        return not self.ends.isdisjoint(states)

    def matches(self, path: str) -> bool:
        """Tell whether it means a path as a whole."""
        states = self.start
        for name in path.split("/"):
            states = self.after(states, name)
        return self.accepts(states)


def wildcard(text: str) -> int | None:
    """Tell where the first wildcard of a text is."""
    found = _WILDCARD.search(text)
    return found and found.start()


def glob(text: str) -> Pattern:
    """
    Return the pattern of the files that a glob means: those that match, and all in folders that match.

    `**` as a part of its own crosses folders. Hidden names match only what starts with a dot. A glob that ends with
    a slash matches folders only.
    """
    parts = _parts(text)
    below = [*parts, "**", "*"]
    folders_only = text.endswith("/") or parts[-1:] == ["**"]
    ends = {len(below)} if folders_only else {len(parts), len(below)}
    return Pattern.of((Part.of(part, hides=True) for part in below), ends)


def everything() -> Pattern:
    """Return the pattern of all in a folder that is not hidden."""
    return glob("./")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which names are taken: those that match one of `include`, if there are any, and none of `exclude`."""

    include: tuple[Pattern, ...]
    exclude: tuple[Pattern, ...]

    @classmethod
    def of(cls, include: Sequence[str], exclude: Sequence[str]) -> Self:
        """Return the choice of patterns as they are written."""
        return cls(tuple(map(_name_pattern, include)), tuple(map(_name_pattern, exclude)))

    def takes(self, name: str) -> bool:
        """Tell whether a name is taken."""
        included = not self.include or any(pattern.matches(name) for pattern in self.include)
        return included and not any(pattern.matches(name) for pattern in self.exclude)

    def drops_all_in(self, folder: str) -> bool:
        """Tell whether no name below a folder (which ends with a slash) can be taken by what is excluded."""
        probes = (folder + _UNKNOWN, f"{folder}{_UNKNOWN}/{_UNKNOWN}")
        return all(any(pattern.matches(probe) for pattern in self.exclude) for probe in probes)


def _name_pattern(text: str) -> Pattern:
    """Without a slash it is the last part of a name that has to match, with one it is the whole name."""
    parts = _parts(text) if "/" in text else ["**", text]
    if text.endswith("/") or parts[-1:] == ["**"]:
        parts += ["**", "*"]
    return Pattern.of((Part.of(part, hides=False) for part in parts), {len(parts)})


def _parts(text: str) -> list[str]:
    return [part for part in text.split("/") if part not in {"", "."}]


@dataclass(frozen=True, slots=True)
class Found:
    """A file, and how it was come by."""

    item: Item
    real: str  # where it is when all links are followed
    linked: bool  # by a link
    mode: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A file, or a folder (whose name ends with a slash or is empty), that can't be looked into."""

    name: str
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to look into, and how far the pattern has come."""

    path: str
    real: str
    name: str
    states: States
    linked: bool


def walk(path: str, real: str, prefix: str, pattern: Pattern) -> Iterator[Found | Obstacle]:
    """
    Give the files below a folder that match, with the prefix before their names.

    Links are followed, but no folder is looked into twice for the same; a file with several names may come several
    times. What is there comes before what links lead to, so that a folder is found by its own name if it has one here.
    """
    return _Walk(pattern).through(_Folder(path, real, prefix, pattern.start, linked=False))


class _Walk:
    """A way through a tree that looks into no folder twice for the same."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._waiting: list[_Folder] = []
        self._links: list[_Folder] = []
        self._seen: set[tuple[str, States]] = set()

    def through(self, top: _Folder) -> Iterator[Found | Obstacle]:
        self._waiting = [top]
        while self._waiting:
            folder = self._waiting.pop()
            if (folder.real, folder.states) not in self._seen:
                self._seen.add((folder.real, folder.states))
                yield from self._inside(folder)
            if not self._waiting:
                self._waiting = sorted(self._links, key=attrgetter("name"), reverse=True)
                self._links = []

    def _inside(self, folder: _Folder) -> Iterator[Found | Obstacle]:
        try:
            with os.scandir(folder.path) as entries:
                for entry in entries:
                    if found := self._entry(folder, entry):
                        yield found
        except OSError as error:
            if error.errno not in NOWHERE:
                yield Obstacle(folder.name, folder.path, reason(error))

    def _entry(self, folder: _Folder, entry: os.DirEntry[str]) -> Found | Obstacle | None:
        states = self._pattern.after(folder.states, entry.name)
        if not states:
            return None
        try:
            return self._look(folder, entry, states)
        except OSError as error:
            # A link that leads nowhere, and what vanished just now, are nothing that was named.
            return None if error.errno in NOWHERE else Obstacle(folder.name + entry.name, entry.path, reason(error))

    def _look(self, folder: _Folder, entry: os.DirEntry[str], states: States) -> Found | None:
        is_link = entry.is_symlink()
        linked = is_link or folder.linked
        name = folder.name + entry.name
        if entry.is_dir():
            inner = _Folder(entry.path, _real(folder, entry, is_link=is_link), f"{name}/", states, linked)
            (self._links if is_link else self._waiting).append(inner)
        elif self._pattern.accepts(states) and entry.is_file():
            status = entry.stat()
            item = Item(entry.path, name, status.st_size, status.st_mtime_ns)
            return Found(item, _real(folder, entry, is_link=is_link), linked, status.st_mode)
        return None


def _real(folder: _Folder, entry: os.DirEntry[str], *, is_link: bool) -> str:
    if is_link:
        return os.path.realpath(entry.path)
    return entry.path if folder.path == folder.real else os.path.join(folder.real, entry.name)


def reason(error: OSError) -> str:
    """Return what the system says is wrong."""
    return error.strerror or str(error)
