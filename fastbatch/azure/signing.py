"""
How nodes get at their blobs: by shared access signatures, or by an identity of their pool.

A signature has the least rights, for as long as it is needed, by the service's clock.
"""

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
class Identified:
    """Lets nodes in by an identity that their pool has; nothing that is described is secret, or runs out."""

    account: Account
    identity: str

    def to_read(self, container: str, blob: str) -> dict[str, Any]:
        """Describe a blob that a node may read."""
        url = f"{self.account.storage_endpoint}/{container}/{quote(blob)}"
        return {"httpUrl": url, "identityReference": {"resourceId": self.identity}}

    def to_write(self, container: str) -> dict[str, Any]:
        """Describe a container that a node may write into."""
        url = f"{self.account.storage_endpoint}/{container}"
        return {"containerUrl": url, "identityReference": {"resourceId": self.identity}}


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

    def to_write(self, container: str) -> dict[str, Any]:
        """Describe a container that nodes may write into, and can't read."""
        return {"containerUrl": f"{self.account.storage_endpoint}/{container}?{self._container(container, _WRITE)}"}

    def to_read(self, container: str, blob: str) -> dict[str, Any]:
        """Describe the one blob that a URL lets a node read."""
        signed = generate_blob_sas(
            self.account.storage_account,
            container,
            blob,
            account_key=self.key,
            user_delegation_key=self.delegated,
            permission=_READ,
            expiry=self.until,
        )
        return {"httpUrl": f"{self.account.storage_endpoint}/{container}/{quote(blob)}?{signed}"}

    def _container(self, container: str, permission: ContainerSasPermissions) -> str:
        return generate_container_sas(
            self.account.storage_account,
            container,
            account_key=self.key,
            user_delegation_key=self.delegated,
            permission=permission,
            expiry=self.until,
        )
