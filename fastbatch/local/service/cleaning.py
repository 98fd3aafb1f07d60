"""The files of completed tasks, which go when their retention time is over."""

import dataclasses
from functools import partial

from fastbatch.local.records import Job, Node, Task
from fastbatch.local.service.core import Core

_AT_ONCE = 1000


def expect(core: Core, moment: int) -> None:
    """See to it that files go at a time, if no others go before."""
    if core.next_cleaning is None or moment < core.next_cleaning:
        core.next_cleaning = moment
        core.at("cleaning", 0, moment, partial(_clean, core))


def resume(core: Core) -> None:
    """See to it that the files that go first do so."""
    core.next_cleaning = None
    moment = core.store.earliest(Task, "files_until")
    if moment is not None:
        expect(core, moment)


def _clean(core: Core) -> None:
    over = list(core.store.select(Task, "files_until <= ?", [core.clock.now()], "files_until", _AT_ONCE))
    with core.store.transaction():
        for task in over:
            core.store.save(task, dataclasses.replace(task, files_until=None, files_gone=True))
    core.chore(_remove(core, over))
    resume(core)


async def _remove(core: Core, tasks: list[Task]) -> None:
    for before in tasks:
        job, task = core.store.get(Job, before.job), core.store.get(Task, before.key)
        if job is not None and task is not None and task.files_gone:  # or it runs again by now
            await remove_files(core, job, task)


async def remove_files(core: Core, job: Job, task: Task) -> None:
    """Remove the files that a task has left on a node; it may run again, or another have its id, meanwhile."""
    node = node_of(core, task)
    if node is not None:
        await core.agent.remove_task(node, job.id, task.id)
        core.look_at_pool(node.pool)


def node_of(core: Core, task: Task) -> Node | None:
    """Give the node that a task ran on, if it is there still."""
    return next(core.store.select(Node, "id = ?", [task.node_id]), None)
