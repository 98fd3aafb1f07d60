"""A container that tasks of a question may write into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from azure.storage.blob import ContainerSasPermissions, generate_container_sas

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_HOURS = timedelta(hours=2)


@dataclass(frozen=True)
class Container:
    """A container, and how a task gets at it."""

    client: ContainerClient

    @property
    def writable(self) -> str:
        """Give an address that a task may write to."""
        client = self.client
        assert client.account_name
        signature = generate_container_sas(
            client.account_name,
            client.container_name,
            client.credential.account_key,
            permission=ContainerSasPermissions(create=True, write=True),
            expiry=datetime.now(UTC) + _HOURS,
        )
        return f"{client.url}?{signature}"
