"""The account whose pools a command is about."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fastbatch.errors import UsageError
from fastbatch.terminal import escaped

if TYPE_CHECKING:
    from fastbatch.azure.services import Services
    from fastbatch.settings import Account, Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reached:
    """An account, and what is set."""

    account: "Account"
    settings: "Settings"

    def with_services(self, doing: "Callable[[Services], Awaitable[T]]") -> T:
        """Do something with the services of the account."""
        from fastbatch.cli import speaking

        return speaking.with_services(self.account, self.settings, doing)


def reached(flags: Mapping[str, object], *, profile: str | None, local: bool) -> Reached:
    """Bring together what is set, as runs do; the local services are started if they are asked for and do not run."""
    from fastbatch.cli.account import local_account
    from fastbatch.cli.speaking import say
    from fastbatch.configuration import resolve
    from fastbatch.configuration.checking import problems_of_account

    found = resolve(flags, environ=os.environ, cwd=Path.cwd(), profile=profile, local=local)
    account = found.account or local_account(say)
    if problems := problems_of_account(account, found.settings):
        raise UsageError(problems)
    return Reached(account, found.settings)


def no_such_pool(pool_id: str) -> UsageError:
    """Give what is raised if a pool is not there."""
    return UsageError(
        f"There is no pool {escaped(pool_id)} in this account. See those that there are: fastbatch pool ls"
    )
