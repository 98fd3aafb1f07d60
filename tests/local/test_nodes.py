"""Nodes, their start tasks, and the images that they may have, as clients of azure-batch see them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from tests.local import instances
from tests.local.instances import IMAGE, eventually, new_name, pool_body
from tests.local.moves import SOON
from tests.local.storage import signed
from tests.local.tasks import refused


@contextmanager
def pool_of(client: Any, command: str, nodes: int = 1, **start: Any) -> Iterator[str]:
    """Have a pool with a start task; its nodes come when they come."""
    name = new_name("pool")
    start_task = {"commandLine": command, **start}
    client.create_pool(pool_body(name, targetDedicatedNodes=nodes, taskSlotsPerNode=2, startTask=start_task))
    try:
        yield name
    finally:
        client.begin_delete_pool(name, polling_interval=3600)


def only(client: Any, pool: str) -> Any:
    """Give the node of a pool of one node."""
    (node,) = client.list_nodes(pool)
    return node


def reach(client: Any, pool: str, state: str) -> Any:
    """Wait until the node of a pool is in a state."""
    return eventually(lambda: only(client, pool), lambda node: node.state == state)


def reach_end(client: Any, pool: str) -> Any:
    """Wait until the start task of a pool's node has ended, and give what is said of it."""
    node = eventually(lambda: only(client, pool), lambda node: node.start_task_info.state == "completed")
    return node.start_task_info


def run(client: Any, job: str, command: str) -> str:
    """Run a task to its end, and give what it has written."""
    task = new_name("task")
    client.create_task(job, {"id": task, "commandLine": command})
    eventually(lambda: client.get_task(job, task).state, lambda state: state == "completed")
    return b"".join(client.download_task_file(job, task, "stdout.txt")).decode()


# --- nodes ---


def test_a_node_shows_what_the_service_shows_of_it(client: Any) -> None:
    """All its properties are on the wire as they are documented."""
    with instances.pool(client) as pool:
        found = client.get_node(pool, only(client, pool).id).as_dict()
        name = found.pop("id")
        assert re.fullmatch(r"tvmps_[0-9a-f]{64}_d", name)
        assert found.pop("url").endswith(f"/pools/{pool}/nodes/{name}")
        assert all(found.pop(time).endswith("Z") for time in ("stateTransitionTime", "lastBootTime", "allocationTime"))
        assert set(found.pop("nodeAgentInfo")) == {"version", "lastUpdateTime"}
        found.pop("odata.metadata")
        assert found == {
            "state": "idle",
            "schedulingState": "enabled",
            "ipAddress": "127.0.0.1",
            "affinityId": f"TVM:{name}",
            "vmSize": "STANDARD_D2S_V3",
            "totalTasksRun": 0,
            "totalTasksSucceeded": 0,
            "runningTasksCount": 0,
            "runningTaskSlotsCount": 0,
            "isDedicated": True,
            "virtualMachineInfo": {"imageReference": IMAGE["imageReference"]},
        }


def test_a_node_counts_what_it_runs_and_what_it_ran(client: Any) -> None:
    """A task that fails is run, but has not succeeded."""
    with instances.pool(client) as pool, instances.job(client, pool) as job:
        client.create_task(job, {"id": "long", "commandLine": "sleep 60"})
        run(client, job, "true")
        run(client, job, "false")
        eventually(lambda: only(client, pool).total_tasks_run, lambda count: count == 3)
        node = reach(client, pool, "running")
        assert (node.total_tasks_succeeded, node.running_tasks_count, node.running_task_slots_count) == (1, 1, 1)
        client.terminate_task(job, "long")
        node = reach(client, pool, "idle")
        assert (node.total_tasks_succeeded, node.running_tasks_count, node.running_task_slots_count) == (1, 0, 0)


