"""Runs whose nodes are lost, don't start or are taken away, and whose pools shrink and go."""

from collections.abc import Callable
from typing import Any

import pytest

from fastbatch.local.testing import LocalBatch
from tests.breaking.trial import Trial
from tests.cli.running import Running
from tests.local.instances import eventually, pool_body

pytestmark = pytest.mark.timeout(180)

POOL = "fastbatch"
HOUR = 3600


def hanging(local: LocalBatch) -> None:
    """Have the first two tasks hang for an hour, and only them; what runs anew does not."""
    local.faults.add("node.run_task", "slow", seconds=HOUR, count=2)


def nodes_at_work(trial: Trial, run: Running) -> set[str]:
    """Wait until only those two tasks of a run are left, and give their nodes."""
    job = run.until("run.started")["run"]
    run.until("tasks.submitted")
    with trial.runner.services.client() as client:

        def left() -> list[tuple[str, str]]:
            found = [each for each in client.list_tasks(job) if each.state != "completed"]
            return [(each.state, each.node_info.node_id if each.node_info else "") for each in found]

        def only_they(found: list[tuple[str, str]]) -> bool:
            return [state for state, _ in found] == ["running"] * 2

        return {node for _, node in eventually(left, only_they)}


def nodes_of_pool(trial: Trial) -> list[str]:
    """Name all nodes."""
    with trial.runner.services.client() as client:
        return [node.id for node in client.list_nodes(POOL)]


def test_a_node_that_is_lost_with_tasks_running_holds_nobody(trial: Trial, local: LocalBatch) -> None:
    """They run elsewhere."""
    hanging(local)
    with trial.running("--nodes", "3") as run:
        for node in nodes_at_work(trial, run):
            local.lose_node(POOL, node)
        done = run.end()

    assert done.code == 0
    trial.assert_whole()


@pytest.mark.slow
def test_all_nodes_may_be_lost_and_come_back(trial: Trial, local: LocalBatch) -> None:
    """The run waits for them."""
    hanging(local)
    with trial.running() as run:
        nodes_at_work(trial, run)
        nodes = nodes_of_pool(trial)
        for node in nodes:
            local.lose_node(POOL, node)
        run.until("nodes.counted")
        for node in nodes:
            local.return_node(POOL, node)
        done = run.end()

    assert done.code == 0
    trial.assert_whole()


@pytest.mark.slow
def test_one_of_three_nodes_may_fail_to_start(trial: Trial, local: LocalBatch) -> None:
    """The others do its work."""
    local.faults.add("node.run_start_task", "fail", count=1)
    done = trial.run("--nodes", "3")

    assert local.faults.rules()[0]["applied"] == 1
    assert done.code == 0
    trial.assert_whole()


@pytest.mark.slow
def test_if_no_node_starts_it_ends_and_goes_on_when_some_do(trial: Trial, local: LocalBatch) -> None:
    """With the reason; a pool with nodes that start is there for what is left."""
    local.faults.add("node.run_start_task", "fail")
    done = trial.run()
    assert done.code == 3
    assert "start task failed" in done.err
    local.faults.clear()
    with trial.runner.services.client() as client:
        for node in client.list_nodes(POOL):
            client.begin_reboot_node(POOL, node.id, {"nodeRebootOption": "requeue"}, polling_interval=HOUR)
    trial.resumed()
    trial.assert_whole()


@pytest.mark.slow
@pytest.mark.parametrize("returns", [True, False], ids=["returns", "stays-away"])
def test_a_node_that_is_preempted_loses_nothing(trial: Trial, local: LocalBatch, *, returns: bool) -> None:
    """Its tasks run again, there or elsewhere."""
    body = pool_body(POOL, targetLowPriorityNodes=2, targetDedicatedNodes=1, taskSlotsPerNode=1)
    with trial.runner.services.client() as client:
        client.create_pool(body)
    more = {"returns_after": 1} if returns else {}
    local.faults.add("node.run_task", "slow", seconds=0.3)
    local.faults.add("node.run_task", "preempt_node", after=1, count=2, seconds=0.1, **more)
    trial.ends(trial.run())

    assert local.faults.rules()[1]["applied"] == 2
    trial.assert_whole()


@pytest.mark.slow
def test_a_pool_may_be_resized_to_zero_and_back(trial: Trial, local: LocalBatch) -> None:
    """What ran is requeued, and runs on new nodes."""
    hanging(local)
    with trial.running() as run, trial.runner.services.client() as client:
        nodes_at_work(trial, run)
        resized(client, 0)
        resized(client, 2)
        done = run.end()

    assert done.code == 0
    trial.assert_whole()


def resized(client: Any, nodes: int) -> None:
    """Resize the pool, and wait until it is."""
    client.begin_resize_pool(
        POOL, {"targetDedicatedNodes": nodes, "nodeDeallocationOption": "requeue"}, polling_interval=HOUR
    )
    eventually(lambda: client.get_pool(POOL), lambda pool: pool.allocation_state == "steady")


@pytest.mark.slow
def test_a_pool_that_stays_at_zero_ends_the_run_until_it_has_nodes(trial: Trial, local: LocalBatch) -> None:
    """It says what to do."""
    hanging(local)
    with trial.running() as run, trial.runner.services.client() as client:
        nodes_at_work(trial, run)
        resized(client, 0)
        done = run.end()
        assert done.code == 3
        assert "--nodes" in done.err
        resized(client, 2)
    trial.resumed()
    trial.assert_whole()


def delete_pool(client: Any) -> None:
    """Delete the pool."""
    client.begin_delete_pool(POOL, polling_interval=HOUR)


def delete_job(client: Any) -> None:
    """Delete the run's job."""
    for job in client.list_jobs():
        client.begin_delete_job(job.id, polling_interval=HOUR)


def terminate_job(client: Any) -> None:
    """End the run's job, with all tasks of it."""
    for job in client.list_jobs():
        client.begin_terminate_job(job.id, options={"terminateReason": "no more"}, polling_interval=HOUR)


@pytest.mark.slow
@pytest.mark.parametrize("befalls", [delete_pool, delete_job])
def test_what_is_taken_away_in_mid_run_is_made_anew(
    trial: Trial, local: LocalBatch, befalls: Callable[[Any], None]
) -> None:
    """The run ends, as nothing of it can run any more, and resume has it run."""
    broken_by(trial, local, befalls)
    trial.resumed()
    trial.assert_whole()


@pytest.mark.slow
def test_what_somebody_ended_runs_again_when_it_is_resumed(trial: Trial, local: LocalBatch) -> None:
    """In another job."""
    broken_by(trial, local, terminate_job)
    trial.resumed()
    trial.assert_whole()


def broken_by(trial: Trial, local: LocalBatch, befalls: Callable[[Any], None]) -> None:
    """Have something befall a run when two tasks are left, and see that it ends, and is not done."""
    hanging(local)
    with trial.running() as run, trial.runner.services.client() as client:
        nodes_at_work(trial, run)
        befalls(client)
        done = run.end(60)
    local.faults.clear()
    assert done.code in {1, 3}
