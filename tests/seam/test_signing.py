"""Signatures give the least rights, for as long as they are needed; Azurite is asked what they are good for."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.storage.blob import ContainerClient

from fastbatch import Account
from fastbatch.azure.services import Services
from fastbatch.azure.signing import Identified, Signer
from tests.local.instances import Instance, new_name
from tests.seam import using

MINE, OTHER = "mine of 100 % & more?", "other"


@pytest.fixture(scope="module")
def container(services: Instance) -> Iterator[ContainerClient]:
    """Have a container with two blobs."""
    found = services.blobs().create_container(new_name("signing"))
    for name in (MINE, OTHER):
        found.upload_blob(name, name.encode())
    yield found
    found.delete_container()


@pytest.fixture
def signer(account: Account) -> Signer:
    """Sign for an hour."""
    return Signer(account, datetime.now(UTC) + timedelta(hours=1), key=account.storage_key)


def status(method: str, url: str, content: bytes | None = None) -> int:
    """Send a request as a node would; give the status."""
    headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2021-12-02"}
    request = urllib.request.Request(url, data=content, method=method, headers=headers)  # noqa: S310, it is loopback
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310, the same
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def elsewhere(url: str, name: str) -> str:
    """Give a signed URL with another blob's name."""
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rpartition('/')[0]}/{name}").geturl()


def test_a_task_may_read_its_own_blob_and_do_nothing_else(container: ContainerClient, signer: Signer) -> None:
    """It can't read others, nor list, write or delete."""
    name = str(container.container_name)
    url = signer.to_read(name, MINE)["httpUrl"]
    listing = urlsplit(url)._replace(path=urlsplit(url).path.rpartition("/")[0]).geturl()

    assert status("GET", url) == 200
    assert status("GET", elsewhere(url, OTHER)) == 403
    assert status("GET", f"{listing}&restype=container&comp=list") == 403
    assert status("PUT", url, b"x") == 403
    assert status("PUT", elsewhere(url, "new"), b"x") == 403
    assert status("DELETE", url) == 403
    assert parse_qs(urlsplit(url).query)["sp"] == ["r"]
    assert parse_qs(urlsplit(url).query)["sr"] == ["b"]


def test_a_node_may_write_results_and_not_read_them(container: ContainerClient, signer: Signer) -> None:
    """Nor list, nor delete."""
    url = signer.to_write(str(container.container_name))["containerUrl"]
    base, _, query = url.partition("?")
    blob = f"{base}/b00001/result?{query}"

    assert status("PUT", blob, b"x") == 201
    assert status("PUT", blob, b"again") == 201  # a task that is requeued writes its result again
    assert status("GET", blob) == 403
    assert status("GET", f"{url}&restype=container&comp=list") == 403
    assert status("DELETE", blob) == 403


def test_what_is_for_our_own_use_neither_lists_nor_deletes(container: ContainerClient, signer: Signer) -> None:
    """It is kept in memory, but sent with every request."""
    signed = signer.for_own_use(str(container.container_name))
    assert set(signed["sp"]) == set("racw")
    assert signed["sr"] == "c"


def test_a_signature_has_no_start_and_ends_when_it_is_told_to(account: Account) -> None:
    """A start would be refused by a service whose clock is behind ours."""
    until = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    signed = Signer(account, until, key=account.storage_key).for_own_use("c")
    assert signed["se"] == "2030-01-02T03:04:05Z"
    assert "st" not in signed


def test_after_its_end_it_is_good_for_nothing(container: ContainerClient, account: Account) -> None:
    """It is the service that decides so."""
    ended = Signer(account, datetime.now(UTC) - timedelta(seconds=2), key=account.storage_key)
    assert status("GET", ended.to_read(str(container.container_name), MINE)["httpUrl"]) == 403


def test_our_own_signatures_end_by_the_services_clock(account: Account) -> None:
    """However wrong this machine's is."""

    async def scene(services: Services) -> str:
        storage = services.storage
        storage.line.clock.hear("Fri, 20 Nov 2020 10:00:00 GMT")
        return (await storage._own_sas("c"))["se"]  # noqa: SLF001, it is sent and never shown

    assert using(account, scene).startswith("2020-11-20T16:00:0")


def test_no_key_is_shown(signer: Signer, account: Account) -> None:
    """As values are printed when something goes wrong."""
    assert account.storage_key
    assert account.batch_key
    for value in (signer, account):
        assert account.storage_key not in repr(value)
        assert account.batch_key not in repr(value)


def test_a_pools_identity_takes_no_signature(account: Account) -> None:
    """What is described is not secret, and does not run out."""
    access = Identified(account, "/subscriptions/x")
    read, write = access.to_read("c", MINE), access.to_write("c")
    assert read["identityReference"] == write["identityReference"] == {"resourceId": "/subscriptions/x"}
    assert read["httpUrl"] == f"{account.storage_endpoint}/c/mine%20of%20100%20%25%20%26%20more%3F"
    assert write["containerUrl"] == f"{account.storage_endpoint}/c"
