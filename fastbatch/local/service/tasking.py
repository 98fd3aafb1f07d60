"""Tasks on their way through a run: begun, ended, terminated, requeued; and what their end means for their job."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastbatch.local.agent.node import Assignment
from fastbatch.local.records import Job, Node, Pool, Task
from fastbatch.local.service import cleaning, depending, preparing
from fastbatch.local.service.core import Core
from fastbatch.local.service.runs import Run, Running
from fastbatch.local.states import exits, jobs, nodes, tasks
from fastbatch.local.states.outcomes import Outcome


def assign(core: Core, pool: Pool, node_key: int, task: Task) -> None:
    """Let a task run on a node, unless that was lost or taken away since it was chosen."""
    node = core.store.get(Node, node_key)
    job = core.store.get(Job, task.job)
    assert node  # noqa: S101 - it was chosen in this transaction
    assert job  # noqa: S101 - a task goes with its job
    if node.state not in nodes.READY:
        return
    now = core.clock.now()
    if preparing.is_ready(core, pool, node, job):
        core.store.save(node, nodes.occupied(node, task.key, now))
        task = core.store.save(task, tasks.assigned(task, pool, node, now))
    else:
        core.store.save(node, nodes.taken(node, now))
        task = core.store.save(task, tasks.waiting(task, pool, node, now))
    run = Run(node, task)
    core.runs.reserve(run)
    core.after(partial(_begin, core, run, task, pool, job))


def _begin(core: Core, run: Run, task: Task, pool: Pool, job: Job) -> None:
    work = _work if task.state == "running" else _wait_and_work
    core.runs.begin(run, work(core, run, task, pool, job))


def _work(core: Core, run: Run, task: Task, pool: Pool, job: Job) -> Running:
    body = json.loads(core.store.specification(task))
    run.retention = body["constraints"]["retentionTime"]
    note = partial(core.note_process, run)

    def do(body: Mapping[str, Any]) -> Running:
        return core.agent.run_task(Assignment(pool, run.node, job, task, body), note)

    return core.running(run, body, do)


async def _wait_and_work(core: Core, run: Run, task: Task, pool: Pool, job: Job) -> Outcome:
    await run.admission.wait()
    return await _work(core, run, run.task or task, pool, job)


def conclude(core: Core, run: Run, task_before: Task, outcome: Outcome | None) -> None:
    """Write down how a run went, now that nothing is left of it; one that was stopped has no outcome."""
    core.pools.add(run.node.pool)
    if run.lost:
        return
    task = core.store.get(Task, task_before.key)
    # A task that was terminated, or is gone, has its verdict already.
    if task is not None and task.state in tasks.ON_NODE and task.started == task_before.started:
        if outcome is not None:
            _end(core, task, tasks.ended(task, outcome, run.retention, core.clock.now()))
        else:
            core.store.save(task, tasks.requeued(task, core.clock.now()))
    node = core.store.get(Node, run.node.key)
    if node is not None:
        succeeded = outcome is not None and outcome.verdict is None
        empty = not any(core.runs.tasks_on(node.key))
        core.store.save(node, nodes.relieved(node, task_before.key, core.clock.now(), succeeded=succeeded, empty=empty))
    core.jobs.add(task_before.job)


def _end(core: Core, before: Task, after: Task) -> None:
    cleaning.save(core, before, after)
    if after.state == "completed":
        _apply_exit_options(core, after)


def _apply_exit_options(core: Core, task: Task) -> None:
    job = core.store.get(Job, task.job)
    if job is None or (job.on_task_failure == "noaction" and not job.uses_dependencies):
        return
    body = json.loads(core.store.specification(task))
    depending.let_go(core, job, body, task)
    if job.on_task_failure != "noaction" and job.state == "active":
        _act(core, job, exits.job_action(body, task))


def _act(core: Core, job: Job, action: str) -> None:
    if action == "terminate":
        core.store.save(job, jobs.terminating(job, "TaskFailed", core.clock.now()))
    elif action == "disable":
        core.store.save(job, jobs.disabling(job, "requeue", core.clock.now()))


def terminate(core: Core, task: Task) -> None:
    """Complete a task at once; its processes end soon. What its failure means for the job does not matter then."""
    body = json.loads(core.store.specification(task))
    completed = tasks.terminated(task, body["constraints"]["retentionTime"], core.clock.now())
    cleaning.save(core, task, completed)
    job = core.store.get(Job, task.job)
    if job is not None:
        depending.let_go(core, job, body, completed)
    run = core.runs.of_task(task.key)
    if run is not None:
        core.after(run.stop)
    core.look_at_job(task.job)


async def end(core: Core, task: Task) -> Task | None:
    """Complete a task, and give it when nothing is left of its runs; None if it is gone by then."""
    while (current := core.store.get(Task, task.key)) is not None:  # it may be reactivated while its run is ended
        if current.state != "completed":
            terminate(core, current)
        elif core.runs.of_task(current.key) is None:
            return current
        await core.end_task(current)
    return None


def terminate_runs(core: Core, runs: set[Run]) -> None:
    """Complete the tasks of some runs."""
    for run in runs:
        task = run.task and core.store.get(Task, run.task.key)
        if task and not run.lost and task.state in tasks.ON_NODE:
            terminate(core, task)


def stop_runs(core: Core, runs: set[Run]) -> None:
    """End some runs; their tasks wait for another node, or are no more of interest."""
    for run in runs:
        core.after(run.stop)


def vacate(core: Core, runs: set[Run], deallocation: str) -> None:
    """End some runs: those of tasks as a client said, or in their own time; start tasks and what is lost at once."""
    if deallocation == "terminate":
        terminate_runs(core, runs)
    at_once = deallocation in {"requeue", "terminate"}
    stop_runs(core, {run for run in runs if at_once or run.is_start or run.lost})
