"""What we show the services: an account's key, or who we are by Entra ID."""

import contextlib
from dataclasses import dataclass
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential

from fastbatch.settings import Account


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is shown to each service."""

    batch: Any
    storage: Any


async def credentials(account: Account, stack: contextlib.AsyncExitStack) -> Credentials:
    """Give the credentials of an account; what they hold open is closed with the stack."""
    entra = None
    if account.batch_key is None or account.storage_key is None:
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415, it takes long to import

        entra = await stack.enter_async_context(DefaultAzureCredential())
    return Credentials(
        batch=AzureNamedKeyCredential(account.batch_account, account.batch_key) if account.batch_key else entra,
        storage=AzureNamedKeyCredential(account.storage_account, account.storage_key) if account.storage_key else entra,
    )
