"""A proxy in front of a service: real requests, real answers, and what can happen to them on the way."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO

from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web
from yarl import URL

_OURS = frozenset({"transfer-encoding", "connection", "keep-alive", "host"})


@dataclass
class Rule:
    """What is done to requests of a kind, so many times."""

    method: str
    path: str  # a pattern that is searched for in path and query
    times: int = 1
    refuse: tuple[int, dict[str, str], bytes] | None = None
    drop: str = ""  # "before" the service sees the request, or "after" it answered
    edit: Callable[[bytes], bytes] | None = None  # of the answer's body
    then: Callable[[], object] | None = None  # is called first

    def takes(self, method: str, path: str) -> bool:
        """Tell whether this request is one of them, and count it."""
        if self.times <= 0 or method != self.method or not re.search(self.path, path):
            return False
        self.times -= 1
        return True


@dataclass
class Proxy:
    """A proxy that runs."""

    target: str
    url: str = ""
    rules: list[Rule] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def count(self, method: str, path: str) -> int:
        """Count the requests of a kind."""
        return sum(1 for each, where in self.requests if each == method and re.search(path, where))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on, unless a rule takes it."""
        self.requests.append((request.method, request.raw_path))
        body = await request.read()
        rule = next((rule for rule in self.rules if rule.takes(request.method, request.raw_path)), None)
        if rule and rule.then:
            await asyncio.to_thread(rule.then)
        if rule and rule.refuse:
            status, headers, text = rule.refuse
            return web.Response(status=status, headers=headers, body=text)
        if rule and rule.drop == "before":
            return _dropped(request)
        answer, content = await self._pass_on(request, body)
        if rule and rule.drop == "after":
            return _dropped(request)
        if rule and rule.edit:
            content = rule.edit(content)
        if request.method != "HEAD":
            answer["Content-Length"] = str(len(content))
        return web.Response(status=int(answer.pop(":status")), headers=answer, body=content)

    async def _pass_on(self, request: web.Request, body: bytes) -> tuple[dict[str, str], bytes]:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OURS}
        url = URL(f"{self.target}{request.raw_path}", encoded=True)
        data = BytesIO(body) if body else None
        async with (
            ClientSession(
                connector=TCPConnector(force_close=True), cookie_jar=DummyCookieJar(), auto_decompress=False
            ) as session,
            session.request(
                request.method,
                url,
                headers=headers,
                data=data,
                skip_auto_headers=["Content-Type"],
            ) as response,
        ):
            kept = {name.title(): value for name, value in response.headers.items() if name.lower() not in _OURS}
            return {**kept, ":status": str(response.status)}, await response.read()


def _dropped(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.abort()
    return web.Response()


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Have a proxy of a service for a while; its URL has the path of the service's."""
    origin = URL(target)
    found = Proxy(str(origin.origin()))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> web.AppRunner:
        application = web.Application(client_max_size=1 << 30)
        application.router.add_route("*", "/{tail:.*}", found.handle)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        found.url = f"http://127.0.0.1:{port}{origin.path}".rstrip("/")
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield found
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
