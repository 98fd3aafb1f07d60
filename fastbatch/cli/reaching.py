"""Reaching the services that a recorded run is on, with what is set now."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastbatch.errors import UsageError
from fastbatch.terminal import escaped

if TYPE_CHECKING:
    from fastbatch.journal.records import RunRecord
    from fastbatch.place import Place
    from fastbatch.settings import Account


def account_of(record: "RunRecord", say: Callable[[str], None]) -> "Account":
    """
    Give the account that a run is on; the local services are started if they do not run.

    Raises UsageError if another account is set now, or none.
    """
    from fastbatch.cli.account import local_account

    return _known(record, local_account(say) if record.place.local else _configured(record))


def account_to_look_at(record: "RunRecord") -> "Account | None":
    """Give the account that a run is on, as `account_of` does, but none if it is that of local services at rest."""
    from fastbatch.cli.account import running_local_account

    account = running_local_account() if record.place.local else _configured(record)
    return None if account is None else _known(record, account)


def _configured(record: "RunRecord") -> "Account":
    from fastbatch.configuration import resolve_account

    try:
        return resolve_account(environ=os.environ, profile=record.place.profile)
    except UsageError as error:
        raise UsageError((f"Run {record.id} is on {_accounts(record.place)}.", *error.problems)) from error


def _known(record: "RunRecord", account: "Account") -> "Account":
    from fastbatch.place import Place

    if record.place.is_of(account):
        return account
    raise UsageError(
        f"Run {record.id} is on {_accounts(record.place)}, but what is set now is "
        f"{_accounts(Place.of(account, profile=record.place.profile))}. "
        "Set the account of the run, as it was when it was started; to see what is set: fastbatch config show"
    )


def _accounts(place: "Place") -> str:
    by = f" (profile {escaped(place.profile)})" if place.profile else ""
    if place.local:
        return "the local services"
    return (
        f"the Batch account {escaped(place.batch_account)} at {escaped(place.batch_endpoint)} and the storage account "
        f"{escaped(place.storage_account)} at {escaped(place.storage_endpoint)}{by}"
    )
