"""
The storage once more, at a port of its own: everything is passed on as it is, but for what the plan has go wrong.

Each connection of a client has one to the storage. Bytes are passed on as they came, so that signatures hold: none
has the host in it. Nothing is kept but the pieces that are just passing.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable

from fastbatch.local import hosts
from fastbatch.local.errors import Refused, Unavailable
from fastbatch.local.faultplan import Plan
from fastbatch.local.faults import naming, transfers
from fastbatch.local.faults.exchange import Cut, Exchange, Side, refusal
from fastbatch.local.faults.framing import PIECE, Head, Unframed, read_head
from fastbatch.local.faults.kinds import Dropped, misbehaving

HOST = "127.0.0.1"

_log = logging.getLogger(__name__)


class Proxy:
    """Passes requests on to the storage; `find` gives its port, or raises Unavailable."""

    def __init__(self, plan: Plan, find: Callable[[], int]) -> None:
        self.plan = plan
        self._find = find

    @contextlib.asynccontextmanager
    async def serving(self, listener: socket.socket) -> AsyncIterator[None]:
        """Serve on a socket for a while."""
        port = listener.getsockname()[1]
        connections: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(_Connection(self, Side(reader, writer), port).serve())
            connections.add(task)
            task.add_done_callback(connections.discard)

        server = await asyncio.start_server(connected, sock=listener, limit=PIECE)
        try:
            yield
        finally:
            server.close()
            for task in connections:
                task.cancel()
            if connections:
                await asyncio.wait(connections)

    async def reach(self) -> Side:
        """Connect to the storage; raises Unavailable."""
        port = self._find()
        try:
            return Side(*await asyncio.open_connection(HOST, port, limit=PIECE))
        except OSError as error:
            raise Unavailable(f"The storage does not answer at {HOST}:{port}.") from error


class _Connection:
    """A client's connection, and the one to the storage that belongs to it."""

    def __init__(self, proxy: Proxy, client: Side, port: int) -> None:
        self._proxy = proxy
        self._client = client
        self._port = port
        self._storage: Side | None = None

    async def serve(self) -> None:
        """Pass one request on after the other, until either side ends it."""
        try:
            await self._serve()
        except (Cut, OSError, Unframed):  # be it on purpose, or because one side is gone
            self._end(Side.reset)
        except Exception:  # noqa: BLE001 - the one boundary: what it is, the log tells
            _log.exception("a request to the storage failed")
        finally:
            self._end(Side.close)

    def _end(self, how: Callable[[Side], None]) -> None:
        for side in (self._client, self._storage):
            if side is not None:
                how(side)

    async def _serve(self) -> None:
        with contextlib.suppress(Dropped):
            while (exchange := await self._next()) is not None:
                await self._pass(exchange)
                if not exchange.persists:
                    break

    async def _next(self) -> Exchange | None:
        try:
            request = await read_head(self._client.reader)
            return None if request is None else self._exchange(request)
        except Unframed as error:
            await self._client.send(refusal(400, "InvalidInput", f"This is no request: {error}."))
            return None

    def _exchange(self, request: Head) -> Exchange:
        copies = "x-ms-copy-source" in request.headers
        operation = naming.operation(request.first[0], request.first[1], copies=copies)
        return Exchange(request, operation, self._client)

    async def _pass(self, exchange: Exchange) -> None:
        try:
            self._check(exchange.request)
            turns = self._proxy.plan.draw(exchange.operation)
            await misbehaving(transfers.KINDS, turns, self._pass_on)(exchange)
        except Refused as refused:
            await exchange.refuse(refused.status, refused.code, refused.message)
        except Unavailable as error:
            await exchange.refuse(502, "StorageUnavailable", str(error))

    def _check(self, request: Head) -> None:
        hosts.check_host(request.headers.get("host"), self._port)
        hosts.check_target(request.first[1])

    async def _pass_on(self, exchange: Exchange) -> None:
        await exchange.pass_on(self._reach)

    async def _reach(self) -> Side:
        if self._storage is None or self._storage.reader.at_eof():  # it closes those that are idle
            if self._storage is not None:
                self._storage.close()
            self._storage = await self._proxy.reach()
        return self._storage
