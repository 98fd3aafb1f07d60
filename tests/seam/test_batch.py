"""Batch is asked, and its answers are read, whatever stands in them."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fastbatch import Account
from fastbatch.azure.services import Services
from fastbatch.errors import Refused, ServiceError, Unauthorized
from fastbatch.pools.obtaining import describe
from fastbatch.sending.retry import Policy
from fastbatch.settings import Settings
from tests.counted import account_of
from tests.local import instances
from tests.local.instances import Instance, new_name
from tests.proxy import Rule, proxy
from tests.seam import using

JSON = {"Content-Type": "application/json"}


def test_what_is_not_there_is_nothing(account: Account) -> None:
    """Neither a pool, nor a job, nor where a task ran."""

    async def scene(services: Services) -> list[object]:
        batch = services.batch
        return [await batch.pool("none"), await batch.job("none"), await batch.node_of("none", "none")]

    assert using(account, scene) == [None, None, None]


def test_a_refusal_says_what_was_wrong(account: Account) -> None:
    """With the values by which the service explains it, and without the request's id."""

    async def scene(services: Services) -> None:
        await services.batch.make_job({"id": new_name("job"), "poolInfo": {"poolId": "p"}, "onAllTasksComplete": "x"})

    with pytest.raises(Refused) as caught:
        using(account, scene)
    assert (caught.value.status, caught.value.service) == (400, "Batch")
    assert "refused to make the job (400 " in str(caught.value)
    assert "onAllTasksComplete" in str(caught.value)
    assert "RequestId" not in str(caught.value)


def test_wrong_credentials_are_told_at_once(services: Instance) -> None:
    """Not tried again, and with what to do."""
    account = account_of(services, batch_key="d3Jvbmc=")

    async def scene(connected: Services) -> None:
        with pytest.raises(Unauthorized, match="config show"):
            await connected.batch.pool("p")
        assert connected.batch.line.counts == {"look at the pool": 1}

    using(account, scene)


def test_the_next_page_is_asked_for_where_the_first_one_was(services: Instance) -> None:
    """Whatever host a link names, it does not get our signature; its other parameters hold."""
    link = "http://127.0.0.1:9/elsewhere?$filter=state%20eq%20'x''y'&api-version=1999-01-01&$skiptoken=a%2Bb%3D"
    pages = [
        (200, JSON, json.dumps({"value": [{"id": "1"}], "odata.nextLink": link}).encode()),
        (200, JSON, b'{"value":[{"id":"2"}]}'),
    ]
    with proxy(services.endpoint) as batch:
        batch.rules += [Rule("GET", "/tasks", refuse=page) for page in pages]

        async def scene(connected: Services) -> list[Any]:
            found = connected.batch.task_pages("a job", where="state eq 'x''y'", select="id")
            return [task["id"] async for page in found for task in page]

        assert using(account_of(services, batch_endpoint=batch.url), scene) == ["1", "2"]
        first, second = (path for _, path in batch.requests)
    assert first.startswith("/jobs/a%20job/tasks?")
    assert second.startswith("/jobs/a%20job/tasks?")
    assert "1999" not in second
    assert "skiptoken=a%2Bb%3D" in second
    assert "api-version=2025-06-01" in second


def test_nodes_are_counted_by_state(services: Instance, account: Account) -> None:
    """Those of one pool, of both kinds."""
    with services.client() as client, instances.pool(client, nodes=2) as pool:
        counts = using(account, lambda connected: connected.batch.node_counts(pool))
        nodes = using(account, lambda connected: connected.batch.nodes(pool))
    assert (counts["idle"], counts["total"]) == (2, 2)
    assert len(nodes) == 2
    assert using(account, lambda connected: connected.batch.node_counts("it's none")) == {}


def test_a_task_tells_its_node_and_a_job_counts_its_tasks(services: Instance, account: Account) -> None:
    """As soon as it ran."""
    with services.client() as client, instances.pool(client) as pool, instances.job(client, pool) as job:
        client.create_task(job, {"id": "t", "commandLine": "/bin/true"})
        instances.eventually(lambda: client.get_task(job, "t").state, lambda state: state == "completed")
        expected = client.get_task(job, "t").node_info.node_id
        assert using(account, lambda connected: connected.batch.node_of(job, "t")) == expected
        assert using(account, lambda connected: connected.batch.task_counts(job))["completed"] == 1


_DELETIONS: list[tuple[str, Callable[[Services, str], Awaitable[None]]]] = [
    ("/jobs/", lambda connected, name: connected.batch.delete_job(name)),
    ("/pools/", lambda connected, name: connected.batch.delete_pool(name)),
]


@pytest.mark.parametrize(("path", "delete"), _DELETIONS, ids=["job", "pool"])
def test_a_deletion_whose_answer_is_lost_is_done(
    services: Instance, path: str, delete: Callable[[Services, str], Awaitable[None]]
) -> None:
    """The second request finds it gone, or going; that is what was asked for."""
    name = new_name("deleted")
    with services.client() as client, proxy(services.endpoint) as batch:
        client.create_pool(instances.pool_body(name, targetDedicatedNodes=0))
        client.create_job({"id": name, "poolInfo": {"poolId": name}})
        batch.rules.append(Rule("DELETE", path, drop="after"))
        using(account_of(services, batch_endpoint=batch.url), lambda connected: delete(connected, name))
        assert batch.count("DELETE", path) == 2


def test_a_pool_that_was_made_without_an_answer_is_told_to_exist(services: Instance) -> None:
    """So whoever makes one can look at it."""
    image = {**instances.IMAGE}
    body = describe(Settings(pool=new_name("lost"), nodes=0), image)
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("POST", "/pools", drop="after"))
        with pytest.raises(Refused, match="PoolExists"):
            using(account_of(services, batch_endpoint=batch.url), lambda connected: connected.batch.make_pool(body))


@pytest.mark.parametrize("content", [b"<html>Sign in to the network</html>", b'{"value":', b"\xff"])
def test_an_answer_that_is_none_is_the_services_trouble(
    services: Instance, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """As from something that stands between us; it is an error of ours, not a mistake in the program."""

    async def scene(connected: Services) -> None:
        monkeypatch.setattr(connected.batch.line, "_policy", Policy(attempts=1))
        with pytest.raises(ServiceError):
            await connected.batch.pool("p")

    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/pools/", refuse=(200, JSON, content)))
        using(account_of(services, batch_endpoint=batch.url), scene)


def test_an_error_that_is_no_json_is_told_by_its_status(services: Instance) -> None:
    """With the words that HTTP has for it."""
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/pools/", refuse=(418, {}, b"<html>tea</html>")))
        with pytest.raises(Refused) as caught:
            using(account_of(services, batch_endpoint=batch.url), lambda connected: connected.batch.pool("p"))
    assert caught.value.status == 418