def test_nodes_are_listed_by_filter_in_pages(client: Any) -> None:
    """Each is on exactly one page, with what was selected."""
    with instances.pool(client, nodes=3) as pool:
        pages = client.list_nodes(pool, select=["id", "state"], max_results=2).by_page()
        found = [[node.as_dict() for node in page] for page in pages]
        assert [len(page) for page in found] == [2, 1]
        assert {tuple(node) for page in found for node in page} == {("id", "state")}
        for condition, count in {
            "state eq 'idle'": 3,
            "state ne 'IDLE'": 0,
            "allocationTime gt DateTime'2000-01-01T00:00:00Z'": 3,
            "startTaskInfo/state eq 'completed'": 0,
        }.items():
            assert len(list(client.list_nodes(pool, filter=condition))) == count, condition
        with refused("InvalidQueryParameterValue"):
            list(client.list_nodes(pool, filter="id eq 'x'"))
        with refused("NodeNotFound"):
            client.get_node(pool, "nobody")


def test_nodes_are_counted_by_kind_and_state(client: Any) -> None:
    """Every state that a node may have is there, and the sum."""
    with instances.pool(client, nodes=2) as pool, instances.job(client, pool) as job:
        client.create_task(job, {"id": "a", "commandLine": "sleep 60"})
        client.begin_resize_pool(pool, {"targetLowPriorityNodes": 1}, polling_interval=SOON).result()
        eventually(lambda: client.get_task(job, "a").state, lambda state: state == "running")
        (counts,) = client.list_pool_node_counts(filter=f"poolId eq '{pool.upper()}'")
        found = counts.as_dict()
        assert found["poolId"] == pool
        assert found["dedicated"] == dict.fromkeys(found["dedicated"], 0) | {"idle": 1, "running": 1, "total": 2}
        assert found["lowPriority"] == dict.fromkeys(found["dedicated"], 0) | {"idle": 1, "total": 1}
        assert {"creating", "leavingPool", "startTaskFailed", "waitingForStartTask", "upgradingOS"} < set(
            found["dedicated"]
        )
        assert pool in [each.pool_id for each in client.list_pool_node_counts()]


def test_low_priority_nodes_know_what_they_are(client: Any) -> None:
    """In their name and for their tasks."""
    name = new_name("pool")
    client.create_pool(pool_body(name, targetLowPriorityNodes=1))
    with instances.job(client, name) as job:
        assert run(client, job, "/bin/sh -c 'echo $AZ_BATCH_NODE_IS_DEDICATED'") == "false\n"
        node = only(client, name)
        assert (node.is_dedicated, node.id[-2:]) == (False, "_p")
    client.begin_delete_pool(name, polling_interval=3600)


# --- start tasks ---


def test_a_node_is_ready_when_its_start_task_is_done(client: Any) -> None:
    """Tasks find what it has left in the shared folder, and not before; each node has its own."""
    start = "/bin/sh -c 'echo $AZ_BATCH_NODE_ID $NAME ${AZ_BATCH_TASK_ID:-none} > $AZ_BATCH_NODE_SHARED_DIR/left'"
    with (
        pool_of(client, start, environmentSettings=[{"name": "NAME", "value": "value"}]) as pool,
        instances.job(client, pool) as job,
    ):
        left = run(client, job, "/bin/sh -c 'cat $AZ_BATCH_NODE_SHARED_DIR/left'")
        node = only(client, pool)
        assert left == f"{node.id} value none\n"
        info = node.start_task_info
        assert (info.state, info.result, info.exit_code, info.retry_count) == ("completed", "success", 0, 0)
        assert info.start_time < info.end_time
        assert info.failure_info is None
        assert node.start_task.command_line == start
        assert (node.start_task.wait_for_success, node.start_task.max_task_retry_count) == (True, 0)


def test_tasks_wait_while_the_start_task_runs(client: Any, tmp_path: Path) -> None:
    """The node says that it waits, too."""
    gate = tmp_path / "gate"
    with (
        pool_of(client, f"/bin/sh -c 'until [ -e {gate} ]; do sleep 0.02; done'") as pool,
        instances.job(client, pool) as job,
    ):
        client.create_task(job, {"id": "a", "commandLine": "true"})
        node = reach(client, pool, "waitingforstarttask")
        assert node.start_task_info.as_dict().keys() == {"state", "startTime", "retryCount"}
        (counts,) = client.list_pool_node_counts(filter=f"poolId eq '{pool}'")
        assert counts.dedicated.waiting_for_start_task == 1
        assert client.get_task(job, "a").state == "active"
        gate.touch()
        eventually(lambda: client.get_task(job, "a").state, lambda state: state == "completed")


