"""Whom a request is for: these services run commands and keep data, and no web page may reach them."""

from fastbatch.local.errors import Refused


def check_host(host: str | None, port: int) -> None:
    """Refuse a request that was meant for another host than this machine."""
    if host not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
        raise Refused("InvalidHeaderValue", "This service is for this machine only.", {"HeaderName": "Host"})
