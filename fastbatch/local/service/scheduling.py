"""Which of the waiting tasks a pool takes next."""

import itertools
import json
from collections.abc import Iterator, Sequence

from fastbatch.local.records import Job, Node, Pool, Task
from fastbatch.local.service import preparing, tasking
from fastbatch.local.service.core import Core
from fastbatch.local.states import nodes
from fastbatch.local.states.placement import Room, place


def schedule(core: Core, pool: Pool) -> None:
    """Give waiting tasks to the nodes of a pool that have room."""
    rooms = [room for room in _rooms(core, pool) if room.free > 0]
    if rooms and pool.state == "active":
        there = list(core.store.select(Job, "pool_id = ? AND state = 'active'", [pool.id], "priority DESC, key"))
        barred = {job.key: preparing.barred(core, job) for job in there if job.prepares}
        pack = json.loads(pool.body)["taskSchedulingPolicy"]["nodeFillType"] == "Pack"
        waiting = _waiting(core, pool, there, sum(room.free for room in rooms))
        for task, node in place(waiting, rooms, barred, pack=pack):
            tasking.assign(core, pool, node.key, task)


def _rooms(core: Core, pool: Pool) -> list[Room]:
    ready = core.store.select(
        Node, f"pool = ? AND state IN {nodes.READY} AND scheduling = 'enabled'", [pool.key], "key"
    )
    return [Room(node, pool.slots - core.runs.load(node.key).slots) for node in ready]


def _waiting(core: Core, pool: Pool, jobs: Sequence[Job], most: int) -> Iterator[Task]:
    """Give waiting tasks, at most so many of each job."""
    for job in jobs:
        runs = core.runs.of_job(job.key)
        limit = most if job.most_parallel < 0 else min(most, job.most_parallel - len(runs))
        if limit <= 0:
            continue
        # A task that was requeued while its processes are still being ended must wait for their end.
        waiting = core.store.select(
            Task,
            "job = ? AND state = 'active' AND blocked = 0 AND slots <= ?",
            [job.key, pool.slots],
            "key",
            limit + len(runs),
        )
        idle = (task for task in list(waiting) if core.runs.of_task(task.key) is None)
        yield from itertools.islice(idle, limit)
