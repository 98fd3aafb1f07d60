"""A pool gets the nodes that are asked for, and is left as it was found, whatever happens."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anyio
import pytest

from fastbatch import Account, Settings, patience
from fastbatch.azure.services import Services
from fastbatch.errors import PoolUnusable, UsageError
from fastbatch.events import Event, NodesCounted, Noticed, PoolFound, PoolLeft, PoolReady
from fastbatch.tuning import stepping
from fastbatch.tuning.measured import Boot
from tests.counted import Seen, account_of
from tests.local import instances
from tests.local.instances import Instance, eventually, new_name
from tests.proxy import Rule, proxy
from tests.seam import using


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at pools often."""
    monkeypatch.setattr(patience, "LOOK_AGAIN", 0.05)


@pytest.fixture(scope="module")
def client(services: Instance) -> Iterator[Any]:
    """Have a client."""
    with services.client() as found:
        yield found


def stepped(
    account: Account,
    settings: Settings,
    nodes: tuple[int, ...],
    seen: Seen,
    *,
    until: Callable[[Event], bool] | None = None,
) -> list[Boot]:
    """Bring a pool to one number of nodes after the other, or until something happens."""

    async def scene(connected: Services) -> list[Boot]:
        boots = dict[int, Boot]()
        with anyio.CancelScope() as scope:

            def observe(event: Event) -> None:
                seen(event)
                if until and until(event):
                    scope.cancel()

            async with stepping.stepping(connected.batch, settings, nodes, observe) as steps:
                for number in nodes:
                    boots[number] = await steps.to(number)
        assert scope.cancelled_caught == bool(until)
        return list(boots.values())

    return using(account, scene)


def told(seen: Seen) -> list[str]:
    """Give what was noticed."""
    return [event.text for event in seen.of(Noticed)]


def test_a_pool_that_is_there_gets_back_the_nodes_that_it_had(client: Any, account: Account) -> None:
    """Those that are new are counted, and how long they took."""
    seen = Seen()
    with instances.pool(client, nodes=2, slots=1) as pool:
        boots = stepped(account, Settings(pool=pool), (4, 3, 1), seen)

        assert client.get_pool(pool).target_dedicated_nodes == 2
    assert [boot.nodes for boot in boots] == [2, 0, 0]
    assert boots[0].seconds > 0
    assert [(event.nodes, event.new) for event in seen.of(PoolReady)] == [(4, 2), (3, 0), (1, 0)]
    assert seen[-1] == PoolLeft(pool, 2)
    assert told(seen) == []


def test_a_pool_that_was_made_is_deleted_also_if_no_answer_told_so(services: Instance, client: Any) -> None:
    """It is known by what is noted on it."""
    settings, seen = Settings(pool=new_name("tune"), slots=3), Seen()
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("POST", r"/pools\?", drop="after"))
        boots = stepped(account_of(services, batch_endpoint=batch.url), settings, (1,), seen)

    assert [boot.nodes for boot in boots] == [1]
    assert seen[-1] == PoolLeft(settings.pool, None)
    assert not [pool for pool in client.list_pools() if pool.id == settings.pool and pool.state != "deleting"]


def test_a_pool_of_which_nodes_do_not_come_is_deleted_too(client: Any, account: Account) -> None:
    """It is said what was seen."""
    settings, seen = Settings(pool=new_name("tune"), start_command="exit 7"), Seen()
    with pytest.raises(PoolUnusable, match="exit code 7"):
        stepped(account, settings, (1,), seen)

    assert seen[-1] == PoolLeft(settings.pool, None)
    assert not [pool for pool in client.list_pools() if pool.id == settings.pool and pool.state != "deleting"]


@pytest.mark.parametrize("there", [False, True])
def test_nodes_that_are_still_to_come_are_not_waited_for(client: Any, account: Account, *, there: bool) -> None:
    """Who is interrupted while they boot leaves the pool without them."""
    settings, seen = Settings(pool=new_name("tune"), start_command="sleep 1000"), Seen()
    if there:
        start = {"commandLine": "sleep 1000", "waitForSuccess": True}
        client.create_pool(instances.pool_body(settings.pool, targetDedicatedNodes=0, startTask=start))
        eventually(lambda: client.get_pool(settings.pool).allocation_state, lambda state: state == "steady")
    stepped(account, settings, (2,), seen, until=lambda event: isinstance(event, NodesCounted) and bool(event.states))

    assert seen[-1] == PoolLeft(settings.pool, 0 if there else None)
    if there:
        eventually(lambda: client.get_pool(settings.pool).current_dedicated_nodes, lambda nodes: nodes == 0)
        client.begin_delete_pool(settings.pool, polling_interval=3600)


