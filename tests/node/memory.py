"""How much memory a process and its children take, as Linux accounts for it."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Watched:
    """How a process ended, and the most that it and its children took together, shared pages counted once."""

    returncode: int
    stdout: bytes
    stderr: bytes
    peak: int


def watch(command: list[str], *, every_s: float = 0.01) -> Watched:
    """Run a command to its end, and look at its memory all the while."""
    peak = 0
    ended = threading.Event()

    def look(pid: int) -> None:
        nonlocal peak
        while not ended.wait(every_s):
            peak = max(peak, sum(map(_proportional_set, _family(pid))))

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        looking = threading.Thread(target=look, args=[process.pid])
        looking.start()
        try:
            stdout, stderr = process.communicate()
        finally:
            ended.set()
            looking.join()
    return Watched(process.returncode, stdout, stderr, peak)


def _family(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = [int(child) for child in file.read().split()]
    except OSError:  # it has ended
        return []
    return [pid, *(member for child in children for member in _family(child))]


def _proportional_set(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            sizes = [line.split() for line in file if line.startswith("Pss:")]
    except OSError:
        return 0
    return sum(int(size[1]) << 10 for size in sizes)


def has_smaps() -> bool:
    """Tell whether this system says what is asked here."""
    me = os.getpid()
    return os.path.exists("/proc/self/smaps_rollup") and os.path.exists(f"/proc/{me}/task/{me}/children")
