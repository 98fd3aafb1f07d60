"""Jobs that are disabled, terminated and deleted, or come to an end by themselves."""

from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.core.rest import HttpRequest

from tests.local import instances
from tests.local.instances import eventually, new_name
from tests.local.moves import (
    LONG,
    SOON,
    add,
    delete_job,
    disable,
    enable,
    gate,
    on_wire,
    reach_job,
    reach_tasks,
    states,
    terminate,
)
from tests.local.tasks import refused

# --- disabled and enabled ---


def test_a_disabled_job_runs_nothing_until_it_is_enabled(client: Any, job: str) -> None:
    """What is added in between waits."""
    disable(client, job, "requeue")
    found = on_wire(client.get_job(job))
    assert (found["state"], found["previousState"]) == ("disabled", "disabling")
    add(client, job, "a")
    assert states(client, job) == {"a": "active"}
    enable(client, job)
    reach_tasks(client, job, a="completed")
    assert on_wire(client.get_job(job))["state"] == "active"


def test_disabling_can_requeue_what_runs(client: Any, job: str) -> None:
    """The task waits, and begins anew when the job is enabled."""
    add(client, job, "a", LONG)
    reach_tasks(client, job, a="running")
    disable(client, job, "requeue")
    task = client.get_task(job, "a")
    assert (task.state, task.execution_info.requeue_count, task.execution_info.retry_count) == ("active", 1, 0)
    assert task.node_info is None
    enable(client, job)
    reach_tasks(client, job, a="running")


def test_disabling_can_terminate_what_runs(client: Any, job: str) -> None:
    """The task is complete, and has failed."""
    add(client, job, "a", LONG)
    reach_tasks(client, job, a="running")
    disable(client, job, "terminate")
    task = client.get_task(job, "a")
    assert (task.state, task.execution_info.result, task.execution_info.requeue_count) == ("completed", "failure", 0)
    assert task.execution_info.failure_info.code == "TaskEnded"


def test_disabling_can_wait_for_what_runs(client: Any, job: str, tmp_path: Path) -> None:
    """The job is disabling as long as that takes, and runs nothing more."""
    command, let = gate(tmp_path)
    add(client, job, "a", command)
    reach_tasks(client, job, a="running")
    poller = client.begin_disable_job(job, {"disableTasks": "wait"}, polling_interval=SOON)
    add(client, job, "b")
    assert on_wire(client.get_job(job))["state"] == "disabling"
    assert not poller.done()
    let()
    poller.result()
    assert on_wire(client.get_job(job))["state"] == "disabled"
    assert states(client, job) == {"a": "completed", "b": "active"}


def test_who_waits_for_tasks_may_lose_patience(client: Any, job: str) -> None:
    """A job that is disabling is disabled in another way, or enabled, at once."""
    add(client, job, "a", LONG)
    reach_tasks(client, job, a="running")
    client.begin_disable_job(job, {"disableTasks": "wait"}, polling_interval=3600)
    enable(client, job)
    assert (on_wire(client.get_job(job))["state"], states(client, job)) == ("active", {"a": "running"})
    client.begin_disable_job(job, {"disableTasks": "wait"}, polling_interval=3600)
    disable(client, job, "requeue")
    assert (on_wire(client.get_job(job))["state"], states(client, job)) == ("disabled", {"a": "active"})


def test_how_a_job_is_disabled_must_be_said(client: Any, job: str) -> None:
    """And said in one of the three ways."""
    with refused("MissingRequiredProperty"):
        client.begin_disable_job(job, {})
    with refused("InvalidPropertyValue"):
        client.begin_disable_job(job, {"disableTasks": "kill"})


def test_a_disabled_job_can_move_to_another_pool(client: Any, job: str) -> None:
    """An active one can't. The tasks that wait run on the new pool's nodes."""
    with instances.pool(client) as other:
        with refused("OperationInvalidForCurrentState"):
            client.update_job(job, {"poolInfo": {"poolId": other}})
        disable(client, job, "requeue")
        add(client, job, "a")
        client.update_job(job, {"poolInfo": {"poolId": other}})
        enable(client, job)
        reach_tasks(client, job, a="completed")
        assert client.get_task(job, "a").node_info.pool_id == other


