"""What a job comes to, given its tasks and what runs of them."""

from functools import partial

from fastbatch.local.records import Job, Pool, Task
from fastbatch.local.service import preparing, tasking
from fastbatch.local.service.core import Core
from fastbatch.local.states import jobs, tasks


def settle(core: Core, job: Job) -> None:
    """Move a job on, if anything has made it so."""
    if job.state in jobs.NOT_ENDED and _is_over(core, job):
        return
    if job.key not in core.releasing:  # else it was looked at because of its pool
        core.look_at_pool_of(job)  # also if it runs nothing more: others may have waited behind its tasks
    if job.state == "disabling":
        _stop(core, job)
    if job.state in {"terminating", "deleting"}:
        _finish(core, job)


def terminate(core: Core, job: Job, reason: str) -> None:
    """Let a job end what it runs, and then itself."""
    core.store.save(job, jobs.terminating(job, reason, core.clock.now()))
    core.look_at_job(job.key)


def _is_over(core: Core, job: Job) -> bool:
    """End a job whose tasks are all complete, or whose time is over; tell whether that is so."""
    if job.state == "active" and job.on_all_complete == "terminatejob" and not _unfinished(core, job):
        terminate(core, job, "AllTasksComplete")
    elif job.deadline is not None and core.clock.now() >= job.deadline:
        terminate(core, job, "MaxWallClockTimeExpiry")
    else:
        if job.deadline is not None:
            core.at("deadline", job.key, job.deadline, partial(core.look_at_job, job.key))
        return False
    return True


def _unfinished(core: Core, job: Job) -> bool:
    return any(
        core.store.any(Task, "job = ? AND state = ?", [job.key, state]) for state in ("active", *tasks.ON_NODE)
    ) or bool(core.runs.of_job(job.key))


def _stop(core: Core, job: Job) -> None:
    runs = core.runs.of_job(job.key)
    if not runs:
        core.store.save(job, jobs.disabled(job, core.clock.now()))
    elif job.disable_tasks == "terminate":
        tasking.terminate_runs(core, runs)
    elif job.disable_tasks == "requeue":
        tasking.stop_runs(core, runs)


def _finish(core: Core, job: Job) -> None:
    core.never("deadline", job.key)
    runs = core.runs.of_job(job.key)
    tasking.terminate_runs(core, runs)
    if runs or not preparing.is_released(core, job):
        return
    if job.state == "terminating":
        core.store.save(job, jobs.completed(job, core.clock.now()))
    else:
        core.remove_once(job, partial(_remove, core, job))


async def _remove(core: Core, job: Job) -> None:
    await core.agent.remove_job(job.id)
    with core.store.transaction():
        core.store.remove(job)
    # A node that leaves or boots anew once its tasks' files have gone may be free now.
    for pool in core.store.select(Pool):
        core.look_at_pool(pool.key)
