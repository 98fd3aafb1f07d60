"""Shared access signatures: least rights, for as long as they are needed, by the service's clock."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from azure.storage.blob import BlobSasPermissions, ContainerSasPermissions, generate_blob_sas, generate_container_sas

from fastbatch.settings import Account

_OWN = ContainerSasPermissions(read=True, add=True, create=True, write=True)
_WRITE = ContainerSasPermissions(create=True, write=True)
_READ = BlobSasPermissions(read=True)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs URLs that are good until a moment, by the account's key or one that was delegated to us."""

    account: Account
    until: datetime
    key: str | None = field(default=None, repr=False)
    delegated: Any = field(default=None, repr=False)

    def for_own_use(self, container: str) -> dict[str, str]:
        """Give the parameters that let us read and write in a container."""
        return dict(parse_qsl(self._container(container, _OWN)))

    def to_write(self, container: str) -> str:
        """Give the URL by which nodes write into a container, and can't read it."""
        return f"{self.account.storage_endpoint}/{container}?{self._container(container, _WRITE)}"

    def to_read(self, container: str, blob: str) -> str:
        """Give the URL by which nodes read one blob."""
        signed = generate_blob_sas(
            self.account.storage_account,
            container,
            blob,
            account_key=self.key,
            user_delegation_key=self.delegated,
            permission=_READ,
            expiry=self.until,
        )
        return f"{self.account.storage_endpoint}/{container}/{quote(blob)}?{signed}"

    def _container(self, container: str, permission: ContainerSasPermissions) -> str:
        return generate_container_sas(
            self.account.storage_account,
            container,
            account_key=self.key,
            user_delegation_key=self.delegated,
            permission=permission,
            expiry=self.until,
        )
