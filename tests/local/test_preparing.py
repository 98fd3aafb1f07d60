"""When nodes are prepared for jobs and release them, whatever happens to jobs, tasks, nodes and service meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastbatch.local import bodies, wire
from fastbatch.local.operations import jobs, mishaps, nodes, pools, preparations, tasks
from fastbatch.local.operations.call import Operation
from fastbatch.local.records import Errand, Job, Node, Task
from fastbatch.local.states.outcomes import Failure, Outcome
from tests.local.play import JOB, POOL, Doing, Play, add, playing, pool_body

PREPARATION: dict[str, Any] = {"jobPreparationTask": {"commandLine": "p"}}
BESIDE: dict[str, Any] = {"jobPreparationTask": {"commandLine": "p", "waitForSuccess": False}}
RELEASE: dict[str, Any] = {"jobReleaseTask": {"commandLine": "r"}}
WELL, ILL = Outcome(0), Outcome(1)
MISSING = Outcome(None, Failure("BlobNotFound", "there is none"))
MINUTE = 60 * wire.SECOND


@pytest.fixture
def play() -> Iterator[Play]:
    """Have a service with a pool of two nodes with two slots each."""
    service = Play(Path(":memory:"))
    service.ask(pools.create, POOL, pool_body("pool", 2, 2, "Pack"))
    yield service
    service.close()


def add_job(play: Play, name: str = "job", **more: Any) -> None:
    """Make a job."""
    play.ask(jobs.create, JOB, {"id": name, "poolInfo": {"poolId": "pool"}, **more})


def states(play: Play) -> dict[str, str]:
    """Give the states of all tasks."""
    return {task.id: task.state for task in play.store.select(Task, order="key")}


def job_state(play: Play) -> str | None:
    """Give the state of the first job, if there is one."""
    return next((job.state for job in play.store.select(Job, order="key")), None)


def doing(play: Play, kind: str) -> list[Doing]:
    """Give the preparations or releases that go on."""
    return [each for each in play.agent.doing if each.duty.errand.kind == kind]


def end(play: Play, kind: str, outcome: Outcome = WELL) -> None:
    """Let all preparations or releases end that go on."""
    for each in doing(play, kind):
        each.end(outcome)
    play.settle()


def end_tasks(play: Play, outcome: Outcome = WELL) -> None:
    """Let all tasks end that run."""
    for each in list(play.agent.playing):
        each.end(outcome)
    play.settle()


def shown(play: Play, operation: Operation, task: str = "", node: str = "") -> dict[str, Any]:
    """Give what an operation shows."""
    answer = play.ask(operation, pool="pool", job="job", task=task, node=node)
    assert answer
    return dict(answer.body or {})


def statuses(play: Play) -> list[dict[str, Any]]:
    """Give what is shown of preparations and releases."""
    return list(shown(play, preparations.list_statuses)["value"])


# --- before the first task ---


def test_tasks_wait_on_their_node_until_it_is_prepared(play: Play) -> None:
    """They have their slots, and count as running, but have not started; later ones find all done."""
    add_job(play, **PREPARATION)
    add(play, "a", "b")
    assert (states(play), len(doing(play, "preparation"))) == ({"a": "preparing", "b": "preparing"}, 1)
    task = shown(play, tasks.get, task="a")
    assert ("startTime" in task["executionInfo"], task["nodeInfo"]["nodeId"]) == (False, "node0d")
    assert shown(play, jobs.task_counts)["taskCounts"]["running"] == 2
    node = shown(play, nodes.get, node="node0d")
    assert (node["state"], node["runningTaskSlotsCount"], node["totalTasksRun"]) == ("running", 2, 0)

    end(play, "preparation")
    assert states(play) == {"a": "running", "b": "running"}
    assert "startTime" in shown(play, tasks.get, task="a")["executionInfo"]
    assert shown(play, nodes.get, node="node0d")["totalTasksRun"] == 2
    end_tasks(play)
    add(play, "c")
    assert (states(play)["c"], doing(play, "preparation")) == ("running", [])


def test_each_node_is_prepared_once_for_each_job(play: Play) -> None:
    """Side by side, and only those that the job's tasks come to."""
    add_job(play, **PREPARATION)
    add_job(play, "other", **PREPARATION)
    add(play, "a", requiredSlots=2)
    add(play, "b", job="other")
    add(play, "c")
    prepared = [(each.duty.job.id, each.duty.node.id) for each in doing(play, "preparation")]
    assert prepared == [("job", "node0d"), ("other", "node1d"), ("job", "node1d")]


