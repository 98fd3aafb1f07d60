"""A task goes only where the service's documentation lets it go, and shows only what belongs to the state it is in."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.local import wire
from fastbatch.local.bodies import JOB, TASK
from fastbatch.local.errors import Refused
from fastbatch.local.records import Job, Node, Pool, Task
from fastbatch.local.states import jobs, nodes, tasks
from fastbatch.local.states.outcomes import ENDED_BY_USER, NO_RETRY_LIMIT, OUT_OF_TIME, Failure, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

JOB_BODY = JOB({"id": "j", "poolInfo": {"poolId": "p"}})
SUCCEEDED = Outcome(0)
FAILED = Outcome(3)
NOT_STARTED = Outcome(None, Failure("BlobNotFound", "there is none"))
NOT_UPLOADED = Outcome(0, Failure("FileUploadContainerNotFound", "there is none"))
OUTCOMES = (SUCCEEDED, FAILED, Outcome(-9), NOT_STARTED, NOT_UPLOADED, Outcome(None, OUT_OF_TIME))


def a_pool() -> Pool:
    """Make a pool."""
    return Pool(1, "p", "{}", 1, 0, 0, "active", 0, "steady", 0)


def a_node() -> Node:
    """Make a node of it."""
    return nodes.new(a_pool(), "n", 0, dedicated=True)


def a_job(**more: Any) -> Job:
    """Make a job that runs on it."""
    body = JOB_BODY | more
    return jobs.new(body, json.dumps(body), 0)


def a_task(**more: Any) -> Task:
    """Make a task of the job, as it is when it was added."""
    body = TASK({"id": "t", "commandLine": "x", **more})
    return tasks.new(a_job(), body | {"constraints": tasks.constraints(body, JOB_BODY)}, 1)


def run(task: Task, outcome: Outcome, now: int = 10) -> Task:
    """Let a task run once."""
    return tasks.ended(tasks.assigned(task, a_pool(), a_node(), now), outcome, "PT1H", now + 1)


def refused(do: Callable[[], object]) -> str:
    """Expect a refusal, and give its code."""
    with pytest.raises(Refused) as caught:
        do()
    return caught.value.code


def test_constraints_come_from_the_task_then_the_job_then_the_service() -> None:
    """What a task does not say, its job may; without either there is no limit, and files are kept for a week."""
    job = JOB_BODY | {"constraints": {"maxWallClockTime": "PT1M", "maxTaskRetryCount": 4}}

    assert tasks.constraints({}, JOB_BODY) == {
        "maxWallClockTime": wire.FOREVER,
        "retentionTime": "P7D",
        "maxTaskRetryCount": 0,
    }
    assert tasks.constraints({}, job)["maxTaskRetryCount"] == 4
    assert tasks.constraints({}, job)["maxWallClockTime"] == wire.FOREVER
    given_too = tasks.constraints({"constraints": {"maxTaskRetryCount": 1, "retentionTime": "PT1H"}}, job)
    assert given_too == {"maxWallClockTime": wire.FOREVER, "retentionTime": "PT1H", "maxTaskRetryCount": 1}


@given(allowed=st.integers(0, 20))
def test_a_failing_task_runs_once_more_than_it_is_retried(allowed: int) -> None:
    """With N retries there are N + 1 runs, and each retry is counted."""
    task = a_task(constraints={"maxTaskRetryCount": allowed})
    runs = 0
    while task.state == "active":
        assert task.retries == runs
        task = run(task, FAILED, 10 * runs + 10)
        runs += 1

    assert runs == allowed + 1
    assert (task.state, task.retries, task.exit_code, task.result) == ("completed", allowed, 3, "failure")


def test_retries_can_be_without_limit() -> None:
    """-1 means that only success ends it."""
    task = a_task(constraints={"maxTaskRetryCount": -1})
    for n in range(100):
        task = run(task, FAILED, 10 * n + 10)
    assert (task.state, task.retries) == ("active", 100)
    assert run(task, SUCCEEDED).state == "completed"


@pytest.mark.parametrize("outcome", [SUCCEEDED, NOT_STARTED, NOT_UPLOADED, Outcome(None, OUT_OF_TIME)])
def test_only_a_failing_exit_code_is_retried(outcome: Outcome) -> None:
    """What failed before the process, after it, or of its time, fails for good."""
    task = run(a_task(constraints={"maxTaskRetryCount": 5}), outcome)

    assert (task.state, task.retries) == ("completed", 0)


@pytest.mark.parametrize(
    ("outcome", "result", "code"),
    [
        (SUCCEEDED, "success", None),
        (FAILED, "failure", "FailureExitCode"),
        (Outcome(-9), "failure", "FailureExitCode"),
        (NOT_STARTED, "failure", "BlobNotFound"),
        (NOT_UPLOADED, "failure", "FileUploadContainerNotFound"),
        (Outcome(None, OUT_OF_TIME), "failure", "TaskEnded"),
    ],
)
def test_a_failure_has_a_reason(outcome: Outcome, result: str, code: str | None) -> None:
    """The result follows from the exit code and what went wrong around the process."""
    task = run(a_task(), outcome)

    assert (task.result, task.exit_code) == (result, outcome.exit_code)
    assert (json.loads(task.failure)["code"] if task.failure else None) == code
    assert (task.started, task.ended) == (10, 11)


def test_a_failure_is_told_in_the_words_of_the_service() -> None:
    """Its details are pairs of name and value."""
    assert json.loads(OUT_OF_TIME.text()) == {
        "category": "UserError",
        "code": "TaskEnded",
        "message": "Task Was Ended by User Request",
        "details": [{"name": "Message", "value": "The maximum execution time configured on the task was exceeded"}],
    }


def test_a_waiting_task_shows_nothing_of_an_earlier_run() -> None:
    """Start, end, exit code, result and failure are those of a task that runs or is completed."""
    retried = run(a_task(constraints={"maxTaskRetryCount": 1}), FAILED)
    requeued = tasks.requeued(tasks.assigned(a_task(), a_pool(), a_node(), 10), 11)
    reactivated = tasks.reactivated(run(a_task(), FAILED), 12)

    for task in (retried, requeued, reactivated):
        assert task.state == "active"
        shown = (task.started, task.ended, task.exit_code, task.result, task.failure)
        assert shown == (None, None, None, None, None)
    assert (retried.retries, retried.retried) == (1, 11)
    assert (requeued.requeues, requeued.requeued) == (1, 11)


def test_a_task_that_waits_on_its_node_shows_no_run() -> None:
    """It has a node, and starts when the node is prepared."""
    waiting = tasks.waiting(a_task(), a_pool(), a_node(), 2)
    assert (waiting.state, waiting.node_id, waiting.started) == ("preparing", "n", None)
    running = tasks.admitted(waiting, 3)
    assert (running.state, running.previous_state, running.started) == ("running", "preparing", 3)
    back = tasks.sent_back(waiting, 4)
    assert (back.state, back.node_id, back.requeues, back.retries) == ("active", None, 0, 0)


def test_a_task_that_never_ran_has_no_start_when_it_is_terminated() -> None:
    """Nor an exit code; one that ran has a start, but its exit code is not known."""
    waiting = tasks.terminated(a_task(), "PT1H", 20)
    running = tasks.terminated(tasks.assigned(a_task(), a_pool(), a_node(), 10), "PT1H", 20)
    between = tasks.terminated(run(a_task(constraints={"maxTaskRetryCount": 1}), FAILED), "PT1H", 20)

    for task, started in ((waiting, None), (running, 10), (between, None)):
        assert (task.state, task.result, task.ended) == ("completed", "failure", 20)
        assert task.failure == ENDED_BY_USER.text()
        assert (task.started, task.exit_code) == (started, None)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_is_completed_can_not_be_terminated(outcome: Outcome) -> None:
    """Whichever way it ended."""
    task = run(a_task(), outcome)

    assert refused(lambda: tasks.terminated(task, "PT1H", 20)) == "TaskCompleted"


def test_only_a_failed_task_is_reactivated() -> None:
    """One that has not ended, or succeeded, is left alone."""
    waiting = a_task()
    running = tasks.assigned(waiting, a_pool(), a_node(), 10)

    assert refused(lambda: tasks.reactivated(waiting, 20)) == "TaskNotCompleted"
    assert refused(lambda: tasks.reactivated(running, 20)) == "TaskNotCompleted"
    assert refused(lambda: tasks.reactivated(run(waiting, SUCCEEDED), 20)) == "TaskSucceeded"


def test_a_reactivated_task_has_all_its_retries_again() -> None:
    """The count of retries begins anew, that of requeues goes on."""
    task = a_task(constraints={"maxTaskRetryCount": 1})
    task = tasks.requeued(tasks.assigned(task, a_pool(), a_node(), 2), 3)
    task = tasks.reactivated(run(run(task, FAILED), FAILED, 20), 30)

    assert (task.retries, task.retried, task.requeues, task.modified) == (0, None, 1, 30)
    assert run(task, FAILED, 40).state == "active"


@given(seconds=st.integers(0, 10**9), outcome=st.sampled_from(OUTCOMES))
def test_files_are_kept_from_the_end_on(seconds: int, outcome: Outcome) -> None:
    """The retention time begins when the task is completed, and ends when it runs again."""
    running = tasks.assigned(a_task(), a_pool(), a_node(), 10)
    ended = tasks.ended(running, outcome, f"PT{seconds}S", 50)

    assert ended.files_until == 50 + seconds * wire.SECOND
    assert tasks.terminated(running, f"PT{seconds}S", 50).files_until == 50 + seconds * wire.SECOND
    again = tasks.assigned(replace(ended, files_gone=True), a_pool(), a_node(), 60)
    assert (again.files_until, again.files_gone) == (None, False)


def test_files_can_be_kept_for_ever() -> None:
    """The longest duration of all stays within what can be stored."""
    running = tasks.assigned(a_task(), a_pool(), a_node(), 10)

    assert tasks.ended(running, SUCCEEDED, wire.FOREVER, wire.END_OF_TIME - 1).files_until == wire.END_OF_TIME


def test_a_changed_constraint_is_another_version() -> None:
    """Only what can be changed is changed."""
    task = a_task()
    changed = tasks.constrained(task, {"maxTaskRetryCount": 7}, 20)

    assert changed == replace(task, retries_allowed=7, modified=20)


STEPS: dict[str, tuple[str, Callable[[Task, int], Task]]] = {
    "assign": ("active", lambda task, now: tasks.assigned(task, a_pool(), a_node(), now)),
    "requeue": ("running", tasks.requeued),
    "terminate": ("active running", lambda task, now: tasks.terminated(task, "P7D", now)),
    "reactivate": ("completed", tasks.reactivated),
}
for place, each in enumerate(OUTCOMES):
    STEPS[f"end {place}"] = ("running", lambda task, now, how=each: tasks.ended(task, how, "P7D", now))  # type: ignore[misc]


def steps(task: Task, names: list[str]) -> Iterator[tuple[Task, Task]]:
    """Take those steps that can be taken; give the task before and after each."""
    clock = itertools.count(10)
    for name in names:
        states, step = STEPS[name]
        if task.state in states.split() and not (name == "reactivate" and task.result == "success"):
            before, task = task, step(task, next(clock))
            yield before, task


@given(names=st.lists(st.sampled_from(sorted(STEPS))), allowed=st.integers(-1, 3))
def test_whatever_happens_a_task_shows_what_belongs_to_its_state(names: list[str], allowed: int) -> None:
    """Each state has its properties, each change tells where it came from, and counts never go beyond their limits."""
    for before, after in steps(a_task(constraints={"maxTaskRetryCount": allowed}), names):
        assert (after.previous_state, after.previous_time) == (before.state, before.state_time)
        assert after.state_time > before.state_time
        assert (after.ended is not None) == (after.result is not None) == (after.state == "completed")
        assert (after.files_until is not None) == (after.state == "completed")
        assert (after.failure is not None) == (after.result == "failure")
        assert after.started is not None if after.state == "running" else True
        assert after.started is None if after.state == "active" else True
        assert after.exit_code is None or after.state == "completed"
        assert after.requeues >= before.requeues
        assert allowed == NO_RETRY_LIMIT or after.retries <= allowed
