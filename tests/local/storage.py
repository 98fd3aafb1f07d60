"""Signed addresses in the storage, and what tasks bring there."""

import datetime as dt
from typing import Any

from azure.storage.blob import ContainerClient, generate_container_sas


def signed(container: ContainerClient, permission: str = "rlcw", *, minutes: int = 10, name: str = "") -> str:
    """Give the URL of a container, with a signature that allows what is said for so long."""
    account: Any = container.credential
    signature = generate_container_sas(
        str(container.account_name),
        container.container_name,
        account.account_key,
        permission=permission,
        expiry=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes),
    )
    return f"{container.url}{name}?{signature}"


def output(container_url: str, pattern: str, condition: str = "taskcompletion", path: str | None = None) -> Any:
    """Describe an output file."""
    to = {"containerUrl": container_url} if path is None else {"containerUrl": container_url, "path": path}
    return {
        "filePattern": pattern,
        "destination": {"container": to},
        "uploadOptions": {"uploadCondition": condition},
    }
