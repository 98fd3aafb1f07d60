"""Pools, as clients of azure-batch make, see and change them, and where their tasks go."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.batch import models
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.local import instances
from tests.local.instances import IMAGE, Instance, new_name, pool_body
from tests.local.moves import LONG, SOON, add, delete_pool, on_wire, reach_steady, reach_task, resize
from tests.local.speaking import ask, at
from tests.local.tasks import refused


@pytest.fixture
def empty(client: Any) -> Iterator[str]:
    """Have a pool without nodes."""
    with instances.pool(client, nodes=0) as name:
        yield name


# --- what is shown and changed ---


def test_a_new_pool_shows_the_defaults_of_the_service(client: Any) -> None:
    """What was not asked for is shown as the real service shows it, and the rest as it was given."""
    name = new_name("pool")
    client.create_pool(pool_body(name, displayName="A pool", metadata=[{"name": "a", "value": "b"}]))
    found = reach_steady(client, name)
    times = ("creationTime", "lastModified", "stateTransitionTime", "allocationStateTransitionTime")
    assert all(found.pop(time).endswith("Z") for time in times)
    assert found.pop("eTag").startswith("0x8D")
    assert found.pop("url").endswith(f"/pools/{name}")
    assert found == {
        "id": name,
        "displayName": "A pool",
        "metadata": [{"name": "a", "value": "b"}],
        "state": "active",
        "allocationState": "steady",
        "vmSize": "STANDARD_D2S_V3",
        "virtualMachineConfiguration": IMAGE,
        "resizeTimeout": "PT15M",
        "currentDedicatedNodes": 0,
        "currentLowPriorityNodes": 0,
        "targetDedicatedNodes": 0,
        "targetLowPriorityNodes": 0,
        "enableAutoScale": False,
        "enableInterNodeCommunication": False,
        "taskSlotsPerNode": 1,
        "taskSchedulingPolicy": {"nodeFillType": "Spread"},
    }
    delete_pool(client, name)


def test_the_models_of_the_sdk_do_as_well_as_dicts(client: Any) -> None:
    """A pool is made, read and changed by models."""
    name = new_name("pool")
    machine = models.VirtualMachineConfiguration(
        image_reference=models.BatchVmImageReference(publisher="canonical", offer="o", sku="s"),
        node_agent_sku_id="batch.node.ubuntu 22.04",
    )
    client.create_pool(
        models.BatchPoolCreateOptions(
            id=name,
            vm_size="A1",
            virtual_machine_configuration=machine,
            target_dedicated_nodes=1,
            task_scheduling_policy=models.BatchTaskSchedulingPolicy(node_fill_type="Pack"),
        )
    )
    client.update_pool(name, models.BatchPoolUpdateOptions(metadata=[models.BatchMetadataItem(name="a", value="b")]))
    reach_steady(client, name)
    found = client.get_pool(name)
    assert found.allocation_state == models.AllocationState.STEADY
    assert (found.current_dedicated_nodes, found.metadata[0].value) == (1, "b")
    assert found.task_scheduling_policy.node_fill_type == "Pack"
    delete_pool(client, name)


def test_whether_a_pool_exists_can_be_asked(client: Any, empty: str) -> None:
    """The SDK raises where it should answer no."""
    assert client.pool_exists(empty)
    assert client.pool_exists(empty.upper())
    with pytest.raises(ResourceNotFoundError):
        client.pool_exists("nobody")


def test_pools_are_listed_by_filter_in_pages(client: Any) -> None:
    """Each is on exactly one page, with what was selected."""
    prefix = new_name("page")
    names = [f"{prefix}-{number}" for number in range(3)]
    for name in names:
        client.create_pool(pool_body(name, vmSize=f"SIZE_{name[-1]}"))
        reach_steady(client, name)
    mine = f"startswith(id,'{prefix}')"
    pages = client.list_pools(filter=mine, select=["id", "allocationState"], max_results=2).by_page()
    found = [[pool.as_dict() for pool in page] for page in pages]
    assert [len(page) for page in found] == [2, 1]
    assert found[1] == [{"id": names[2], "allocationState": "steady"}]
    for condition, wanted in {
        "vmSize eq 'size_1'": names[1:2],
        "allocationState eq 'steady' and state eq 'active'": names,
        f"id lt '{names[1]}' or id gt '{names[1]}'": [names[0], names[2]],
        "enableAutoScale eq true": [],
        "lastModified gt DateTime'2000-01-01T00:00:00Z'": names,
    }.items():
        assert [pool.id for pool in client.list_pools(filter=f"{mine} and ({condition})")] == wanted, condition
    for name in names:
        client.begin_delete_pool(name, polling_interval=3600)


@pytest.mark.parametrize(
    ("code", "properties"),
    [
        ("MissingRequiredProperty", {"vmSize": None}),
        ("MissingRequiredProperty", {"virtualMachineConfiguration": None}),
        ("MissingRequiredProperty", {"virtualMachineConfiguration": {"imageReference": {}}}),
        ("MissingRequiredProperty", {"startTask": {"waitForSuccess": True}}),
        ("UnsupportedProperty", {"nodes": 1}),
        ("UnsupportedProperty", {"startTask": {"commandLine": "true", "outputFiles": []}}),
        ("InvalidPropertyValue", {"id": "a.b"}),
        ("InvalidPropertyValue", {"targetDedicatedNodes": -1}),
        ("InvalidPropertyValue", {"targetDedicatedNodes": 1.5}),
        ("InvalidPropertyValue", {"taskSlotsPerNode": 0}),
        ("InvalidPropertyValue", {"taskSlotsPerNode": 257}),
        ("InvalidPropertyValue", {"taskSchedulingPolicy": {"nodeFillType": "Best"}}),
        ("InvalidPropertyValue", {"resizeTimeout": "PT4M59S"}),
        ("InvalidPropertyValue", {"startTask": {"commandLine": "", "waitForSuccess": True}}),
        ("InvalidPropertyValue", {"startTask": {"commandLine": "true", "waitForSuccess": "true"}}),
        ("NotImplemented", {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes=1;"}),
        ("NotImplemented", {"mountConfiguration": [{"nfsMountConfiguration": {}}]}),
    ],
)
def test_a_pool_that_is_not_right_is_refused(client: Any, code: str, properties: dict[str, Any]) -> None:
    """Each fault has the code that is documented for it, and no pool is made."""
    name = new_name("pool")
    with refused(code):
        client.create_pool({**pool_body(name), **properties})
    with refused("PoolNotFound"):
        client.get_pool(name)


def test_there_are_no_two_pools_of_one_id(client: Any, empty: str) -> None:
    """In whatever letter case; it is shown as it was first given."""
    with refused("PoolExists"):
        client.create_pool(pool_body(empty.upper()))
    assert client.get_pool(empty.upper()).id == empty


@pytest.mark.parametrize(
    "operation", ["get", "patch", "replace", "resize", "stop", "remove", "delete", "nodes", "node"]
)
def test_a_pool_that_is_not_there_is_not_found(client: Any, operation: str) -> None:
    """Whatever is asked of it."""
    calls: dict[str, Callable[[str], Any]] = {
        "get": client.get_pool,
        "patch": lambda name: client.update_pool(name, {"metadata": []}),
        "replace": lambda name: client.replace_pool_properties(name, {"metadata": []}),
        "resize": lambda name: resize(client, name, 1),
        "stop": client.begin_stop_pool_resize,
        "remove": lambda name: client.begin_remove_nodes(name, {"nodeList": ["x"]}),
        "delete": client.begin_delete_pool,
        "nodes": lambda name: list(client.list_nodes(name)),
        "node": lambda name: client.get_node(name, "x"),
    }
    with refused("PoolNotFound"):
        calls[operation]("nobody")


def test_what_makes_a_node_can_not_change_while_there_are_nodes(client: Any, empty: str) -> None:
    """Other things can, at any time; what is not named stays."""
    with instances.pool(client) as pool:
        with refused("OperationInvalidForCurrentState"):
            client.update_pool(pool, {"vmSize": "OTHER"})
        client.update_pool(pool, {"metadata": [{"name": "a", "value": "b"}]})
        assert client.get_pool(pool).metadata[0].value == "b"
    before = on_wire(client.get_pool(empty))
    client.update_pool(empty, {"vmSize": "OTHER", "taskSlotsPerNode": 3})
    after = on_wire(client.get_pool(empty))
    differing = {key for key in after if after[key] != before[key]}
    assert differing == {"vmSize", "taskSlotsPerNode", "eTag", "lastModified"}
    for code, wrong in {"InvalidPropertyValue": {"taskSlotsPerNode": 0}, "UnsupportedProperty": {"id": "x"}}.items():
        with refused(code):
            client.update_pool(empty, wrong)


def test_what_can_change_at_any_time_is_replaced(client: Any, instance: Instance) -> None:
    """What is not given goes; all else stays, and older clients name empty lists of what is no more."""
    with instances.pool(client) as pool:
        before = on_wire(client.get_pool(pool))
        new = {"startTask": {"commandLine": "true"}, "metadata": [{"name": "a", "value": "b"}]}
        client.replace_pool_properties(pool, {**new, "applicationPackageReferences": []})
        after = on_wire(client.get_pool(pool))
        assert (after["metadata"], after["startTask"]["commandLine"]) == (new["metadata"], "true")
        assert {key for key in before if after[key] != before[key]} == {"eTag", "lastModified"}

        path = at(f"/pools/{pool}/updateproperties")
        nothing: dict[str, Any] = {"certificateReferences": [], "applicationPackageReferences": [], "metadata": []}
        said = ask(instance, "POST", path, nothing)
        assert (said.status, said.body) == (204, b"")
        assert not {"metadata", "startTask"} & on_wire(client.get_pool(pool)).keys()
        for name in ("certificateReferences", "applicationPackageReferences"):
            assert ask(instance, "POST", path, {name: [{}]}).refusal == (501, "NotImplemented")
        assert ask(instance, "POST", path, {"vmSize": "OTHER"}).refusal == (400, "UnsupportedProperty")
        assert ask(instance, "POST", path).refusal[0] == 400


def test_the_slots_of_a_pool_are_those_that_it_has_now(client: Any, empty: str) -> None:
    """As many tasks run at once as a node has slots."""
    client.update_pool(empty, {"taskSlotsPerNode": 3})
    resize(client, empty, 1).result()
    with instances.job(client, empty) as job:
        for task in "abcd":
            add(client, job, task, LONG)
        reach_task(client, job, "c", "running")
        assert client.get_task(job, "d").state == "active"


def test_conditions_on_the_version_are_kept(client: Any, empty: str) -> None:
    """A resize is a new version, and the old one can't be changed or deleted any more."""
    old = client.get_pool(empty).etag
    with pytest.raises(HttpResponseError) as unchanged:
        client.get_pool(empty, etag=old, match_condition=MatchConditions.IfModified)
    assert unchanged.value.status_code == 304
    on_old = {"etag": old, "match_condition": MatchConditions.IfNotModified}
    client.begin_resize_pool(empty, {"targetDedicatedNodes": 0}, polling_interval=SOON, **on_old).result()
    changes: list[Callable[[], Any]] = [
        lambda: client.update_pool(empty, {"metadata": []}, **on_old),
        lambda: client.begin_resize_pool(empty, {"targetDedicatedNodes": 1}, **on_old),
        lambda: client.begin_stop_pool_resize(empty, **on_old),
        lambda: client.begin_remove_nodes(empty, {"nodeList": ["x"]}, **on_old),
        lambda: client.begin_delete_pool(empty, **on_old),
    ]
    for change in changes:
        with refused("ConditionNotMet"):
            change()
    assert on_wire(client.get_pool(empty))["targetDedicatedNodes"] == 0


