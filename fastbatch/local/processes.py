"""Processes as the system shows them: which one is meant, which live, what they started, and which were ours."""

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Iterator
from typing import NamedTuple, Self

from fastbatch.local.errors import Unavailable

_PF_EXITING = 0x4
_SCANS = 50
_VANISHED = (FileNotFoundError, ProcessLookupError)  # what reading about a process gives when it is reaped


class Identity(NamedTuple):
    """One process for all time: a pid that is used again, or a restart of the machine, makes another."""

    pid: int
    started: str  # clock ticks since the machine started, and which start that was

    def __str__(self) -> str:
        return f"{self.pid}:{self.started}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what str() wrote; ValueError if it is anything else."""
        pid, colon, started = text.partition(":")
        if not (pid.isdecimal() and colon and started):
            raise ValueError(f"not a process's identity: {text!r}")
        return cls(int(pid), started)


class Process(NamedTuple):
    """What the system tells of a process at one moment."""

    identity: Identity
    parent: int
    session: int
    terminal: int  # 0 for none
    alive: bool
    ending: bool  # still alive, but its memory may be gone, and so what marks it; its children are not yet orphans


class Mark(NamedTuple):
    """
    What tells processes of a node or a task from all others: a folder of theirs.

    The given variable of their environment names the folder or one inside it. Where a process has cleared its
    environment, it works in there, and has no terminal: who has one is a person looking at files.
    """

    variable: str
    folder: str

    def on(self, process: Process) -> bool:
        """Tell whether a process bears the mark; one whose environment can't be read does not."""
        try:
            return self._in_environment(process) or self._in_working_folder(process)
        except (*_VANISHED, PermissionError):
            return False

    def _in_environment(self, process: Process) -> bool:
        name = os.fsencode(self.variable) + b"="
        settings = _read(process.identity.pid, "environ").split(b"\0")
        values = (os.fsdecode(setting.removeprefix(name)) for setting in settings if setting.startswith(name))
        return any(_within(value, self.folder) for value in values)

    def _in_working_folder(self, process: Process) -> bool:
        where = os.readlink(f"/proc/{process.identity.pid}/cwd").removesuffix(" (deleted)")
        return not process.terminal and _within(where, os.path.realpath(self.folder))


def require_linux() -> None:
    """Raise Unavailable where processes can't be followed and ended for certain."""
    if sys.platform != "linux":
        raise Unavailable("the local Batch service runs tasks on Linux only; use a Linux machine, a container or WSL 2")


def identify(pid: int) -> Identity | None:
    """Tell which process has a pid now."""
    process = look(pid)
    return process and process.identity


def alive(identity: Identity) -> bool:
    """Tell whether a process still runs; one that has ended and waits to be reaped does not."""
    process = look(identity.pid)
    return process is not None and process.identity == identity and process.alive


def look(pid: int) -> Process | None:
    """Look at the process that has a pid now."""
    require_linux()
    try:
        stat = _read(pid, "stat")
    except _VANISHED:
        return None
    # The name of the program stands in parentheses and may hold anything, parentheses too; numbers follow.
    state, parent, _, session, terminal, *more = stat[stat.rindex(b")") + 2 :].split()
    flags, threads, ticks = int(more[1]), int(more[12]), more[14].decode()
    return Process(
        Identity(pid, f"{ticks}:{_boot()}"),
        int(parent),
        int(session),
        int(terminal),
        # A process lives on in its other threads when its first one has ended.
        alive=state not in b"ZX" or threads > 1,
        ending=state not in b"ZX" and bool(flags & _PF_EXITING),
    )


def children(pid: int) -> list[Process]:
    """List the processes that a process has started or adopted, and has not reaped."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except _VANISHED:
        return []
    found = (look(child) for thread in threads for child in children_of_thread(pid, int(thread)))
    return [child for child in found if child and child.parent == pid]


def children_of_thread(pid: int, thread: int) -> list[int]:
    """List the pids of those children of a process that one of its threads started or adopted."""
    try:
        return [int(child) for child in _read(pid, f"task/{thread}/children").split()]
    except _VANISHED:
        return []


def leftovers(mark: Mark, *, halt: bool = False) -> list[Identity]:
    """
    List every living process of this user that bears a mark, except this one and its ancestors.

    With `halt`, each is stopped (SIGSTOP) at sight, so that it can't flee before it is ended.
    """
    require_linux()
    for _ in range(_SCANS):
        found, missed = _scan(mark, halt=halt)
        if found or not missed:
            return found
    return []


def _scan(mark: Mark, *, halt: bool) -> tuple[list[Identity], bool]:
    """Go through all processes once; tell who bears the mark, and whether any has gone, and maybe left a child."""
    spared = set(_lineage(os.getpid()))
    found, missed = [], False
    for pid in _newest_first():
        process = look(pid)
        if process is None or process.ending:
            missed = True
        elif process.alive and pid not in spared and mark.on(process):
            found.append(process.identity)
            if halt:
                send(process.identity, signal.SIGSTOP)
        elif look(pid) != process:  # it may have lost its memory, and with it the mark, since the first look
            missed = True
    return found, missed


def _newest_first() -> list[int]:
    """List all pids, so that one that flees from fork to fork is seen before it has moved on."""
    return sorted((int(name) for name in os.listdir("/proc") if name.isdecimal()), reverse=True)


def send(identity: Identity, number: signal.Signals) -> bool:
    """Send a signal to a process, and to no other; tell whether it was there, alive, and ours to signal."""
    try:
        pidfd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        # The descriptor came before the look, so it stands for the process that was looked at.
        if not alive(identity):
            return False
        signal.pidfd_send_signal(pidfd, number)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        os.close(pidfd)
    return True


async def gone(identity: Identity) -> None:
    """Wait until a process has ended, whoever's child it is."""
    require_linux()
    try:
        pidfd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return
    try:
        if alive(identity):
            await _readable(pidfd)
    finally:
        os.close(pidfd)


async def _readable(pidfd: int) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(pidfd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(pidfd)


def _lineage(pid: int) -> Iterator[int]:
    while process := look(pid):
        yield pid
        pid = process.parent


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _read(pid: int, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
        return file.read()


@functools.cache
def _boot() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()