def test_tasks_need_not_wait_for_the_start_task(client: Any) -> None:
    """If it is not waited for, the node is ready at once."""
    with pool_of(client, "sleep 60", waitForSuccess=False) as pool, instances.job(client, pool) as job:
        assert run(client, job, "echo hello") == "hello\n"
        assert only(client, pool).start_task_info.state == "running"


def test_a_node_whose_start_task_fails_takes_no_tasks(client: Any) -> None:
    """It says why; the pool is steady all the same, and the node can be removed."""
    with pool_of(client, "/bin/sh -c 'exit 3'") as pool, instances.job(client, pool) as job:
        client.create_task(job, {"id": "a", "commandLine": "true"})
        node = reach(client, pool, "starttaskfailed")
        info = node.start_task_info
        assert (info.state, info.result, info.exit_code, info.retry_count) == ("completed", "failure", 3, 0)
        assert (info.failure_info.category, info.failure_info.code) == ("UserError", "FailureExitCode")
        failed = "startTaskInfo/result eq 'failure' and startTaskInfo/exitCode eq 3 and state eq 'starttaskfailed'"
        assert [each.id for each in client.list_nodes(pool, filter=failed)] == [node.id]
        eventually(lambda: client.get_pool(pool).allocation_state, lambda state: state == "steady")
        assert client.get_task(job, "a").state == "active"
        client.begin_remove_nodes(pool, {"nodeList": [node.id]}, polling_interval=SOON).result()
        assert list(client.list_nodes(pool)) == []


def test_a_node_takes_tasks_though_its_start_task_fails_if_nobody_minds(client: Any) -> None:
    """The failure is shown."""
    with pool_of(client, "false", waitForSuccess=False) as pool, instances.job(client, pool) as job:
        assert reach_end(client, pool).result == "failure"
        assert run(client, job, "echo hello") == "hello\n"


def test_a_start_task_is_retried(client: Any, tmp_path: Path) -> None:
    """As often as it may; what the last run came to counts."""
    runs = tmp_path / "runs"
    command = f"/bin/sh -c 'echo >> {runs}; test $(wc -l < {runs}) = 3'"
    with pool_of(client, command, maxTaskRetryCount=5) as pool:
        info = reach(client, pool, "idle").start_task_info
        assert (info.result, info.exit_code, info.retry_count) == ("success", 0, 2)
        assert info.last_retry_time == info.start_time
        assert info.failure_info is None
    with pool_of(client, "false", maxTaskRetryCount=2) as pool:
        info = reach(client, pool, "starttaskfailed").start_task_info
        assert (info.result, info.exit_code, info.retry_count) == ("failure", 1, 2)


@pytest.mark.parametrize("command", ["no-such-program", "/bin/sh -c 'unclosed"])
def test_a_start_task_that_can_not_be_started_is_not_retried(client: Any, command: str) -> None:
    """It has no exit code."""
    with pool_of(client, command, maxTaskRetryCount=5) as pool:
        info = reach(client, pool, "starttaskfailed").start_task_info
        assert (info.result, info.exit_code, info.retry_count) == ("failure", None, 0)
        assert info.failure_info.code in {"CommandProgramNotFound", "CommandLaunchFailed"}


