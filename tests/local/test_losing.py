"""Nodes that get lost or are taken away, and come back: what becomes of their tasks, in the books and in truth."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from fastbatch.local import bodies
from fastbatch.local.errors import Refused
from fastbatch.local.operations import jobs, mishaps, nodes, pools, tasks
from fastbatch.local.operations.call import Operation
from fastbatch.local.processes import alive
from fastbatch.local.records import Node, Pool, Task
from fastbatch.local.service import losing, tasking
from fastbatch.local.service.core import Core
from fastbatch.local.service.limits import Limits
from fastbatch.local.states.outcomes import Outcome
from fastbatch.local.wire import SECOND
from tests.local import instances
from tests.local.instances import Instance, eventually, new_name
from tests.local.play import JOB, POOL, Play, Playing, add, pool_body
from tests.local.speaking import ask, at
from tests.local.storage import output, signed
from tests.local.tasks import a_task, completed, sleeping


def new_play(*, dedicated: int = 0, low_priority: int = 0, boot: float = 0, **more: Any) -> Play:
    """Have a service with a pool of nodes of one slot each, all of them up, and a job."""
    play = Play(Path(":memory:"), Limits(node_quota=20, node_boot_seconds=boot))
    play.ask(
        pools.create,
        POOL,
        {**pool_body("pool", dedicated, 1, "Spread"), "targetLowPriorityNodes": low_priority, **more},
    )
    play.wait(int(boot * SECOND))
    play.ask(jobs.create, JOB, {"id": "job", "poolInfo": {"poolId": "pool"}})
    return play


@pytest.fixture
def play() -> Iterator[Play]:
    """Have a service with a pool of two dedicated nodes."""
    service = new_play(dedicated=2)
    yield service
    service.close()


@pytest.fixture
def spot() -> Iterator[Play]:
    """Have a service with a pool of one low-priority node that takes ten seconds to boot."""
    service = new_play(low_priority=1, boot=10, startTask={"commandLine": "c"})
    yield service
    service.close()


def call(play: Play, operation: Operation, node: str) -> None:
    """Do something to a node."""
    play.ask(operation, pool="pool", node=node)


def states(play: Play) -> dict[str, str]:
    """Give the states of all nodes."""
    return {node.id: node.state for node in play.store.select(Node)}


def books(play: Play, name: str = "a") -> tuple[str, str | None, int]:
    """Give the state of a task, its node, and how often it was requeued."""
    (task,) = play.store.select(Task, "id = ?", [name])
    return task.state, task.node_id, task.requeues


def on(play: Play, node: str) -> list[Playing]:
    """Give what has processes on a node."""
    return [each for each in play.agent.playing if each.assigned.node.id == node]


def let_go(play: Play, each: Playing) -> None:
    """Let what was stopped be gone."""
    assert each.stopped
    each.gone.set_result(None)
    play.settle()


def finish(play: Play, node: str, code: int = 0) -> None:
    """Let the task of a node exit."""
    (each,) = on(play, node)
    each.outcome.set_result(Outcome(code))
    play.settle()


# --- lost ---


def test_the_task_of_a_lost_node_runs_elsewhere_while_it_runs_on(play: Play) -> None:
    """In the books it was requeued; of its first run it is not known how it goes."""
    add(play, "a")
    call(play, mishaps.lose, "node0d")

    assert states(play) == {"node0d": "unknown", "node1d": "running"}
    assert books(play) == ("running", "node1d", 1)
    (old,), (new,) = on(play, "node0d"), on(play, "node1d")
    assert not old.stopped
    assert not new.stopped


@pytest.mark.parametrize("code", [0, 1])
def test_what_a_lost_run_comes_to_changes_nothing(play: Play, code: int) -> None:
    """Neither the task nor the node, which stays lost."""
    add(play, "a")
    call(play, mishaps.lose, "node0d")
    finish(play, "node0d", code)

    assert books(play) == ("running", "node1d", 1)
    assert states(play)["node0d"] == "unknown"
    assert next(play.store.select(Node, "id = 'node0d'")).tasks_succeeded == 0
    finish(play, "node1d")
    assert books(play) == ("completed", "node1d", 1)


def test_a_lost_node_takes_no_tasks(play: Play) -> None:
    """However many wait, and however long."""
    call(play, mishaps.lose, "node0d")
    add(play, "a", "b")
    assert books(play, "a") == ("running", "node1d", 0)
    assert books(play, "b") == ("active", None, 0)
    assert nodes_loaded(play) == {"node0d": 0, "node1d": 1}


def nodes_loaded(play: Play) -> dict[str, int]:
    """Give how many tasks each node runs, as far as the service knows."""
    return {node.id: play.core.runs.load(node.key).tasks for node in play.store.select(Node)}


def test_a_node_that_returns_ends_its_old_tasks_before_it_takes_others(play: Play) -> None:
    """Those that run elsewhere are not touched."""
    add(play, "a")
    call(play, mishaps.lose, "node0d")
    add(play, "b")
    call(play, mishaps.bring_back, "node0d")

    (old,), (new,) = on(play, "node0d"), on(play, "node1d")
    assert old.stopped
    assert not new.stopped
    assert books(play, "b") == ("active", None, 0)
    let_go(play, old)
    assert states(play) == {"node0d": "running", "node1d": "running"}
    assert books(play, "b") == ("running", "node0d", 0)


def test_a_task_that_finds_no_other_node_runs_again_where_it_was(play: Play) -> None:
    """When nothing is left there of its first run, never beside it."""
    call(play, mishaps.lose, "node1d")
    add(play, "a")
    call(play, mishaps.lose, "node0d")
    assert books(play) == ("active", None, 1)

    call(play, mishaps.bring_back, "node0d")
    assert books(play) == ("active", None, 1)
    let_go(play, *on(play, "node0d"))
    assert books(play) == ("running", "node0d", 1)
    finish(play, "node0d")
    assert books(play) == ("completed", "node0d", 1)
    assert states(play) == {"node0d": "idle", "node1d": "unknown"}


def test_a_task_can_be_lost_with_one_node_after_the_other(play: Play) -> None:
    """Both of its runs go on, and are ended when their nodes return."""
    add(play, "a")
    call(play, mishaps.lose, "node0d")
    call(play, mishaps.lose, "node1d")
    assert books(play) == ("active", None, 2)
    assert [each.stopped for each in play.agent.playing] == [False, False]

    for node in ("node0d", "node1d"):
        call(play, mishaps.bring_back, node)
        let_go(play, *on(play, node))
    assert books(play) == ("running", "node0d", 2)
    assert len(play.agent.playing) == 1


def test_a_task_that_is_done_with_while_it_is_lost_stays_so(play: Play) -> None:
    """It was terminated or deleted in the books; its process on the lost node ends when the node returns."""
    add(play, "a", "b")
    call(play, mishaps.lose, "node0d")
    call(play, mishaps.lose, "node1d")
    play.ask(tasks.terminate, job="job", task="a")
    play.ask(tasks.delete, job="job", task="b")
    assert [task.id for task in play.store.select(Task)] == ["a"]
    assert [each.stopped for each in play.agent.playing] == [False, False]

    for node in ("node0d", "node1d"):
        call(play, mishaps.bring_back, node)
        let_go(play, *on(play, node))
    assert books(play) == ("completed", None, 1)
    assert play.agent.playing == []


@pytest.mark.parametrize("how", ["requeue", "terminate", "taskcompletion", "retaineddata"])
@pytest.mark.parametrize(
    "leave",
    [
        lambda play, how: play.ask(
            pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 0, "nodeDeallocationOption": how}, pool="pool"
        ),
        lambda play, how: play.ask(
            pools.remove_nodes,
            bodies.REMOVE_NODES,
            {"nodeList": ["node0d"], "nodeDeallocationOption": how},
            pool="pool",
        ),
        lambda play, _how: play.ask(pools.delete, pool="pool"),
    ],
    ids=["resize", "remove", "delete"],
)
def test_a_lost_node_leaves_when_its_old_tasks_have_ended(how: str, leave: Callable[[Play, str], object]) -> None:
    """They are ended at once; there is nobody to wait for."""
    play = new_play(dedicated=1)
    add(play, "a")
    call(play, mishaps.lose, "node0d")
    leave(play, how)

    assert states(play) == {"node0d": "leavingpool"}
    let_go(play, *on(play, "node0d"))
    assert states(play) == {}
    assert books(play) == ("active", None, 1)
    play.close()


def test_a_lost_node_that_is_to_stay_after_all_comes_up_anew() -> None:
    """Nobody knows what is on it, so it keeps nothing."""
    play = new_play(dedicated=1)
    add(play, "a")
    call(play, mishaps.lose, "node0d")
    play.ask(pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 0}, pool="pool")
    play.ask(pools.stop_resize, pool="pool")
    assert states(play) == {"node0d": "reimaging"}
    let_go(play, *on(play, "node0d"))
    assert books(play) == ("running", "node0d", 1)
    play.close()


def test_the_processes_of_lost_tasks_are_known_after_a_crash(play: Play) -> None:
    """Those that ran when the node was lost, and the one that the task has now, too."""
    add(play, "a")
    key = next(play.store.select(Task)).key
    call(play, mishaps.lose, "node0d")
    assert play.store.processes() == [f"{key}:1"] * 2

    node = next(play.store.select(Node, "id = 'node0d'"))
    play.store.note_lost(node.key, "77:1")
    assert "77:1" in play.store.processes()
    call(play, mishaps.bring_back, "node0d")
    let_go(play, *on(play, "node0d"))
    assert play.store.processes() == [f"{key}:1"]


def test_a_run_that_is_lost_before_its_process_is_there_does_not_pass_for_the_next(play: Play) -> None:
    """What it notes is a process of the lost node, and not one of the task's."""
    assign = play.agent.run_task
    lost: list[Callable[[str], None]] = []

    async def note_late(assigned: Any, note: Callable[[str], None]) -> Outcome:
        lost.append(note)
        return await assign(assigned, lambda _: None)

    play.agent.run_task = note_late  # type: ignore[method-assign]
    add(play, "a")
    call(play, mishaps.lose, "node0d")
    for number, note in enumerate(lost):
        note(f"{number}:1")
    assert next(play.store.select(Task)).process == "1:1"
    assert next(play.store.select(Node, "id = 'node0d'")).lost == '["0:1"]'


