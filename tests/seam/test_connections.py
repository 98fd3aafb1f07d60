"""Connections: as few things as possible between the services and us."""

import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from fastbatch import Account
from fastbatch.azure import connections
from fastbatch.azure.services import Services
from fastbatch.errors import ServiceError
from fastbatch.sending.retry import Policy
from tests.seam import using

KEY = base64.b64encode(b"a key of nobody, and secret").decode()
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def chosen(endpoint: str) -> str | None:
    """Tell by which proxy an endpoint is reached."""
    return connections._proxy(endpoint)  # noqa: SLF001, a session does not show it


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_environments_proxy_holds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In any letter case, for its scheme."""
    monkeypatch.setenv(name, "http://proxy.example:3128")
    assert chosen("https://a.westeurope.batch.azure.com") == "http://proxy.example:3128"
    assert chosen("http://a.example") is None


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:1/x",
        "https://127.0.0.1",
        "http://127.3.2.1:8",
        "http://localhost:10000/account",
        "http://LOCALHOST:10000/account",
        "http://[::1]:10000",
    ],
)
def test_this_machine_is_never_reached_by_a_proxy(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Whatever the environment says."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    assert chosen(endpoint) is None


@pytest.mark.parametrize(("no_proxy", "direct"), [(".azure.com", True), ("*", True), ("azure.net", False)])
def test_exceptions_hold_too(monkeypatch: pytest.MonkeyPatch, no_proxy: str, *, direct: bool) -> None:
    """As everywhere."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (chosen("https://a.batch.azure.com") is None) == direct


class Server:
    """A server that remembers what it was asked."""

    def __init__(self, status: int = 404) -> None:
        self.status = status
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Remember a request."""
        self.seen.append((request.method, str(request.url), dict(request.headers)))
        return web.Response(status=self.status)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        """Run for a while."""
        runner = web.ServerRunner(web.Server(self.answer))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


def account(batch: str, storage: str) -> Account:
    """Give an account that nobody has."""
    return Account(
        batch_account="nobody",
        batch_endpoint=batch,
        batch_key=KEY,
        storage_account="nobody",
        storage_endpoint=storage,
        storage_key=KEY,
    )


async def ask_all(services: Services) -> None:
    """Send one request in each of the three ways that there are."""
    for asking in (
        services.batch.pool("p"),
        services.storage.blobs.look("container", "blob"),
        services.storage.inventory("container"),
    ):
        with contextlib.suppress(ServiceError):
            await asking


def test_requests_go_by_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of both SDKs, and our own."""
    server = Server()

    async def scene() -> None:
        async with server.running():
            monkeypatch.setenv("HTTP_PROXY", server.url)
            await anyio.to_thread.run_sync(using, account("http://batch.example", "http://storage.example"), ask_all)

    anyio.run(scene)
    hosts = [url.split("/")[2] for _, url, _ in server.seen]
    assert hosts == ["batch.example", "storage.example", "storage.example"]


def test_netrc_is_never_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What it says of a host would replace a signature."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login alice password wonderland\ndefault login bob password builder\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    server = Server()

    async def scene() -> None:
        async with server.running():
            await anyio.to_thread.run_sync(using, account(server.url, f"{server.url}/nobody"), ask_all)

    anyio.run(scene)
    shown = [headers.get("Authorization", "") for _, _, headers in server.seen]
    assert [text.partition(" ")[0] for text in shown] == ["SharedKey", "", "SharedKey"]


def test_a_proxy_that_refuses_does_not_make_its_password_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor the key, in an error that people see."""
    said: list[str] = []
    server = Server(407)

    async def ask(services: Services) -> None:
        for line in (services.batch.line, services.storage.line):
            monkeypatch.setattr(line, "_policy", Policy(attempts=1))
        for asking in (
            services.batch.pool("p"),
            services.storage.blobs.look("container", "blob"),
            services.storage.inventory("container"),
        ):
            with pytest.raises(ServiceError) as caught:
                await asking
            said.append(f"{caught.value} {caught.value!r} {vars(caught.value)}")

    async def scene() -> None:
        async with server.running():
            monkeypatch.setenv("HTTPS_PROXY", server.url.replace("//", "//alice:wonderland@"))
            nobody = account("https://batch.example", "https://storage.example")
            await anyio.to_thread.run_sync(using, nobody, ask)

    anyio.run(scene)
    assert len(said) == 3
    for text in said:
        assert "wonderland" not in text
        assert "sig=" not in text
        assert KEY not in text