# --- terminated and deleted ---


def test_a_terminated_job_ends_what_runs_and_leaves_what_waits(client: Any, pool: str) -> None:
    """It says why and when, and takes no more tasks or changes."""
    with instances.job(client, pool, maxParallelTasks=1) as job:
        add(client, job, "a", LONG)
        add(client, job, "b")
        reach_tasks(client, job, a="running", b="active")
        terminate(client, job, "Enough of it")
        found = on_wire(client.get_job(job))
        assert (found["state"], found["previousState"]) == ("completed", "terminating")
        assert found["executionInfo"]["terminateReason"] == "Enough of it"
        assert found["executionInfo"]["endTime"] == found["stateTransitionTime"]
        assert states(client, job) == {"a": "completed", "b": "active"}
        assert client.get_task(job, "a").execution_info.failure_info.code == "TaskEnded"
        for change in (
            lambda: add(client, job, "c"),
            lambda: client.update_job(job, {"priority": 1}),
            lambda: client.begin_enable_job(job),
            lambda: client.begin_disable_job(job, {"disableTasks": "wait"}),
            lambda: client.begin_terminate_job(job, options={"terminateReason": "again"}),
        ):
            with refused("JobCompleted"):
                change()


def test_a_job_that_is_terminated_without_a_reason_was_ended_by_its_user(client: Any, job: str) -> None:
    """The body may be empty, as older clients send it."""
    request = HttpRequest("POST", f"/jobs/{job}/terminate", params={"api-version": "2025-06-01"})
    assert client.send_request(request).status_code == 202
    assert reach_job(client, job, "completed")["executionInfo"]["terminateReason"] == "UserTerminate"


def test_a_job_that_is_disabling_can_be_terminated(client: Any, job: str) -> None:
    """The tasks that it waited for are ended."""
    add(client, job, "a", LONG)
    reach_tasks(client, job, a="running")
    client.begin_disable_job(job, {"disableTasks": "wait"}, polling_interval=3600)
    terminate(client, job)
    assert (on_wire(client.get_job(job))["state"], states(client, job)) == ("completed", {"a": "completed"})


def test_a_job_that_is_requeueing_its_tasks_can_be_terminated(client: Any, job: str) -> None:
    """Whether a task was requeued or ended, none runs, and the job is complete."""
    add(client, job, "a", LONG)
    reach_tasks(client, job, a="running")
    client.begin_disable_job(job, {"disableTasks": "requeue"}, polling_interval=3600)
    terminate(client, job)
    assert on_wire(client.get_job(job))["state"] == "completed"
    assert states(client, job)["a"] in {"active", "completed"}


@pytest.mark.parametrize("how", ["requeue", "terminate", "wait"])
def test_a_disabled_job_can_be_deleted(client: Any, pool: str, how: str) -> None:
    """Even while it is disabling, whatever becomes of its tasks; the room that they took is free then."""
    with instances.job(client, pool) as other:
        job = new_name("job")
        client.create_job({"id": job, "poolInfo": {"poolId": pool}})
        add(client, job, "a", LONG, requiredSlots=2)
        reach_tasks(client, job, a="running")
        client.begin_disable_job(job, {"disableTasks": how}, polling_interval=3600)
        delete_job(client, job)
        with refused("JobNotFound"):
            client.get_job(job)
        add(client, other, "b", requiredSlots=2)
        reach_tasks(client, other, b="completed")


