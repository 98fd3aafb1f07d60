"""Operations on jobs."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastbatch.local import filters
from fastbatch.local.errors import Refused
from fastbatch.local.operations import listing
from fastbatch.local.operations.call import Answer, Call, about, accepted, version
from fastbatch.local.operations.listing import Listing
from fastbatch.local.records import Job
from fastbatch.local.service import settling
from fastbatch.local.states import jobs
from fastbatch.local.views import JOB, render, selection

_JOBS = Listing(
    Job,
    JOB,
    "jobs",
    filters.JOBS,
    {
        "id": "id",
        "state": "state",
        "stateTransitionTime": "state_time",
        "creationTime": "created",
        "lastModified": "modified",
        "executionInfo/startTime": "started",
        "executionInfo/endTime": "ended",
        "executionInfo/poolId": "pool_id",
    },
)


def find(call: Call) -> Job:
    """Give the job that a call is about."""
    job = call.core.store.find(Job, call.ids["job"])
    if job is None:
        raise Refused("JobNotFound", f"There is no job {call.ids['job']}.")
    return job


def create(call: Call) -> Answer:
    """Make a job; its pool may come later."""
    store = call.core.store
    there = store.find(Job, call.body["id"])
    if there is not None:
        jobs.refuse_deleting(there)
        raise Refused("JobExists", f"There is a job {there.id} already.")
    if store.count(Job, f"state IN {jobs.COUNTS_FOR_QUOTA}") >= call.core.limits.active_job_quota:
        raise Refused(
            "ActiveJobAndScheduleQuotaReached", f"The account may have {call.core.limits.active_job_quota} active jobs."
        )
    job = store.add(jobs.new(call.body, json.dumps(call.body), call.core.clock.now()))
    call.core.look_at_job(job.key)
    return about(call, job, status=201)


def get(call: Call) -> Answer:
    """Show a job."""
    job = find(call)
    call.match(job)
    select = selection(JOB, call.query.get("$select"))
    shown = render(JOB, job, call.context(body=job.body), select)
    return Answer(body=shown, metadata="jobs/@Element", headers=version(job))


def list_all(call: Call) -> Answer:
    """List jobs."""
    return listing.answer(call, _JOBS, lambda page, _: [call.context(body=job.body) for job in page])


def patch(call: Call) -> Answer:
    """Change what is given of a job."""
    job = find(call)
    before = json.loads(job.body)
    return _change(call, job, before, {**before, **call.body})


def update(call: Call) -> Answer:
    """Change a job to what is given, and to defaults where nothing is."""
    job = find(call)
    before = json.loads(job.body)
    kept = {name: value for name, value in before.items() if name != "metadata"}
    return _change(call, job, before, {**kept, **call.body})


def _change(call: Call, job: Job, before: Mapping[str, Any], after: Mapping[str, Any]) -> Answer:
    call.match(job)
    changed = jobs.changed(job, before, after, json.dumps(after), call.core.clock.now())
    call.core.never("deadline", job.key)
    call.core.look_at_job(job.key)
    return about(call, call.core.store.save(job, changed))


def disable(call: Call) -> Answer:
    """Run nothing more of a job for now."""
    return _move(call, lambda job, now: jobs.disabling(job, call.body["disableTasks"], now))


def enable(call: Call) -> Answer:
    """Let a disabled job run again."""
    return _move(call, jobs.enabled)


def terminate(call: Call) -> Answer:
    """End a job; its waiting tasks never run."""
    job = find(call)
    call.match(job)
    settling.terminate(call.core, job, call.body.get("terminateReason", "UserTerminate"))
    return accepted(call)


def delete(call: Call) -> Answer:
    """Remove a job with its tasks and their files."""
    return _move(call, jobs.deleting)


def _move(call: Call, transition: Callable[[Job, int], Job]) -> Answer:
    job = find(call)
    call.match(job)
    call.core.store.save(job, transition(job, call.core.clock.now()))
    call.core.look_at_job(job.key)
    return accepted(call)


def task_counts(call: Call) -> Answer:
    """Count a job's tasks, and their slots, by state."""
    rows = call.core.store.task_counts(find(call))
    tasks = _counts((state, result, count) for state, result, count, _ in rows)
    slots = _counts((state, result, slots) for state, result, _, slots in rows)
    return Answer(body={"taskCounts": tasks, "taskSlotCounts": slots}, metadata="taskcounts/@Element")


def _counts(rows: Iterable[tuple[str, str | None, int]]) -> dict[str, int]:
    counts = dict.fromkeys(("active", "running", "completed", "succeeded", "failed"), 0)
    for state, result, number in rows:
        counts["running" if state == "preparing" else state] += number
        if state == "completed":
            counts["succeeded" if result == "success" else "failed"] += number
    return counts