# --- where tasks go ---


@pytest.mark.parametrize(("fill", "by_node"), [("spread", [2, 2]), ("pack", [4])])
def test_tasks_are_spread_or_packed(client: Any, fill: str, by_node: list[int]) -> None:
    """To the emptiest node, or to the fullest that has room."""
    policy = {"nodeFillType": fill}
    with (
        instances.pool(client, nodes=2, slots=4, taskSchedulingPolicy=policy) as pool,
        instances.job(client, pool) as job,
    ):
        for task in "abcd":
            add(client, job, task, LONG)
            reach_task(client, job, task, "running")
        used = Counter(task.node_info.node_id for task in client.list_tasks(job))
        assert sorted(used.values()) == by_node


def test_a_large_task_takes_several_slots(client: Any) -> None:
    """One that is larger than a node waits, and keeps nobody else from running."""
    with instances.pool(client, slots=4) as pool, instances.job(client, pool) as job:
        add(client, job, "huge", requiredSlots=5)
        add(client, job, "large", LONG, requiredSlots=3)
        add(client, job, "small", LONG)
        reach_task(client, job, "large", "running")
        reach_task(client, job, "small", "running")
        (node,) = client.list_nodes(pool)
        assert (node.running_tasks_count, node.running_task_slots_count) == (2, 4)
        assert client.get_task(job, "huge").state == "active"
        add(client, job, "late")
        assert client.get_task(job, "late").state == "active"