def test_a_node_that_could_not_be_prepared_takes_no_task_of_the_job(play: Play) -> None:
    """Those that waited there go to another; the job's place in the queue keeps nobody from the node."""
    add_job(play, priority=100, **PREPARATION)
    add(play, "a", "b")
    end(play, "preparation", ILL)
    assert states(play) == {"a": "preparing", "b": "preparing"}
    (again,) = doing(play, "preparation")
    assert again.duty.node.id == "node1d"
    assert [task.requeues for task in play.store.select(Task)] == [0, 0]

    end(play, "preparation", ILL)
    add_job(play, "other")
    add(play, "c", "d", "e", "f", job="other")
    assert states(play) == {"a": "active", "b": "active", **dict.fromkeys("cdef", "running")}
    assert job_state(play) == "active"


def test_a_preparation_is_retried_as_often_as_the_job_allows(play: Play) -> None:
    """Where its own command has failed; its tasks wait on."""
    add_job(play, jobPreparationTask={"commandLine": "p", "constraints": {"maxTaskRetryCount": 1}})
    add(play, "a")
    end(play, "preparation", ILL)
    (status,) = statuses(play)
    info = status["jobPreparationTaskExecutionInfo"]
    assert (states(play)["a"], info["state"], info["retryCount"]) == ("preparing", "running", 1)
    end(play, "preparation", WELL)
    assert states(play)["a"] == "running"

    add(play, "b", requiredSlots=2)
    end(play, "preparation", MISSING)
    assert (states(play)["b"], doing(play, "preparation")) == ("active", [])


def test_tasks_need_not_wait_for_the_preparation(play: Play) -> None:
    """If the job says so: neither for its end nor for its success."""
    add_job(play, **BESIDE)
    add(play, "a")
    assert (states(play)["a"], len(doing(play, "preparation"))) == ("running", 1)
    end(play, "preparation", ILL)
    add(play, "b")
    assert (states(play), doing(play, "preparation")) == ({"a": "running", "b": "running"}, [])


@pytest.mark.parametrize("operation", [tasks.terminate, tasks.delete])
def test_a_task_can_be_ended_while_its_node_is_prepared(play: Play, operation: Operation) -> None:
    """It never runs, and its slots are free; the preparation goes on for the next."""
    add_job(play, **PREPARATION)
    add(play, "a", requiredSlots=2)
    play.ask(operation, job="job", task="a")
    assert "a" not in states(play) if operation is tasks.delete else states(play)["a"] == "completed"
    add(play, "b", requiredSlots=2)
    assert (states(play)["b"], len(doing(play, "preparation"))) == ("preparing", 1)
    end(play, "preparation")
    assert playing(play) == ["b"]


@pytest.mark.parametrize(
    ("how", "at_once", "task"), [("requeue", "disabled", "active"), ("terminate", "disabled", "completed")]
)
def test_a_job_can_be_disabled_while_its_node_is_prepared(play: Play, how: str, at_once: str, task: str) -> None:
    """Its tasks leave the node, and the preparation goes to its end; the job has not ended, so nothing is undone."""
    add_job(play, **PREPARATION, **RELEASE)
    add(play, "a")
    play.ask(jobs.disable, bodies.JOB_DISABLE, {"disableTasks": how}, job="job")
    assert (job_state(play), states(play)["a"]) == (at_once, task)
    end(play, "preparation")
    play.ask(jobs.enable, job="job")
    add(play, "b")
    assert (states(play)["b"], play.agent.doing) == ("running", [])


