"""What goes wrong on nodes: in a service whose time a test turns, and once each on a real one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastbatch.local.faults.checking import Plans
from fastbatch.local.operations import jobs, pools, tasks
from fastbatch.local.records import Node, Task
from fastbatch.local.states.outcomes import Outcome
from fastbatch.local.wire import SECOND
from tests.local import instances
from tests.local.faults.ordering import Faults
from tests.local.instances import eventually
from tests.local.play import JOB, POOL, Play, add, playing, pool_body
from tests.local.tasks import a_task, completed, printed, run


@pytest.fixture
def play() -> Iterator[Play]:
    """Have a service without a pool."""
    service = Play(Path(":memory:"))
    yield service
    service.close()


def order(play: Play, *rules: dict[str, Any]) -> None:
    """Have a plan."""
    play.core.faults.replace(0, Plans([]).whole({"rules": list(rules)})["rules"])


def fill(play: Play, *names: str, dedicated: int = 1, low_priority: int = 0, **more: Any) -> None:
    """Make a pool of nodes of one slot each, and add tasks."""
    body = {**pool_body("pool", dedicated, 1, "Spread"), "targetLowPriorityNodes": low_priority, **more}
    play.ask(pools.create, POOL, body)
    play.ask(jobs.create, JOB, {"id": "job", "poolInfo": {"poolId": "pool"}})
    add(play, *names)


def books(play: Play) -> dict[str, tuple[str, int]]:
    """Give the states of all tasks, and how often they were requeued."""
    return {task.id: (task.state, task.requeues) for task in play.store.select(Task)}


def node_states(play: Play) -> list[str]:
    """Give the states of all nodes."""
    return [node.state for node in play.store.select(Node, order="key")]


def counts(play: Play) -> list[tuple[int, int]]:
    """Give how often each rule was tried and applied."""
    return [(course.seen, course.applied) for course in play.core.faults.courses]


# --- slow ---


def test_a_task_that_is_slow_runs_later(play: Play) -> None:
    """By the service's clock; it counts as running, and has its node, meanwhile."""
    order(play, {"operation": "node.run_task", "fault": "slow", "seconds": 10, "count": 1})
    fill(play, "a", "b", dedicated=1)
    play.wait(9 * SECOND)
    assert (books(play)["a"], books(play)["b"]) == (("running", 0), ("active", 0))
    assert (node_states(play), playing(play)) == (["running"], [])
    play.wait(2 * SECOND)
    assert playing(play) == ["a"]
    play.agent.playing[0].outcome.set_result(Outcome(0))
    play.settle()
    assert playing(play) == ["b"]
    assert counts(play) == [(2, 1)]


def test_a_task_that_is_slow_can_be_terminated(play: Play) -> None:
    """It never runs then."""
    order(play, {"operation": "node.run_task", "fault": "slow", "seconds": 10, "count": 1})
    fill(play, "a", "b")
    play.ask(tasks.terminate, job="job", task="a")
    assert books(play)["a"] == ("completed", 0)
    assert playing(play) == ["b"]
    play.wait(20 * SECOND)
    assert playing(play) == ["b"]


def test_a_start_task_that_is_slow_keeps_its_node_waiting(play: Play) -> None:
    """And the tasks, too."""
    order(play, {"operation": "node.run_start_task", "fault": "slow", "seconds": 10})
    fill(play, "a", startTask={"commandLine": "c", "waitForSuccess": True})
    play.wait(9 * SECOND)
    assert node_states(play) == ["waitingforstarttask"]
    assert books(play)["a"] == ("active", 0)
    play.wait(2 * SECOND)
    assert playing(play) == ["a"]


# --- failing ---


def test_a_task_that_fails_runs_another_command(play: Play) -> None:
    """With everything else that was asked for."""
    order(play, {"operation": "node.run_task", "fault": "fail", "exitCode": 7, "count": 1})
    fill(play, "a", "b", dedicated=2)
    first, second = (each.assigned.body for each in play.agent.playing)
    assert first == {**second, "id": "a", "commandLine": first["commandLine"]}
    assert first["commandLine"].endswith("exit 7'")
    assert second["commandLine"] == "c"


# --- lost and taken away ---


def test_a_node_is_lost_some_time_after_a_task_began(play: Play) -> None:
    """Its task runs elsewhere; and it comes back when it is to."""
    order(
        play,
        {"operation": "node.run_task", "fault": "loseNode", "seconds": 10, "returnsAfter": 30, "count": 1},
    )
    fill(play, "a", dedicated=2)
    play.wait(9 * SECOND)
    assert node_states(play) == ["running", "idle"]
    play.wait(2 * SECOND)
    assert node_states(play) == ["unknown", "running"]
    assert books(play)["a"] == ("running", 1)
    play.wait(28 * SECOND)
    assert node_states(play)[0] == "unknown"
    play.wait(2 * SECOND)
    play.agent.playing[0].gone.set_result(None)  # what ran there ends
    play.settle()
    assert node_states(play) == ["idle", "running"]
    assert counts(play) == [(2, 1)]


