"""Whom a request is for: these services run commands and keep data, and no web page may reach them."""

from fastbatch.local.errors import Refused


def check_host(host: str | None, port: int) -> None:
    """Refuse a request that was meant for another host than this machine."""
    if host not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
        raise Refused("InvalidHeaderValue", "This service is for this machine only.", {"HeaderName": "Host"})


def check_target(target: str) -> None:
    """Refuse a request of a client that takes this service for a proxy of anything."""
    if not target.startswith("/"):
        raise Refused("InvalidUri", "The address must begin with a slash.")
