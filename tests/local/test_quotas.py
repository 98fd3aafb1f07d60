"""What an account may have, how long its nodes take to boot, and what becomes of nodes that can't be made."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fastbatch.local.instance import lifecycle
from fastbatch.local.instance.home import Home
from fastbatch.local.processes import identify
from tests.local import instances
from tests.local.instances import eventually, pool_body
from tests.local.moves import (
    SOON,
    delete_job,
    delete_pool,
    disable,
    finish,
    node_states,
    resize,
    resize_errors,
    terminate,
)
from tests.local.tasks import refused


@dataclass(frozen=True)
class Account:
    """An instance of its own, and a client of it."""

    home: Home
    client: Any


@contextmanager
def account(home: Path, **options: Any) -> Iterator[Account]:
    """Have an instance that is gone afterwards."""
    owner = identify(os.getpid())
    assert owner
    with instances.start(home, owner, **options).client() as client:
        yield Account(Home(home), client)
    lifecycle.down(Home(home))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Have an account that may have two of everything."""
    quotas = {"node_quota": 2, "pool_quota": 2, "active_job_quota": 2}
    with account(tmp_path_factory.mktemp("small"), **quotas) as found:
        yield found


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Have a client of an account whose nodes take an hour to boot."""
    with account(tmp_path_factory.mktemp("slow"), node_boot_seconds=3600) as found:
        yield found.client


def test_a_pool_gets_no_more_nodes_than_the_account_may_have(small: Account) -> None:
    """It says so, and gets the others by another resize when there is room."""
    client = small.client
    with instances.pool(client, nodes=1):
        client.create_pool(pool_body("b", targetDedicatedNodes=3))
        assert resize_errors(client, "b") == ["AccountCoreQuotaReached"]
        found = client.get_pool("b")
        assert (found.current_dedicated_nodes, found.target_dedicated_nodes) == (1, 3)
        finish(resize(client, "b", 1))
        assert resize_errors(client, "b") == []
    eventually(lambda: len(list(client.list_pools())), lambda count: count == 1)
    finish(resize(client, "b", 2))
    assert client.get_pool("b").current_dedicated_nodes == 2
    delete_pool(client, "b")


def test_an_account_has_no_more_pools_than_it_may(small: Account) -> None:
    """One that was deleted makes room."""
    client = small.client
    with instances.pool(client, nodes=0) as first, instances.pool(client, nodes=0):
        with refused("PoolQuotaReached"):
            client.create_pool(pool_body("c"))
        with refused("PoolExists"):
            client.create_pool(pool_body(first))
    eventually(lambda: len(list(client.list_pools())), lambda count: count == 0)
    client.create_pool(pool_body("c"))
    delete_pool(client, "c")


def test_an_account_has_no_more_active_jobs_than_it_may(small: Account) -> None:
    """A job counts until it is complete or gone, disabled or not."""
    client = small.client
    for job in "ab":
        client.create_job({"id": job, "poolInfo": {"poolId": "p"}})
    disable(client, "a", "wait")
    with refused("ActiveJobAndScheduleQuotaReached"):
        client.create_job({"id": "c", "poolInfo": {"poolId": "p"}})
    with refused("JobExists"):
        client.create_job({"id": "a", "poolInfo": {"poolId": "p"}})
    terminate(client, "a")
    client.create_job({"id": "c", "poolInfo": {"poolId": "p"}})
    delete_job(client, "b")
    client.create_job({"id": "d", "poolInfo": {"poolId": "p"}})
    assert {job.id: job.state for job in client.list_jobs()} == {"a": "completed", "c": "active", "d": "active"}


def test_a_node_without_room_for_its_files_is_unusable(small: Account) -> None:
    """It says why, takes no tasks, and makes way for a better one."""
    client = small.client
    os.makedirs(small.home.nodes, exist_ok=True)
    obstacles = [Path(small.home.nodes, str(number)) for number in range(1, 100)]
    for obstacle in obstacles:
        obstacle.write_text("in the way")
    client.create_pool(pool_body("a", targetDedicatedNodes=1))
    assert resize_errors(client, "a") == []
    (node,) = client.list_nodes("a")
    assert (node.state, [error.code for error in node.errors]) == ("unusable", ["DiskFull"])
    for obstacle in obstacles:
        obstacle.unlink()
    client.begin_remove_nodes("a", {"nodeList": [node.id]}, polling_interval=SOON).result()
    finish(resize(client, "a", 1))
    assert node_states(client, "a") == ["idle"]
    delete_pool(client, "a")


def test_a_resize_can_be_stopped_while_nodes_boot(slow: Any) -> None:
    """The nodes that are not there yet never come."""
    slow.create_pool(pool_body("a", targetDedicatedNodes=2, targetLowPriorityNodes=1))
    eventually(lambda: node_states(slow, "a"), lambda states: states == ["creating"] * 3)
    found = slow.get_pool("a")
    assert (found.allocation_state, found.current_dedicated_nodes) == ("resizing", 2)
    with refused("PoolBeingResized"):
        resize(slow, "a", 1)
    with refused("PoolBeingResized"):
        slow.begin_remove_nodes("a", {"nodeList": [next(iter(slow.list_nodes("a"))).id]})
    slow.begin_stop_pool_resize("a", polling_interval=SOON).result()
    assert resize_errors(slow, "a") == ["ResizeStopped"] * 2
    assert node_states(slow, "a") == []
    delete_pool(slow, "a")


def test_a_pool_can_be_deleted_while_its_nodes_boot(slow: Any) -> None:
    """They are not waited for, and its id is free for another."""
    for _ in range(3):
        slow.create_pool(pool_body("a", targetDedicatedNodes=2))
        delete_pool(slow, "a")
    with refused("PoolNotFound"):
        slow.get_pool("a")
