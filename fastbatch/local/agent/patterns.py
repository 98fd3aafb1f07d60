"""Which files an output file's pattern means, and the blobs that they become."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastbatch.local.agent.folders import within
from fastbatch.local.agent.wildcards import State, Wildcards, wild

_VARIABLE = re.compile(r"\$(?:(?P<plain>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})", re.ASCII)
_LONGEST_BLOB_NAME = 1024


class Unusable(ValueError):
    """Raised when a pattern reaches for files outside of the node's folder, or a file's blob can't have its name."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern taken apart: the folder that it starts in, and what it says of paths below that folder."""

    folder: str
    rest: str
    is_wild: bool


def matching(
    file_pattern: str, *, working: str, root: str, environment: Mapping[str, str], path: str | None = None
) -> list[tuple[str, str]]:
    """
    List the regular files that a pattern means, each with its blob's name; those outside of `root` are not seen.

    Raises:
        Unusable: the pattern itself leads out of `root`, or a file's name can't be that of a blob.
        OSError: a folder that the pattern reaches can't be read.

    """
    pattern = parsed(expanded(file_pattern, environment), working)
    if not within(os.path.normpath(root), pattern.folder):
        raise Unusable(f"the pattern {file_pattern!r} leads out of the node's folder")
    relatives = _below(pattern, os.path.realpath(root))
    return sorted((f"{pattern.folder}/{relative}", blob_name(pattern, relative, path)) for relative in relatives)


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """Put the values of `$VAR` and `${VAR}` in their places; a variable that is not there stays as it is written."""
    return _VARIABLE.sub(lambda match: environment.get(match["plain"] or match["braced"], match[0]), text)


def parsed(pattern: str, working: str) -> Pattern:
    """Take a pattern apart before its first part that has wildcards, or else before its last."""
    *parts, last = pattern.split("/")
    parts = [part for part in parts if part not in {"", "."}]
    first = next((at for at, part in enumerate(parts) if wild(part)), len(parts))
    start = "/" if pattern.startswith("/") else working
    folder = os.path.normpath(os.path.join(start, *parts[:first]))
    rest = "/".join([*parts[first:], last])
    return Pattern(folder, rest, is_wild=first < len(parts) or wild(last))


def blob_name(pattern: Pattern, relative: str, path: str | None) -> str:
    """Return the name of a file's blob: without wildcards `path` itself, with wildcards `path` is a folder."""
    if not path:
        name = relative
    elif pattern.is_wild:
        name = f"{path.removesuffix('/')}/{relative}"
    else:
        name = path
    _check(name)
    return name


def _check(name: str) -> None:
    """Refuse what can't be sent, or would arrive as another name."""
    if not name.isascii() and any("\ud800" <= character <= "\udfff" for character in name):
        raise Unusable(f"no blob can be named {name!r}: it is not Unicode")
    if len(name) > _LONGEST_BLOB_NAME:
        raise Unusable(f"no blob can be named {name[:80] + '...'!r}: it is longer than {_LONGEST_BLOB_NAME} characters")
    if not {".", ".."}.isdisjoint(name.split("/")):
        raise Unusable(f"no blob can be named {name!r}: dots alone are no part of a URL")


def _below(pattern: Pattern, root: str) -> Iterator[str]:
    """Find what matches, by its path below the pattern's folder."""
    folder = os.path.realpath(pattern.folder)
    if not within(root, folder):
        return iter(())
    if pattern.is_wild:
        return _walk(folder, Wildcards(pattern.rest), root)
    path = f"{folder}/{pattern.rest}"
    return iter([pattern.rest] if os.path.isfile(path) and _leads(path, root) else ())


def _walk(top: str, wildcards: Wildcards, root: str) -> Iterator[str]:
    """Go down where the pattern can reach, without recursion, as folders may be nested deeper than calls."""
    waiting = [("", wildcards.start)]
    while waiting:
        prefix, state = waiting.pop()
        for entry in _entries(f"{top}/{prefix}"):
            reached = wildcards.after(state, entry.name, begins=True)
            if not reached or (entry.is_symlink() and not _leads(entry.path, root)):
                continue
            if entry.is_dir():
                beyond = _beyond(wildcards, reached, entry)
                waiting += [(f"{prefix}{entry.name}/", beyond)] if beyond else []
            elif wildcards.matches(reached) and entry.is_file():
                yield prefix + entry.name


def _leads(link: str, root: str) -> bool:
    """Tell whether a link leads to something below the root; one that leads in a circle leads nowhere."""
    try:
        return within(root, os.path.realpath(link, strict=True))
    except OSError:
        return False


def _beyond(wildcards: Wildcards, reached: State, folder: os.DirEntry[str]) -> State:
    return wildcards.beyond_link(reached) if folder.is_symlink() else wildcards.after(reached, "/")


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """List a folder; one that is not there (any more) has nothing."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
