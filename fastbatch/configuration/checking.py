"""Whether an account can be used for a run, wherever it comes from."""

from collections.abc import Iterator

from fastbatch.configuration.endpoints import endpoint, takes_tokens
from fastbatch.limits import DELEGATED_SAS_SECONDS
from fastbatch.settings import HOUR, Account, Settings
from fastbatch.units import shown_duration


def problems_of_account(account: Account, settings: Settings) -> list[str]:
    """Say why an account can't be used, a sentence for each reason."""
    problems = [*_endpoint("batch", account.batch_endpoint, account.batch_key)]
    problems += _endpoint("storage", account.storage_endpoint, account.storage_key)
    most = DELEGATED_SAS_SECONDS - HOUR
    if account.storage_key is None and settings.identity is None and settings.job_timeout > most:
        problems.append(
            f"a job_timeout of {shown_duration(settings.job_timeout)} needs a key of the storage account: without one, "
            f"tasks can be let at their files for {shown_duration(most)} at most"
        )
    return problems


def _endpoint(service: str, at: str, key: str | None) -> Iterator[str]:
    try:
        sound = endpoint(at)
    except ValueError as error:
        yield f"{service}_endpoint {error}"
        return
    if at != sound:
        yield f"{service}_endpoint must be written as {sound}"
    elif key is None and not takes_tokens(service, at):
        yield f"{service}_endpoint is none of Azure's own, and without a key only those may be sent a token"
