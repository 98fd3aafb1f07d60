"""
Who drives a run: at most one process at a time.

That is who holds the lock on a file of the run's. The system frees it when the process ends, however it ends.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from fastbatch import state
from fastbatch.errors import Busy, UsageError

_TRIES = 20  # who only looks holds the lock for an instant, too
_PAUSE = 0.01
_LENGTH = 20  # no process id has more digits
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # else a file elsewhere would be written and locked


@contextlib.contextmanager
def held(run: str) -> Iterator[None]:
    """Be who drives a run. Raises Busy while another process does."""
    file = _taken(run)
    try:
        _write_pid(file)
        yield
    finally:
        _give_back(run, file)


def holder(run: str) -> int | None:
    """Tell which process drives a run; None if there is none, and 0 if it can't be told."""
    try:
        file = os.open(_path(run), os.O_RDWR | _NO_LINK)
    except OSError:
        return None
    try:
        if _lock(file):
            _unlock(file)
            return None
        return _read_pid(file)
    finally:
        os.close(file)


def _taken(run: str) -> int:
    """Take the lock of a run; give its file."""
    for _ in range(_TRIES):
        file = _opened(run)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, file)
            if not _lock(file):
                time.sleep(_PAUSE)
            elif _is_there(run, file):  # else who held it before has removed it, and it keeps nobody out
                undo.pop_all()
                return file
    pid = holder(run)
    raise Busy(
        f"Run {run} is driven by another process{f' (pid {pid})' if pid else ''}. Watch it with: fastbatch watch {run}"
    )


def _path(run: str) -> Path:
    return state.folder() / "locks" / run


def _opened(run: str) -> int:
    path = _path(run)
    try:
        state.make(path.parent)
        return os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o600)
    except OSError as error:
        raise UsageError(
            f"cannot make {str(path)!r}: {error.strerror or error}. Allow it, or name another folder for "
            "fastbatch's state with XDG_STATE_HOME."
        ) from error


def _is_there(run: str, file: int) -> bool:
    """Tell whether a file is still the one of a run."""
    try:
        return os.path.samestat(os.fstat(file), os.stat(_path(run)))
    except OSError:
        return False


def _give_back(run: str, file: int) -> None:
    """Give the lock back, and remove its file if that is still there, as it is of no more use."""
    try:
        if _is_there(run, file):
            with contextlib.suppress(OSError):  # Windows removes no file that is open
                os.unlink(_path(run))
    finally:
        os.close(file)


def _write_pid(file: int) -> None:
    with contextlib.suppress(OSError):  # a full disk, and it is for people only
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, str(os.getpid()).ljust(_LENGTH).encode())


def _read_pid(file: int) -> int:
    os.lseek(file, 0, os.SEEK_SET)
    text = os.read(file, _LENGTH).strip()
    return int(text) if text.isdigit() else 0


if sys.platform == "win32":
    import msvcrt

    _BEHIND = 1 << 20  # what is locked can't be read by others, so it is not where the process id is

    def _lock(file: int) -> bool:
        """Take the lock on a file unless another has it; tell whether it was taken."""
        os.lseek(file, _BEHIND, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: int) -> None:
        os.lseek(file, _BEHIND, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:

    def _lock(file: int) -> bool:
        """Take the lock on a file unless another has it; tell whether it was taken."""
        import fcntl  # noqa: PLC0415, Windows has none

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: int) -> None:
        import fcntl  # noqa: PLC0415, Windows has none

        fcntl.flock(file, fcntl.LOCK_UN)
