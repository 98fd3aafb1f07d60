"""One step of the service: everything that has to be looked at, until nothing has."""

from fastbatch.local.records import Errand, Job, Node, Pool, Task
from fastbatch.local.service import allocating, cleaning, preparing, rebooting, scheduling, settling, tasking
from fastbatch.local.service.core import Core
from fastbatch.local.states import nodes, tasks


def step(core: Core) -> None:
    """Write down what runs have come to, and then see what jobs and pools need."""
    while core.results or core.jobs or core.pools:
        while core.results:
            _conclude(core)
        while core.jobs:
            job = core.store.get(Job, core.jobs.pop())
            if job is not None:
                settling.settle(core, job)
        while core.pools:
            pool = core.store.get(Pool, core.pools.pop())
            if pool is not None:
                allocating.allocate(core, pool)
                rebooting.advance(core, pool)
                scheduling.schedule(core, pool)
            core.jobs |= core.releasing  # a node may be up or gone by now


def _conclude(core: Core) -> None:
    run, outcome = core.results.pop(0)
    if run.task is not None:
        tasking.conclude(core, run, run.task, outcome)
    elif run.errand is not None:
        preparing.conclude(core, run, run.errand, outcome)
    else:
        allocating.conclude_start(core, run, outcome)


def recover(core: Core) -> None:
    """Go on from what the store says, after nothing is left of what ran when the service ended."""
    now = core.clock.now()
    with core.store.transaction():
        for task in list(core.store.select(Task, f"state IN {tasks.ON_NODE}")):
            _recover_task(core, task, now)
        for errand in list(core.store.select(Errand)):
            preparing.break_off(core, errand)
        for node in list(core.store.select(Node)):
            _recover_node(core, node, core.store.save(node, nodes.recovered(node, now)))
    for job in core.store.select(Job, "state <> 'completed'"):
        core.look_at_job(job.key)
    for pool in core.store.select(Pool):
        core.look_at_pool(pool.key)
    cleaning.resume(core)


def _recover_task(core: Core, task: Task, now: int) -> None:
    """Let a task wait for its next run, unless its job was just ending what runs."""
    job = core.store.get(Job, task.job)
    if job and (job.state == "terminating" or (job.state == "disabling" and job.disable_tasks == "terminate")):
        tasking.terminate(core, task)
    else:
        core.store.save(task, tasks.requeued(task, now))


def _recover_node(core: Core, before: Node, node: Node) -> None:
    if node.state == "creating":
        allocating.expect(core, node)
    elif node.state == "starting" != before.state:
        allocating.boot(core, node)