def test_who_disables_a_job_and_waits_waits_for_tasks_on_nodes_that_are_prepared(play: Play) -> None:
    """They run first."""
    add_job(play, **PREPARATION)
    add(play, "a")
    play.ask(jobs.disable, bodies.JOB_DISABLE, {"disableTasks": "wait"}, job="job")
    end(play, "preparation")
    assert (job_state(play), states(play)["a"]) == ("disabling", "running")
    end_tasks(play)
    assert (job_state(play), states(play)["a"]) == ("disabled", "completed")


# --- at the end of the job ---


def test_every_node_that_was_prepared_releases_the_job(play: Play) -> None:
    """Side by side, when the job's last task has ended; the job ends after that, however it went."""
    add_job(play, **PREPARATION, **RELEASE)
    add(play, "a", "b", requiredSlots=2)
    end(play, "preparation")
    play.ask(jobs.terminate, bodies.JOB_TERMINATE, {}, job="job")
    assert (job_state(play), doing(play, "release")) == ("terminating", [])
    end_tasks(play)
    assert (job_state(play), len(doing(play, "release"))) == ("terminating", 2)
    end(play, "release", ILL)
    assert job_state(play) == "completed"
    assert [status["jobReleaseTaskExecutionInfo"]["exitCode"] for status in statuses(play)] == [1, 1]
    assert [status["jobPreparationTaskExecutionInfo"]["exitCode"] for status in statuses(play)] == [0, 0]

    play.ask(jobs.delete, job="job")
    assert (job_state(play), list(play.store.select(Errand))) == (None, [])


def test_a_job_that_ends_by_itself_is_released_too(play: Play) -> None:
    """With its last task, or with its time."""
    add_job(play, onAllTasksComplete="terminatejob", **BESIDE, **RELEASE)
    assert (job_state(play), play.agent.doing) == ("completed", [])  # it never came to a node
    limits = {"maxWallClockTime": "PT1M"}
    add_job(play, "late", constraints=limits, **PREPARATION, **RELEASE)
    add(play, "a", job="late")
    end(play, "preparation")
    play.wait(MINUTE)
    end_tasks(play)
    assert len(doing(play, "release")) == 1


@pytest.mark.parametrize("operation", [jobs.terminate, jobs.delete])
def test_a_job_can_end_while_a_node_is_prepared(play: Play, operation: Operation) -> None:
    """The preparation is stopped; what it has done until then is undone all the same."""
    add_job(play, **PREPARATION, **RELEASE)
    add(play, "a")
    play.ask(operation, job="job")
    (preparation,) = doing(play, "preparation")
    assert (preparation.stopped, doing(play, "release")) == (True, [])
    end(play, "preparation")
    info = statuses(play)[0]["jobPreparationTaskExecutionInfo"]
    assert (info["result"], info["failureInfo"]["code"]) == ("failure", "TaskEnded")
    assert len(doing(play, "release")) == 1
    end(play, "release")
    assert job_state(play) == ("completed" if operation is jobs.terminate else None)


def test_a_job_ends_with_a_preparation_that_nobody_waits_for(play: Play) -> None:
    """It may have gone on as long as the job's tasks."""
    add_job(play, onAllTasksComplete="terminatejob", **BESIDE)
    assert job_state(play) == "completed"
    add_job(play, "next", **BESIDE)
    add(play, "a", job="next")
    end_tasks(play)
    play.ask(jobs.patch, bodies.JOB_PATCH, {"onAllTasksComplete": "terminatejob"}, job="next")
    (preparation,) = doing(play, "preparation")
    assert preparation.stopped
    end(play, "preparation")
    assert [job.state for job in play.store.select(Job)] == ["completed", "completed"]


def test_a_job_can_be_deleted_while_it_is_released(play: Play) -> None:
    """It goes when that is done, and is not released twice."""
    add_job(play, **BESIDE, **RELEASE)
    add(play, "a")
    end_tasks(play)
    end(play, "preparation")
    play.ask(jobs.terminate, bodies.JOB_TERMINATE, {}, job="job")
    play.ask(jobs.delete, job="job")
    assert (job_state(play), len(doing(play, "release"))) == ("deleting", 1)
    end(play, "release")
    assert (job_state(play), play.agent.doing) == (None, [])


# --- nodes that go, or start anew ---


