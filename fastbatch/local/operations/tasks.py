"""Operations on tasks."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastbatch.local import filters, wire
from fastbatch.local.bodies import TASK
from fastbatch.local.errors import Refused
from fastbatch.local.operations import jobs, listing
from fastbatch.local.operations.call import Answer, Call, about, accepted, version
from fastbatch.local.operations.listing import Listing
from fastbatch.local.records import Job, Task
from fastbatch.local.service import cleaning, depending, tasking
from fastbatch.local.states import errands, exits, tasks
from fastbatch.local.states import jobs as job_states
from fastbatch.local.views import GIVEN_BY_TASK, Context, etag, location, render, selection
from fastbatch.local.views import TASK as VIEW

_TASKS = Listing(
    Task,
    VIEW,
    "tasks",
    filters.TASKS,
    {
        "id": "id",
        "state": "state",
        "stateTransitionTime": "state_time",
        "creationTime": "created",
        "lastModifiedTime": "modified",
        "executionInfo/startTime": "started",
        "executionInfo/endTime": "ended",
        "executionInfo/exitCode": "exit_code",
        "executionInfo/result": "result",
    },
)


def find(call: Call) -> tuple[Job, Task]:
    """Give the task that a call is about, and its job."""
    job = jobs.find(call)
    task = call.core.store.find(Task, call.ids["task"], job=job.key)
    if task is None:
        raise Refused("TaskNotFound", f"There is no task {call.ids['task']} in the job {job.id}.")
    return job, task


def create(call: Call) -> Answer:
    """Add a task to a job."""
    job = _job_that_takes_tasks(call)
    task, body = _new(job, json.loads(job.body), call.body, call.core.clock.now())
    if call.core.store.ids_there(job, [task.id]):
        raise _exists(task.id)
    _add(call, job, [(task, body)])
    return about(call, task, status=201)


def create_collection(call: Call) -> Answer:
    """Add up to a hundred tasks, each with a verdict of its own."""
    job = _job_that_takes_tasks(call)
    job_body, now = json.loads(job.body), call.core.clock.now()
    verdicts: list[dict[str, Any] | Task] = []
    added: dict[str, tuple[Task, Mapping[str, Any]]] = {}
    there = call.core.store.ids_there(job, [item["id"] for item in call.body["value"] if _has_id(item)])
    for item in call.body["value"]:
        try:
            task, body = _new(job, job_body, TASK(item), now)
            if task.id.lower() in there or task.id.lower() in added:
                raise _exists(task.id)
        except Refused as refused:
            verdicts.append(_refusal(item, refused))
        else:
            added[task.id.lower()] = task, body
            verdicts.append(task)
    _add(call, job, list(added.values()))
    success = _success(job, now, call)
    value = [success(verdict) if isinstance(verdict, Task) else verdict for verdict in verdicts]
    return Answer(
        body={"value": value}, metadata="Microsoft.Azure.Batch.Protocol.Entities.Container.TaskAddResultCollection"
    )


def _job_that_takes_tasks(call: Call) -> Job:
    job = jobs.find(call)
    job_states.refuse_ended(job)
    return job


def _has_id(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("id"), str)


def _new(job: Job, job_body: Mapping[str, Any], given: Mapping[str, Any], now: int) -> tuple[Task, Mapping[str, Any]]:
    errands.refuse_id(job_body, given["id"])
    exits.refuse_idle_actions(job, given)
    depending.refuse_unexpected(job, given)
    body = {**given, "constraints": tasks.constraints(given, job_body)}
    return tasks.new(job, body, now), body


def _add(call: Call, job: Job, new: Sequence[tuple[Task, Mapping[str, Any]]]) -> None:
    bodies = [body for _, body in new]
    keys = call.core.store.add_tasks([task for task, _ in new], [json.dumps(body) for body in bodies])
    depending.hold(call.core, job, zip(keys, bodies, strict=True))
    call.core.look_at_pool_of(job)


def _exists(task_id: str) -> Refused:
    return Refused("TaskExists", f"There is a task {task_id} already.")


def _success(job: Job, now: int, call: Call) -> Callable[[Task], dict[str, Any]]:
    """Give what says of a task that it was added; all were at one time."""
    context, last_modified = call.context(job.id), wire.time_text(now)

    def success(task: Task) -> dict[str, Any]:
        return {
            "status": "success",
            "taskId": task.id,
            "eTag": etag(task),
            "lastModified": last_modified,
            "location": location(task, context),
        }

    return success


def _refusal(item: Any, refused: Refused) -> dict[str, Any]:
    return {
        "status": "clienterror",
        "taskId": item["id"] if _has_id(item) else "",
        "error": refused.body(),
    }


def get(call: Call) -> Answer:
    """Show a task."""
    job, task = find(call)
    call.match(task)
    select = selection(VIEW, call.query.get("$select"))
    context = call.context(job.id, call.core.store.specification(task))
    return Answer(body=render(VIEW, task, context, select), metadata="tasks/@Element", headers=version(task))


def list_all(call: Call) -> Answer:
    """List a job's tasks."""
    job = jobs.find(call)

    def contexts(page: Sequence[Task], select: Sequence[str] | None) -> Sequence[Context]:
        if select is not None and GIVEN_BY_TASK.isdisjoint(select):
            return [call.context(job.id)] * len(page)
        bodies = call.core.store.specifications(page)
        return [call.context(job.id, bodies[task.key]) for task in page]

    return listing.answer(call, _TASKS, contexts, "job = ?", [job.key])


def update(call: Call) -> Answer:
    """Give a task other constraints, or those it has by default."""
    job, task = find(call)
    call.match(task)
    if task.state == "completed":
        raise Refused("TaskCompleted", f"The task {task.id} is completed already.")
    body = json.loads(call.core.store.specification(task))
    body["constraints"] = tasks.constraints(call.body, json.loads(job.body))
    call.core.store.specify(task, json.dumps(body))
    run = call.core.runs.of_task(task.key)
    if run is not None:
        run.retention = body["constraints"]["retentionTime"]
    changed = tasks.constrained(task, body["constraints"], call.core.clock.now())
    return about(call, call.core.store.save(task, changed))


async def delete(call: Call) -> Answer:
    """Remove a task and its files, when its processes are gone."""
    job, task = find(call)
    call.match(task)
    ended = await tasking.end(call.core, task)
    if ended is not None:
        with call.core.store.transaction():
            call.core.store.remove(ended)
        await cleaning.remove_files(call.core, job, ended)
    call.core.look_at_job(job.key)
    return accepted(call, 200)


def terminate(call: Call) -> Answer:
    """Complete a task at once."""
    _, task = find(call)
    call.match(task)
    tasking.terminate(call.core, task)
    return accepted(call, 204)


def reactivate(call: Call) -> Answer:
    """Let a failed task run again."""
    job, task = find(call)
    call.match(task)
    if job.state != "active":
        job_states.refuse_ended(job)
        raise Refused("JobNotActive", f"The job {job.id} is {job.state}.")
    call.core.store.save(task, tasks.reactivated(task, call.core.clock.now()))
    call.core.look_at_job(job.key)
    return accepted(call, 204)