# --- the asynchronous client ---


def test_the_asynchronous_client_does_all_that_the_other_does(instance: Instance) -> None:
    """It walks through the whole life of a pool."""
    asyncio.run(_walk(instance))


async def _walk(instance: Instance) -> None:
    pool = new_name("pool")
    async with instance.async_client() as client:
        await client.create_pool(pool_body(pool))
        assert await client.pool_exists(pool)
        await client.update_pool(pool, {"metadata": [{"name": "a", "value": "b"}]})
        targets = {"targetDedicatedNodes": 2}
        await (await client.begin_resize_pool(pool, targets, polling_interval=SOON)).result()
        found = await client.get_pool(pool)
        assert (found.allocation_state, found.current_dedicated_nodes, found.metadata[0].name) == ("steady", 2, "a")
        assert [each.id async for each in client.list_pools(filter=f"id eq '{pool}'", select=["id"])] == [pool]

        nodes = [node async for node in client.list_nodes(pool)]
        assert (await client.get_node(pool, nodes[0].id)).id == nodes[0].id
        leaving = {"nodeList": [nodes[0].id]}
        await (await client.begin_remove_nodes(pool, leaving, polling_interval=SOON)).result()
        counts = [each async for each in client.list_pool_node_counts(filter=f"poolId eq '{pool}'")]
        assert [each.dedicated.total for each in counts] == [1]
        assert [image async for image in client.list_supported_images()]

        with refused("OperationInvalidForCurrentState"):
            await client.begin_stop_pool_resize(pool)
        await (await client.begin_delete_pool(pool, polling_interval=SOON)).result()
        with pytest.raises(ResourceNotFoundError):
            await client.pool_exists(pool)