@pytest.mark.parametrize("befall", [losing.lose, losing.preempt])
def test_a_node_can_be_struck_in_the_very_step_that_gives_it_tasks(
    monkeypatch: pytest.MonkeyPatch, befall: Callable[[Core, Node], None]
) -> None:
    """The task begins there and again elsewhere, and so does the next that would have begun there."""
    play = new_play(low_priority=2, taskSlotsPerNode=2, taskSchedulingPolicy={"nodeFillType": "Pack"})
    assign = tasking.assign

    def assign_and_strike(core: Core, pool: Pool, node_key: int, task: Task) -> None:
        assign(core, pool, node_key, task)
        node = core.store.get(Node, node_key)
        assert node
        if node.state == "running" and node.id == "node0p":
            befall(core, node)

    play.ask(jobs.disable, bodies.JOB_DISABLE, {"disableTasks": "wait"}, job="job")
    add(play, "a", "b")
    monkeypatch.setattr(tasking, "assign", assign_and_strike)
    play.ask(jobs.enable, job="job")
    assert len(on(play, "node0p")) == (befall is losing.lose)
    assert books(play, "a") == ("running", "node1p", 1)
    assert books(play, "b") == ("running", "node1p", 0)
    play.close()


def test_a_lost_node_is_disabled_by_the_service_alone(play: Play) -> None:
    """The node does not hear of it, and goes on."""
    add(play, "a")
    call(play, mishaps.lose, "node0d")
    play.ask(nodes.disable_scheduling, bodies.DISABLE_SCHEDULING, {}, pool="pool", node="node0d")
    assert states(play)["node0d"] == "unknown"
    (old,) = on(play, "node0d")
    assert not old.stopped
    call(play, mishaps.bring_back, "node0d")
    let_go(play, old)
    assert states(play)["node0d"] == "offline"


