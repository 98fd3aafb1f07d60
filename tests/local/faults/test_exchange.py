"""What a storage may do that Azurite seldom does: the proxy alone, before a storage that a test plays."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from fastbatch.local.errors import Unavailable
from fastbatch.local.faultplan import Plan
from fastbatch.local.faults.checking import Plans
from fastbatch.local.faults.proxy import Proxy

Talk = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Storage = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Scene:
    """The proxy before a storage."""

    def __init__(self, storage: Storage) -> None:
        self.plan = Plan()
        self.port = 0
        self.connections = 0  # that the storage has seen
        self._storage = storage

    @contextlib.asynccontextmanager
    async def play(self) -> AsyncIterator[None]:
        """Have both for a while."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        found: int = server.sockets[0].getsockname()[1]
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        async with Proxy(self.plan, lambda: found).serving(listener):
            yield
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            await self._storage(reader, writer)

    @contextlib.asynccontextmanager
    async def talk(self) -> AsyncIterator[Talk]:
        """Have a client's connection for a while."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with contextlib.closing(writer):
            yield reader, writer

    def head(self, method: str = "GET", target: str = "/account/box/blob", *headers: str) -> bytes:
        """Write the head of a request."""
        return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *headers, "", ""]).encode()


def played(storage: Storage, client: Callable[[Scene], Awaitable[None]]) -> None:
    """Play a scene to its end."""

    async def whole() -> None:
        scene = Scene(storage)
        async with asyncio.timeout(20), scene.play():
            await client(scene)

    asyncio.run(whole())


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """Read the head of a message."""
    return await reader.readuntil(b"\r\n\r\n")


async def until_reset(reader: asyncio.StreamReader) -> bytes:
    """Read what comes, until the connection is reset; that it ends in order is an error."""
    found = b""
    try:
        while data := await reader.read(100):
            found += data
    except ConnectionResetError:
        return found
    raise AssertionError("the connection was closed in order")


def test_bytes_pass_as_they_are() -> None:
    """In both directions: letter case, blanks, order, headers that come twice, chunks as they were cut."""
    answer = (
        b"HTTP/1.1 200 Fine  \r\nX-b: 1\r\nx-B:2\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nT: x\r\n\r\n"
    )
    body = b"3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n"
    seen = bytearray()

    async def storage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await read_head(reader))
        seen.extend(await reader.readexactly(len(body)))
        writer.write(answer)
        await writer.drain()
        await reader.read()

    async def client(scene: Scene) -> None:
        sent = scene.head(
            "PUT", "/a/b/%C3%BC'()!*?x=%2f&x=+", "x-Ms-A:  1 ", "transfer-encoding: chunked", "a: ", "A:b"
        )
        async with scene.talk() as (reader, writer):
            writer.write(sent + body)
            assert await reader.readexactly(len(answer)) == answer
        assert bytes(seen) == sent + body

    played(storage, client)


def test_a_storage_that_closes_idle_connections_is_connected_to_anew() -> None:
    """The client does not notice."""
    closed = asyncio.Event()

    async def storage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(HELLO)
        writer.close()
        await writer.wait_closed()
        closed.set()

    async def client(scene: Scene) -> None:
        async with scene.talk() as (reader, writer):
            for number in range(1, 4):
                writer.write(scene.head())
                assert await reader.readexactly(len(HELLO)) == HELLO
                assert scene.connections == number
                await closed.wait()
                closed.clear()
                for _ in range(10):  # all is in one loop, which looks at its sockets each time
                    await asyncio.sleep(0)

    played(storage, client)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", b"nonsense\r\n\r\n"]
)
def test_a_storage_that_breaks_off_breaks_the_client_off(answer: bytes) -> None:
    """What was said is passed on, and nobody waits for the rest."""

    async def storage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(answer)

    async def client(scene: Scene) -> None:
        async with scene.talk() as (reader, writer):
            writer.write(scene.head())
            found = await until_reset(reader)
        assert found == answer[: len(found)]

    played(storage, client)


def test_an_answer_may_end_with_its_connection() -> None:
    """If it does not tell its length."""

    async def storage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello")

    async def client(scene: Scene) -> None:
        async with scene.talk() as (reader, writer):
            writer.write(scene.head())
            assert await reader.read() == b"HTTP/1.1 200 OK\r\n\r\nhello"

    played(storage, client)


def test_an_answer_may_come_before_the_request_has_ended() -> None:
    """The client hears it at once, and may send the rest."""

    async def storage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            await read_head(reader)
            writer.write(HELLO)
            await reader.readexactly(10)

    async def client(scene: Scene) -> None:
        async with scene.talk() as (reader, writer):
            for _ in range(2):
                writer.write(scene.head("PUT", "/account/box/blob", "Content-Length: 10") + b"01234")
                assert await reader.readexactly(len(HELLO)) == HELLO
                writer.write(b"56789")

    played(storage, client)


def test_a_refusal_instead_of_an_invitation_ends_the_connection() -> None:
    """As it can't be told whether what comes then is the body."""

    async def storage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(HELLO)
        await reader.read()

    async def client(scene: Scene) -> None:
        async with scene.talk() as (reader, writer):
            writer.write(scene.head("PUT", "/account/box/blob", "Content-Length: 10", "Expect: 100-Continue"))
            assert await reader.read() == HELLO

    played(storage, client)


