"""What can be wrong with the journal, and what people are told to do about it."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fastbatch.errors import FastbatchError, JournalFailed, UsageError
from fastbatch.journal.codecs import Unknown
from fastbatch.journal.schema import Foreign, Newer
from fastbatch.terminal import escaped

_PRIMARY = 0xFF  # the low byte of SQLite's codes tells the kind of an error
_FULL = "Free some space there"
_GIVES_UP = "Moving it away gives up `resume` and all other verbs for the runs in it."
_ELSEWHERE = "or name another folder for fastbatch's state with XDG_STATE_HOME"
_ADVICE = {
    sqlite3.SQLITE_FULL: ("the disk is full", _FULL),
    sqlite3.SQLITE_IOERR: ("the disk fails, or is full", "See to the disk"),
    sqlite3.SQLITE_BUSY: ("another process keeps it locked", "See what that is"),
    sqlite3.SQLITE_READONLY: ("it may not be written", f"Allow it, {_ELSEWHERE}"),
    sqlite3.SQLITE_CANTOPEN: ("it can't be opened", f"Allow it, {_ELSEWHERE}"),
    sqlite3.SQLITE_PERM: ("it may not be opened", f"Allow it, {_ELSEWHERE}"),
}
_OTHERWISE = ("SQLite can't use it", f"See to its folder, {_ELSEWHERE}")  # such as one on a network without locks
# Not a database, malformed, or without what must be there.
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
}
_FOLDER_ADVICE = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL}
_OF_SQLITE = (sqlite3.Error, UnicodeDecodeError)  # the latter where it says what it found instead of text
_MISREAD = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError)


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Tell what keeps the journal from being opened: as UsageError, as nothing was done yet, but for a full disk."""
    shown = _shown(path)
    try:
        yield
    except Newer as error:
        raise UsageError(
            f"The journal {shown} was written by a newer version of fastbatch. Use that one, {_ELSEWHERE}. {_GIVES_UP}"
        ) from error
    except Foreign as error:
        raise UsageError(
            f"{shown} is a database of another program, and not fastbatch's journal. Move it away, {_ELSEWHERE}."
        ) from error
    except _OF_SQLITE as error:
        raise _failed(path, error, UsageError) from error
    except OSError as error:
        advice = _FOLDER_ADVICE.get(error.errno or 0, f"Allow it, {_ELSEWHERE}")
        raise UsageError(f"The journal {shown} can't be made: {error.strerror or error}. {advice}.") from error


@contextmanager
def using(path: Path) -> Iterator[None]:
    """Tell what goes wrong with the journal once it is open."""
    try:
        yield
    except sqlite3.ProgrammingError:  # of ours, such as using it after it was closed
        raise
    except _OF_SQLITE as error:
        raise _failed(path, error, JournalFailed) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Tell what goes wrong while something is read: rows that make no sense are damage."""
    try:
        with using(path):
            yield
    except Unknown as error:
        raise UsageError(
            f"The journal {_shown(path)} has a run of a newer version of fastbatch, which sets {escaped(str(error))}. "
            f"Use that version, {_ELSEWHERE}."
        ) from error
    except _MISREAD as error:
        raise JournalFailed(_damaged(path, f"{type(error).__name__}: {error}")) from error


def _failed(path: Path, error: Exception, bad_file: Callable[[str], FastbatchError]) -> FastbatchError:
    """Give the error that tells of one of SQLite: `bad_file` if it is the file that is the matter."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & _PRIMARY
    if code in _DAMAGE:
        return bad_file(_damaged(path, str(error)))
    what, advice = _ADVICE.get(code, _OTHERWISE)
    kind = JournalFailed if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR} else bad_file
    return kind(
        f"The journal {_shown(path)} can't be read or written, as {what} ({escaped(str(error))}). "
        f"What it has is as it was. {advice}, then go on where it stopped: see fastbatch ls."
    )


def _damaged(path: Path, why: str) -> str:
    return (
        f"The journal {_shown(path)} is damaged ({escaped(why)}). Nothing was changed in it. Bring back a copy of it, "
        f"if there is one, or move it away with the files beside it whose names begin alike. {_GIVES_UP}"
    )


def _shown(path: Path) -> str:
    return escaped(os.fspath(path))
