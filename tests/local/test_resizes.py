"""Pools that get more nodes and fewer, or are deleted, and what becomes of the tasks on them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastbatch.local.instance.home import Home
from tests.local import instances
from tests.local.instances import Instance, eventually, new_name, pool_body
from tests.local.moves import (
    LONG,
    SOON,
    add,
    delete_pool,
    finish,
    node_states,
    on_wire,
    reach_task,
    resize,
    resize_errors,
)
from tests.local.tasks import refused


@pytest.fixture
def empty(client: Any) -> Iterator[str]:
    """Have a pool without nodes."""
    with instances.pool(client, nodes=0) as name:
        yield name


# --- more nodes and fewer ---


def test_a_pool_is_resized_up_and_down(client: Any, empty: str) -> None:
    """One resize after the other, each waited for as the SDK waits; the oldest nodes stay."""
    finish(resize(client, empty, 3))
    names = [node.id for node in client.list_nodes(empty)]
    finish(resize(client, empty, 1))
    assert [node.id for node in client.list_nodes(empty)] == names[:1]
    resize(client, empty, 2, targetLowPriorityNodes=2).result()
    found = on_wire(client.get_pool(empty))
    assert [found[f"{at}{kind}Nodes"] for at in ("current", "target") for kind in ("Dedicated", "LowPriority")] == [
        2
    ] * 4
    client.begin_resize_pool(empty, {"targetLowPriorityNodes": 0}, polling_interval=SOON).result()
    assert (
        on_wire(client.get_pool(empty))["currentDedicatedNodes"],
        on_wire(client.get_pool(empty))["currentLowPriorityNodes"],
    ) == (2, 0)
    assert "resizeErrors" not in on_wire(client.get_pool(empty))


def test_a_resize_must_say_how_many_nodes_there_are_to_be(client: Any, empty: str) -> None:
    """And in what time, and what becomes of tasks, in words that are known."""
    with refused("MissingRequiredProperty"):
        client.begin_resize_pool(empty, {"nodeDeallocationOption": "requeue"})
    for wrong in ({"nodeDeallocationOption": "kill"}, {"resizeTimeout": "PT1M"}, {"targetLowPriorityNodes": "one"}):
        with refused("InvalidPropertyValue"):
            resize(client, empty, 1, **wrong)


def test_a_pool_that_is_steady_has_no_resize_to_stop(client: Any, empty: str) -> None:
    """It says so."""
    with refused("OperationInvalidForCurrentState"):
        client.begin_stop_pool_resize(empty)


def test_nodes_are_removed_by_name_and_not_replaced(client: Any) -> None:
    """A name counts one time, in whatever letter case; one that is not there spoils all."""
    with instances.pool(client, nodes=3) as pool:
        first, second, third = (node.id for node in client.list_nodes(pool))
        with refused("NodeNotFound"):
            client.begin_remove_nodes(pool, {"nodeList": [first, "nobody"]})
        leaving = {"nodeList": [second, second.upper(), second]}
        finish(client.begin_remove_nodes(pool, leaving, polling_interval=SOON))
        assert [node.id for node in client.list_nodes(pool)] == [first, third]
        assert (
            on_wire(client.get_pool(pool))["targetDedicatedNodes"],
            on_wire(client.get_pool(pool))["allocationState"],
        ) == (2, "steady")
        with refused("NodeNotFound"):
            client.get_node(pool, second)


@pytest.fixture
def busy(client: Any) -> Iterator[tuple[str, str]]:
    """Have a pool of one node and a job whose task runs on it."""
    with instances.pool(client, slots=1) as pool, instances.job(client, pool) as job:
        add(client, job, "a", LONG)
        reach_task(client, job, "a", "running")
        yield pool, job


def test_tasks_on_nodes_that_leave_are_requeued(client: Any, busy: tuple[str, str]) -> None:
    """If nothing else is said; they run when there are nodes again."""
    pool, job = busy
    resize(client, pool, 0).result()
    task = client.get_task(job, "a")
    assert (task.state, task.execution_info.requeue_count) == ("active", 1)
    resize(client, pool, 1).result()
    assert reach_task(client, job, "a", "running").execution_info.requeue_count == 1


def test_tasks_on_nodes_that_leave_can_be_terminated(client: Any, busy: tuple[str, str]) -> None:
    """They are complete, and have failed."""
    pool, job = busy
    resize(client, pool, 0, nodeDeallocationOption="terminate").result()
    task = client.get_task(job, "a")
    assert (task.state, task.execution_info.failure_info.code) == ("completed", "TaskEnded")


@pytest.mark.parametrize("option", ["taskcompletion", "retaineddata"])
def test_tasks_on_nodes_that_leave_can_be_waited_for(client: Any, tmp_path: Path, option: str) -> None:
    """The node takes no others meanwhile; with retaineddata it waits for the tasks' files, too."""
    gate, patient = tmp_path / "gate", {"nodeDeallocationOption": option}
    with instances.pool(client, slots=2) as pool, instances.job(client, pool) as job:
        command = f"/bin/sh -c 'until [ -e {gate} ]; do sleep 0.02; done; echo done'"
        add(client, job, "a", command, constraints={"retentionTime": "PT0.3S"})
        reach_task(client, job, "a", "running")
        poller = resize(client, pool, 0, **patient)
        add(client, job, "b")
        assert (node_states(client, pool), on_wire(client.get_pool(pool))["allocationState"]) == (
            ["leavingpool"],
            "resizing",
        )
        with refused("PoolBeingResized"):
            resize(client, pool, 1)
        gate.touch()
        task = reach_task(client, job, "a", "completed")
        assert task.execution_info.result == "success"
        poller.result()
        assert node_states(client, pool) == []
        assert client.get_task(job, "b").state == "active"
        gone = client.get_pool(pool).allocation_state_transition_time - task.execution_info.end_time
        assert (gone.total_seconds() >= 0.3) == (option == "retaineddata")