def test_a_resize_that_goes_on_is_stopped_to_leave_the_pool(client: Any, account: Account) -> None:
    """As nodes that go wait for their tasks, which may take long; that there are others is told before."""
    seen = Seen()
    with instances.pool(client, nodes=2, slots=1) as pool, instances.job(client, pool) as job:
        for number in range(2):
            client.create_task(job, {"id": str(number), "commandLine": "sleep 1000"})
        eventually(lambda: {task.state for task in client.list_tasks(job)}, lambda states: states == {"running"})
        resized = partial(stepped, account, Settings(pool=pool), (1,), seen)
        resized(until=lambda event: isinstance(event, PoolFound) and event.resized)

        found = client.get_pool(pool)
        assert (found.target_dedicated_nodes, found.current_dedicated_nodes) == (2, 2)
        assert {task.state for task in client.list_tasks(job)} == {"running"}
    assert seen[-1] == PoolLeft(pool, 2)
    assert f"an active job, {job}" in told(seen)[0]


@pytest.mark.parametrize("there", [False, True])
def test_what_can_not_be_left_as_it_was_is_said_with_what_to_do(
    services: Instance, client: Any, monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    """Nobody waits for it for ever."""
    monkeypatch.setattr(stepping, "_LEAVING_SECONDS", 0.5)
    busy: tuple[int, dict[str, str], bytes] = (409, {}, b'{"code":"PoolBeingResized","message":{"value":"wait"}}')
    seen, pool = Seen(), new_name("tune")
    with proxy(services.endpoint) as batch:
        if there:
            client.create_pool(instances.pool_body(pool, targetDedicatedNodes=0))
            eventually(lambda: client.get_pool(pool).allocation_state, lambda state: state == "steady")
            batch.rules.append(Rule("POST", "/resize"))
        batch.rules += [Rule("POST", "/resize", times=1000, refuse=busy), Rule("DELETE", "/pools/", 1000, refuse=busy)]
        stepped(account_of(services, batch_endpoint=batch.url), Settings(pool=pool), (1,), seen)

    assert seen.of(PoolLeft) == []
    do = f"fastbatch pool resize {pool} --nodes 0" if there else f"fastbatch pool delete {pool}"
    assert told(seen)[-1].endswith(do)
    client.begin_delete_pool(pool, polling_interval=3600)


@pytest.mark.parametrize("again", [False, True])
def test_a_pool_that_others_deleted_meanwhile_is_not_said_to_be_as_it_was(
    client: Any, account: Account, *, again: bool
) -> None:
    """Neither if it is gone, nor if there is another one of that name, which is left alone."""
    seen, pool = Seen(), new_name("tune")

    def there(nodes: int) -> None:
        client.create_pool(instances.pool_body(pool, targetDedicatedNodes=nodes))
        eventually(lambda: client.get_pool(pool).allocation_state, lambda state: state == "steady")

    def replace(event: Event) -> bool:
        if not isinstance(event, PoolReady):
            return False
        client.begin_delete_pool(pool, polling_interval=3600)
        eventually(lambda: [each.id for each in client.list_pools()], lambda pools: pool not in pools)
        if again:
            there(1)
        return True

    there(0)
    stepped(account, Settings(pool=pool), (2, 1), seen, until=replace)

    assert seen.of(PoolLeft) == []
    assert told(seen)[-1].endswith("made anew meanwhile, not by this, and is left as it is." if again else "meanwhile.")
    if again:
        assert client.get_pool(pool).target_dedicated_nodes == 1
        client.begin_delete_pool(pool, polling_interval=3600)


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        ({"enableAutoScale": True}, "enableAutoScale"),
        ({"state": "deleting"}, "being deleted"),
        ({"targetLowPriorityNodes": 3}, "3 low-priority nodes"),
    ],
)
def test_a_pool_that_can_not_have_the_nodes_is_refused(
    services: Instance, client: Any, instead: dict[str, object], said: str
) -> None:
    """Before anything is done."""
    seen, pool = Seen(), new_name("tune")
    client.create_pool(instances.pool_body(pool, targetDedicatedNodes=0))
    with proxy(services.endpoint) as batch:
        batch.rules.append(
            Rule("GET", f"/pools/{pool}", edit=lambda body: json.dumps({**json.loads(body), **instead}).encode())
        )
        with pytest.raises(UsageError, match=said):
            stepped(account_of(services, batch_endpoint=batch.url), Settings(pool=pool), (1, 4), seen)
        assert {method for method, _ in batch.requests} == {"GET"}
    assert seen == []
    client.begin_delete_pool(pool, polling_interval=3600)
