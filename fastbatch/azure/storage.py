"""A storage account: its containers, and who may read and write in them."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

import anyio
from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.blob.aio import BlobServiceClient

from fastbatch.azure.blobs import Blobs, StoredBlob
from fastbatch.azure.connections import session, transport
from fastbatch.azure.line import Line
from fastbatch.azure.refusals import refused_by_sdk, without_answer
from fastbatch.azure.signing import Identified, Signer
from fastbatch.errors import Refused, Unreachable
from fastbatch.settings import Account

T = TypeVar("T")

_PAGE = 5000
_PRECONDITION = 412
_READ_SECONDS = 120.0  # it begins when a body begins to be sent
_OWN_SAS = timedelta(hours=6)
_RENEWED_BEFORE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The first blobs of a container, by name, and whether they are all."""

    blobs: Mapping[str, StoredBlob]
    whole: bool


class Storage:
    """A storage account."""

    def __init__(self, account: Account, credential: Any, line: Line) -> None:
        self.line = line
        self._account = account
        self._credential = credential
        self._stack = contextlib.AsyncExitStack()
        self._own: dict[str, tuple[dict[str, str], datetime]] = {}
        self._signing = anyio.Lock()

    async def __aenter__(self) -> Self:
        over = await self._stack.enter_async_context(session(self._account.storage_endpoint, _READ_SECONDS))
        client = BlobServiceClient(
            self._account.storage_endpoint,
            self._credential,
            transport=transport(over, _READ_SECONDS),
            retry_total=0,
            raw_response_hook=lambda response: self.line.clock.hear(response.http_response.headers.get("Date")),
        )
        self._client = await self._stack.enter_async_context(client)
        self.blobs = Blobs(self._account.storage_endpoint, over, self._own_sas, self.line)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def access(self, until: datetime, identity: str | None) -> Signer | Identified:
        """Give how nodes get at their blobs: by an identity of their pool, or until then by what we sign."""
        return Identified(self._account, identity) if identity else await self.signer(until)

    async def signer(self, until: datetime) -> Signer:
        """Give what signs URLs that are good until then."""
        if self._account.storage_key is not None:
            return Signer(self._account, until, key=self._account.storage_key)
        begin = self.line.clock.now()
        delegated = await self._ask("sign by Entra ID", lambda: self._client.get_user_delegation_key(begin, until))
        return Signer(self._account, until, delegated=delegated)

    async def make_container(self, name: str) -> bool:
        """Make a container; tell whether it was not there before."""
        try:
            await self._ask("make a container", lambda: self._client.create_container(name))
        except Refused as refused:
            if refused.code == "ContainerAlreadyExists":
                return False
            raise
        return True

    async def delete_container(self, name: str) -> None:
        """Delete a container, if it is there."""
        try:
            await self._ask("delete a container", lambda: self._client.delete_container(name))
        except Refused as refused:
            if not refused.not_found and refused.code != "ContainerBeingDeleted":
                raise

    async def delete_blob(self, container: str, name: str, *, untouched_since: datetime) -> bool:
        """Delete a blob, unless somebody stored or renewed it later; tell whether it is gone."""
        blob = self._client.get_blob_client(container, name)
        try:
            await self._ask("delete a blob", lambda: blob.delete_blob(if_unmodified_since=untouched_since))
        except Refused as refused:
            if refused.status == _PRECONDITION:
                return False
            if not refused.not_found:
                raise
        return True

    async def inventory(self, container: str) -> Inventory | None:
        """Give what is in a container, at most a page of it; None if there is no such container."""
        try:
            return await self._ask("list blobs", lambda: self._first_page(container))
        except Refused as refused:
            if refused.not_found:
                return None
            raise

    async def _first_page(self, container: str) -> Inventory:
        pages: Any = self._client.get_container_client(container).list_blobs(results_per_page=_PAGE).by_page()
        first = await anext(pages)
        blobs = {blob.name: StoredBlob(blob.size, blob.last_modified, blob.etag) async for blob in first}
        return Inventory(blobs, whole=not pages.continuation_token)

    async def _own_sas(self, container: str) -> dict[str, str]:
        """Give the SAS of our own requests in a container; a new one long before the old one runs out."""
        async with self._signing:  # one asks for all who need it
            now = self.line.clock.now()
            if container in self._own:
                signed, until = self._own[container]
                if until - now > _RENEWED_BEFORE:
                    return signed
            until = now + _OWN_SAS
            signed = (await self.signer(until)).for_own_use(container)
            self._own[container] = signed, until
            return signed

    async def _ask(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        async def once() -> T:
            try:
                return await call()
            except HttpResponseError as error:
                raise refused_by_sdk("Storage", what, error) from error
            except AzureError as error:
                raise without_answer("Storage", what, error) from error
            except (
                AttributeError,
                TypeError,
                ValueError,
            ) as error:  # as the SDK has it when it reads what is no answer
                raise Unreachable("Storage", what, "what came was no answer of Azure Storage") from error

        return await self.line.send(what, once)