def test_a_node_may_be_removed_without_harm_to_its_task(client: Any, tmp_path: Path) -> None:
    """What becomes of tasks is said there, too."""
    gate = tmp_path / "gate"
    with instances.pool(client, nodes=2, slots=1) as pool, instances.job(client, pool) as job:
        add(client, job, "a", f"/bin/sh -c 'until [ -e {gate} ]; do sleep 0.02; done'")
        node = reach_task(client, job, "a", "running").node_info.node_id
        leaving = {"nodeList": [node], "nodeDeallocationOption": "taskcompletion"}
        poller = client.begin_remove_nodes(pool, leaving, polling_interval=SOON)
        assert client.get_node(pool, node).state == "leavingpool"
        gate.touch()
        poller.result()
        assert client.get_task(job, "a").execution_info.result == "success"
        assert [each.id for each in client.list_nodes(pool) if each.id == node] == []


def test_a_resize_can_be_stopped_before_its_nodes_have_left(client: Any, busy: tuple[str, str]) -> None:
    """The task goes on, and so does its node; a stop is no new version of the pool."""
    pool, job = busy
    resize(client, pool, 0, nodeDeallocationOption="taskcompletion")
    version = client.get_pool(pool).etag
    finish(client.begin_stop_pool_resize(pool, polling_interval=SOON))
    assert resize_errors(client, pool) == ["ResizeStopped"]
    assert (node_states(client, pool), client.get_task(job, "a").state) == (["running"], "running")
    assert (client.get_pool(pool).etag, on_wire(client.get_pool(pool))["currentDedicatedNodes"]) == (version, 1)
    client.terminate_task(job, "a")
    eventually(lambda: node_states(client, pool), lambda states: states == ["idle"])
    add(client, job, "b")
    reach_task(client, job, "b", "completed")


# --- deleted ---


def test_tasks_of_a_deleted_pool_run_on_a_later_one_of_its_name(client: Any, busy: tuple[str, str]) -> None:
    """They are requeued, and are not retried for it."""
    pool, job = busy
    delete_pool(client, pool)
    with refused("PoolNotFound"):
        client.get_pool(pool)
    task = client.get_task(job, "a")
    assert (task.state, task.execution_info.requeue_count, task.execution_info.retry_count) == ("active", 1, 0)
    client.create_pool(pool_body(pool, targetDedicatedNodes=1))
    reach_task(client, job, "a", "running")


def test_a_pool_can_be_deleted_while_its_start_tasks_run(client: Any, instance: Instance, tmp_path: Path) -> None:
    """Nothing is left of them, nor of their nodes."""
    pid = tmp_path / "pid"
    name = new_name("pool")
    start = {"commandLine": f"/bin/sh -c 'echo $$ > {pid}; {LONG}'", "maxTaskRetryCount": -1}
    client.create_pool(pool_body(name, targetDedicatedNodes=1, startTask=start))
    eventually(lambda: pid.exists() and pid.read_text(), bool)
    before = len(os.listdir(Home(instance.home).nodes))
    delete_pool(client, name)
    assert not Path("/proc", pid.read_text().strip()).exists()
    assert len(os.listdir(Home(instance.home).nodes)) == before - 1


def test_pools_that_come_and_go_quickly_leave_nothing(client: Any) -> None:
    """One id is used again and again, with nodes that are just getting ready."""
    name = new_name("pool")
    for _ in range(5):
        client.create_pool(pool_body(name, targetDedicatedNodes=4, startTask={"commandLine": "sleep 60"}))
        delete_pool(client, name)
    with refused("PoolNotFound"):
        client.get_pool(name)