def test_a_deleted_job_ends_its_tasks_before_it_goes(client: Any, pool: str, tmp_path: Path) -> None:
    """The new job of that id has nothing of the old one."""
    job, pid = new_name("job"), tmp_path / "pid"
    client.create_job({"id": job, "poolInfo": {"poolId": pool}})
    add(client, job, "a", f"/bin/sh -c 'echo $$ > {pid}; touch old; {LONG}'")
    eventually(lambda: pid.exists() and pid.read_text(), bool)
    delete_job(client, job)
    assert not Path("/proc", pid.read_text().strip()).exists()
    client.create_job({"id": job, "poolInfo": {"poolId": pool}})
    assert states(client, job) == {}
    add(client, job, "a", "/bin/sh -c ls")
    reach_tasks(client, job, a="completed")
    assert b"".join(client.download_task_file(job, "a", "stdout.txt")) == b""
    client.begin_delete_job(job, polling_interval=3600)


def test_jobs_that_come_and_go_quickly_leave_nothing(client: Any, pool: str) -> None:
    """One id is used again and again, with tasks that run while it is deleted."""
    job = new_name("job")
    for _ in range(5):
        client.create_job({"id": job, "poolInfo": {"poolId": pool}})
        for task in "abcd":
            add(client, job, task, LONG)
        delete_job(client, job)
    with pytest.raises(ResourceNotFoundError):
        client.get_job(job)
    eventually(lambda: [node.running_tasks_count for node in client.list_nodes(pool)], lambda counts: counts == [0])


# --- what ends a job by itself ---


def test_a_job_ends_when_its_time_is_over(client: Any, pool: str) -> None:
    """What runs is ended, and the reason is said."""
    with instances.job(client, pool, constraints={"maxWallClockTime": "PT0.5S"}) as job:
        add(client, job, "a", LONG)
        found = reach_job(client, job, "completed")
        assert found["executionInfo"]["terminateReason"] == "MaxWallClockTimeExpiry"
        assert states(client, job) == {"a": "completed"}


def test_the_time_of_a_job_goes_on_while_it_is_disabled(client: Any, pool: str) -> None:
    """It is counted from when the job was made."""
    with instances.job(client, pool, constraints={"maxWallClockTime": "PT0.3S"}) as job:
        client.begin_disable_job(job, {"disableTasks": "wait"}, polling_interval=3600)
        found = reach_job(client, job, "completed")
        assert found["executionInfo"]["terminateReason"] == "MaxWallClockTimeExpiry"


def test_a_job_can_be_given_more_time_and_less(client: Any, pool: str) -> None:
    """The time that counts is the last that was given."""
    with instances.job(client, pool, constraints={"maxWallClockTime": "PT0.4S"}) as job:
        client.update_job(job, {"constraints": {"maxWallClockTime": "PT1H"}})
        with instances.job(client, pool, constraints={"maxWallClockTime": "PT0.4S"}) as other:
            reach_job(client, other, "completed")
        assert on_wire(client.get_job(job))["state"] == "active"
        client.update_job(job, {"constraints": {"maxWallClockTime": "PT0.1S"}})
        reach_job(client, job, "completed")


def test_tasks_are_retried_as_often_as_their_job_says(client: Any, pool: str) -> None:
    """If they don't say it themselves."""
    with instances.job(client, pool, constraints={"maxTaskRetryCount": 2}) as job:
        add(client, job, "a", "false")
        add(client, job, "b", "false", constraints={"maxTaskRetryCount": 0})
        reach_tasks(client, job, a="completed", b="completed")
        retries = {task.id: task.execution_info.retry_count for task in client.list_tasks(job)}
        assert retries == {"a": 2, "b": 0}


def test_an_empty_job_counts_as_complete(client: Any, pool: str) -> None:
    """One that is to end when all is complete does so at once."""
    with instances.job(client, pool, onAllTasksComplete="terminatejob") as job:
        assert reach_job(client, job, "completed")["executionInfo"]["terminateReason"] == "AllTasksComplete"


