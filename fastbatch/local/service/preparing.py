"""
What nodes do for a job beside its tasks: the preparation before the first task there, the release at the job's end.

A job whose tasks need no preparation costs nothing here.
"""

from functools import partial

from fastbatch.local.agent.node import Duty
from fastbatch.local.records import Errand, Job, Node, Pool, Task
from fastbatch.local.service import cleaning
from fastbatch.local.service.core import Core
from fastbatch.local.service.runs import Run
from fastbatch.local.states import errands, executions, nodes, tasks
from fastbatch.local.states.errands import PREPARATION, RELEASE, asked
from fastbatch.local.states.outcomes import Outcome


def is_ready(core: Core, pool: Pool, node: Node, job: Job) -> bool:
    """Tell whether tasks of a job may start on a node now; a preparation that is due begins."""
    if not job.prepares:
        return True
    errand = _find(core, job, node.key, PREPARATION)
    # One that is just being stopped has to be gone first; who waits for it then waits for a node once more.
    if errand is None or (errand.is_due and core.runs.of_errand(errand.key) is None):
        errand = _begin(core, pool, node, job, PREPARATION)
    return errands.lets_start(errand, asked(job, PREPARATION))


def _find(core: Core, job: Job, node_key: int, kind: str) -> Errand | None:
    return next(core.store.select(Errand, "job = ? AND node = ? AND kind = ?", [job.key, node_key, kind]), None)


def _begin(core: Core, pool: Pool, node: Node, job: Job, kind: str) -> Errand:
    now, there = core.clock.now(), _find(core, job, node.key, kind)
    if there is None:
        errand = core.store.add(errands.new(job, pool, node, kind, now))
    else:
        errand = core.store.save(there, errands.renewed(there, now))
    _start(core, pool, node, job, errand)
    return errand


def _start(core: Core, pool: Pool, node: Node, job: Job, errand: Errand) -> None:
    run = Run(node, errand=errand)
    core.runs.reserve(run)
    duty = Duty(pool, node, job, errand, asked(job, errand.kind))
    note = partial(core.note_process, run)
    core.after(lambda: core.runs.begin(run, core.agent.run_errand(duty, note)))


def barred(core: Core, job: Job) -> set[int]:
    """Give the nodes that a job's tasks must not go to, as their preparation has failed."""
    return {errand.node for errand in core.store.select(Errand, "job = ? AND bars", [job.key])}


def dismiss(core: Core, node: Node) -> None:
    """End the preparations on a node that takes no more tasks, if it has none."""
    if not any(core.runs.tasks_on(node.key)):
        for run in core.runs.on_node(node.key):
            if run.errand is not None and run.errand.kind == PREPARATION:
                core.after(run.stop)


def conclude(core: Core, run: Run, before: Errand, outcome: Outcome | None) -> None:
    """Write down how a preparation or a release went, now that nothing is left of it, and what that means for tasks."""
    core.pools.add(run.node.pool)
    if run.lost:
        return
    job, errand = core.store.get(Job, before.job), core.store.get(Errand, before.key)
    # One that is not under way any more was broken off in the meantime, as its node was lost.
    if job is not None and errand is not None and outcome is not None and executions.is_running(errand.info):
        _end(core, run, job, errand, outcome)
    elif errand is not None:
        break_off(core, errand)
        for task in _waiting(core, run, before):
            _send_back(core, task, tasks.requeued(task, core.clock.now()))
    core.jobs.add(before.job)


def _end(core: Core, run: Run, job: Job, errand: Errand, outcome: Outcome) -> None:
    after, again = errands.ended(errand, outcome, asked(job, errand.kind), core.clock.now())
    cleaning.save(core, errand, after)
    if again:
        _start(core, _pool_of(core, run.node), run.node, job, after)
        return
    for task in _waiting(core, run, errand):
        if after.bars:
            _send_back(core, task, tasks.sent_back(task, core.clock.now()))
        else:
            _admit(core, run.node.key, task)


def _waiting(core: Core, run: Run, errand: Errand) -> list[Task]:
    """Give the tasks that wait for a preparation."""
    there = [core.store.get(Task, task.key) for task in core.runs.tasks_on(run.node.key) if task.job == errand.job]
    return [task for task in there if task is not None and task.state == "preparing"]


def _admit(core: Core, node_key: int, task: Task) -> None:
    node, now = core.store.get(Node, node_key), core.clock.now()
    if node is not None:
        core.store.save(node, nodes.occupied(node, task.key, now))
    after = core.store.save(task, tasks.admitted(task, now))
    run = core.runs.of_task(task.key)
    if run is not None:
        core.after(partial(run.admit, after))


def _send_back(core: Core, task: Task, after: Task) -> None:
    core.store.save(task, after)
    run = core.runs.of_task(task.key)
    if run is not None:
        core.after(run.stop)


def break_off(core: Core, errand: Errand) -> None:
    """Write down that an errand, if it is under way, has ended before its time: it is done again in its turn."""
    job = core.store.get(Job, errand.job)
    if job is not None and executions.is_running(errand.info):
        cleaning.save(core, errand, errands.broken_off(errand, asked(job, errand.kind), core.clock.now()))


def lose(core: Core, node: Node) -> list[str]:
    """Write down that all errands on a node are broken off, as it is lost; give their processes, which go on."""
    running = [run.errand for run in core.runs.on_node(node.key) if run.errand is not None and not run.lost]
    errands_there = [errand for each in running if (errand := core.store.get(Errand, each.key))]
    for errand in errands_there:
        break_off(core, errand)
    return [errand.process for errand in errands_there if errand.process]


def forget(core: Core, node: Node, *, rebooted: bool) -> None:
    """
    Forget what a node has done for the jobs that go on, as it starts anew, and nothing runs there any more.

    After a reboot that is what they want done again, and what was not completed; else all of it, with all files.
    """
    for errand in list(core.store.select(Errand, "node = ?", [node.key])):
        job = core.store.get(Job, errand.job)
        if job is not None and rebooted:
            cleaning.save(core, errand, errands.rebooted(errand, asked(job, errand.kind), core.clock.now()))
        elif job is not None and job.ended is not None:
            core.store.save(errand, errands.without_files(errand))
        else:
            core.store.remove(errand)
        core.look_at_job(errand.job)


def is_released(core: Core, job: Job) -> bool:
    """
    Let nodes do what a job wants of them at its end; tell whether all is done.

    First its preparations end, and then every node that has begun one, and is still there, releases the job.
    """
    if not job.prepares or job.ended is not None:
        return True
    prepared = list(core.store.select(Errand, "job = ? AND kind = ?", [job.key, PREPARATION]))
    running = [run for errand in prepared if (run := core.runs.of_errand(errand.key))]
    for run in running:
        core.after(run.stop)
    unreleased = [] if running else [errand for errand in prepared if not _has_released(core, job, errand.node)]
    over = not (running or unreleased)
    (core.releasing.discard if over else core.releasing.add)(job.key)
    return over


def _has_released(core: Core, job: Job, node_key: int) -> bool:
    node, release = core.store.get(Node, node_key), _find(core, job, node_key, RELEASE)
    if not asked(job, RELEASE):
        return True
    if release is not None and core.runs.of_errand(release.key):
        return False
    turn = errands.turn(node, release)
    if node is not None and turn == "now" and not core.is_removing(node):
        _begin(core, _pool_of(core, node), node, job, RELEASE)
    return turn == "over"


def _pool_of(core: Core, node: Node) -> Pool:
    pool = core.store.get(Pool, node.pool)
    assert pool  # noqa: S101 - a pool goes after its nodes
    return pool
