"""What a run may use of this machine at once."""

import os
from dataclasses import dataclass

from anyio import CapacityLimiter

from fastbatch.budget import ByteBudget

IN_MEMORY = 16 << 20  # a bundle larger than this is sent in blocks, and never held whole, unless it is a tar
BLOCK = 8 << 20

# Threads beyond the cores, as some of them wait for a disk.
_WAITING = 2


@dataclass(frozen=True, slots=True)
class Capacity:
    """Threads for what would hold up the event loop, and bytes to hold in memory."""

    threads: CapacityLimiter
    budget: ByteBudget


def threads() -> int:
    """Tell how many threads are worth having."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + _WAITING
