"""Files for the user: what they are called below one folder, and that they appear whole or not at all."""

import contextlib
import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from fastbatch.errors import OutputFailed

COUNTS = "counts.tsv"
SUMMARY = "summary.json"

_BUFFER = 1 << 16

_OUTPUT = "_OUTPUT.txt"
_TAKEN = {COUNTS, SUMMARY}  # as files, so no folder can have these names
_LONGEST_NAME = 255
_FORBIDDEN = "\0" if os.sep == "/" else '\0<>:"\\|?*'
_REPLACED = str.maketrans(dict.fromkeys(_FORBIDDEN, "_"))

_ELSEWHERE = "name another folder for the outputs"
_ADVICE = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there",
    errno.EACCES: f"allow it, or {_ELSEWHERE}",
    errno.EPERM: f"allow it, or {_ELSEWHERE}",
    errno.ENAMETOOLONG: "name a folder with a shorter path for the outputs",
    errno.EISDIR: f"remove the folder of that name, or {_ELSEWHERE}",
}


@dataclass(frozen=True, slots=True)
class Outputs:
    """The folder that takes what a run gives, and what is written there; it is made when it is first needed."""

    folder: str
    per_file: bool
    pool: str = ""  # that the files of inputs name

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """
        Give a file to write to, which has its name, relative and with slashes, once it is whole.

        What has that name already is replaced, a link too. Raises OutputFailed.
        """
        path = os.path.join(self.folder, *name.split("/"))
        try:
            partial = os.path.join(self._folder_of(name), f".{secrets.token_hex(8)}.partial")
            try:
                with open(partial, "xb", buffering=_BUFFER) as file:
                    yield file
                os.replace(partial, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(partial)
                raise
        except OSError as error:
            advice = _ADVICE.get(error.errno or 0, _ELSEWHERE)
            raise OutputFailed(f"cannot write {path!r}: {error.strerror or error}; {advice}") from error

    def write_json(self, name: str, value: object) -> None:
        """Write a value as JSON, for people to read too."""
        text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
        with self.writing(name) as file:
            file.write(text.encode("utf-8", "backslashreplace"))  # a lone surrogate becomes JSON's own escape

    def _folder_of(self, name: str) -> str:
        """Make the folders on the way to a file, and give the last; none of them is outside."""
        parts = name.split("/")
        if not all(map(_is_plain, parts)):
            raise OutputFailed(f"{name!r} can't be the name of an output: it may lead out of {self.folder!r}")
        os.makedirs(self.folder, exist_ok=True)
        root, path = os.path.realpath(self.folder), self.folder
        for folder in parts[:-1]:
            path = os.path.join(path, folder)
            with contextlib.suppress(FileExistsError):
                os.mkdir(path)
            if not _is_within(root, os.path.realpath(path)):
                raise OutputFailed(
                    f"cannot write below {path!r}: it leads out of {self.folder!r}; remove that link, or {_ELSEWHERE}"
                )
        return path


def _is_plain(part: str) -> bool:
    """Tell whether a part of a name can only be of something in the folder that it is joined to."""
    return part not in {"", os.curdir, os.pardir} and os.path.basename(part) == part and "\0" not in part


def _is_within(root: str, path: str) -> bool:
    """Tell whether a path is a folder or below it; both without links."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def check(folder: str) -> list[str]:
    """Tell what will keep outputs from being written to a folder; nothing is made to find out."""
    if not folder or "\0" in folder:
        return [f"{folder!r} is no name of a folder; {_ELSEWHERE}"]
    nearest = os.path.abspath(folder)
    while not os.path.lexists(nearest):
        nearest = os.path.dirname(nearest)
    if not os.path.isdir(nearest):
        return [f"{nearest!r} is not a folder, so outputs can't be written to {folder!r}; {_ELSEWHERE}"]
    if not os.access(nearest, os.W_OK | os.X_OK):
        return [f"outputs can't be written to {folder!r}: {nearest!r} is not writable; allow it, or {_ELSEWHERE}"]
    return []


def output_name(name: str) -> str:
    """
    Return what the output of an input is called, below the folder for outputs.

    It keeps the folders and the extension, so that different inputs have different outputs. Where a name can't be
    kept as it is, the output's holds a digest of it.
    """
    *folders, last = [part for part in name.split("/") if part not in {"", os.curdir}] or ["_"]
    parts = [*map(_folder, folders), _plain(last)]
    mark = "" if "/".join(parts) == name else f"~{_digest(name)}"
    return "/".join([*(_shortened(part, part, "") for part in parts[:-1]), _shortened(parts[-1], name, mark + _OUTPUT)])


def _folder(part: str) -> str:
    """Return a folder's name that no file for outputs has."""
    folded = part.casefold()
    return f"{_plain(part)}_" if folded in _TAKEN or folded.endswith(_OUTPUT.casefold()) else _plain(part)


def _plain(part: str) -> str:
    return "_" if part == os.pardir else part.translate(_REPLACED)


def _shortened(part: str, whole: str, ending: str) -> str:
    """Return a part of a path with an ending, as long as a file system allows; if it is cut, with a digest."""
    if len(_encoded(part + ending)) <= _LONGEST_NAME:
        return part + ending
    ending = f"~{_digest(whole)}{_OUTPUT if ending else ''}"
    while len(_encoded(part + ending)) > _LONGEST_NAME:
        part = part[: min(_LONGEST_NAME, len(part) - 1)]
    return part + ending


def _digest(name: str) -> str:
    return hashlib.sha256(_encoded(name)).hexdigest()[:16]


def _encoded(name: str) -> bytes:
    # Escaped bytes count threefold like this, which is safe; and nothing that a str may hold can't be encoded.
    return name.encode("utf-8", "surrogatepass")
