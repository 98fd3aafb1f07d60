"""Nodes that are rebooted and reimaged, and nodes that are to take no tasks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastbatch.local import bodies
from fastbatch.local.errors import Refused
from fastbatch.local.operations import jobs, nodes, pools, tasks
from fastbatch.local.operations.call import Operation
from fastbatch.local.records import Node, Task
from fastbatch.local.service.limits import Limits
from fastbatch.local.states.outcomes import Outcome
from fastbatch.local.wire import SECOND
from tests.local import instances
from tests.local.instances import Instance, eventually, new_name, pool_body
from tests.local.moves import SOON
from tests.local.play import JOB, POOL, TASK, Play
from tests.local.play import pool_body as body_of_play
from tests.local.speaking import ask, at
from tests.local.tasks import completed, refused, run

BOOT = 10 * SECOND
OPTIONS = ("requeue", "terminate", "taskcompletion", "retaineddata")
GOING: dict[Operation, str] = {nodes.reboot: "rebooting", nodes.reimage: "reimaging"}


@pytest.fixture
def play() -> Iterator[Play]:
    """Have a service with a pool of one node of two slots, which takes ten seconds to boot, and a job."""
    service = Play(Path(":memory:"), Limits(node_quota=20, node_boot_seconds=10))
    service.ask(pools.create, POOL, {**body_of_play("pool", 1, 2, "Spread"), "startTask": {"commandLine": "c"}})
    service.wait(BOOT)
    service.ask(jobs.create, JOB, {"id": "job", "poolInfo": {"poolId": "pool"}})
    yield service
    service.close()


def add(play: Play, name: str = "a", retention: str = "PT1H") -> None:
    """Add a task."""
    task = {"id": name, "commandLine": "c", "constraints": {"retentionTime": retention}}
    play.ask(tasks.create, TASK, task, job="job")


def call(play: Play, operation: Operation, how: str | None = None) -> None:
    """Do something to the node."""
    check, option = {
        "reboot": (bodies.REBOOT, "nodeRebootOption"),
        "reimage": (bodies.REIMAGE, "nodeReimageOption"),
        "disable_scheduling": (bodies.DISABLE_SCHEDULING, "nodeDisableSchedulingOption"),
    }.get(operation.__name__, (None, ""))
    play.ask(operation, check, {option: how} if how else {}, pool="pool", node="node0d")


def only(play: Play) -> Node:
    """Give the node."""
    (node,) = play.store.select(Node)
    return node


def books(play: Play, name: str = "a") -> tuple[str, str | None, int]:
    """Give the state of a task, its result, and how often it was requeued."""
    (task,) = play.store.select(Task, "id = ?", [name])
    return task.state, task.result, task.requeues


def end(play: Play) -> None:
    """Let what runs exit, and what was stopped be gone."""
    for each in list(play.agent.playing):
        each.end(Outcome(0))
    play.settle()


# --- reboots ---


@pytest.mark.parametrize("operation", GOING)
def test_a_node_goes_down_and_boots(play: Play, operation: Operation) -> None:
    """It takes no tasks until its start task is done again."""
    before = only(play)
    call(play, operation)
    add(play)
    assert (only(play).state, only(play).booted) == ("starting", None)
    play.wait(BOOT - 100)
    assert only(play).state == "starting"
    play.wait(100)
    assert only(play).state == "running"
    assert (only(play).booted or 0) >= (before.booted or 0) + BOOT
    assert json.loads(only(play).start_info or "{}")["startTime"] >= only(play).booted


@pytest.mark.parametrize("operation", GOING)
def test_a_node_is_going_down_as_soon_as_that_is_said(play: Play, operation: Operation) -> None:
    """Whoever waits for it looks at the state."""
    add(play)
    call(play, operation)
    assert only(play).state == GOING[operation]
    play.wait(BOOT)
    assert only(play).state == GOING[operation]
    end(play)
    assert only(play).state == "starting"
    play.wait(BOOT)
    assert books(play) == ("running", None, 1)


@pytest.mark.parametrize("operation", GOING)
@pytest.mark.parametrize("how", [None, *OPTIONS])
def test_it_is_said_what_becomes_of_tasks(play: Play, operation: Operation, how: str | None) -> None:
    """They are requeued, terminated, or waited for, as long as their files are kept too."""
    add(play)
    call(play, operation, how)
    (each,) = play.agent.playing
    assert each.stopped == (how in {None, "requeue", "terminate"})
    add(play, "b")
    assert len(play.agent.playing) == 1
    end(play)
    assert books(play) == {
        "requeue": ("active", None, 1),
        "terminate": ("completed", "failure", 0),
        "taskcompletion": ("completed", "success", 0),
        "retaineddata": ("completed", "success", 0),
    }.get(how or "requeue")
    assert only(play).state == (GOING[operation] if how == "retaineddata" else "starting")
    play.wait(60 * 60 * SECOND)
    assert only(play).state == ("starting" if how == "retaineddata" else "running")


def test_a_node_that_waits_for_files_goes_down_when_their_job_goes(play: Play) -> None:
    """For the files have gone then."""
    add(play)
    call(play, nodes.reboot, "retaineddata")
    end(play)
    assert only(play).state == "rebooting"
    play.ask(jobs.delete, job="job")
    assert only(play).state == "starting"


def test_files_go_when_a_node_is_reimaged(play: Play) -> None:
    """And stay when it is rebooted."""
    add(play)
    end(play)
    call(play, nodes.reboot)
    assert not next(play.store.select(Task)).files_gone
    play.wait(BOOT)
    call(play, nodes.reimage)
    assert next(play.store.select(Task)).files_gone


@pytest.mark.parametrize("operation", GOING)
@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("creating", "NodeBeingCreated"),
        ("starting", "NodeBeingStarted"),
        ("rebooting", "NodeBeingRebooted"),
        ("reimaging", "NodeBeingReimaged"),
        ("unusable", "NodeStateUnusable"),
        *((state, "OperationInvalidForCurrentState") for state in ("waitingforstarttask", "unknown", "leavingpool")),
        ("preempted", "OperationInvalidForCurrentState"),
    ],
)
def test_a_node_that_is_not_up_is_not_rebooted(play: Play, operation: Operation, state: str, code: str) -> None:
    """The refusal says what it is doing."""
    play.store._database.execute("UPDATE nodes SET state = ?", [state])  # noqa: SLF001 - no operation brings it into each
    with pytest.raises(Refused, match=code) as refusal:
        call(play, operation)
    assert refusal.value.status == 409
    assert only(play).state == state


@pytest.mark.parametrize("state", ["idle", "offline", "starttaskfailed"])
@pytest.mark.parametrize("operation", GOING)
def test_a_node_that_is_up_is_rebooted(play: Play, operation: Operation, state: str) -> None:
    """One whose start task has failed, too: it may succeed the next time."""
    play.store._database.execute("UPDATE nodes SET state = ?", [state])  # noqa: SLF001 - no operation brings it into each
    call(play, operation)
    play.wait(BOOT)
    assert only(play).state == "idle"


@pytest.mark.parametrize("operation", GOING)
@pytest.mark.parametrize("moment", ["going", "starting"])
@pytest.mark.parametrize("leave", ["resize", "remove", "delete"])
def test_a_node_that_is_to_leave_does_not_come_up_again(
    play: Play, operation: Operation, moment: str, leave: str
) -> None:
    """However far its reboot has got."""
    if moment == "going":
        add(play)
    call(play, operation, "taskcompletion")
    assert only(play).state == (GOING[operation] if moment == "going" else "starting")
    if leave == "delete":
        play.ask(pools.delete, pool="pool")
    elif leave == "resize":
        play.ask(pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 0}, pool="pool")
    else:
        play.ask(pools.remove_nodes, bodies.REMOVE_NODES, {"nodeList": ["node0d"]}, pool="pool")
    end(play)
    play.wait(2 * BOOT)
    assert list(play.store.select(Node)) == []


def test_a_node_that_is_to_stay_after_all_comes_up_anew(play: Play) -> None:
    """Though it was to leave in the middle of a reboot."""
    add(play)
    call(play, nodes.reboot)
    play.ask(pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 0}, pool="pool")
    assert only(play).state == "leavingpool"
    play.ask(pools.stop_resize, pool="pool")
    end(play)
    assert only(play).state == "starting"
    play.wait(BOOT)
    assert (only(play).state, books(play)) == ("running", ("running", None, 1))


@pytest.mark.parametrize("operation", GOING)
def test_a_reboot_goes_on_after_a_restart_of_the_service(play: Play, operation: Operation) -> None:
    """From wherever it has got to."""
    add(play)
    call(play, operation, "taskcompletion")
    play.restart()
    assert only(play).state == "starting"
    play.wait(BOOT // 2)
    play.restart()
    assert only(play).state == "starting"
    play.wait(BOOT // 2)
    assert only(play).state == "running"
    assert books(play) == ("running", None, 1)


# --- scheduling ---


@pytest.mark.parametrize("how", [None, "requeue", "terminate", "taskcompletion"])
def test_a_disabled_node_takes_no_tasks(play: Play, how: str | None) -> None:
    """It is offline when nothing runs there any more."""
    add(play)
    call(play, nodes.disable_scheduling, how)
    (each,) = play.agent.playing
    assert each.stopped == (how != "taskcompletion")
    assert (only(play).state, only(play).scheduling) == ("running", "disabled")
    end(play)
    add(play, "b")
    assert only(play).state == "offline"
    assert books(play) == {
        "requeue": ("active", None, 1),
        "terminate": ("completed", "failure", 0),
        "taskcompletion": ("completed", "success", 0),
    }.get(how or "requeue")
    call(play, nodes.enable_scheduling)
    assert (only(play).state, only(play).scheduling) == ("running", "enabled")


def test_a_node_is_disabled_and_enabled_once(play: Play) -> None:
    """To say so again is refused; one that leaves is as good as disabled."""
    with pytest.raises(Refused, match="NodeAlreadyInTargetSchedulingState"):
        call(play, nodes.enable_scheduling)
    call(play, nodes.disable_scheduling)
    with pytest.raises(Refused, match="NodeAlreadyInTargetSchedulingState"):
        call(play, nodes.disable_scheduling)
    call(play, nodes.enable_scheduling)
    assert only(play).state == "idle"
    add(play)
    play.ask(pools.delete, pool="pool")
    with pytest.raises(Refused, match="NodeAlreadyInTargetSchedulingState"):
        call(play, nodes.disable_scheduling)
    with pytest.raises(Refused, match="OperationInvalidForCurrentState"):
        call(play, nodes.enable_scheduling)


def test_a_disabled_node_stays_so(play: Play) -> None:
    """Over restarts of the service, and reboots."""
    add(play)
    call(play, nodes.disable_scheduling, "taskcompletion")
    play.restart()
    assert only(play).state == "offline"
    call(play, nodes.reboot)
    play.wait(BOOT)
    assert (only(play).state, books(play)) == ("offline", ("active", None, 1))


# --- on the wire ---

REQUEUE = {"nodeRebootOption": "requeue"}  # without options, the SDK fails before it asks

START = "/bin/sh -c 'echo again >> $AZ_BATCH_NODE_SHARED_DIR/starts; sleep 60 & echo $! > pid'"
LEAVE = "/bin/sh -c 'touch $AZ_BATCH_NODE_ROOT_DIR/volatile/left $AZ_BATCH_NODE_SHARED_DIR/left'"


def text(client: Any, pool: str, node: str, name: str) -> str:
    """Give what is in a file of a node."""
    return b"".join(client.download_node_file(pool, node, name)).decode()


def test_a_rebooted_node_keeps_its_files(client: Any) -> None:
    """But the volatile ones; and a reimaged one keeps none. What the start task had left running ends."""
    with instances.pool(client, startTask={"commandLine": START}) as pool, instances.job(client, pool) as job:
        (before,) = client.list_nodes(pool)
        process = Path("/proc", text(client, pool, before.id, "startup/wd/pid").strip())
        assert process.exists()
        run(client, job, LEAVE)
        client.begin_reboot_node(pool, before.id, REQUEUE, polling_interval=SOON).result()
        after = reach(client, pool, before.id, "idle")
        assert after.last_boot_time > before.last_boot_time
        assert not process.exists()
        assert text(client, pool, before.id, "shared/starts") == "again\n" * 2
        there = {file.name for file in client.list_node_files(pool, before.id, recursive=True)}
        assert {"shared/left", f"workitems/{job}/job-1/t/stdout.txt", "volatile"} <= there
        assert "volatile/left" not in there

        client.begin_reimage_node(pool, before.id, {"nodeReimageOption": "terminate"}, polling_interval=SOON).result()
        assert reach(client, pool, before.id, "idle").last_boot_time > after.last_boot_time
        assert text(client, pool, before.id, "shared/starts") == "again\n"
        there = {file.name for file in client.list_node_files(pool, before.id, recursive=True)}
        assert not {"shared/left", f"workitems/{job}"} & there
        with refused("TaskFilesCleanedup"):
            list(client.list_task_files(job, "t"))
        run(client, job, "true", "u")


def reach(client: Any, pool: str, node: str, state: str) -> Any:
    """Wait until a node is in a state."""
    return eventually(lambda: client.get_node(pool, node), lambda found: found.state == state)


def test_a_node_gets_the_start_task_that_its_pool_has_by_then(client: Any) -> None:
    """When it is rebooted."""
    with instances.pool(client, startTask={"commandLine": "false", "waitForSuccess": False}) as pool:
        client.update_pool(pool, {"startTask": {"commandLine": "true"}})
        (node,) = client.list_nodes(pool)
        client.begin_reboot_node(pool, node.id, REQUEUE, polling_interval=SOON).result()
        assert reach(client, pool, node.id, "idle").start_task.command_line == "true"
        client.replace_pool_properties(pool, {"applicationPackageReferences": [], "metadata": []})
        client.begin_reboot_node(pool, node.id, REQUEUE, polling_interval=SOON).result()
        assert reach(client, pool, node.id, "idle").start_task is None


def test_a_node_that_has_failed_is_of_use_after_a_reboot(client: Any, tmp_path: Path) -> None:
    """If its start task succeeds then."""
    gate = tmp_path / "gate"
    name = new_name("pool")
    client.create_pool(pool_body(name, targetDedicatedNodes=1, startTask={"commandLine": f"test -e {gate}"}))
    (node,) = eventually(lambda: list(client.list_nodes(name)), lambda found: found[0].state == "starttaskfailed")
    gate.touch()
    client.begin_reboot_node(name, node.id, REQUEUE, polling_interval=SOON).result()
    assert reach(client, name, node.id, "idle").start_task_info.result == "success"
    client.begin_delete_pool(name, polling_interval=3600)


def test_a_node_is_told_to_go_down_without_more_words(client: Any, instance: Instance) -> None:
    """The body is optional."""
    with instances.pool(client) as pool:
        (node,) = client.list_nodes(pool)
        for operation, status in {"reboot": 202, "reimage": 202, "disablescheduling": 200}.items():
            reach(client, pool, node.id, "idle")
            said = ask(instance, "POST", at(f"/pools/{pool}/nodes/{node.id}/{operation}"))
            assert (said.status, said.body) == (status, b"")


def test_scheduling_is_disabled_and_enabled(client: Any) -> None:
    """The node says so, and takes no tasks meanwhile."""
    with instances.pool(client) as pool, instances.job(client, pool) as job:
        (node,) = client.list_nodes(pool)
        client.disable_node_scheduling(pool, node.id, {"nodeDisableSchedulingOption": "taskcompletion"})
        found = client.get_node(pool, node.id)
        assert (found.state, found.scheduling_state) == ("offline", "disabled")
        (counts,) = client.list_pool_node_counts(filter=f"poolId eq '{pool}'")
        assert counts.dedicated.offline == 1
        with refused("NodeAlreadyInTargetSchedulingState"):
            client.disable_node_scheduling(pool, node.id, {"nodeDisableSchedulingOption": "requeue"})
        client.create_task(job, {"id": "t", "commandLine": "true"})
        assert client.get_task(job, "t").state == "active"
        client.enable_node_scheduling(pool, node.id)
        completed(client, job)
        with refused("NodeAlreadyInTargetSchedulingState"):
            client.enable_node_scheduling(pool, node.id)
        with refused("InvalidPropertyValue"):
            client.disable_node_scheduling(pool, node.id, {"nodeDisableSchedulingOption": "retaineddata"})
        with refused("NodeNotFound"):
            client.begin_reboot_node(pool, "nobody", REQUEUE)
