"""The bodies that requests may have."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastbatch.local import bodies
from fastbatch.local.errors import Refused
from fastbatch.local.fields import Object
from tests.local import instances, speaking
from tests.local.instances import Instance
from tests.local.speaking import at

SOURCE = "http://127.0.0.1/c"
POOL = instances.pool_body("p")
JOB: dict[str, Any] = {"id": "j", "poolInfo": {"poolId": "p"}}
TASK: dict[str, Any] = {"id": "t", "commandLine": "true"}


def test_a_pool_has_defaults() -> None:
    """As the service shows them."""
    pool = bodies.POOL(POOL)
    assert pool["taskSlotsPerNode"] == 1
    assert pool["taskSchedulingPolicy"] == {"nodeFillType": "Spread"}
    assert pool["enableAutoScale"] is False
    assert pool["virtualMachineConfiguration"]["imageReference"]["version"] == "latest"


def test_a_job_has_defaults() -> None:
    """As the service shows them."""
    assert bodies.JOB(JOB) == {
        **JOB,
        "priority": 0,
        "maxParallelTasks": -1,
        "allowTaskPreemption": False,
        "usesTaskDependencies": False,
        "constraints": {"maxWallClockTime": "P10675199DT2H48M5.4775807S", "maxTaskRetryCount": 0},
        "onAllTasksComplete": "noaction",
        "onTaskFailure": "noaction",
    }


def test_a_task_has_defaults() -> None:
    """As the service shows them, but for its constraints, which are its job's."""
    user = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}
    assert bodies.TASK(TASK) == {**TASK, "requiredSlots": 1, "userIdentity": user}


@pytest.mark.parametrize(
    "identity",
    [
        {"username": "someone"},
        {"autoUser": {"scope": "pool", "elevationLevel": "admin"}},
    ],
)
def test_a_user_is_named_or_made(identity: dict[str, Any]) -> None:
    """And stays as it was asked for."""
    assert bodies.TASK({**TASK, "userIdentity": identity})["userIdentity"] == identity


def test_what_is_not_said_of_a_user_is_the_default() -> None:
    """Each property on its own."""
    for given_, expected in (
        ({}, {"scope": "pool", "elevationLevel": "nonadmin"}),
        ({"autoUser": {"elevationLevel": "Admin"}}, {"scope": "pool", "elevationLevel": "admin"}),
        ({"autoUser": {"scope": "task"}}, {"scope": "task", "elevationLevel": "nonadmin"}),
    ):
        assert bodies.TASK({**TASK, "userIdentity": given_})["userIdentity"] == {"autoUser": expected}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "a b"),
        ("id", None),
        ("commandLine", ""),
        ("commandLine", "x" * 8193),
        ("commandLine", "a\0b"),
        ("requiredSlots", 0),
        ("requiredSlots", 257),
        ("constraints", {"maxTaskRetryCount": -2}),
        ("constraints", {"retentionTime": "1h"}),
        ("constraints", {"more": 1}),
        ("environmentSettings", {"a": "b"}),
        ("environmentSettings", [{"value": "b"}]),
        ("environmentSettings", [{"name": "", "value": "b"}]),
        ("resourceFiles", [{}]),
        ("resourceFiles", [{"filePath": "x"}]),
        ("resourceFiles", [{"httpUrl": SOURCE}]),
        ("resourceFiles", [{"httpUrl": SOURCE, "filePath": ""}]),
        ("resourceFiles", [{"httpUrl": SOURCE, "storageContainerUrl": SOURCE, "filePath": "x"}]),
        *(
            ("resourceFiles", [{"httpUrl": SOURCE, "filePath": "x", "fileMode": mode}])
            for mode in ("9", "0o770", "77", 770)
        ),
        ("outputFiles", [{"filePattern": "x"}]),
        ("outputFiles", [{"filePattern": "x", "destination": {}, "uploadOptions": {"uploadCondition": "always"}}]),
        ("exitConditions", {"exitCodes": [{"code": 1}]}),
        ("exitConditions", {"exitCodes": [{"code": "x", "exitOptions": {}}]}),
        ("exitConditions", {"default": {"dependencyAction": "cancel"}}),
        ("userIdentity", {"username": "a", "autoUser": {"scope": "pool"}}),
        ("userIdentity", {"username": ""}),
        ("userIdentity", {"autoUser": {"scope": "everyone"}}),
        ("affinityInfo", {}),
    ],
)
def test_a_bad_task_is_refused(field: str, value: Any) -> None:
    """Before anything runs."""
    with pytest.raises(Refused) as caught:
        bodies.TASK({**TASK, field: value})
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("body", "value", "field"),
    [
        (bodies.POOL, POOL, "enableAutoScale"),
        (bodies.POOL, POOL, "networkConfiguration"),
        (bodies.JOB, JOB, "jobManagerTask"),
        (bodies.TASK, TASK, "containerSettings"),
        (bodies.TASK, TASK, "multiInstanceSettings"),
    ],
)
def test_what_cannot_be_done_here_is_said(body: Object, value: dict[str, Any], field: str) -> None:
    """It is never taken and then forgotten, unless it says that it is not wanted."""
    with pytest.raises(Refused, match="NotImplemented"):
        body({**value, field: {"a": 1}})
    assert field in body({**value, field: False})


