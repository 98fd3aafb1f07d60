"""Blobs are written and read as they are; no error shows what they were signed with."""

import io
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import unquote

import pytest
from azure.storage.blob import ContainerClient

from fastbatch import Account
from fastbatch.azure.line import Line
from fastbatch.azure.services import Services
from fastbatch.errors import Refused, ServiceError
from fastbatch.sending.retry import Policy
from tests.counted import Seen, account_of
from tests.local.instances import Instance, new_name
from tests.proxy import Rule, proxy
from tests.seam import using

NAMES = ["plain", "b00001-r1/result", "a b%20c?d=e&f#g+h", "größer/ü", "quote'\"$(x)"]


@pytest.fixture
def container(services: Instance) -> Iterator[str]:
    """Have a container."""
    name = new_name("blobs")
    found = services.blobs().create_container(name)
    yield name
    found.delete_container()


def behind(services: Instance, container: str) -> ContainerClient:
    """Give the container as the SDK sees it."""
    return services.blobs().get_container_client(container)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_put_is_there_under_its_name(services: Instance, account: Account, container: str, name: str) -> None:
    """Whatever characters are in it."""

    async def scene(connected: Services) -> bytes:
        blobs, into = connected.storage.blobs, io.BytesIO()
        assert await blobs.look(container, name) is None
        assert await blobs.put(container, name, b"content")
        stored = await blobs.look(container, name)
        assert stored
        assert stored.length == 7
        await blobs.read("read it", container, name, into)
        return into.getvalue()

    assert using(account, scene) == b"content"
    assert list(behind(services, container).list_blob_names()) == [name]


def test_what_is_there_stays_unless_it_is_to_be_replaced(account: Account, container: str) -> None:
    """Whoever comes second is told."""

    async def scene(connected: Services) -> list[bytes]:
        blobs, found = connected.storage.blobs, []
        for content, replace, stored in ((b"1", False, True), (b"2", False, False), (b"3", True, True)):
            assert await blobs.put(container, "x", content, replace=replace) == stored
            into = io.BytesIO(b"what was there before")
            await blobs.read("read it", container, "x", into)
            found.append(into.getvalue())
        return found

    assert using(account, scene) == [b"1", b"1", b"3"]


@pytest.mark.parametrize(("found", "holds"), [(b"content", True), (b"CONTENT", False), (b"content and more", False)])
def test_a_look_tells_whether_a_blob_holds_what_it_should(
    services: Instance, account: Account, container: str, found: bytes, *, holds: bool
) -> None:
    """By its length and its MD5."""
    behind(services, container).upload_blob("blob", found)

    async def scene(connected: Services) -> bool:
        stored = await connected.storage.blobs.look(container, "blob")
        return stored is not None and stored.holds(b"content")

    assert using(account, scene) is holds


def test_a_lost_answer_is_no_second_blob(services: Instance, container: str) -> None:
    """It may then seem to have been there; its content is the same."""
    with proxy(account_of(services).storage_endpoint) as storage:
        storage.rules.append(Rule("PUT", "/blob", drop="after"))
        account = account_of(services, storage_endpoint=storage.url)
        assert not using(account, lambda each: each.storage.blobs.put(container, "blob", b"content"))
    assert behind(services, container).download_blob("blob").readall() == b"content"


def test_blocks_become_a_blob_in_the_order_of_their_list(services: Instance, account: Account, container: str) -> None:
    """Not in that of their arrival."""

    async def scene(connected: Services) -> None:
        blobs = connected.storage.blobs
        for block, content in (("Mg==", b"second"), ("MQ==", b"first ")):
            await blobs.put_block(container, "x", block, content)
        assert await blobs.look(container, "x") is None
        assert await blobs.put_block_list(container, "x", ["MQ==", "Mg=="])
        with pytest.raises(Refused) as caught:
            await blobs.put_block_list(container, "y", ["MQ=="])
        assert caught.value.code == "InvalidBlockList"

    using(account, scene)
    assert behind(services, container).download_blob("x").readall() == b"first second"


@pytest.mark.parametrize(
    ("content", "tail"),
    [(b"", b""), (b"short", b"short"), (b"0123456789", b"0123456789"), (b"x0123456789", b"0123456789")],
)
def test_the_end_of_a_blob_is_what_is_asked_for(
    services: Instance, account: Account, container: str, content: bytes, tail: bytes
) -> None:
    """Or all of it, if there is less."""
    behind(services, container).upload_blob("log", content)
    assert using(account, lambda each: each.storage.blobs.tail(container, "log", 10)) == tail


