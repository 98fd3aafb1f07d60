"""Both services of an account, connected."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastbatch.azure.batch import Batch
from fastbatch.azure.credentials import credentials
from fastbatch.azure.line import Line
from fastbatch.azure.requests import Sender
from fastbatch.azure.storage import Storage
from fastbatch.events import Observer
from fastbatch.sending.retry import Policy
from fastbatch.sending.throttle import Throttle
from fastbatch.settings import Account, Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Batch and storage."""

    batch: Batch
    storage: Storage

    @property
    def requests(self) -> dict[str, dict[str, int]]:
        """Tell how many requests each has had, by what was asked."""
        return {"batch": dict(self.batch.line.counts), "storage": dict(self.storage.line.counts)}


@contextlib.asynccontextmanager
async def connected(account: Account, settings: Settings, observe: Observer) -> AsyncIterator[Services]:
    """Connect to the services of an account; nothing is sent yet."""
    async with contextlib.AsyncExitStack() as stack:
        shown = await credentials(account, stack)
        lines = [
            Line(service, Throttle(most), Policy(), observe)
            for service, most in (("Batch", settings.batch_requests), ("Storage", settings.upload_requests))
        ]
        yield Services(
            Batch(await stack.enter_async_context(Sender(account, shown.batch, lines[0]))),
            await stack.enter_async_context(Storage(account, shown.storage, lines[1])),
        )