def test_a_collection_has_at_most_a_hundred_tasks() -> None:
    """Each is looked at on its own later."""
    assert len(bodies.TASK_COLLECTION({"value": [None] * 100})["value"]) == 100
    wrong: list[Any] = [[None] * 101, {}, "x", None]
    for value in wrong:
        with pytest.raises(Refused):
            bodies.TASK_COLLECTION({"value": value})


def named(*fields: str) -> st.SearchStrategy[dict[str, Any]]:
    """Give objects whose properties have names that mean something, and values that may be anything."""
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER) | TEXTS, inner, max_size=3),
        max_leaves=8,
    )
    return st.dictionaries(st.sampled_from(fields), values, max_size=4)


TEXTS = st.text(max_size=12) | st.sampled_from(["", "PT1H", "p", "task", "1", SOURCE])
INNER = [
    *("name", "value", "autoUser", "scope", "httpUrl", "filePath", "poolId", "maxTaskRetryCount", "retentionTime"),
    *("commandLine", "exitCodes", "code", "exitOptions", "jobAction", "default", "filePattern", "destination"),
    *("taskIds", "taskIdRanges", "start", "end"),
]


@settings(max_examples=70, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pool=named(
        "displayName", "vmSize", "startTask", "metadata", "taskSlotsPerNode", "resizeTimeout", "networkConfiguration"
    ),
    job=named(
        *("displayName", "priority", "constraints", "metadata", "commonEnvironmentSettings", "onTaskFailure", "x"),
        "usesTaskDependencies",
    ),
    task=named("displayName", "constraints", "environmentSettings", "userIdentity", "exitConditions", "dependsOn", "x"),
)
def test_no_body_makes_the_service_fail(
    instance: Instance, client: Any, pool: dict[str, Any], job: dict[str, Any], task: dict[str, Any]
) -> None:
    """Whatever it holds, it is taken or refused with a reason."""
    name = instances.new_name("fuzz")
    asked = [
        ("/pools", {**instances.pool_body(name), **pool}),
        ("/jobs", {**JOB, "id": name, "poolInfo": {"poolId": name}, **job}),
        ("/jobs", {"id": name, "poolInfo": {"poolId": name}}),
        (f"/jobs/{name}/tasks", {**TASK, **task}),
        (f"/jobs/{name}/addtaskcollection", {"value": [{**TASK, "id": "u", **task}, task, list(task)]}),
    ]
    statuses = [speaking.ask(instance, "POST", at(path), body).status for path, body in asked]
    assert set(statuses) <= {200, 201, 400, 409, 501}
    assert speaking.ask(instance, "GET", at(f"/jobs/{name}/tasks")).status == 200
    client.begin_delete_job(name, polling_interval=3600)
    if statuses[0] == 201:
        client.begin_delete_pool(name, polling_interval=3600)
