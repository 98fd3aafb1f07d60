"""Endpoints of services: which are sound, and which may be sent tokens of Entra ID."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, slots=True)
class Cloud:
    """The domains in which a cloud of Azure has its services."""

    batch: str
    blobs: str


PUBLIC = Cloud("batch.azure.com", "blob.core.windows.net")
CLOUDS = (
    PUBLIC,
    Cloud("batch.chinacloudapi.cn", "blob.core.chinacloudapi.cn"),
    Cloud("batch.usgovcloudapi.net", "blob.core.usgovcloudapi.net"),
)
DOMAINS = {"batch": tuple(cloud.batch for cloud in CLOUDS), "storage": tuple(cloud.blobs for cloud in CLOUDS)}

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)


def endpoint(text: str) -> str:
    """
    Give an endpoint in the one form that we write it in, or raise ValueError.

    No part of it is shown in the error, as what is wrong may be a secret in a wrong place.
    """
    text = text.strip()
    parts = _split(text if "://" in text else f"https://{text}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must have no user, no question mark and no #, as keys and SAS have their own places")
    host = _host(parts)
    path = parts.path.rstrip("/")
    if parts.scheme not in {"http", "https"}:
        raise ValueError("must begin with https://")
    if not is_loopback(host):
        if parts.scheme == "http":
            raise ValueError(
                "must begin with https://, as http:// is for this machine only (127.0.0.1, ::1, localhost)"
            )
        if path:
            raise ValueError("must end with the name of its host")
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{path}"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name or address alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def takes_tokens(service: str, at: str) -> bool:
    """Tell whether an endpoint is one of Azure's own for a service, which alone may see a token of Entra ID."""
    parts = urlsplit(at)
    host = parts.hostname or ""
    return parts.scheme == "https" and any(host.endswith(f".{domain}") for domain in DOMAINS[service])


def blobs_of(storage_account: str, batch_endpoint: str | None) -> str:
    """Give the endpoint of a storage account: in the cloud where the Batch account is, if that is one of Azure's."""
    host = urlsplit(batch_endpoint or "").hostname or ""
    cloud = next((cloud for cloud in CLOUDS if host.endswith(f".{cloud.batch}")), PUBLIC)
    return f"https://{storage_account}.{cloud.blobs}"


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # which is where a wrong one is noticed
    except ValueError as error:
        raise ValueError("must be a URL, such as https://NAME.REGION.batch.azure.com") from error
    return parts


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    try:
        known = bool(_HOST.fullmatch(host)) or ipaddress.ip_address(host).version == 6  # noqa: PLR2004, of the Internet Protocol
    except ValueError:
        known = False
    if not known:
        raise ValueError("must have the name or address of a host")
    return host