def test_a_start_task_gets_its_files_from_the_storage(client: Any, container: ContainerClient) -> None:
    """Single blobs under the names that it gives them, and all blobs of a container that begin with a prefix."""
    for name in ("run.sh", "data/a.txt", "data/b.txt", "other.txt"):
        container.upload_blob(name, f"echo {name}\n".encode())
    files = [
        {"httpUrl": signed(container, name="/run.sh"), "filePath": "bin/run.sh", "fileMode": "0755"},
        {"storageContainerUrl": signed(container), "blobPrefix": "data/", "filePath": "in"},
    ]
    command = "/bin/sh -c 'find . -type f | sort > \"$AZ_BATCH_NODE_SHARED_DIR/found\"; sh bin/run.sh'"
    with pool_of(client, command, resourceFiles=files) as pool, instances.job(client, pool) as job:
        found = run(client, job, "/bin/sh -c 'cat \"$AZ_BATCH_NODE_SHARED_DIR/found\"'")
        assert found.split() == ["./bin/run.sh", "./in/data/a.txt", "./in/data/b.txt"]
        start = "/bin/sh -c 'cat \"$AZ_BATCH_NODE_STARTUP_DIR/stdout.txt\"'"
        assert run(client, job, start) == "run.sh\n"

    missing = [{"httpUrl": signed(container, name="/missing"), "filePath": "x"}]
    with pool_of(client, "true", resourceFiles=missing, maxTaskRetryCount=3) as pool:
        info = reach(client, pool, "starttaskfailed").start_task_info
        assert (info.failure_info.code, info.retry_count, info.exit_code) == ("BlobNotFound", 0, None)


def test_a_new_start_task_is_for_new_nodes(client: Any) -> None:
    """Those that are there keep the one that they had."""
    with pool_of(client, "/bin/sh -c 'echo old'") as pool:
        old = reach(client, pool, "idle")
        client.update_pool(pool, {"startTask": {"commandLine": "/bin/sh -c 'echo new'"}})
        client.begin_resize_pool(pool, {"targetDedicatedNodes": 2}, polling_interval=SOON).result()
        commands = {node.id: node.start_task.command_line for node in client.list_nodes(pool)}
        assert commands.pop(old.id) == "/bin/sh -c 'echo old'"
        assert list(commands.values()) == ["/bin/sh -c 'echo new'"]


def test_what_a_start_task_leaves_running_ends_with_its_node(client: Any, tmp_path: Path) -> None:
    """Tasks may use it until then."""
    pid = tmp_path / "pid"
    with pool_of(client, f"/bin/sh -c 'sleep 60 & echo $! > {pid}'") as pool:
        reach(client, pool, "idle")
        process = Path("/proc", pid.read_text().strip())
        assert process.exists()
        client.begin_resize_pool(pool, {"targetDedicatedNodes": 0}, polling_interval=SOON).result()
        assert not process.exists()


# --- images ---


def test_images_are_listed_as_the_service_lists_them(client: Any) -> None:
    """Each with its agent, its reference and its kind."""
    images = [image.as_dict() for image in client.list_supported_images()]
    assert {**IMAGE, "osType": "linux", "verificationType": "verified"} in images
    assert len({image["nodeAgentSKUId"] for image in images}) == len(images)


def test_images_are_listed_by_filter_in_pages(client: Any) -> None:
    """By what is documented, and by nothing else."""
    everything = [image.node_agent_sku_id for image in client.list_supported_images()]
    pages = [
        [image.node_agent_sku_id for image in page] for page in client.list_supported_images(max_results=2).by_page()
    ]
    assert [agent for page in pages for agent in page] == everything
    assert max(map(len, pages)) == 2
    unverified = [
        image.node_agent_sku_id for image in client.list_supported_images(filter="verificationType eq 'unverified'")
    ]
    verified = [
        image.node_agent_sku_id for image in client.list_supported_images(filter="verificationType eq 'verified'")
    ]
    assert unverified
    assert sorted(unverified + verified) == sorted(everything)
    one = "osType eq 'LINUX' and nodeAgentSKUId eq 'batch.node.ubuntu 22.04'"
    assert [image.node_agent_sku_id for image in client.list_supported_images(filter=one)] == [
        "batch.node.ubuntu 22.04"
    ]
    assert list(client.list_supported_images(filter="osType eq 'windows'")) == []
    with refused("InvalidQueryParameterValue"):
        list(client.list_supported_images(filter="publisher eq 'canonical'"))
