"""The pool: used as it is, made once, resized only on request; and why one is of no use."""

import re
from functools import partial
from typing import Any

import anyio
import pytest
from azure.batch import models

from fastbatch import Account, Settings, patience
from fastbatch.azure.services import Services
from fastbatch.errors import PoolUnusable
from fastbatch.events import Noticed, PoolFound
from fastbatch.pools.health import hopeless, of_no_use, ready, start_failures
from fastbatch.pools.obtaining import Pool, choose_image, describe, ensure, intent
from tests.counted import Seen, account_of
from tests.local import instances
from tests.local.instances import Instance, eventually, new_name
from tests.proxy import Rule, proxy
from tests.seam import using

STEADY = {"state": "active", "allocationState": "steady", "targetDedicatedNodes": 2}
_BAD = {"deallocated", "deallocating", "leavingPool", "offline", "startTaskFailed", "unusable"}


def image(publisher: str = "canonical", offer: str = "ubuntu", sku: str = "22", agent: str = "a1") -> dict[str, Any]:
    """Give an image as the service lists it."""
    reference = {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"}
    return {"imageReference": reference, "nodeAgentSKUId": agent, "osType": "linux"}


@pytest.mark.parametrize(
    ("found", "counts", "said"),
    [
        (None, {}, "it was deleted"),
        ({"state": "deleting"}, {"idle": 2}, "it is being deleted"),
        (STEADY, {"idle": 1, "offline": 1}, None),
        (STEADY, {"waitingForStartTask": 1}, None),
        (STEADY, {"preempted": 2}, None),
        ({**STEADY, "allocationState": "resizing"}, {}, None),
        ({**STEADY, "enableAutoScale": True, "targetDedicatedNodes": 0}, {}, None),
        (STEADY, {"startTaskFailed": 2, "total": 2}, "2 startTaskFailed"),
        (STEADY, {"offline": 1, "unusable": 1, "idle": 0}, "1 offline, 1 unusable"),
        (STEADY, {}, "there is none"),
        ({**STEADY, "targetDedicatedNodes": 0}, {}, "--nodes"),
        ({**STEADY, "targetDedicatedNodes": 0, "targetLowPriorityNodes": 3}, {"offline": 3}, "3 offline"),
        (
            {**STEADY, "resizeErrors": [{"code": "Quota", "message": "no cores"}]},
            {},
            "it got no nodes: Quota: no cores",
        ),
    ],
)
def test_a_pool_is_hopeless_when_no_node_will_ever_run_a_task(
    found: dict[str, Any] | None, counts: dict[str, int], said: str | None
) -> None:
    """It is said why; while one may, there is hope."""
    why = hopeless(found, counts)
    assert (why is None) == (said is None)
    assert said is None or said in (why or "")


def test_every_state_that_nodes_can_be_in_is_known() -> None:
    """A state that the SDK knows and we do not would end runs for no reason."""
    words = [name for name in models.BatchNodeCounts.__annotations__ if name != "total"]
    states = {re.sub(r"_(\w)", lambda found: found[1].upper(), word) for word in words}
    states = {{"upgradingOs": "upgradingOS"}.get(state, state) for state in states}
    hopeful = {state for state in states if hopeless(STEADY, {state: 1}) is None}
    assert states - hopeful <= _BAD
    assert hopeful.isdisjoint(_BAD)
    assert len(hopeful) >= 10


def test_a_pool_that_says_it_has_nodes_is_not_given_up_for_a_count_that_lags() -> None:
    """Counts are not exact; once a node is allocated, it is somewhere."""
    for kind in ("Dedicated", "LowPriority"):
        assert hopeless({**STEADY, f"current{kind}Nodes": 2}, {}) is None


@pytest.mark.parametrize(
    ("found", "counts", "is_ready"),
    [
        (STEADY, {"idle": 1, "running": 1}, True),
        (STEADY, {"idle": 1, "startTaskFailed": 1}, True),
        (STEADY, {"idle": 1, "waitingForStartTask": 1}, False),
        (STEADY, {"starting": 2}, False),
        (STEADY, {"startTaskFailed": 2}, False),
        (STEADY, {}, False),
        ({**STEADY, "currentDedicatedNodes": 2}, {}, False),
        ({**STEADY, "allocationState": "resizing"}, {"idle": 1}, False),
        ({**STEADY, "targetDedicatedNodes": 0}, {}, True),
    ],
)
def test_a_pool_is_ready_when_none_of_its_nodes_is_on_its_way(
    found: dict[str, Any], counts: dict[str, int], *, is_ready: bool
) -> None:
    """And one of them can be used, if there are to be any; others may have failed, which is told apart."""
    assert ready(found, counts) is is_ready


def test_nodes_that_can_not_be_used_are_told_by_state() -> None:
    """Neither those that work or could, nor the sum."""
    assert of_no_use({"idle": 1, "running": 0, "total": 3, "offline": 1, "unusable": 1}) == {
        "offline": 1,
        "unusable": 1,
    }


@pytest.mark.parametrize(
    ("found", "settings", "words", "requests"),
    [
        (None, Settings(), r"would be made: 2 nodes of standard_d2s_v3, 2 slots each", 3),
        (None, Settings(nodes=0, slots=5), r"would be made: 0 nodes .* 5 slots", 3),
        ({"state": "deleting"}, Settings(), "waited for", 4),
        (STEADY, Settings(), "used as it is: 2 nodes", 1),
        (STEADY, Settings(nodes=2), "used as it is", 1),
        (STEADY, Settings(nodes=7), "resized from 2 to 7", 2),
        (STEADY, Settings(nodes=0), "resized from 2 to 0", 2),
    ],
)
def test_what_would_be_done_is_said(
    found: dict[str, Any] | None, settings: Settings, words: str, requests: int
) -> None:
    """With how many requests it takes."""
    would = intent(found, settings)
    assert re.search(words, would.words)
    assert would.requests == requests


def test_the_image_is_the_one_that_was_named() -> None:
    """In any letter case; what there is instead is said."""
    settings = Settings(publisher="Canonical", offer="UBUNTU", sku="22")
    there = [image(sku="20"), image(agent="right"), image(publisher="other")]
    assert choose_image(there, settings)["nodeAgentSKUId"] == "right"
    with pytest.raises(PoolUnusable, match="other ubuntu 22"):
        choose_image([image(publisher="other")], settings)


def test_of_several_images_the_latest_is_taken() -> None:
    """The service lists them in reverse order, as the tutorial's helper has it."""
    settings = Settings(publisher="canonical", offer="ubuntu", sku="22")
    assert choose_image([image(agent="newer"), image(agent="older")], settings)["nodeAgentSKUId"] == "newer"


def test_a_new_pool_is_described_as_it_was_asked_for() -> None:
    """None of it runs out or is secret."""
    body = describe(Settings(pool="p", nodes=0, slots=3, vm_size="big"), image())
    assert (body["id"], body["vmSize"], body["targetDedicatedNodes"], body["taskSlotsPerNode"]) == ("p", "big", 0, 3)
    assert body["taskSchedulingPolicy"] == {"nodeFillType": "spread"}
    assert body["startTask"]["waitForSuccess"]
    assert "resourceFiles" not in body["startTask"]


def test_start_tasks_that_failed_are_told_once_each() -> None:
    """With how many nodes said the same."""
    failed: dict[str, Any] = {
        "startTaskInfo": {"result": "Failure", "exitCode": 7, "failureInfo": {"message": "it ended"}}
    }
    nodes = [
        failed,
        failed,
        {"startTaskInfo": {"result": "success"}},
        {"errors": [{"code": "Disk", "message": "full"}]},
    ]
    assert start_failures(nodes) == "start task failed with exit code 7: it ended (2 nodes); Disk: full"
    assert start_failures([{}]) == ""


async def ensured(services: Services, settings: Settings, seen: Seen) -> Pool:
    """Have a pool."""
    return await ensure(services.batch, settings, seen)


def test_a_pool_is_made_once_when_two_run_at_once(services: Instance) -> None:
    """Only one of them made it, so only that one asks whether to delete it."""
    settings = Settings(pool=new_name("twice"), nodes=0)
    found: list[Pool] = []
    with proxy(services.endpoint) as batch:

        async def scene(connected: Services) -> None:
            async def one() -> None:
                found.append(await ensured(connected, settings, Seen()))

            async with anyio.create_task_group() as group:
                group.start_soon(one)
                group.start_soon(one)

        using(account_of(services, batch_endpoint=batch.url), scene)
        assert batch.count("POST", r"/pools\?") == 2
    with services.client() as client:
        assert [pool.id for pool in client.list_pools() if pool.id == settings.pool] == [settings.pool]
    assert sorted(pool.made for pool in found) == [False, True]


def test_a_pool_that_is_being_deleted_is_waited_for(services: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once, and the pool is made anew."""
    monkeypatch.setattr(patience, "LOOK_AGAIN", 0.01)
    settings, seen = Settings(pool=new_name("gone"), nodes=0), Seen()
    deleting = (200, {"Content-Type": "application/json"}, b'{"id":"x","state":"deleting"}')
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", f"/pools/{settings.pool}", times=3, refuse=deleting))
        account = account_of(services, batch_endpoint=batch.url)
        pool = using(account, lambda connected: ensured(connected, settings, seen))
    assert pool.made
    assert ["being deleted" in event.text for event in seen.of(Noticed)] == [True]
    assert seen.of(PoolFound) == [PoolFound(settings.pool, True, 0, 2)]  # noqa: FBT003, as events are compared


def test_a_pool_is_resized_only_when_another_number_of_nodes_is_asked_for(
    services: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And then as soon as the service does it."""
    monkeypatch.setattr(patience, "LOOK_AGAIN", 0.01)
    name = new_name("resized")
    not_steady: tuple[int, dict[str, str], bytes] = (
        409,
        {},
        b'{"code":"AllocationStateNotSteady","message":{"value":"wait"}}',
    )
    with services.client() as client, proxy(services.endpoint) as batch:
        client.create_pool(instances.pool_body(name, targetDedicatedNodes=0, taskSlotsPerNode=3))
        account = account_of(services, batch_endpoint=batch.url)
        for nodes, resizes in ((None, 0), (0, 0), (1, 1), (1, 1), (0, 3)):
            if resizes == 3:
                eventually(lambda: client.get_pool(name).allocation_state, lambda state: state == "steady")
                batch.rules.append(Rule("POST", "/resize", refuse=not_steady))
            seen = Seen()
            settings = Settings(pool=name, nodes=nodes, slots=2)
            pool = using(account, partial(ensured, settings=settings, seen=seen))
            assert batch.count("POST", "/resize") == resizes
            assert (pool.nodes, pool.slots, pool.made) == (nodes or 0, 3, False)
            assert ["slots would hold" in event.text for event in seen.of(Noticed)].count(True) == 1
        client.begin_delete_pool(name, polling_interval=3600)


@pytest.mark.parametrize(
    "command",
    [
        'printf \'%s\' "it\'s $((1+1)) {NAME}" > "$AZ_BATCH_NODE_SHARED_DIR/{NAME}"',
        "printf 'it'\\''s' > /dev/null\nprintf \"it's 2 {NAME}\" > \"$AZ_BATCH_NODE_SHARED_DIR/{NAME}\"  # done",
        "cat > $AZ_BATCH_NODE_SHARED_DIR/{NAME} <<'END'\nit's 2 {NAME}\nEND",
    ],
    ids=["quotes", "newlines and a comment", "here-document"],
)
def test_a_start_command_runs_as_shell_text(services: Instance, account: Account, command: str) -> None:
    """Whatever is in it, it runs on each node, before any task."""
    name = new_name("start")
    settings = Settings(pool=name, nodes=1, start_command=command.replace("{NAME}", name))
    using(account, lambda connected: ensured(connected, settings, Seen()))
    with services.client() as client:
        eventually(lambda: [node.state for node in client.list_nodes(name)], lambda states: states == ["idle"])
        (written,) = (each for each in services.home.glob(f"nodes/*/shared/{name}"))
        assert written.read_text().strip() == f"it's 2 {name}"
        client.begin_delete_pool(name, polling_interval=3600)


def test_a_start_command_that_fails_keeps_tasks_away(services: Instance, account: Account) -> None:
    """It is told with its exit code."""
    name = new_name("fails")

    async def scene(connected: Services) -> str:
        await ensured(connected, Settings(pool=name, nodes=1, start_command="true\nfalse"), Seen())
        while True:
            if said := start_failures(await connected.batch.nodes(name)):
                return said
            await anyio.sleep(0.05)

    assert "exit code 1" in using(account, scene)
    with services.client() as client:
        client.begin_delete_pool(name, polling_interval=3600)