def remove(play: Play, how: str, name: str) -> None:
    """Remove a node."""
    play.ask(pools.remove_nodes, bodies.REMOVE_NODES, {"nodeList": [name], "nodeDeallocationOption": how}, pool="pool")


def test_a_node_can_be_removed_while_it_is_prepared(play: Play) -> None:
    """Its task waits on another node at once, where the preparation begins anew."""
    add_job(play, **PREPARATION)
    add(play, "a")
    remove(play, "requeue", "node0d")
    assert [(each.duty.node.id, each.stopped) for each in play.agent.doing] == [("node0d", True), ("node1d", False)]
    (task,) = play.store.select(Task)
    assert (task.state, task.node_id, task.requeues) == ("preparing", "node1d", 1)
    end(play, "preparation")
    assert [node.id for node in play.store.select(Node)] == ["node1d"]
    assert states(play) == {"a": "running"}


def test_a_node_that_leaves_after_its_tasks_runs_those_that_wait(play: Play) -> None:
    """But a preparation that nobody waits for any more does not keep it."""
    add_job(play, **PREPARATION)
    add_job(play, "other", **BESIDE)
    add(play, "a")
    add(play, "b", job="other")
    remove(play, "taskcompletion", "node0d")
    doing(play, "preparation")[0].end(WELL)
    play.settle()
    assert states(play) == {"a": "running", "b": "running"}
    end_tasks(play)
    (beside,) = doing(play, "preparation")
    assert beside.stopped
    end(play, "preparation")
    assert [node.id for node in play.store.select(Node)] == ["node1d"]


def test_a_node_that_is_not_to_leave_after_all_is_prepared_again(play: Play) -> None:
    """As its preparation was stopped."""
    add_job(play, **PREPARATION)
    add(play, "a", "b", "c", "d")
    play.ask(pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 0}, pool="pool")
    play.ask(pools.stop_resize, pool="pool")
    end(play, "preparation")
    assert (set(states(play).values()), len(doing(play, "preparation"))) == ({"preparing"}, 2)
    end(play, "preparation")
    assert set(states(play).values()) == {"running"}


@pytest.mark.parametrize("moment", ["before", "while"])
def test_a_job_waits_for_no_release_on_a_node_that_leaves(play: Play, moment: str) -> None:
    """Or has left; what is known of the node stays known."""
    add_job(play, **BESIDE, **RELEASE)
    add(play, "a", "b", requiredSlots=2)
    end(play, "preparation")
    end_tasks(play)
    if moment == "before":
        remove(play, "requeue", "node0d")
    play.ask(jobs.terminate, bodies.JOB_TERMINATE, {}, job="job")
    if moment == "while":
        remove(play, "requeue", "node0d")
    end(play, "release")
    assert job_state(play) == "completed"
    assert [status["nodeId"] for status in statuses(play)] == ["node0d", "node1d"]
    known = [status.get("jobReleaseTaskExecutionInfo", {}).get("result") for status in statuses(play)]
    assert known == [None if moment == "before" else "failure", "success"]


def test_a_pool_can_be_deleted_while_it_releases_a_job(play: Play) -> None:
    """Both end."""
    add_job(play, **PREPARATION, **RELEASE)
    add(play, "a")
    play.ask(jobs.terminate, bodies.JOB_TERMINATE, {}, job="job")
    end(play, "preparation")
    play.ask(pools.delete, pool="pool")
    end(play, "release")
    assert (job_state(play), list(play.store.select(Node))) == ("completed", [])


def start_anew(play: Play, node: str, *, rebooted: bool, how: str = "requeue") -> None:
    """Let a node start anew, and what was stopped there be gone."""
    if rebooted:
        play.ask(nodes.reboot, bodies.REBOOT, {"nodeRebootOption": how}, pool="pool", node=node)
    else:
        play.ask(nodes.reimage, bodies.REIMAGE, {"nodeReimageOption": how}, pool="pool", node=node)
    for each in [each for each in play.agent.doing if each.stopped]:
        each.end(WELL)
    play.settle()


