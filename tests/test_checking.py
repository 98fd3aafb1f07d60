"""Whether an account can be used for a run."""

import pytest

from fastbatch import Account, Settings
from fastbatch.configuration.checking import problems_of_account
from fastbatch.settings import DAY, HOUR

BATCH = "https://mine.westeurope.batch.azure.com"
STORAGE = "https://mine.blob.core.windows.net"


def account(batch: str = BATCH, storage: str = STORAGE, key: str | None = "a2V5") -> Account:
    """Make an account."""
    return Account(
        batch_account="mine",
        batch_endpoint=batch,
        storage_account="mine",
        storage_endpoint=storage,
        batch_key=key,
        storage_key=key,
    )


@pytest.mark.parametrize("key", ["a2V5", None])
def test_an_account_on_azure_can_be_used_with_and_without_a_key(key: str | None) -> None:
    """Without one, its own hosts alone are sent a token."""
    assert problems_of_account(account(key=key), Settings()) == []


@pytest.mark.parametrize(
    ("batch", "storage", "key", "words"),
    [
        ("http://batch.example", STORAGE, "a2V5", "batch_endpoint must begin with https://"),
        (f"{BATCH}/", STORAGE, "a2V5", f"must be written as {BATCH}"),
        (BATCH, "https://evil.example", None, "storage_endpoint is none of Azure's own"),
        ("https://mine.batch.azure.com.evil.example", STORAGE, None, "batch_endpoint is none of Azure's own"),
        ("http://127.0.0.1:1234", STORAGE, None, "batch_endpoint is none of Azure's own"),
    ],
)
def test_endpoints_that_may_not_be_sent_what_they_would_get(
    batch: str, storage: str, key: str | None, words: str
) -> None:
    """A token goes to Azure alone, and nothing goes anywhere else unencrypted."""
    (problem,) = problems_of_account(account(batch, storage, key), Settings())
    assert words in problem


def test_a_key_may_go_to_the_loopback_without_encryption() -> None:
    """That is where the local services are."""
    assert problems_of_account(account("http://127.0.0.1:1", "http://localhost:2/mine"), Settings()) == []


def test_a_job_that_outlives_what_can_be_signed_is_refused() -> None:
    """A signature by Entra ID is good for seven days, and it has to outlive the job by an hour."""
    enough, longer = Settings(job_timeout=7 * DAY - HOUR), Settings(job_timeout=7 * DAY)

    assert problems_of_account(account(key=None), enough) == []
    assert problems_of_account(account(), longer) == []
    (problem,) = problems_of_account(account(key=None), longer)
    assert "needs a key of the storage account" in problem


def test_a_job_may_be_long_where_nothing_is_signed() -> None:
    """An identity of the pool does not run out."""
    assert problems_of_account(account(key=None), Settings(job_timeout=30 * DAY, identity="/subscriptions/x")) == []