def test_a_job_can_end_and_go_while_a_task_of_it_is_lost() -> None:
    """It waits for no run that nobody knows of."""
    play = new_play(dedicated=1)
    add(play, "a")
    play.ask(jobs.disable, bodies.JOB_DISABLE, {"disableTasks": "wait"}, job="job")
    call(play, mishaps.lose, "node0d")
    play.ask(jobs.delete, job="job")
    assert list(play.store.select(Task)) == []

    call(play, mishaps.bring_back, "node0d")
    let_go(play, *on(play, "node0d"))
    assert states(play) == {"node0d": "idle"}
    play.close()


# --- preempted ---


def test_a_node_is_taken_away_with_its_tasks(spot: Play) -> None:
    """They wait for another when nothing is left of them, and the node shows so."""
    add(spot, "a")
    call(spot, mishaps.preempt, "node0p")
    assert states(spot) == {"node0p": "preempted"}
    let_go(spot, *on(spot, "node0p"))
    assert books(spot) == ("active", None, 1)


def test_a_node_that_was_taken_away_boots_anew(spot: Play) -> None:
    """That takes its time, and its start task runs again."""
    (before,) = spot.store.select(Node)
    call(spot, mishaps.preempt, "node0p")
    add(spot, "a")
    call(spot, mishaps.bring_back, "node0p")
    assert states(spot) == {"node0p": "starting"}
    spot.wait(9 * SECOND)
    assert states(spot) == {"node0p": "starting"}
    spot.wait(SECOND)
    assert books(spot) == ("running", "node0p", 0)
    (after,) = spot.store.select(Node)
    assert (before.booted or 0) + 10 * SECOND <= (after.booted or 0)
    assert json.loads(after.start_info or "{}")["startTime"] > json.loads(before.start_info or "{}")["startTime"]


