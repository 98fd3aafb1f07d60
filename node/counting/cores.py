"""How many cores and how much memory each of several jobs may use."""

from __future__ import annotations

import os
from typing import Callable, Iterator, Mapping

from .errors import UsageError

MIB = 1 << 20

# What counting may take besides the memory it is told: the interpreters, and what passes through them.
ALLOWANCE = 64 * MIB
_FIRST_PROCESS = 24 * MIB
_EACH_JOB = 12 * MIB

# A job that nobody asked for has to be worth starting.
_LEAST_SHARE = 4 * MIB

# A job with less room than this for its counts spends its time on writing runs: more of them would do less.
_LEAST_FOR_COUNTS = 6 * MIB


ReadText = Callable[[str], str]


def worthwhile(size: int, environ: Mapping[str, str]) -> int:
    """Return how many jobs to run for so many bytes when nobody asked for a number."""
    return max(1, min(available(environ), size // _LEAST_SHARE))


def available(environ: Mapping[str, str]) -> int:
    """Return how many cores are this process's, of those that the task slots of the node share."""
    slots = environ.get("FASTBATCH_SLOTS", "1")
    if not (slots.isascii() and slots.isdigit() and int(slots) > 0):
        raise UsageError(f"FASTBATCH_SLOTS is {slots!r}; it must be the number of task slots of the node, 1 or more")
    return max(1, cores() // int(slots))


def cores(read_text: ReadText | None = None) -> int:
    """Return how many cores this process may use, by its affinity and its control groups."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([affinity, *map(int, quotas(read_text or _read_text))]))


def share(memory: int, jobs: int) -> tuple[int, int]:
    """Return how many jobs fit into `memory`, and how much of it each has for its counts."""
    while jobs > 1 and _for_counts(memory, jobs) < _LEAST_FOR_COUNTS:
        jobs -= 1
    return jobs, _for_counts(memory, jobs)


def _for_counts(memory: int, jobs: int) -> int:
    beyond_allowance = max(0, _FIRST_PROCESS + jobs * _EACH_JOB - ALLOWANCE)
    return (memory - beyond_allowance) // jobs


def quotas(read_text: ReadText) -> Iterator[float]:
    """Yield the limits in cores of this process's control groups and of all above them, of versions 1 and 2."""
    for line in read_text("/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for folder in _upwards(path):
            if not controllers:
                quota, _, period = read_text(f"/sys/fs/cgroup{folder}/cpu.max").partition(" ")
            elif "cpu" in controllers.split(","):
                quota = read_text(f"/sys/fs/cgroup/cpu{folder}/cpu.cfs_quota_us")
                period = read_text(f"/sys/fs/cgroup/cpu{folder}/cpu.cfs_period_us")
            else:
                break
            if quota.strip().isdigit() and period.strip().isdigit():
                yield int(quota) / int(period)


def _upwards(path: str) -> Iterator[str]:
    path = path.rstrip("/")
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