@pytest.mark.parametrize(("rebooted", "again"), [(True, True), (True, False), (False, False)])
def test_a_node_that_started_anew_is_prepared_again(play: Play, rebooted: bool, again: bool) -> None:
    """Unless it was only rebooted, and the job does not want that."""
    add_job(play, jobPreparationTask={"commandLine": "p", "rerunOnNodeRebootAfterSuccess": again})
    add(play, "a", requiredSlots=2)
    end(play, "preparation")
    end_tasks(play)
    start_anew(play, "node0d", rebooted=rebooted)
    add(play, "b", requiredSlots=2)
    assert states(play)["b"] == ("running" if rebooted and not again else "preparing")


@pytest.mark.parametrize("rebooted", [True, False])
def test_a_node_is_barred_until_it_is_made_anew(play: Play, rebooted: bool) -> None:
    """A reboot does not help a preparation that has failed."""
    remove(play, "requeue", "node1d")
    add_job(play, **PREPARATION)
    add(play, "a")
    end(play, "preparation", ILL)
    start_anew(play, "node0d", rebooted=rebooted)
    assert states(play)["a"] == ("active" if rebooted else "preparing")


def test_a_preparation_that_a_reboot_broke_off_is_done_again(play: Play) -> None:
    """Those who waited for it wait for a node once more."""
    remove(play, "requeue", "node1d")
    add_job(play, **PREPARATION)
    add(play, "a")
    start_anew(play, "node0d", rebooted=True)
    assert (states(play)["a"], [task.requeues for task in play.store.select(Task)]) == ("preparing", [1])
    end(play, "preparation")
    assert states(play)["a"] == "running"


@pytest.mark.parametrize("rebooted", [True, False])
def test_a_release_that_a_reboot_broke_off_is_done_again(play: Play, rebooted: bool) -> None:
    """The job waits for the node; a node that was made anew has nothing to undo."""
    add_job(play, **PREPARATION, **RELEASE)
    add(play, "a")
    end(play, "preparation")
    end_tasks(play)
    play.ask(jobs.terminate, bodies.JOB_TERMINATE, {}, job="job")
    start_anew(play, "node0d", rebooted=rebooted)
    assert (job_state(play), len(doing(play, "release"))) == (("terminating", 1) if rebooted else ("completed", 0))
    end(play, "release")
    assert job_state(play) == "completed"


def test_a_node_that_starts_anew_after_its_tasks_runs_those_that_wait(play: Play) -> None:
    """But a preparation that nobody waits for does not hold it up."""
    add_job(play, **PREPARATION)
    add_job(play, "other", **BESIDE)
    add(play, "a")
    add(play, "b", job="other")
    start_anew(play, "node0d", rebooted=True, how="taskcompletion")
    awaited, beside = doing(play, "preparation")
    assert (awaited.stopped, beside.stopped) == (False, False)
    awaited.end(WELL)
    play.settle()
    end_tasks(play)
    assert beside.stopped
    end(play, "preparation")
    assert shown(play, nodes.get, node="node0d")["state"] == "idle"


def test_a_lost_node_is_prepared_again_when_it_is_back(play: Play) -> None:
    """Its tasks wait elsewhere meanwhile, and what its own preparation comes to is of no interest."""
    add_job(play, **PREPARATION)
    add(play, "a")
    play.ask(mishaps.lose, pool="pool", node="node0d")
    assert [task.node_id for task in play.store.select(Task)] == ["node1d"]
    lost, other = doing(play, "preparation")
    lost.end(ILL)
    other.end(WELL)
    play.settle()
    assert (states(play)["a"], play.agent.doing) == ("running", [])
    play.ask(mishaps.bring_back, pool="pool", node="node0d")
    add(play, "b", requiredSlots=2)
    assert [each.duty.node.id for each in doing(play, "preparation")] == ["node0d"]


def test_what_a_lost_node_still_does_ends_when_it_is_back(play: Play) -> None:
    """Before any task comes to it again."""
    remove(play, "requeue", "node1d")
    add_job(play, **PREPARATION)
    add(play, "a")
    play.ask(mishaps.lose, pool="pool", node="node0d")
    play.ask(mishaps.bring_back, pool="pool", node="node0d")
    (lost,) = doing(play, "preparation")
    assert (lost.stopped, states(play)["a"]) == (True, "active")
    lost.end(WELL)
    play.settle()
    (again,) = doing(play, "preparation")
    assert (again.stopped, states(play)["a"]) == (False, "preparing")