def test_a_node_that_is_given_back_at_once_is_cleared_first(spot: Play) -> None:
    """It boots when nothing is left of what was there."""
    add(spot, "a")
    call(spot, mishaps.preempt, "node0p")
    call(spot, mishaps.bring_back, "node0p")
    assert states(spot) == {"node0p": "reimaging"}
    spot.wait(60 * SECOND)
    assert states(spot) == {"node0p": "reimaging"}
    let_go(spot, *on(spot, "node0p"))
    assert states(spot) == {"node0p": "starting"}
    spot.wait(10 * SECOND)
    assert books(spot) == ("running", "node0p", 1)


def test_a_lost_node_can_be_taken_away(spot: Play) -> None:
    """Then its old tasks end, and it boots anew."""
    add(spot, "a")
    call(spot, mishaps.lose, "node0p")
    call(spot, mishaps.preempt, "node0p")
    let_go(spot, *on(spot, "node0p"))
    assert states(spot) == {"node0p": "preempted"}
    call(spot, mishaps.bring_back, "node0p")
    spot.wait(10 * SECOND)
    assert books(spot) == ("running", "node0p", 1)


@pytest.mark.parametrize("leave", [pools.delete, pools.resize])
def test_a_node_that_was_taken_away_can_leave(spot: Play, leave: Operation) -> None:
    """As any other, and first of all."""
    call(spot, mishaps.preempt, "node0p")
    check = bodies.RESIZE if leave is pools.resize else None
    spot.ask(leave, check, {"targetLowPriorityNodes": 0}, pool="pool")
    assert states(spot) == {}


def test_nodes_that_are_away_are_the_first_to_leave() -> None:
    """Those that work stay."""
    play = new_play(low_priority=3)
    call(play, mishaps.preempt, "node0p")
    call(play, mishaps.lose, "node1p")
    play.ask(pools.resize, bodies.RESIZE, {"targetLowPriorityNodes": 1}, pool="pool")
    assert states(play) == {"node2p": "idle"}
    play.close()