def test_the_end_of_nothing_is_nothing(services: Instance, account: Account, container: str) -> None:
    """Also if it goes, or gets shorter, between one request and the next."""
    assert using(account, lambda each: each.storage.blobs.tail(container, "none", 10)) == b""
    there = behind(services, container)

    def shorter() -> None:
        there.upload_blob("log", b"x", overwrite=True)

    def gone() -> None:
        there.delete_blob("log")

    for meanwhile in (gone, shorter):
        there.upload_blob("log", b"x" * 100, overwrite=True)
        with proxy(account_of(services).storage_endpoint) as storage:
            storage.rules.append(Rule("GET", "/log", then=meanwhile))
            proxied = account_of(services, storage_endpoint=storage.url)
            assert using(proxied, lambda each: each.storage.blobs.tail(container, "log", 10)) in (b"", b"x")


def test_nobody_else_gets_what_is_sent_to_storage(services: Instance, container: str) -> None:
    """A service that sends us elsewhere is not followed there."""
    endpoint = account_of(services).storage_endpoint
    with proxy(endpoint) as storage, proxy(endpoint) as elsewhere:
        storage.rules.append(Rule("PUT", "/blob", 99, refuse=(307, {"Location": f"{elsewhere.url}/x"}, b"")))
        account = account_of(services, storage_endpoint=storage.url)
        with pytest.raises(ServiceError):
            using(account, lambda each: each.storage.blobs.put(container, "blob", b"content"))
        assert elsewhere.requests == []


_XML = b"<Error><Code>X</Code><Message>what sig=SECRET was\nRequestId:1</Message></Error>"
_TROUBLES = {
    "refused": Rule("", "", 99, refuse=(400, {"x-ms-error-code": "InvalidInput"}, b"")),
    "busy": Rule("", "", 99, refuse=(503, {"x-ms-error-code": "ServerBusy"}, b"")),
    "unauthorized": Rule("", "", 99, refuse=(403, {"x-ms-error-code": "AuthenticationFailed"}, _XML)),
    "lost": Rule("", "", 99, drop="before"),
    "cut off": Rule("", "", 99, drop="after"),
    "redirected for ever": Rule("", "", 99, refuse=(307, {"Location": "?sig=SECRET"}, b"")),
    "redirected to nowhere": Rule("", "", 99, refuse=(307, {"Location": "http://127.0.0.1:9/?sig=SECRET"}, b"")),
}
_ASKS: dict[str, tuple[str, Callable[[Services], Awaitable[object]]]] = {
    "put": ("PUT", lambda each: each.storage.blobs.put("c", "x", b"content")),
    "look": ("HEAD", lambda each: each.storage.blobs.look("c", "x")),
    "read": ("GET", lambda each: each.storage.blobs.read("read it", "c", "x", io.BytesIO())),
    "list": ("GET", lambda each: each.storage.inventory("c")),
    "make a container": ("PUT", lambda each: each.storage.make_container("c")),
    "pool": ("GET", lambda each: each.batch.pool("p")),
    "add tasks": ("POST", lambda each: each.batch.add_tasks("j", b"{}")),
}


def _twice(line: Line) -> None:
    line._policy = Policy(attempts=2, wait_initial=0.001)  # noqa: SLF001, so that it does not take long


@pytest.mark.parametrize("ask", _ASKS)
@pytest.mark.parametrize("trouble", [*_TROUBLES, "nobody there"])
def test_no_error_and_no_event_shows_a_key_or_a_signature(services: Instance, trouble: str, ask: str) -> None:
    """Whatever goes wrong, and however often it is tried."""
    method, asking = _ASKS[ask]
    seen, said = Seen(), list[str]()

    async def scene(connected: Services) -> None:
        _twice(connected.batch.line)
        _twice(connected.storage.line)
        with pytest.raises(ServiceError) as caught:
            await asking(connected)
        said.append(f"{caught.value} {caught.value!r} {vars(caught.value)}")

    with proxy(account_of(services).storage_endpoint) as storage, proxy(services.endpoint) as batch:
        for each in (storage, batch):
            if trouble in _TROUBLES:
                rule = _TROUBLES[trouble]
                each.rules.append(Rule(method, "", rule.times, rule.refuse, rule.drop))
        nobody = {"storage_endpoint": "http://127.0.0.1:9/a", "batch_endpoint": "http://127.0.0.1:9"}
        there = {"storage_endpoint": storage.url, "batch_endpoint": batch.url}
        account = account_of(services, **(nobody if trouble == "nobody there" else there))
        using(account, scene, observe=seen, seconds=10)

    text = unquote(" ".join([*said, *map(repr, seen), *(str(event.json()) for event in seen)]))
    assert "sig=" not in text
    assert "SECRET" not in text
    for key in (account.storage_key, account.batch_key):
        assert key
        assert key not in text
