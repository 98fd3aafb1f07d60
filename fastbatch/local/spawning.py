"""Starting programs, and learning how they ended. Nothing is polled, and no thread is made."""

import asyncio
import contextlib
import errno
import os
import subprocess
from collections.abc import Mapping, Sequence

from fastbatch.local.errors import LocalError
from fastbatch.local.processes import Identity, identify, require_linux

own: set[int] = set()  # the pids that spawn() gave and that are not yet reaped: nobody else may reap them


class Unprepared(LocalError):
    """Raised when the folder to work in can't be entered or a file for output can't be made; nothing was started."""


class Running:
    """A program that was started, until it has ended and beyond."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        started = identify(process.pid)
        assert started  # noqa: S101 -- even one that has ended is there until it is reaped
        self.identity: Identity = started
        self._process = process
        self._loop = asyncio.get_running_loop()
        self._code: asyncio.Future[int] = self._loop.create_future()
        self._pidfd = os.pidfd_open(process.pid)
        self._loop.add_reader(self._pidfd, self._ended)

    async def wait(self) -> int:
        """
        Wait for the end, and give the exit code; to be cancelled does no harm to the program or to others who wait.

        A program that a signal ended has the signal's number as its code, negative: the nodes of Azure Batch show
        it so (-9 for one that ran out of memory, in issue 101 of the repository Azure/Batch).
        """
        return await asyncio.shield(self._code)

    def _ended(self) -> None:
        code = self._process.poll()
        if code is None:
            return
        own.discard(self._process.pid)
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._code.set_result(code)


def spawn(argv: Sequence[str], *, cwd: str, env: Mapping[str, str], stdout: str, stderr: str) -> Running:
    """
    Start a program in a session of its own, with no input, fresh files for its output, and nothing else of ours.

    It is looked up on the PATH of its own environment, from its own folder. Raises FileNotFoundError, PermissionError
    or another OSError when the program can't be executed, and Unprepared when it did not come to that. Nothing is
    awaited, so that no cancellation comes between the start and the handing over.
    """
    require_linux()
    if not argv or not argv[0]:
        raise FileNotFoundError(errno.ENOENT, "there is no program to execute", "")
    files = _fresh(stdout, stderr)
    try:
        process = _execute(argv, cwd, env, files)
    finally:
        for file in files:
            os.close(file)
    return _watch(process)


def _execute(argv: Sequence[str], cwd: str, env: Mapping[str, str], output: Sequence[int]) -> "subprocess.Popen[bytes]":
    folder = os.fsencode(cwd)  # bytes, so that an error about the folder can't be taken for one about the program
    try:
        return subprocess.Popen(  # noqa: S603 -- to run what users ask for is what this is for
            argv,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output[0],
            stderr=output[1],
            start_new_session=True,
            umask=0o022,
        )
    except OSError as error:
        if error.filename == folder:
            raise Unprepared(f"can't work in {cwd}: {error.strerror}") from error
        raise
    except ValueError as error:  # a zero byte, or a name with an equals sign
        raise OSError(errno.EINVAL, str(error), argv[0]) from error


def _watch(process: "subprocess.Popen[bytes]") -> Running:
    try:
        running = Running(process)
    except OSError:
        # No descriptor is left to watch it with.
        process.kill()
        process.wait()
        raise
    own.add(process.pid)
    return running


def _fresh(*paths: str) -> list[int]:
    """Make new files for writing; what still writes to an older one of the same name does not reach them."""
    made: list[int] = []
    try:
        made.extend(map(_make, paths))  # what is made before an error is in the list, and is closed
    except OSError as error:
        for file in made:
            os.close(file)
        raise Unprepared(f"can't make {error.filename}: {error.strerror}") from error
    return made


def _make(path: str) -> int:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