# --- in truth ---


def befall(instance: Instance, pool: str, node: str, what: str) -> int:
    """Let something happen to a node, over the wire; give the status of the answer."""
    return ask(instance, "POST", at(f"/local/pools/{pool}/nodes/{node}/{what}")).status


def test_a_lost_process_goes_on_and_uploads_what_it_makes(
    client: Any, instance: Instance, container: ContainerClient, tmp_path: Path
) -> None:
    """As does the one that runs in its place; the storage has the files of both."""
    gate = f"{tmp_path}/$AZ_BATCH_NODE_ID"
    script = f"touch $AZ_BATCH_NODE_ID; ls >> {tmp_path}/began; until [ -e {gate} ]; do sleep 0.02; done"
    with instances.pool(client, 2, 1) as pool, instances.job(client, pool) as job:
        upload = output(signed(container), "*", "tasksuccess")
        client.create_task(job, a_task("t", f"/bin/sh -c '{script}'", outputFiles=[upload]))
        (first,) = began(tmp_path, 1)
        assert befall(instance, pool, first, "lose") == 202
        _, second = began(tmp_path, 2)
        assert client.get_node(pool, first).state == "unknown"
        assert client.get_task(job, "t").node_info.node_id == second

        (tmp_path / first).touch()
        eventually(lambda: [blob.name for blob in container.list_blobs()], lambda names: names == [first])
        assert client.get_task(job, "t").state == "running"
        (tmp_path / second).touch()
        task = completed(client, job)
        assert (task.execution_info.requeue_count, task.execution_info.result) == (1, "success")
        assert {blob.name for blob in container.list_blobs()} == {first, second}
        assert befall(instance, pool, first, "return") == 202
        eventually(lambda: client.get_node(pool, first).state, lambda state: state == "idle")


def began(folder: Path, count: int) -> list[str]:
    """Wait until a task has begun so many times, and give the nodes."""
    file = folder / "began"
    return eventually(lambda: file.read_text().split() if file.exists() else [], lambda found: len(found) == count)


@pytest.mark.parametrize("end", ["return", "remove"])
def test_a_lost_process_ends_when_its_node_returns_or_goes(client: Any, instance: Instance, end: str) -> None:
    """Until then it lives, whatever becomes of its task."""
    with instances.pool(client, 1, 1) as pool, instances.job(client, pool) as job:
        process = sleeping(client, job)
        (node,) = client.list_nodes(pool)
        befall(instance, pool, node.id, "lose")
        client.terminate_task(job, "t")
        assert (client.get_task(job, "t").state, alive(process)) == ("completed", True)
        if end == "return":
            befall(instance, pool, node.id, "return")
        else:
            client.begin_remove_nodes(pool, {"nodeList": [node.id]}, polling_interval=3600)
        eventually(lambda: alive(process), lambda found: not found)


def test_what_is_taken_away_is_gone(client: Any, instance: Instance) -> None:
    """Its processes and its files; when it is there again it is as new."""
    name = new_name("pool")
    start = {"commandLine": "/bin/sh -c 'echo once >> $AZ_BATCH_NODE_SHARED_DIR/starts'"}
    client.create_pool(instances.pool_body(name, targetLowPriorityNodes=1, startTask=start))
    with instances.job(client, name) as job:
        process = sleeping(client, job)
        (node,) = client.list_nodes(name)
        assert befall(instance, name, node.id, "preempt") == 202
        (counts,) = client.list_pool_node_counts(filter=f"poolId eq '{name}'")
        assert (counts.low_priority.preempted, counts.low_priority.total) == (1, 1)
        assert client.get_pool(name)["currentLowPriorityNodes"] == 1
        eventually(lambda: alive(process), lambda found: not found)
        eventually(lambda: client.get_task(job, "t").state, lambda state: state == "active")
        assert befall(instance, name, node.id, "preempt") == 409
        assert befall(instance, name, node.id, "return") == 202
        eventually(lambda: client.get_node(name, node.id).state, lambda state: state == "running")
        assert b"".join(client.download_node_file(name, node.id, "shared/starts")) == b"once\n"
        assert client.get_task(job, "t").execution_info.requeue_count == 1
        assert befall(instance, name, "nobody", "lose") == 404
        client.terminate_task(job, "t")
    client.begin_delete_pool(name, polling_interval=3600)