def test_a_client_that_does_not_read_holds_the_storage_back() -> None:
    """So that nothing piles up between them."""
    size = 1 << 30
    sent = 0

    async def storage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(bytes(1 << 20))
            async with asyncio.timeout(0.5):
                await writer.drain()
            sent += 1 << 20

    async def client(scene: Scene) -> None:
        async with scene.talk() as (_, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(scene.head())
            await asyncio.wait_for(held_back.wait(), 10)
        assert 0 < sent < 64 << 20

    held_back = asyncio.Event()

    async def watched(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(TimeoutError):
            await storage(reader, writer)
        held_back.set()

    played(watched, client)


def test_a_storage_that_does_not_run_is_told_of() -> None:
    """Kindly, with what to do; and the request's body is not taken for another request."""

    def find() -> int:
        raise Unavailable("The storage was never started. Start it: now")

    async def whole() -> None:
        free = socket.create_server(("127.0.0.1", 0))
        nobody = free.getsockname()[1]
        free.close()
        for where, said in ((find, b"Start it: now"), (lambda: nobody, b"does not answer at 127.0.0.1:%d" % nobody)):
            listener = socket.create_server(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            async with Proxy(Plan(), where).serving(listener):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                for _ in range(2):
                    writer.write(b"PUT /a/b/c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 3\r\n\r\nabc" % port)
                    assert (await read_head(reader)).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
                    assert said in await reader.readuntil(b"</Error>")
                writer.close()

    asyncio.run(whole())


def test_to_stop_waits_for_nobody() -> None:
    """Neither for a client that is idle, nor for one that is kept waiting, nor for the storage."""

    async def storage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        with contextlib.closing(writer):
            await reader.read()

    async def whole() -> None:
        scene = Scene(storage)
        rule = {"operation": "storage.head_blob", "fault": "delay", "seconds": 1000}
        scene.plan.append(Plans([]).more({"rules": [rule]})["rules"])
        async with contextlib.AsyncExitStack() as stack:
            async with scene.play():
                talks = [await stack.enter_async_context(scene.talk()) for _ in range(3)]
                talks[0][1].write(scene.head())
                talks[1][1].write(scene.head("HEAD"))
                while not (scene.connections and scene.plan.courses[0].seen):  # noqa: ASYNC110 - no event of ours
                    await asyncio.sleep(0)
            for reader, _ in talks:
                assert await reader.read() == b""

    asyncio.run(whole())
