"""Where messages of HTTP end, whatever pieces they come in."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch.local.faults.framing import Framing, Head, Unframed, of_answer, of_request, pieces, read_head

FEW = settings(max_examples=50)
CONTENTS = st.lists(st.binary(min_size=1, max_size=300), max_size=5)


def read(framing: Framing, data: bytes, cuts: Sequence[int] = ()) -> tuple[bytes, bytes, bytes]:
    """Read a body; give all of its bytes, those of its content, and those that come after it."""

    async def scene() -> tuple[bytes, bytes, bytes]:
        reader = asyncio.StreamReader()
        feeding = asyncio.create_task(feed(reader))
        found = [piece async for piece in pieces(reader, framing)]
        await feeding
        return (
            b"".join(data for data, _ in found),
            b"".join(data for data, counts in found if counts),
            await rest(reader),
        )

    async def feed(reader: asyncio.StreamReader) -> None:
        places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
        for start, end in itertools.pairwise(places):
            reader.feed_data(data[start:end])
            await asyncio.sleep(0)
        reader.feed_eof()

    async def rest(reader: asyncio.StreamReader) -> bytes:
        return await reader.read()

    return asyncio.run(scene())


def head(text: str) -> Head:
    """Read the head of a message."""

    async def scene() -> Head | None:
        reader = asyncio.StreamReader()
        reader.feed_data(text.replace("\n", "\r\n").encode("latin-1"))
        reader.feed_eof()
        return await read_head(reader)

    found = asyncio.run(scene())
    assert found is not None
    return found


def chunked(contents: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """Write contents in chunks."""
    chunks = [b"%x;why=not\r\n%s\r\n" % (len(content), content) for content in contents]
    return b"".join(chunks) + b"0\r\n" + trailer + b"\r\n"


@FEW
@given(CONTENTS, st.binary(max_size=20), st.lists(st.integers(0, 2000), max_size=5))
def test_a_body_of_known_length_ends_there(contents: list[bytes], after: bytes, cuts: list[int]) -> None:
    """What comes after it is not touched."""
    data = b"".join(contents)
    assert read(Framing(len(data)), data + after, cuts) == (data, data, after)


@FEW
@given(CONTENTS, st.sampled_from([b"", b"a: b\r\n", b"a: b\r\nc: d\r\n"]), st.lists(st.integers(0, 2000), max_size=5))
def test_chunks_end_with_an_empty_one(contents: list[bytes], trailer: bytes, cuts: list[int]) -> None:
    """All bytes are passed, and it is known which count."""
    data = chunked(contents, trailer)
    assert read(Framing(None, chunked=True), data + b"GET", cuts) == (data, b"".join(contents), b"GET")


def test_a_body_may_end_with_all() -> None:
    """If nothing else is said."""
    assert read(Framing(None), b"abc", [1]) == (b"abc", b"abc", b"")


@pytest.mark.parametrize(
    ("framing", "data"),
    [
        (Framing(4), b"abc"),
        (Framing(None, chunked=True), b""),
        (Framing(None, chunked=True), b"3\r\nab"),
        (Framing(None, chunked=True), b"3\r\nabc\r\n"),
        (Framing(None, chunked=True), b"\r\nabc\r\n"),
        (Framing(None, chunked=True), b"-1\r\nabc\r\n"),
        (Framing(None, chunked=True), b"0x3\r\nabc\r\n"),
        (Framing(None, chunked=True), b"1_0\r\nabc\r\n"),
    ],
)
def test_a_body_that_does_not_end_is_none(framing: Framing, data: bytes) -> None:
    """Its other side has gone, or speaks something else."""
    with pytest.raises(Unframed):
        read(framing, data)


def test_a_head_is_kept_as_it_is() -> None:
    """To the last byte; names are found in any letter case."""
    found = head("GET /a%2Fb?c=%20 HTTP/1.1\nHost: h\nX-Ms-Date:  today \nA:\nx-a: 1\nX-A: ü\n\n")
    assert (
        found.raw == b"GET /a%2Fb?c=%20 HTTP/1.1\r\nHost: h\r\nX-Ms-Date:  today \r\nA:\r\nx-a: 1\r\nX-A: \xfc\r\n\r\n"
    )
    assert found.first == ("GET", "/a%2Fb?c=%20", "HTTP/1.1")
    assert found.headers == {"host": "h", "x-ms-date": "today", "a": "", "x-a": "1, ü"}


@pytest.mark.parametrize(
    "text",
    [
        "GET\n\n",
        "GET / HTTP/1.1\nno colon\n\n",
        "GET / HTTP/1.1\na : b\n\n",
        "GET / HTTP/1.1\na: b\n folded: c\n\n",
        "GET / HTTP/1.1\n: b\n\n",
        "GET / HTTP/1.1\na: b\n",
    ],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(Unframed):
        head(text)


@pytest.mark.parametrize(
    ("headers", "framing"),
    [
        ("", Framing(0)),
        ("Content-Length: 5\n", Framing(5)),
        ("Transfer-Encoding: chunked\n", Framing(None, chunked=True)),
        ("Transfer-Encoding: gzip, chunked\n", None),
        ("Transfer-Encoding: chunked\nContent-Length: 5\n", None),
        ("Content-Length: 5\nContent-Length: 5\n", None),
        ("Content-Length: -5\n", None),
        ("Content-Length: +5\n", None),
        ("Content-Length: 5_0\n", None),
        ("Content-Length: \n", None),
    ],
)
def test_the_end_of_a_request_is_told_by_its_head(headers: str, framing: Framing | None) -> None:
    """Where that can be understood in two ways, it is refused: two programs are to understand it."""
    found = head(f"PUT / HTTP/1.1\n{headers}\n")
    if framing is not None:
        assert of_request(found) == framing
        return
    with pytest.raises(Unframed):
        of_request(found)


@pytest.mark.parametrize(
    ("method", "answer", "framing"),
    [
        ("GET", "200 OK\nContent-Length: 3", Framing(3)),
        ("GET", "200 OK\nTransfer-Encoding: Chunked", Framing(None, chunked=True)),
        ("GET", "200 OK\nA: b", Framing(None)),
        ("HEAD", "200 OK\nContent-Length: 3", Framing(0)),
        ("GET", "304 Not Modified\nContent-Length: 3", Framing(0)),
        ("DELETE", "204 No Content\nA: b", Framing(0)),
    ],
)
def test_the_end_of_an_answer_depends_on_the_question(method: str, answer: str, framing: Framing) -> None:
    """And on the status."""
    assert of_answer(head(f"HTTP/1.1 {answer}\n\n"), method) == framing


@pytest.mark.parametrize(
    ("text", "persists"),
    [
        ("GET / HTTP/1.1\n\n", True),
        ("HTTP/1.1 200 OK\nConnection: keep-alive\n\n", True),
        ("GET / HTTP/1.1\nConnection: Close\n\n", False),
        ("GET / HTTP/1.0\n\n", False),
        ("HTTP/1.0 200 OK\n\n", False),
    ],
)
def test_a_connection_may_go_on(text: str, *, persists: bool) -> None:
    """Unless either side says otherwise."""
    assert head(text).persists is persists
