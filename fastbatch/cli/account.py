"""Whose services a command uses: an account's, or the local ones."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastbatch.local.instance.home import Home
    from fastbatch.settings import Account


def local_account(say: Callable[[str], None]) -> "Account":
    """Give the account of the local services, which are started if they do not run."""
    from fastbatch.local.instance import lifecycle
    from fastbatch.local.instance.home import Home, default_home
    from fastbatch.local.service.limits import Limits

    home = Home(default_home())
    if lifecycle.up(home, lifecycle.Ports(), Limits(), say, None):
        say("The local services were started, and go on for the next run; to stop them: fastbatch local down")
    return _account(home)


def running_local_account() -> "Account | None":
    """Give the account of the local services, if they run."""
    from fastbatch.local.errors import Unavailable
    from fastbatch.local.instance import asking
    from fastbatch.local.instance.home import Home, default_home

    home = Home(default_home())
    try:
        asking.require_running(home)
    except Unavailable:
        return None
    return _account(home)


def _account(home: "Home") -> "Account":
    from fastbatch.configuration.connection import parse_connection
    from fastbatch.local.instance import asking
    from fastbatch.settings import Account

    variables = asking.environment(home)
    return Account(
        batch_account=variables["AZURE_BATCH_ACCOUNT"],
        batch_endpoint=variables["AZURE_BATCH_ENDPOINT"],
        batch_key=variables["AZURE_BATCH_ACCESS_KEY"],
        **parse_connection(variables["AZURE_STORAGE_CONNECTION_STRING"]),
    )
