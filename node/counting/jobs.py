"""The work of counting, done in this process or shared among forked ones."""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
import sys
from typing import Callable, Dict, Iterator, List, NamedTuple, NoReturn, Optional, Sequence, Tuple, Type, TypeVar, cast

from . import errors
from .errors import CountingError, JobDied
from .spill import Run, Spill
from .tally import Counts

Share = TypeVar("Share")

# What tells a process to stop.
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Room(NamedTuple):
    """What a job has for its work: memory, and temporary files for runs and for its lines about inputs."""

    memory: int
    runs: Spill
    lines: Spill


class Counted(NamedTuple):
    """What a job has found: the counts, its lines about inputs, and how many bytes it has read."""

    counts: Counts
    lines: Spill
    bytes: int


OUT_OF_MEMORY = "there is not enough memory; try a smaller --max-memory, or --jobs 1"

# What a job sends: the kind of the error that it met, and its message; or the runs, the table and the bytes.
_Failure = Tuple[str, str]
_Success = Tuple[List[Tuple[int, int, int]], Dict[bytes, int], int]

_Answer = Tuple[Optional[_Failure], Optional[_Success]]

# Of the forms that data is sent in, one that does not look for objects that are there twice.
_PLAIN = 2


class _Job:
    """A forked process at work."""

    def __init__(self, pid: int, answer: int, room: Room) -> None:
        self.room = room
        self._pid: int | None = pid
        self._answer = answer

    def finish(self) -> Counted:
        """Wait for the answer. Raises the error that the job met."""
        with open(self._answer, "rb", closefd=False) as pipe:
            data = pipe.read()
        status = self._wait()
        if not data or status:
            raise JobDied(_how_it_died(status))
        failure, success = cast("_Answer", marshal.loads(data))  # noqa: S302 - from our own job
        if failure:
            kind, message = failure
            raise cast("Type[CountingError]", getattr(errors, kind))(message)
        runs, table, size = cast("_Success", success)
        counts = Counts(self.room.memory, self.room.runs)
        counts.runs = [Run(self.room.runs.open(), *run) for run in runs]
        counts.table.update(table)
        return Counted(counts, self.room.lines, size)

    def end(self) -> None:
        """Leave no process behind."""
        os.close(self._answer)
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            self._wait()

    def _wait(self) -> int:
        pid, self._pid = cast("int", self._pid), None
        return os.waitpid(pid, 0)[1]


def _how_it_died(status: int) -> str:
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return f"a counting job was ended by {name}, perhaps for want of memory; try a smaller --max-memory or --jobs 1"
    return "a counting job failed; what it printed above says why"


@contextlib.contextmanager
def running(
    shares: Sequence[Share], work: Callable[[Share, Room], Counted], *, memory: int, folder: str | None
) -> Iterator[list[Counted]]:
    """
    Do the work, each share of it in a process of its own if there are several, and give what each has found.

    What they found is there until the context ends, and no process outlives it.
    """
    rooms = [Room(memory, Spill(folder), Spill(folder)) for _ in shares]
    started: list[_Job] = []
    try:
        if len(shares) == 1:
            yield [work(shares[0], rooms[0])]
        else:
            for share, room in zip(shares, rooms):
                with _undisturbed():
                    started.append(_start(work, share, room))
            yield [job.finish() for job in started]
    finally:
        for job in started:
            job.end()
        for room in rooms:
            room.runs.close()
            room.lines.close()


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold signals back, so that none finds a job that is there and not yet known."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(work: Callable[[Share, Room], Counted], share: Share, room: Room) -> _Job:
    room.runs.open()  # here, so that this process can read what the job writes there
    room.lines.open()
    parent = os.getpid()
    try:
        answer, answering = os.pipe()
        pid = os.fork()
    except OSError as error:
        raise JobDied(f"cannot start another counting job: {error.strerror}; try a smaller --jobs") from error
    if not pid:
        os.close(answer)
        _be_a_job(parent, answering, lambda: work(share, room))
    os.close(answering)
    return _Job(pid, answer, room)


def _be_a_job(parent: int, answering: int, work: Callable[[], Counted]) -> NoReturn:
    """Work, send the answer, and end, whatever happens."""
    status = 1
    try:
        for number in STOPPING:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        _end_with(parent)
        answer = _answer(work)
        with open(answering, "wb") as pipe:
            pipe.write(answer)
        status = 0
    except BaseException:  # noqa: BLE001 - the process ends here: this is its last chance to say why
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(status)


def _end_with(parent: int) -> None:
    """See to it that a job does not go on alone when its parent was killed."""

    def look(*_: object) -> None:
        if os.getppid() != parent:
            os._exit(1)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)


def _answer(work: Callable[[], Counted]) -> bytes:
    failure: _Failure | None = None
    success: _Success | None = None
    try:
        counts, lines, size = work()
        counts.clean()
        if counts.runs:  # then the rest goes where they are; else it is small enough to be sent
            counts.close_run()
        lines.flush()
        success = [(run.start, run.end, run.longest) for run in counts.runs], dict(counts.table), size
        return marshal.dumps((failure, success), _PLAIN)
    except CountingError as error:
        failure = type(error).__name__, str(error)
    except MemoryError:
        failure = JobDied.__name__, OUT_OF_MEMORY
    return marshal.dumps((failure, None), _PLAIN)