# --- where it makes no sense ---


@pytest.mark.parametrize(
    ("befall", "possible"),
    [
        (losing.lose, {"idle", "running", "offline", "waitingforstarttask", "starttaskfailed"}),
        (losing.preempt, {"idle", "running", "offline", "waitingforstarttask", "starttaskfailed", "unknown"}),
        (losing.bring_back, {"unknown", "preempted"}),
    ],
)
def test_what_makes_no_sense_is_refused(play: Play, befall: Callable[[Core, Node], None], possible: set[str]) -> None:
    """As long as the node is in a state where it can't happen."""
    (node, _) = play.store.select(Node)
    for state in STATES - possible:
        with pytest.raises(Refused) as refused:
            befall_as(play, node, state, befall)
        assert (refused.value.status, refused.value.code) == (409, CODES.get(state, "OperationInvalidForCurrentState"))


STATES = {
    *("creating", "starting", "waitingforstarttask", "starttaskfailed", "idle", "running", "offline", "unusable"),
    *("rebooting", "reimaging", "preempted", "unknown", "leavingpool"),
}
CODES = {
    "creating": "NodeBeingCreated",
    "starting": "NodeBeingStarted",
    "rebooting": "NodeBeingRebooted",
    "reimaging": "NodeBeingReimaged",
    "unusable": "NodeStateUnusable",
}


def befall_as(play: Play, node: Node, state: str, befall: Callable[[Core, Node], None]) -> None:
    """Let something happen to a low-priority node that is in a state, and forget it again."""
    with play.store.transaction():
        play.store._database.execute("UPDATE nodes SET state = ?, dedicated = 0 WHERE key = ?", [state, node.key])  # noqa: SLF001 - no operation brings a node into each
        befall(play.core, node)


def test_dedicated_nodes_are_not_taken_away(play: Play) -> None:
    """Nor is one that is gone already."""
    with pytest.raises(Refused, match="OperationNotValidOnNode"):
        call(play, mishaps.preempt, "node0d")
    (node, _) = play.store.select(Node)
    play.ask(pools.delete, pool="pool")
    for befall in (losing.lose, losing.preempt, losing.bring_back):
        with pytest.raises(Refused, match="NodeNotFound"):
            befall(play.core, node)


# --- restarts ---


@pytest.mark.parametrize("returned", [False, True])
def test_a_lost_node_is_lost_after_a_restart(play: Play, returned: bool) -> None:
    """Until it has returned; of its old tasks nothing is left then."""
    add(play, "a")
    call(play, mishaps.lose, "node0d")
    if returned:
        call(play, mishaps.bring_back, "node0d")
        assert states(play)["node0d"] == "starting"
    play.restart()
    assert states(play)["node0d"] == ("running" if returned else "unknown")
    if not returned:
        call(play, mishaps.bring_back, "node0d")
        assert states(play)["node0d"] == "idle"
    assert len(play.agent.playing) == 1


@pytest.mark.parametrize("returned", [False, True])
def test_a_node_that_was_taken_away_is_away_after_a_restart(spot: Play, returned: bool) -> None:
    """Until it was given back; then it boots."""
    add(spot, "a")
    call(spot, mishaps.preempt, "node0p")
    if returned:
        call(spot, mishaps.bring_back, "node0p")
    spot.restart()
    assert states(spot) == {"node0p": "starting" if returned else "preempted"}
    if not returned:
        call(spot, mishaps.bring_back, "node0p")
    spot.restart()
    spot.wait(10 * SECOND)
    assert books(spot)[:2] == ("running", "node0p")