def test_a_job_can_be_told_to_end_once_its_tasks_are_added(client: Any, job: str, tmp_path: Path) -> None:
    """It ends after the last of them, whether they succeed or not, and can't be told otherwise."""
    command, let = gate(tmp_path)
    add(client, job, "a", command)
    add(client, job, "b", "false")
    client.update_job(job, {"onAllTasksComplete": "terminatejob"})
    with refused("InvalidPropertyValue"):
        client.update_job(job, {"onAllTasksComplete": "noaction"})
    with refused("InvalidPropertyValue"):
        client.replace_job(job, {"poolInfo": on_wire(client.get_job(job))["poolInfo"]})
    eventually(lambda: states(client, job)["b"], lambda state: state == "completed")
    assert on_wire(client.get_job(job))["state"] == "active"
    let()
    assert reach_job(client, job, "completed")["executionInfo"]["terminateReason"] == "AllTasksComplete"
    assert states(client, job) == {"a": "completed", "b": "completed"}


def test_a_task_that_was_deleted_is_waited_for_no_longer(client: Any, job: str) -> None:
    """A job that is to end does so when the last unfinished task is gone."""
    add(client, job, "a", LONG)
    reach_tasks(client, job, a="running")
    client.update_job(job, {"onAllTasksComplete": "terminatejob"})
    client.delete_task(job, "a")
    reach_job(client, job, "completed")


def exits(code: int, action: str) -> dict[str, Any]:
    """Give what is to be done to the job when a task ends with a code."""
    return {"exitCodes": [{"code": code, "exitOptions": {"jobAction": action}}]}


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ({}, "completed"),
        (exits(3, "terminate"), "completed"),
        (exits(3, "disable"), "disabled"),
        (exits(3, "none"), "active"),
        (exits(4, "none"), "completed"),
        ({"default": {"jobAction": "disable"}}, "disabled"),
        ({"exitCodeRanges": [{"start": 2, "end": 3, "exitOptions": {"jobAction": "disable"}}]}, "disabled"),
    ],
)
def test_what_a_failed_task_means_for_its_job(client: Any, pool: str, conditions: dict[str, Any], state: str) -> None:
    """The job minds only if it was told to, and then does what the task's conditions say."""
    with instances.job(client, pool, onTaskFailure="performexitoptionsjobaction") as job:
        add(client, job, "fine", exitConditions=conditions)
        reach_tasks(client, job, fine="completed")
        assert on_wire(client.get_job(job))["state"] == "active"
        add(client, job, "fails", "/bin/sh -c 'exit 3'", exitConditions=conditions)
        reach_tasks(client, job, fine="completed", fails="completed")
        found = reach_job(client, job, state)
        assert found["executionInfo"].get("terminateReason") == ("TaskFailed" if state == "completed" else None)


@pytest.mark.parametrize(
    ("command", "files"),
    [("no-such-program", []), ("true", [{"httpUrl": "http://127.0.0.1:1/x", "filePath": "../x"}])],
)
def test_a_task_that_could_not_run_has_failed_too(
    client: Any, pool: str, command: str, files: list[dict[str, str]]
) -> None:
    """It meets the condition for errors before its processes begin, and no other."""
    conditions = {"preProcessingError": {"jobAction": "disable"}, "default": {"jobAction": "none"}}
    with instances.job(client, pool, onTaskFailure="performexitoptionsjobaction") as job:
        add(client, job, "a", command, resourceFiles=files, exitConditions=conditions)
        reach_job(client, job, "disabled")


def test_a_job_that_does_not_mind_failures_goes_on(client: Any, job: str) -> None:
    """A task of such a job can't say otherwise."""
    add(client, job, "a", "false")
    reach_tasks(client, job, a="completed")
    assert on_wire(client.get_job(job))["state"] == "active"
    with refused("InvalidPropertyValue"):
        add(client, job, "b", exitConditions=exits(1, "terminate"))


def test_a_success_can_end_a_job_too(client: Any, pool: str) -> None:
    """A condition that names exit code 0 is met by it."""
    with instances.job(client, pool, onTaskFailure="performexitoptionsjobaction") as job:
        add(client, job, "a", exitConditions=exits(0, "terminate"))
        reach_tasks(client, job, a="completed")
        eventually(lambda: on_wire(client.get_job(job))["state"], lambda state: state == "completed")
