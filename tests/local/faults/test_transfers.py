"""What goes wrong with the storage, as its clients see it."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    IncompleteReadError,
    ResourceExistsError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import BlobBlock, BlobServiceClient, ContainerClient
from azure.storage.blob import ContentSettings as Settings

from tests.local.faults import raw
from tests.local.faults.ordering import Faults
from tests.local.instances import new_name
from tests.local.speaking import connected

CLOSED = (ServiceRequestError, ServiceResponseError, IncompleteReadError)
CONTENT = bytes(range(256)) * 400


def put(container: ContainerClient, content: bytes = CONTENT, name: str = "blob", **more: Any) -> None:
    """Upload a blob."""
    container.upload_blob(name, content, overwrite=True, **more)


def content(container: ContainerClient, name: str = "blob") -> bytes:
    """Download a blob."""
    found: bytes = container.download_blob(name).readall()
    return found


def names(container: ContainerClient) -> list[str]:
    """Give the names of the blobs that are there."""
    return [blob.name for blob in container.list_blobs()]


def differences(one: bytes, other: bytes) -> list[int]:
    """Give the places where contents differ."""
    assert len(one) == len(other)
    return [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]


# --- all of it passes ---


def test_without_a_plan_all_is_as_ever(there: ContainerClient, container: ContainerClient) -> None:
    """Whatever is asked, and by whatever name."""
    name = "a b/ü'(x)%2F+,;=@&$.bin"
    put(there, name=name, metadata={"kind": "x"}, content_settings=Settings(content_type="x/y"))
    assert content(container, name) == content(there, name) == CONTENT
    assert there.download_blob(name, offset=3, length=5).readall() == CONTENT[3:8]
    found = there.get_blob_client(name).get_blob_properties()
    assert (found.size, found.metadata, found.content_settings.content_type) == (len(CONTENT), {"kind": "x"}, "x/y")
    assert names(there) == [name]
    there.delete_blob(name)
    assert names(container) == []


def test_errors_pass_as_they_are(faulty: BlobServiceClient, there: ContainerClient) -> None:
    """With their codes."""
    with pytest.raises(ResourceExistsError) as raised:
        faulty.create_container(there.container_name)
    error: Any = raised.value
    assert error.error_code == "ContainerAlreadyExists"
    assert not there.get_blob_client("nothing").exists()


def test_blocks_pass(there: ContainerClient, container: ContainerClient) -> None:
    """Several at once."""
    data = os.urandom(3_000_000)
    client = there.get_blob_client("blocks")
    client.upload_blob(data, max_concurrency=3, length=len(data))
    for number in range(3):
        client.stage_block(f"{number:04}", data[number * 1_000_000 : (number + 1) * 1_000_000])
    client.commit_block_list([BlobBlock(f"{number:04}") for number in range(3)])
    assert content(container, "blocks") == data


# --- refused, late, or not at all ---

OPERATIONS: dict[str, Callable[[BlobServiceClient, ContainerClient], Any]] = {
    "put_blob": lambda _, there: put(there),
    "get_blob": lambda _, there: content(there),
    "head_blob": lambda _, there: there.get_blob_client("blob").get_blob_properties(),
    "delete_blob": lambda _, there: there.delete_blob("blob"),
    "put_block": lambda _, there: there.get_blob_client("blob").stage_block("AAAA", b"x"),
    "put_block_list": lambda _, there: there.get_blob_client("blob").commit_block_list([]),
    "create_container": lambda faulty, _: faulty.create_container(new_name()),
    "delete_container": lambda faulty, _: faulty.delete_container(new_name()),
    "list_blobs": lambda _, there: names(there),
    "list_containers": lambda faulty, _: list(faulty.list_containers()),
    "other": lambda _, there: there.get_container_properties(),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_can_be_refused(
    faults: Faults, faulty: BlobServiceClient, there: ContainerClient, name: str
) -> None:
    """As the storage refuses when it is busy; it counts as this operation and no other."""
    others = [f"storage.{other}" for other in OPERATIONS if other != name]
    faults.order(
        *({"operation": other, "fault": "dropBefore"} for other in others),
        {"operation": f"storage.{name}", "fault": "refuse"},
    )
    with pytest.raises(HttpResponseError) as raised:
        OPERATIONS[name](faulty, there)
    error: Any = raised.value
    assert (error.status_code, error.error_code) == (503, "ServerBusy")
    assert faults.counts() == [(0, 0)] * len(others) + [(1, 1)]


def test_a_refusal_may_say_when_to_come_again(faults: Faults, there: ContainerClient) -> None:
    """And be an error of the server."""
    faults.order({"operation": "storage.put_blob", "fault": "refuse", "status": 500, "retryAfter": 9})
    with pytest.raises(HttpResponseError, match="Server encountered an internal error") as raised:
        put(there)
    error: Any = raised.value
    assert (error.status_code, error.error_code) == (500, "InternalError")
    assert error.response.headers["Retry-After"] == "9"


def test_the_connection_lives_on_after_a_refusal(faults: Faults, there: ContainerClient) -> None:
    """What was sent with the request is not taken for another one."""
    faults.order({"operation": "storage.put_blob", "fault": "refuse", "count": 1})
    with pytest.raises(HttpResponseError):
        put(there, b"GET / HTTP/1.1\r\n\r\n" * 10_000)
    put(there)
    assert content(there) == CONTENT


def test_a_request_is_delayed_and_then_done(faults: Faults, there: ContainerClient) -> None:
    """By so many seconds."""
    faults.order({"operation": "storage.put_blob", "fault": "delay", "seconds": 0.1})
    start = time.monotonic()
    put(there)
    assert time.monotonic() - start >= 0.1
    assert content(there) == CONTENT


@pytest.mark.parametrize(("fault", "left"), [("dropBefore", []), ("dropAfter", ["blob"])])
def test_a_connection_is_closed_without_an_answer(
    faults: Faults, there: ContainerClient, container: ContainerClient, fault: str, left: list[str]
) -> None:
    """Before the storage has seen the request, or when it has done it."""
    faults.order({"operation": "storage.put_blob", "fault": fault, "count": 1})
    with pytest.raises(CLOSED):
        put(there)
    assert names(container) == left
    put(there)
    assert content(container) == CONTENT


# --- bodies ---


def test_a_download_is_cut(faults: Faults, there: ContainerClient, container: ContainerClient) -> None:
    """In its middle; the next one is whole."""
    put(container)
    faults.order({"operation": "storage.get_blob", "fault": "cut", "count": 1})
    at = raw.address(there)
    with connected(at.port) as connection:
        connection.sendall(raw.head(at))
        head, _, body = raw.until_reset(connection).partition(b"\r\n\r\n")
    assert f"content-length: {len(CONTENT)}" in head.decode().lower()
    assert body == CONTENT[: len(CONTENT) // 2]
    assert content(there) == CONTENT


@pytest.mark.parametrize("operation", ["list_blobs", "list_containers"])
def test_a_listing_is_cut(faults: Faults, faulty: BlobServiceClient, there: ContainerClient, operation: str) -> None:
    """Though it does not tell its length."""
    faults.order({"operation": f"storage.{operation}", "fault": "cut", "count": 1})
    with pytest.raises(HttpResponseError, match="Connection reset"):
        OPERATIONS[operation](faulty, there)
    OPERATIONS[operation](faulty, there)


@pytest.mark.parametrize("size", [0, 1, len(CONTENT), 5_000_000])
def test_an_upload_is_cut(faults: Faults, there: ContainerClient, container: ContainerClient, size: int) -> None:
    """In its middle; nothing is stored of what is not there whole."""
    faults.order({"operation": "storage.put_blob", "fault": "cut", "count": 1})
    with pytest.raises(CLOSED):
        put(there, os.urandom(size))
    assert names(container) == [] or size == 0
    put(there)
    assert content(container) == CONTENT


def test_an_upload_in_blocks_is_cut(faults: Faults, there: ContainerClient) -> None:
    """In one of its blocks, or in their list."""
    client = there.get_blob_client("blocks")
    faults.order({"operation": "storage.put_block*", "fault": "cut", "after": 1, "count": 2})
    client.stage_block("AAAA", CONTENT)
    with pytest.raises(CLOSED):
        client.stage_block("BBBB", CONTENT)
    with pytest.raises(CLOSED):
        client.commit_block_list([BlobBlock("AAAA")])
    assert not client.exists()
    client.commit_block_list([BlobBlock("AAAA")])
    assert content(there, "blocks") == CONTENT


def test_a_download_is_damaged(faults: Faults, there: ContainerClient, container: ContainerClient) -> None:
    """In one byte; what is stored is not."""
    put(container)
    faults.order({"operation": "storage.get_blob", "fault": "damage", "count": 1})
    assert differences(content(there), CONTENT) == [len(CONTENT) // 2]
    assert content(there) == CONTENT


def test_an_upload_is_damaged(faults: Faults, there: ContainerClient, container: ContainerClient) -> None:
    """In one byte, and stored so."""
    faults.order({"operation": "storage.put_blob", "fault": "damage", "count": 1})
    put(there)
    assert differences(content(container), CONTENT) == [len(CONTENT) // 2]


def test_damage_is_found_by_a_sum_that_was_sent(faults: Faults, there: ContainerClient) -> None:
    """The header stays as it was, and the storage refuses."""
    faults.order({"operation": "storage.put_blob", "fault": "damage", "count": 1})
    with pytest.raises(HttpResponseError) as raised:
        put(there, validate_content=True)
    error: Any = raised.value
    assert error.error_code == "Md5Mismatch"
    assert names(there) == []


def test_bodies_are_slow(faults: Faults, there: ContainerClient) -> None:
    """In either direction; what comes after it in the plan has its turn."""
    rate = len(CONTENT) * 10
    faults.order(
        {"operation": "storage.*", "fault": "slow", "bytesPerSecond": rate},
        {"operation": "storage.get_blob", "fault": "damage"},
    )
    start = time.monotonic()
    put(there)
    middle = time.monotonic()
    assert differences(content(there), CONTENT) == [len(CONTENT) // 2]
    assert middle - start >= 0.1
    assert time.monotonic() - middle >= 0.1
    assert faults.counts() == [(2, 2), (1, 1)]


def test_a_plan_takes_each_request_of_many_clients_once(faults: Faults, there: ContainerClient) -> None:
    """The count is exact."""
    put(there)
    faults.order({"operation": "storage.get_blob", "fault": "dropBefore", "after": 5, "count": 7})

    def works(_: int) -> bool:
        try:
            return content(there) == CONTENT
        except CLOSED:
            return False

    with ThreadPoolExecutor(8) as executor:
        assert list(executor.map(works, range(40))).count(False) == 7
    assert faults.counts() == [(40, 7)]
