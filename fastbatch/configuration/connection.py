"""Connection strings of storage accounts, as the portal and the az CLI give them."""

import re
from collections.abc import Mapping

from fastbatch.configuration.endpoints import PUBLIC

_ACCOUNT = re.compile(r"[a-z0-9]{3,24}", re.ASCII)


def parse_connection(text: str) -> dict[str, str]:
    """
    Read a connection string as pieces of an account, or raise ValueError.

    No part of it is shown in the error, as most of it is secret.
    """
    parts = _parts(text)
    if "usedevelopmentstorage" in parts:
        raise ValueError(
            "must name an account; UseDevelopmentStorage does not. For storage on this machine use --local, "
            'or eval "$(fastbatch local env)"'
        )
    if "sharedaccesssignature" in parts and "accountkey" not in parts:
        raise ValueError(
            "must have an AccountKey; one with a SAS only will not do, as fastbatch makes a SAS for each task itself. "
            "Without a key, set AZURE_STORAGE_ACCOUNT and Entra ID is used"
        )
    name = parts.get("accountname", "")
    if not _ACCOUNT.fullmatch(name):
        raise ValueError("must have an AccountName of 3 to 24 small letters and digits")
    pieces = {"storage_account": name, "storage_endpoint": _endpoint(name, parts)}
    return {**pieces, "storage_key": parts["accountkey"]} if "accountkey" in parts else pieces


def _parts(text: str) -> dict[str, str]:
    """Give the parts by their names in small letters, as the SDKs take them in any."""
    parts: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        name, equals, value = part.partition("=")
        if not equals or name.lower() in parts:
            raise ValueError("must be NAME=VALUE parts with semicolons between them, each name once")
        if value:
            parts[name.lower()] = value
    return parts


def _endpoint(name: str, parts: Mapping[str, str]) -> str:
    if "blobendpoint" in parts:
        return parts["blobendpoint"]
    scheme = parts.get("defaultendpointsprotocol", "https")
    domain = f"blob.{parts['endpointsuffix']}" if "endpointsuffix" in parts else PUBLIC.blobs
    return f"{scheme}://{name}.{domain}"
