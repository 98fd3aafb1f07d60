"""Orphans: processes whose parents have ended. Those of our tasks become our children, and are reaped here."""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator

from fastbatch.local import spawning
from fastbatch.local.errors import Unavailable
from fastbatch.local.processes import Process, children_of_thread, look, require_linux

_PR_SET_CHILD_SUBREAPER = 36


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """
    Adopt the orphans of all that is started inside, and reap them as they end; needs the main thread's running loop.

    Signals that this process ignores it ignores in another way from here on, one that tasks don't inherit.
    """
    require_linux()
    if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
        raise Unavailable("the local Batch service needs a Linux kernel that lists a process's children in /proc")
    _inherit_no_dispositions()
    _set_subreaper(on=True)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCHLD, reap)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGCHLD)
        reap()
        _set_subreaper(on=False)


def orphans() -> list[Process]:
    """
    List the orphans that this process has adopted, the latest first, also those that have ended and are not reaped.

    They are the children that spawn() has not started and that are in another session than we: what anyone else here
    starts stays in our session, which no orphan of a task can have entered.
    """
    ours = os.getsid(0)
    # The system hands orphans to a process's main thread.
    pids = children_of_thread(os.getpid(), os.getpid())
    found = (look(pid) for pid in reversed(pids) if pid not in spawning.own)
    return [child for child in found if child and child.session != ours]


def reap() -> None:
    """Reap the adopted orphans that have ended, and no child that anyone here waits for."""
    for orphan in orphans():
        if not orphan.alive:
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, orphan.identity.pid, os.WEXITED | os.WNOHANG)


def _set_subreaper(*, on: bool) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0):
        raise Unavailable(f"can't adopt the orphans of tasks: {os.strerror(ctypes.get_errno())}")


def _inherit_no_dispositions() -> None:
    for number in signal.valid_signals():
        # A handler that does nothing ignores as well, and a program that is executed starts without it.
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
