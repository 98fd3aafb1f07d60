"""Connections to a service, as few things as possible between it and us."""

import urllib.request
from urllib.parse import urlsplit

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CONNECT_SECONDS = 20.0
_KEPT_SECONDS = 60.0


def session(endpoint: str, read_seconds: float) -> aiohttp.ClientSession:
    """
    Open a session for one service.

    The environment's proxies hold, but never for this machine; ~/.netrc is not read, as what it says of a host would
    replace a signature.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        proxy=_proxy(endpoint),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=read_seconds),
    )


def transport(over: aiohttp.ClientSession, read_seconds: float) -> AioHttpTransport:
    """Let an SDK's client send over a session, which stays ours."""
    return AioHttpTransport(
        session=over,
        session_owner=False,
        use_env_settings=False,
        connection_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
    )


def _proxy(endpoint: str) -> str | None:
    url = urlsplit(endpoint)
    host = url.hostname or ""
    if host in _LOOPBACK or host.startswith("127.") or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(url.scheme)
