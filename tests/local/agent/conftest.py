"""What the tests of transfers share: the real storage emulator, and a place in it for each test."""

from __future__ import annotations

import base64
import datetime as dt
import os
import secrets
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient, generate_container_sas

from fastbatch.local import azurite

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Account:
    """A storage account that is there."""

    name: str
    key: str
    url: str

    def service(self) -> BlobServiceClient:
        """Return a client that may do everything."""
        return BlobServiceClient(self.url, credential={"account_name": self.name, "account_key": self.key})


@dataclass(frozen=True)
class Container:
    """A container of an account, as a test fills and reads it."""

    account: Account
    client: ContainerClient

    def url(self, permission: str, *, minutes: int = 60, name: str | None = None) -> str:
        """Return its URL, or that of another name, with a signature that allows what is said."""
        name = name or self.client.container_name
        signature = generate_container_sas(
            self.account.name,
            name,
            self.account.key,
            permission=permission,
            expiry=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes),
        )
        return f"{self.account.url}/{name}?{signature}"

    def fill(self, *names: str) -> None:
        """Put blobs, each of which holds its name."""
        for name in names:
            self.client.upload_blob(name, name.encode())

    def read(self, name: str) -> bytes:
        """Read a blob whole."""
        return self.client.download_blob(name).readall()

    def names(self) -> list[str]:
        """List its blobs."""
        return sorted(self.client.list_blob_names())


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Give the account of an emulator that runs as long as the tests."""
    name, key = "local", base64.b64encode(secrets.token_bytes(64)).decode()
    server = azurite.start(azurite.program(), tmp_path_factory.mktemp("storage"), account=name, key=key, port=0)
    try:
        yield Account(name, key, f"http://127.0.0.1:{server.port}/{name}")
    finally:
        os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def service(account: Account) -> Iterator[BlobServiceClient]:
    """Give a client that may do everything."""
    with account.service() as service:
        yield service


@pytest.fixture
def container(account: Account, service: BlobServiceClient) -> Iterator[Container]:
    """Give a new container."""
    with service.create_container(f"c{secrets.token_hex(8)}") as client:
        yield Container(account, client)
