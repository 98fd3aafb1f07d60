"""The files of completed tasks and errands, which go when their retention time is over."""

from functools import partial
from typing import TypeVar

from fastbatch.local.records import Errand, Job, Node, Task
from fastbatch.local.service.core import Core
from fastbatch.local.states import errands, tasks

R = TypeVar("R", Task, Errand)

_AT_ONCE = 1000


def save(core: Core, before: R, after: R) -> None:
    """Write down what has become of a task or an errand, and see to it that its files go in time."""
    core.store.save(before, after)
    if after.files_until is not None:
        _expect(core, after.files_until)


def _expect(core: Core, moment: int) -> None:
    """See to it that files go at a time, if no others go before."""
    if core.next_cleaning is None or moment < core.next_cleaning:
        core.next_cleaning = moment
        core.at("cleaning", 0, moment, partial(_clean, core))


def resume(core: Core) -> None:
    """See to it that the files that go first do so."""
    core.next_cleaning = None
    for moment in (core.store.earliest(Task, "files_until"), core.store.earliest(Errand, "files_until")):
        if moment is not None:
            _expect(core, moment)


def _clean(core: Core) -> None:
    now = core.clock.now()
    of_tasks = list(core.store.select(Task, "files_until <= ?", [now], "files_until", _AT_ONCE))
    of_errands = list(core.store.select(Errand, "files_until <= ?", [now], "files_until", _AT_ONCE))
    with core.store.transaction():
        for task in of_tasks:
            core.store.save(task, tasks.without_files(task))
        for errand in of_errands:
            core.store.save(errand, errands.without_files(errand))
    core.chore(_remove(core, of_tasks, of_errands))
    resume(core)


async def _remove(core: Core, of_tasks: list[Task], of_errands: list[Errand]) -> None:
    for before in of_tasks:
        job, task = core.store.get(Job, before.job), core.store.get(Task, before.key)
        if job is not None and task is not None and task.files_gone:  # or it runs again by now
            await remove_files(core, job, task)
    for errand in of_errands:
        job, node = core.store.get(Job, errand.job), core.store.get(Node, errand.node)
        if job is not None and node is not None and core.runs.of_errand(errand.key) is None:
            await _remove_from(core, node, job, errand.id)


async def remove_files(core: Core, job: Job, task: Task) -> None:
    """Remove the files that a task has left on a node; it may run again, or another have its id, meanwhile."""
    node = node_of(core, task)
    if node is not None:
        await _remove_from(core, node, job, task.id)


async def _remove_from(core: Core, node: Node, job: Job, name: str) -> None:
    await core.agent.remove_task(node, job.id, name)
    core.look_at_pool(node.pool)


def node_of(core: Core, task: Task) -> Node | None:
    """Give the node that a task ran on, if it is there still."""
    return next(core.store.select(Node, "id = ?", [task.node_id]), None)
