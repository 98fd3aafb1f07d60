"""The life of a job, as pure functions tell it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from fastbatch.local import bodies, wire
from fastbatch.local.errors import Refused
from fastbatch.local.records import Job
from fastbatch.local.states import jobs

CREATED = 1_000 * wire.SECOND
LATER = CREATED + wire.SECOND

ACTIVE, ENDING, COMPLETED, DELETING = "active", "terminating", "completed", "deleting"
Move = Callable[[Job], Job]

MOVES: Mapping[str, Move] = {
    "disable": lambda job: jobs.disabling(job, "requeue", LATER),
    "enable": lambda job: jobs.enabled(job, LATER),
    "terminate": lambda job: jobs.terminating(job, "Enough", LATER),
    "delete": lambda job: jobs.deleting(job, LATER),
    "change": lambda job: changed(job, priority=1),
}
REFUSALS = {ENDING: "JobBeingTerminated", COMPLETED: "JobCompleted", DELETING: "JobBeingDeleted"}


def body(**more: Any) -> dict[str, Any]:
    """Give the checked body of a job."""
    return bodies.JOB({"id": "job", "poolInfo": {"poolId": "pool"}, **more})


def new(**more: Any) -> Job:
    """Give a job that was just made."""
    return jobs.new(body(**more), json.dumps(body(**more)), CREATED)


def in_state(state: str) -> Job:
    """Give a job in some state."""
    return replace(new(), state=state)


def changed(job: Job, **properties: Any) -> Job:
    """Give a job with other properties."""
    before = json.loads(job.body)
    after = {**before, **properties}
    return jobs.changed(job, before, after, json.dumps(after), LATER)


def refusal(move: Move, job: Job) -> str | None:
    """Give the code with which a move is refused, if it is."""
    try:
        move(job)
    except Refused as refused:
        return refused.code
    return None


def test_a_new_job_is_active_and_has_no_past() -> None:
    """It runs from the moment that it is made, and has no state before that."""
    job = new()
    assert (job.state, job.state_time, job.started) == ("active", CREATED, CREATED)
    assert (job.previous_state, job.previous_time, job.ended) == (None, None, None)


def test_every_move_remembers_where_it_came_from() -> None:
    """The state before, and since when it was so, are known after each move."""
    job = jobs.disabling(new(), "wait", LATER)
    assert (job.state, job.state_time) == ("disabling", LATER)
    assert (job.previous_state, job.previous_time) == ("active", CREATED)
    assert job.disable_tasks == "wait"


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", ["active", "disabling", "disabled"])
def test_a_job_that_has_not_ended_can_be_moved_in_any_way(move: str, state: str) -> None:
    """Whatever is asked of it is done."""
    assert refusal(MOVES[move], in_state(state)) is None


@pytest.mark.parametrize("move", ["disable", "enable", "terminate", "change"])
@pytest.mark.parametrize("state", REFUSALS)
def test_a_job_at_its_end_can_not_be_moved_back(move: str, state: str) -> None:
    """Each state of the end has a code of its own."""
    assert refusal(MOVES[move], in_state(state)) == REFUSALS[state]


@pytest.mark.parametrize("state", [ENDING, COMPLETED])
def test_a_job_at_its_end_can_be_deleted(state: str) -> None:
    """Only a job that is being deleted can't be deleted once more."""
    assert jobs.deleting(in_state(state), LATER).state == "deleting"
    assert refusal(MOVES["delete"], in_state(DELETING)) == "JobBeingDeleted"


@pytest.mark.parametrize(("move", "state"), [("disable", "disabled"), ("enable", "active")])
def test_to_ask_for_what_is_so_changes_nothing(move: str, state: str) -> None:
    """A disabled job is disabled again, an active one enabled again, and stays as it is."""
    job = in_state(state)
    assert MOVES[move](job) == job


def test_a_job_ends_with_its_reason() -> None:
    """It knows why and when it ended."""
    job = jobs.completed(jobs.terminating(new(), "Enough", CREATED + 1), LATER)
    assert (job.state, job.previous_state) == ("completed", "terminating")
    assert (job.terminate_reason, job.ended) == ("Enough", LATER)


def test_the_time_of_a_job_is_counted_from_its_start() -> None:
    """A change of the longest time moves its end, and the longest of all times is none."""
    job = new(constraints={"maxWallClockTime": "PT1M"})
    assert job.deadline == CREATED + 60 * wire.SECOND
    assert changed(job, constraints={"maxWallClockTime": "PT2M"}).deadline == CREATED + 120 * wire.SECOND
    assert changed(job, constraints={"maxWallClockTime": wire.FOREVER}).deadline is None
    assert new().deadline is None


def test_a_job_that_ends_when_all_is_complete_stays_so() -> None:
    """The way back is refused, with the property that is wrong."""
    job = changed(new(), onAllTasksComplete="terminatejob")
    assert job.on_all_complete == "terminatejob"
    with pytest.raises(Refused) as refused:
        changed(job, onAllTasksComplete="noaction")
    assert (refused.value.code, refused.value.values) == (
        "InvalidPropertyValue",
        {"PropertyName": "onAllTasksComplete"},
    )


@pytest.mark.parametrize("state", ["active", "disabling"])
def test_the_pool_of_a_job_changes_only_while_it_is_disabled(state: str) -> None:
    """Before, nothing may run of it any more."""
    move = {"poolInfo": {"poolId": "other"}}
    assert refusal(lambda job: changed(job, **move), in_state(state)) == "OperationInvalidForCurrentState"
    assert changed(in_state("disabled"), **move).pool_id == "other"
    assert refusal(lambda job: changed(job, poolInfo={"poolId": "pool"}), in_state(state)) is None


def test_a_change_is_a_new_version() -> None:
    """It is in the job's columns, for the scheduler, and in the time of modification, for the tag."""
    job = changed(new(), priority=7, maxParallelTasks=3)
    assert (job.priority, job.most_parallel, job.modified) == (7, 3, LATER)