def test_a_node_is_lost_at_once_and_for_ever(play: Play) -> None:
    """If nothing else is said."""
    order(play, {"operation": "node.run_task", "fault": "loseNode", "count": 1})
    fill(play, "a", dedicated=2)
    assert node_states(play) == ["unknown", "running"]
    play.wait(100_000 * SECOND)
    assert node_states(play) == ["unknown", "running"]


def test_a_node_is_lost_though_its_task_has_ended(play: Play) -> None:
    """So many seconds after it began, whatever became of it."""
    order(play, {"operation": "node.run_task", "fault": "loseNode", "seconds": 10, "count": 1})
    fill(play, "a")
    play.agent.playing[0].outcome.set_result(Outcome(0))
    play.settle()
    assert node_states(play) == ["idle"]
    play.wait(11 * SECOND)
    assert node_states(play) == ["unknown"]
    assert books(play)["a"] == ("completed", 0)


def test_a_node_is_preempted_and_comes_back(play: Play) -> None:
    """Its task waits for another one."""
    order(
        play,
        {"operation": "node.run_task", "fault": "preemptNode", "seconds": 10, "returnsAfter": 30, "count": 1},
    )
    fill(play, "a", dedicated=0, low_priority=1)
    play.wait(11 * SECOND)
    play.agent.playing[0].gone.set_result(None)
    play.settle()
    assert (node_states(play), books(play)["a"]) == (["preempted"], ("active", 1))
    play.wait(30 * SECOND)
    assert (node_states(play), books(play)["a"]) == (["running"], ("running", 1))


def test_a_dedicated_node_is_not_preempted(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    """As it can't be; the log tells."""
    order(play, {"operation": "node.run_task", "fault": "preemptNode"})
    fill(play, "a")
    play.wait(SECOND)
    assert (node_states(play), playing(play)) == (["running"], ["a"])
    assert "the fault plan has no effect: OperationNotValidOnNode" in caplog.text


def test_a_node_that_has_gone_is_not_lost_any_more(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does anything else go wrong."""
    order(play, {"operation": "node.run_task", "fault": "loseNode", "seconds": 10, "returnsAfter": 10})
    fill(play, "a")
    play.agent.playing[0].outcome.set_result(Outcome(0))
    play.settle()
    play.ask(pools.delete, pool="pool")
    assert node_states(play) == []
    play.wait(30 * SECOND)
    assert caplog.text.count("the fault plan has no effect: NodeNotFound") == 2


def test_two_tasks_of_a_node_lose_it_once(play: Play) -> None:
    """The second one has nothing more to lose, and both come back."""
    order(play, {"operation": "node.run_task", "fault": "loseNode", "seconds": 10, "returnsAfter": 10, "count": 2})
    fill(play, "a", "b", taskSlotsPerNode=2)
    play.wait(15 * SECOND)
    assert node_states(play) == ["unknown"]
    play.wait(6 * SECOND)
    for each in list(play.agent.playing):
        each.gone.set_result(None)
    play.settle()
    assert node_states(play) == ["running"]
    assert sorted(playing(play)) == ["a", "b"]


def test_a_plan_ends_with_the_service(play: Play) -> None:
    """And so does what was to come of it."""
    order(play, {"operation": "node.run_task", "fault": "loseNode", "seconds": 10})
    fill(play, "a")
    play.restart()
    assert counts(play) == []
    play.wait(20 * SECOND)
    assert node_states(play) == ["running"]


# --- on real nodes ---


def test_a_real_task_fails(faults: Faults, client: Any, job: str) -> None:
    """It has an exit code, and its files say why."""
    faults.order({"operation": "node.run_task", "fault": "fail", "exitCode": 9, "count": 1})
    task = run(client, job, "echo hello")
    assert (task.execution_info.exit_code, task.execution_info.failure_info.code) == (9, "FailureExitCode")
    assert printed(client, job) == ""
    assert printed(client, job, name="stderr.txt") == "The fault plan has this command fail.\n"
    assert run(client, job, "echo hello", "u").execution_info.exit_code == 0


def test_a_real_start_task_fails_and_is_tried_again(faults: Faults, client: Any) -> None:
    """As often as it may, and no more."""
    faults.order({"operation": "node.run_start_task", "fault": "fail", "count": 1})
    start = {"commandLine": "true", "waitForSuccess": True, "maxTaskRetryCount": 1}
    with instances.pool(client, startTask=start) as pool:
        (node,) = client.list_nodes(pool)
        assert (node.start_task_info.exit_code, node.start_task_info.retry_count) == (0, 1)
    assert faults.counts() == [(2, 1)]


def test_a_real_node_is_lost_and_comes_back(faults: Faults, client: Any) -> None:
    """What ran there is ended, and runs again."""
    faults.order({"operation": "node.run_task", "fault": "loseNode", "returnsAfter": 0.1, "count": 1})
    with instances.pool(client) as pool, instances.job(client, pool) as job:
        client.create_task(job, a_task("t", "sleep 0.2"))
        task = completed(client, job)
        assert (task.execution_info.exit_code, task.execution_info.requeue_count) == (0, 1)
        eventually(lambda: [node.state for node in client.list_nodes(pool)], lambda states: states == ["idle"])
    assert faults.counts() == [(2, 1)]