@pytest.mark.parametrize("outcome", [WELL, ILL])
@pytest.mark.parametrize("retries", [0, 1])
def test_how_a_preparation_ended_is_not_known_if_its_node_was_lost_just_then(
    play: Play, outcome: Outcome, retries: int
) -> None:
    """It is broken off, like one that goes on; nothing begins on the lost node, and nothing bars it when it is back."""
    add_job(play, jobPreparationTask={"commandLine": "p", "constraints": {"maxTaskRetryCount": retries}})
    add(play, "a")
    doing(play, "preparation")[0].outcome.set_result(outcome)
    play.ask(mishaps.lose, pool="pool", node="node0d")
    assert [each.duty.node.id for each in play.agent.doing] == ["node1d"]
    lost = statuses(play)[0]["jobPreparationTaskExecutionInfo"]
    assert (lost["failureInfo"]["code"], "exitCode" in lost) == ("TaskEnded", False)

    play.ask(mishaps.bring_back, pool="pool", node="node0d")
    add(play, "b", "c")
    assert [each.duty.node.id for each in play.agent.doing] == ["node1d", "node0d"]


def test_a_job_waits_for_no_release_on_a_node_that_is_lost(play: Play) -> None:
    """Nobody knows whether it comes back."""
    add_job(play, **BESIDE, **RELEASE)
    add(play, "a")
    end(play, "preparation")
    end_tasks(play)
    play.ask(jobs.terminate, bodies.JOB_TERMINATE, {}, job="job")
    assert job_state(play) == "terminating"
    play.ask(mishaps.lose, pool="pool", node="node0d")
    assert job_state(play) == "completed"


# --- the service itself ---


def test_preparations_begin_anew_when_the_service_comes_back(play: Play) -> None:
    """And what was prepared stays so."""
    add_job(play, **PREPARATION, **RELEASE)
    add(play, "a")
    play.restart()
    assert (states(play)["a"], len(doing(play, "preparation"))) == ("preparing", 1)
    end(play, "preparation")
    play.restart()
    assert (states(play)["a"], doing(play, "preparation")) == ("running", [])


def test_releases_begin_anew_when_the_service_comes_back(play: Play) -> None:
    """Only those that were under way; a preparation is not done for a job that ends."""
    add_job(play, **PREPARATION, **RELEASE)
    add(play, "a", "b", requiredSlots=2)
    doing(play, "preparation")[0].end(WELL)
    play.settle()
    play.ask(jobs.terminate, bodies.JOB_TERMINATE, {}, job="job")
    play.restart()
    assert (len(doing(play, "release")), len(play.agent.doing)) == (2, 2)
    doing(play, "release")[0].end(WELL)
    play.settle()
    play.restart()
    assert (job_state(play), len(doing(play, "release"))) == ("terminating", 1)
    end(play, "release")
    assert job_state(play) == "completed"


def test_the_files_of_a_preparation_go_when_their_time_is_over(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """And those of a release; a node that waits for files waits for them too."""
    removed = []

    async def remove_task(_node: Node, job: str, name: str) -> None:
        removed.append((job, name))

    monkeypatch.setattr(play.agent, "remove_task", remove_task)
    body = {"id": "before", "commandLine": "p", "constraints": {"retentionTime": "PT2M"}}
    add_job(play, jobPreparationTask=body, **RELEASE)
    add(play, "a")
    play.ask(jobs.terminate, bodies.JOB_TERMINATE, {}, job="job")
    end(play, "preparation")
    end(play, "release")
    remove(play, "retaineddata", "node0d")
    play.wait(2 * MINUTE)
    assert removed == [("job", "before")]
    assert [node.state for node in play.store.select(Node)] == ["leavingpool", "idle"]
    play.wait(8 * wire.DAY)
    assert ("job", "jobrelease") in removed
