"""Containers of a storage account, and the right to read and write in them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from azure.storage.blob import ContainerClient, UserDelegationKey

from fastbatch import Account
from fastbatch.azure import storage as storage_module
from fastbatch.azure.line import Line
from fastbatch.azure.services import Services
from fastbatch.azure.storage import Storage
from fastbatch.errors import Unreachable
from fastbatch.sending.retry import Policy
from fastbatch.sending.throttle import Throttle
from tests.counted import account_of
from tests.local.instances import Instance, new_name
from tests.proxy import Rule, proxy
from tests.seam import using


@pytest.fixture
def container(services: Instance) -> Iterator[ContainerClient]:
    """Have a container with five blobs."""
    found = services.blobs().create_container(new_name("storage"))
    for n in range(5):
        found.upload_blob(f"blob-{n}", b"x" * n)
    yield found
    if found.exists():
        found.delete_container()


def test_a_container_is_made_once_and_deleted_once(services: Instance, account: Account) -> None:
    """Doing it again does no harm."""
    name = new_name("made")

    async def scene(connected: Services) -> list[object]:
        storage = connected.storage
        made = [await storage.make_container(name), await storage.make_container(name)]
        await storage.delete_container(name)
        await storage.delete_container(name)
        return [*made, await storage.inventory(name)]

    assert using(account, scene) == [True, False, None]
    assert not services.blobs().get_container_client(name).exists()


def test_a_blob_is_deleted_unless_it_was_touched_since(container: ContainerClient, account: Account) -> None:
    """It is told whether it is gone; one that was not there is."""
    name, long_ago, soon = container.container_name, *(datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))

    async def scene(connected: Services) -> list[bool]:
        storage = connected.storage
        return [
            await storage.delete_blob(name, "blob-1", untouched_since=long_ago),
            await storage.delete_blob(name, "blob-2", untouched_since=soon),
            await storage.delete_blob(name, "blob-2", untouched_since=long_ago),
            await storage.delete_blob(new_name("none"), "blob", untouched_since=soon),
        ]

    assert using(account, scene) == [False, True, True, True]
    assert list(container.list_blob_names()) == ["blob-0", "blob-1", "blob-3", "blob-4"]


@pytest.mark.parametrize(("page", "found"), [(5000, 5), (5, 5), (4, 4), (1, 1)])
def test_one_request_shows_what_is_there(
    account: Account, container: ContainerClient, monkeypatch: pytest.MonkeyPatch, page: int, found: int
) -> None:
    """And whether it is all; with what blobs are told by."""
    monkeypatch.setattr(storage_module, "_PAGE", page)
    name = str(container.container_name)

    async def scene(connected: Services) -> None:
        inventory = await connected.storage.inventory(name)
        assert inventory
        assert (len(inventory.blobs), inventory.whole) == (found, found == 5)
        for blob, stored in inventory.blobs.items():
            looked = await connected.storage.blobs.look(name, blob)
            assert looked
            assert (stored.length, stored.touched) == (looked.length, looked.touched)
            assert stored.etag.strip('"') == looked.etag.strip('"')
        assert connected.storage.line.counts["list blobs"] == 1

    using(account, scene)


def test_requests_of_the_sdk_are_sent_again_too(services: Instance, container: ContainerClient) -> None:
    """By our rules: at once where that may help, without its own fifteen seconds."""
    with proxy(account_of(services).storage_endpoint) as storage:
        storage.rules += [
            Rule("GET", "comp=list", drop="before"),
            Rule("GET", "comp=list", refuse=(503, {"x-ms-error-code": "ServerBusy", "Retry-After": "0"}, b"")),
        ]
        account = account_of(services, storage_endpoint=storage.url)
        name = str(container.container_name)
        inventory = using(account, lambda connected: connected.storage.inventory(name), seconds=10)
    assert inventory
    assert len(inventory.blobs) == 5


def test_a_signature_is_used_until_shortly_before_its_end(account: Account) -> None:
    """An hour before, there is a new one; each container has its own."""

    async def scene(connected: Services) -> None:
        storage = connected.storage
        own = storage._own_sas  # noqa: SLF001, it is sent and never shown
        clock = storage.line.clock
        clock.hear("Fri, 20 Nov 2026 10:00:00 GMT")
        first = await own("a")
        assert (await own("b"))["sig"] != first["sig"]
        clock.hear("Fri, 20 Nov 2026 14:59:00 GMT")
        assert await own("a") == first
        clock.hear("Fri, 20 Nov 2026 15:01:00 GMT")
        assert (await own("a"))["se"].startswith("2026-11-20T21:01:0")

    using(account, scene)


def delegated() -> UserDelegationKey:
    """Give a key as Entra ID does."""
    key = UserDelegationKey()  # type: ignore[no-untyped-call]  # the SDK's
    key.signed_oid = key.signed_tid = "00000000-0000-0000-0000-000000000000"
    key.signed_start, key.signed_expiry = "2026-11-20T10:00:00Z", "2026-11-20T16:00:00Z"
    key.signed_service, key.signed_version = "b", "2021-12-02"
    key.value = "c2VjcmV0IG9mIG5vYm9keQ=="
    return key


class Token:
    """A credential that is never asked."""

    async def get_token(self, *_: str, **__: Any) -> Any:
        """Give nothing."""

    async def close(self) -> None:
        """Close nothing."""


def by_entra_id(requests: int, at_once: int) -> int:
    """Look at blobs side by side without an account key; tell how many keys were asked for."""
    account = Account(
        batch_account="b",
        batch_endpoint="https://127.0.0.1:1",
        storage_account="store",
        storage_endpoint="https://127.0.0.1:1",  # nobody answers there
    )
    asked: list[datetime] = []

    async def key(_start: datetime, until: datetime) -> UserDelegationKey:
        asked.append(until)
        await anyio.sleep(0.01)
        return delegated()

    async def look(storage: Storage) -> None:
        with pytest.raises(Unreachable):
            await storage.blobs.look("container", "blob")

    async def scene() -> None:
        line = Line("Storage", Throttle(at_once), Policy(attempts=1), lambda _: None)
        with anyio.fail_after(2):
            async with Storage(account, Token(), line) as storage:
                storage._client.get_user_delegation_key = key  # type: ignore[method-assign,assignment]  # noqa: SLF001, in Entra ID's place
                async with anyio.create_task_group() as group:
                    for _ in range(requests):
                        group.start_soon(look, storage)

    anyio.run(scene)
    return len(asked)


@pytest.mark.parametrize("at_once", [1, 4, 32])
def test_a_request_that_needs_a_signature_first_does_not_wait_for_itself(at_once: int) -> None:
    """Without an account key the signature takes a request, which needs a turn too."""
    assert by_entra_id(at_once, at_once) >= 1


def test_one_key_is_asked_for_however_many_requests_need_it() -> None:
    """They wait for it together."""
    assert by_entra_id(20, 100) == 1


def test_an_account_key_signs_by_itself(account: Account) -> None:
    """No request is needed for it."""

    async def scene(connected: Services) -> str:
        signer = await connected.storage.signer(datetime(2026, 11, 20, 16, tzinfo=UTC))
        assert not connected.storage.line.counts
        return str(signer.to_read("c", "b")["httpUrl"])

    url = using(account, scene)
    assert "se=2026-11-20T16" in url
    assert "skoid" not in url
