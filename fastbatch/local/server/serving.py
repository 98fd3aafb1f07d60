"""The service as a program: opens its home, ends what an earlier one left, and serves until it is told to stop."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from fastbatch.local import ending, orphans
from fastbatch.local.agent.blobs import Storage
from fastbatch.local.agent.node import Agent
from fastbatch.local.clock import TurnableClock
from fastbatch.local.errors import Unavailable
from fastbatch.local.faults import runs
from fastbatch.local.faults.proxy import Proxy
from fastbatch.local.instance.home import Home
from fastbatch.local.instance.remains import end_remains
from fastbatch.local.operations import control
from fastbatch.local.server.handler import Account, Handler
from fastbatch.local.service import engine
from fastbatch.local.service.core import Core
from fastbatch.local.service.limits import Limits
from fastbatch.local.store import Damaged, Store, unusable

_LARGEST_HEADERS = 1 << 16


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the Batch service listens, and where it has the storage once more, with faults; 0 is any that is free."""

    batch: int
    faulty_storage: int


async def serve(home: Home, account: Account, ports: Ports, limits: Limits, ready: Callable[[Ports], None]) -> None:
    """Serve on ports of this machine until SIGTERM or SIGINT; `ready` is told which these are."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with (
        orphans.adopting(),
        _listening(ports.batch) as batch,
        _listening_if_free(ports.faulty_storage) as storage,
        contextlib.closing(Store(home.database)) as store,
    ):
        ports = Ports(batch.getsockname()[1], storage.getsockname()[1])
        await end_remains(store, home.nodes)
        async with (
            _running(home, account, ports.batch, limits, store) as core,
            Proxy(core.faults, home.storage_port).serving(storage),
            _answering(core, account, batch),
        ):
            ready(ports)
            await stop.wait()
        while left := orphans.orphans():  # of tasks that have cleared every mark of theirs
            await ending.end(*(orphan.identity for orphan in left))


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=1024)
    except OSError as error:
        raise Unavailable(
            f"Port {port} can't be had for the Batch service ({os.strerror(error.errno or 0)}). "
            "Free it, or name another with --batch-port."
        ) from error


def _listening_if_free(port: int) -> socket.socket:
    """Listen where it was before, or somewhere else: nobody needs this port unasked."""
    try:
        return _listening(port)
    except Unavailable:
        return _listening(0)


@contextlib.asynccontextmanager
async def _running(home: Home, account: Account, port: int, limits: Limits, store: Store) -> AsyncIterator[Core]:
    with _readable(home):
        clock = TurnableClock(control.clock_setting(store), store.last_moment())
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        agent = Agent(home.nodes, account.name, f"http://127.0.0.1:{port}/", Storage(session, clock=clock), clock)
        core = Core(store, clock, agent, limits, engine.step, runs.running)
        with _readable(home):
            engine.recover(core)
        try:
            yield core
        finally:
            await core.close()


@contextlib.contextmanager
def _readable(home: Home) -> Iterator[None]:
    """Say of a damaged state what to do; a file may open well, and yet be damaged further on."""
    try:
        yield
    except Damaged as error:
        raise unusable(home.database, error) from error


@contextlib.asynccontextmanager
async def _answering(core: Core, account: Account, listener: socket.socket) -> AsyncIterator[None]:
    handler = Handler(core, account, listener.getsockname()[1])
    server = web.Server(
        handler,
        access_log=None,
        auto_decompress=False,  # what is refused is not worth unpacking
        max_field_size=_LARGEST_HEADERS,
        max_line_size=_LARGEST_HEADERS,
    )
    runner = web.ServerRunner(server, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
