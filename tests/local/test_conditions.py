"""Every operation on a pool, a job or a task minds the conditions that a request sets on its version."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.batch import BatchClient

from fastbatch.local.server.routes import ROUTES, Route
from tests.local.instances import Instance, new_name, pool_body
from tests.local.speaking import Said, ask, at

OLD, LONG_AGO, FAR_OFF = "0x8D0", "Mon, 01 Jan 2001 00:00:00 GMT", "Tue, 01 Jan 2999 00:00:00 GMT"
UNMET = [
    {"if-match": OLD},
    {"if-match": f'"{OLD}"'},
    {"if-none-match": "CURRENT"},
    {"if-none-match": '"CURRENT"'},
    {"if-none-match": "*"},
    {"if-modified-since": FAR_OFF},
    {"if-unmodified-since": LONG_AGO},
]
MET = [
    {"if-match": "CURRENT"},
    {"if-match": '"CURRENT"', "if-none-match": f'"{OLD}"'},
    {"if-modified-since": LONG_AGO, "if-unmodified-since": FAR_OFF},
]
BODIES: dict[str, dict[str, Any]] = {
    "begin_disable_job": {"disableTasks": "requeue"},
    "begin_remove_nodes": {"nodeList": ["nobody"]},
    "begin_resize_pool": {"targetDedicatedNodes": 0},
    "replace_job": {"poolInfo": {"poolId": "pool"}},
}


def has_conditions(route: Route) -> bool:
    """Tell whether the SDK lets a client set conditions on the version in an operation that is done here."""
    method = getattr(BatchClient, route.name, None)
    return method is not None and route.is_done and "etag" in inspect.signature(method).parameters


CONDITIONAL = [route for route in ROUTES if has_conditions(route) or route.name == "replace_pool_properties"]


@dataclass(frozen=True)
class Things:
    """A pool without nodes, a job there, and a task of it."""

    instance: Instance
    pool: str
    job: str
    task: str = "t"

    def address(self, path: str) -> str:
        """Give the address of one of them, or of an operation on it."""
        return at(path.format(pool=self.pool, job=self.job, task=self.task))

    def ask(self, route: Route, conditions: dict[str, str]) -> Said:
        """Ask for an operation on the version that is there now."""
        tag = self.look(route)[0]
        headers = {name: value.replace("CURRENT", tag) for name, value in conditions.items()}
        body = BODIES.get(route.name, {}) if route.method in {"POST", "PUT", "PATCH"} and route.body else None
        return ask(self.instance, route.method, self.address(route.path), body, headers)

    def look(self, route: Route) -> tuple[str, str]:
        """Give the version and the state of what an operation is about."""
        kinds = {"task": "/jobs/{job}/tasks/{task}", "job": "/jobs/{job}", "pool": "/pools/{pool}"}
        path = next(path for kind, path in kinds.items() if f"{{{kind}}}" in route.path)
        found = ask(self.instance, "GET", self.address(path))
        return found.json["eTag"], found.json["state"]


def new_things(client: Any, instance: Instance) -> Things:
    """Make things."""
    things = Things(instance, new_name("pool"), new_name("job"))
    client.create_pool(pool_body(things.pool))
    client.create_job({"id": things.job, "poolInfo": {"poolId": things.pool}})
    client.create_task(things.job, {"id": things.task, "commandLine": "true"})
    return things


@pytest.fixture(scope="module")
def things(client: Any, instance: Instance) -> Iterator[Things]:
    """Have things that nothing is done to."""
    made = new_things(client, instance)
    yield made
    client.begin_delete_job(made.job, polling_interval=3600)
    client.begin_delete_pool(made.pool, polling_interval=3600)


def test_there_are_operations_with_conditions() -> None:
    """All that read or change a pool, a job or a task."""
    assert {"get_pool", "pool_exists", "begin_stop_pool_resize", "begin_enable_job", "delete_task"} <= {
        route.name for route in CONDITIONAL
    }


@pytest.mark.parametrize("conditions", UNMET, ids=str)
@pytest.mark.parametrize("route", CONDITIONAL, ids=lambda route: route.name)
def test_nothing_is_done_where_a_condition_is_not_met(things: Things, route: Route, conditions: dict[str, str]) -> None:
    """Who reads is told that nothing is new, and who writes that it is not so."""
    before = things.look(route)
    said = things.ask(route, conditions)
    if route.method in {"GET", "HEAD"}:
        assert (said.status, said.body) == (304, b"")
    else:
        assert said.refusal == (412, "ConditionNotMet")
    assert things.look(route) == before


@pytest.mark.parametrize("route", CONDITIONAL, ids=lambda route: route.name)
def test_what_is_asked_is_done_where_the_conditions_are_met(client: Any, instance: Instance, route: Route) -> None:
    """Or is refused for other reasons."""
    for conditions in MET:
        said = new_things(client, instance).ask(route, conditions)
        assert said.status < 300 or said.refusal[1] in {
            *("PoolBeingResized", "OperationInvalidForCurrentState", "NodeNotFound", "TaskNotCompleted")
        }
