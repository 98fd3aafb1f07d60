"""An instance of the local services for tests, and clients of it."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from azure.batch import BatchClient
from azure.batch.aio import BatchClient as AsyncBatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient

from fastbatch.local.instance import asking, lifecycle
from fastbatch.local.instance.home import Home
from fastbatch.local.processes import Identity, identify
from fastbatch.local.service.limits import Limits

T = TypeVar("T")

_SECONDS = 20.0
IMAGE = {
    "imageReference": {
        "publisher": "canonical",
        "offer": "0001-com-ubuntu-server-jammy",
        "sku": "22_04-lts",
        "version": "latest",
    },
    "nodeAgentSKUId": "batch.node.ubuntu 22.04",
}


@dataclass(frozen=True)
class Instance:
    """A running instance, as its clients know it."""

    home: Path
    endpoint: str
    account: str
    key: str
    connection_string: str

    @property
    def storage_key(self) -> str:
        """Give the key of the storage account."""
        return dict(part.split("=", 1) for part in self.connection_string.split(";") if part)["AccountKey"]

    @property
    def credential(self) -> AzureNamedKeyCredential:
        """Give what Batch requests are signed with."""
        return AzureNamedKeyCredential(self.account, self.key)

    def client(self) -> Any:  # a BatchClient takes plain dicts, though its types say otherwise
        """Give a client as any user would make it; retries would only hide faults."""
        return BatchClient(self.endpoint, self.credential, use_env_settings=False, retry_total=0)

    def async_client(self) -> Any:
        """Give an asynchronous client."""
        return AsyncBatchClient(self.endpoint, self.credential, use_env_settings=False, retry_total=0)

    def blobs(self) -> BlobServiceClient:
        """Give a client of the storage."""
        return BlobServiceClient.from_connection_string(self.connection_string)


def start(home: Path, owner: Identity, **limits: Any) -> Instance:
    """Start an instance that is gone when its owner is."""
    at = Home(home)
    lifecycle.up(at, lifecycle.Ports(), Limits(**limits), lambda _text: None, owner)
    return look(home)


@contextmanager
def lasting_as_long_as_we(home: Path, **limits: Any) -> Iterator[Instance]:
    """Have an instance for a while; it is gone when this process is, however that ends."""
    owner = identify(os.getpid())
    assert owner
    yield start(home, owner, **limits)
    lifecycle.down(Home(home))


def look(home: Path) -> Instance:
    """Give the instance in a folder."""
    variables = asking.environment(Home(home))
    return Instance(
        home,
        variables["AZURE_BATCH_ENDPOINT"],
        variables["AZURE_BATCH_ACCOUNT"],
        variables["AZURE_BATCH_ACCESS_KEY"],
        variables["AZURE_STORAGE_CONNECTION_STRING"],
    )


def new_name(prefix: str = "x") -> str:
    """Give an id that nothing else has."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def eventually(look_up: Callable[[], T], holds: Callable[[T], bool], seconds: float = _SECONDS) -> T:
    """Give what a look gives as soon as something holds of it."""
    deadline = time.monotonic() + seconds
    while not holds(found := look_up()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {seconds} seconds: {found}")
        time.sleep(0.01)
    return found


def pool_body(name: str, **more: Any) -> dict[str, Any]:
    """Give the body of a pool."""
    return {"id": name, "vmSize": "STANDARD_D2S_V3", "virtualMachineConfiguration": IMAGE, **more}


@contextmanager
def pool(client: Any, nodes: int = 1, slots: int = 2, **more: Any) -> Iterator[str]:
    """Have a pool whose nodes are ready, for a while."""
    name = new_name("pool")
    client.create_pool(pool_body(name, targetDedicatedNodes=nodes, taskSlotsPerNode=slots, **more))
    eventually(lambda: [node.state for node in client.list_nodes(name)], lambda states: states == ["idle"] * nodes)
    try:
        yield name
    finally:
        client.begin_delete_pool(name, polling_interval=3600)


@contextmanager
def job(client: Any, pool_id: str, **more: Any) -> Iterator[str]:
    """Have a job, for a while."""
    name = new_name("job")
    client.create_job({"id": name, "poolInfo": {"poolId": pool_id}, **more})
    try:
        yield name
    finally:
        client.begin_delete_job(name, polling_interval=3600)
