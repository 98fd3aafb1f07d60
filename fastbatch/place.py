"""Where a run is: whose accounts it uses, without their keys."""

from dataclasses import dataclass
from typing import Self

from fastbatch.settings import Account


@dataclass(frozen=True, slots=True)
class Place:
    """The accounts of a run, by which they are found again."""

    batch_account: str
    batch_endpoint: str
    storage_account: str
    storage_endpoint: str
    profile: str | None = None
    local: bool = False  # the services of this machine, wherever they listen

    @classmethod
    def of(cls, account: Account, *, profile: str | None = None, local: bool = False) -> Self:
        """Give the place of an account."""
        return cls(
            account.batch_account,
            account.batch_endpoint,
            account.storage_account,
            account.storage_endpoint,
            profile,
            local,
        )

    def is_of(self, account: Account) -> bool:
        """Tell whether an account is the one of this place."""
        if self.local:
            return (self.batch_account, self.storage_account) == (account.batch_account, account.storage_account)
        return self == Place.of(account, profile=self.profile)
