"""SharedKey: all that the SDK signs is accepted, and nothing else is."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

import pytest
from azure.core import MatchConditions
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch.local import signature, wire
from fastbatch.local.errors import Refused
from fastbatch.local.server import reading
from fastbatch.local.server.routes import ROUTES, find
from fastbatch.local.signature import NotSigned, Request
from tests.local.recording import Recorded, Recorder, recorder

ACCOUNT = "someaccount"
KEY = bytes(range(64))
NOW = 1_700_000_000 * wire.SECOND

# Every kind of thing that is signed: paths with ids and file names, queries, conditions, ranges, bodies.
CALLS: Mapping[str, Callable[[Any, str], Any]] = {
    "create_pool": lambda client, name: client.create_pool({"id": name}),
    "get_pool": lambda client, name: client.get_pool(name, select=["id", "state"]),
    "list_pools": lambda client, name: client.list_pools(filter=f"id eq '{name}'", max_results=7),
    "list_supported_images": lambda client, _: client.list_supported_images(service_timeout=17),
    "begin_resize_pool": lambda client, name: client.begin_resize_pool(name, {"targetDedicatedNodes": 1}),
    "begin_stop_pool_resize": lambda client, name: client.begin_stop_pool_resize(name),
    "begin_delete_pool": lambda client, name: client.begin_delete_pool(name, service_timeout=3),
    "replace_job": lambda client, name: client.replace_job(name, {"poolInfo": {"poolId": name}}),
    "update_job": lambda client, name: client.update_job(
        name, {"priority": 1}, etag="0x8D1", match_condition=MatchConditions.IfNotModified
    ),
    "begin_delete_job": lambda client, name: client.begin_delete_job(name, force=True),
    "get_job": lambda client, name: client.get_job(name, etag="0x8D1", match_condition=MatchConditions.IfModified),
    "create_task": lambda client, name: client.create_task(name, {"id": name, "commandLine": name}),
    "create_task_collection": lambda client, name: client.create_task_collection(name, {"value": []}),
    "list_tasks": lambda client, name: client.list_tasks(name, select=["id"], filter=name, service_timeout=30),
    "terminate_task": lambda client, name: client.terminate_task("job", name),
    "list_task_files": lambda client, name: client.list_task_files("job", name, recursive=True),
    "download_task_file": lambda client, name: client.download_task_file("job", "task", name, ocp_range="bytes=0-9"),
    "get_task_file_properties": lambda client, name: client.get_task_file_properties("job", "task", name),
    "delete_task_file": lambda client, name: client.delete_task_file("job", "task", name, recursive=True),
}

# A name of "." or ".." is a step in a path to every HTTP stack, and so is no name that can be sent.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda name: name not in {".", ".."})
ODD = "a b(c)!'*,;=:@&$/d~é+%41#?\U0001f600"


@pytest.fixture(scope="module")
def recording() -> Iterator[Recorder]:
    """Have what writes down what clients send."""
    with recorder(ACCOUNT, base64.b64encode(KEY).decode()) as found:
        yield found


@pytest.fixture(scope="module")
def sync_client(recording: Recorder) -> Iterator[Any]:
    """Have a client that is heard."""
    with recording.client() as client:
        yield client


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """Have an event loop."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def async_client(recording: Recorder, runner: asyncio.Runner) -> Iterator[Any]:
    """Have an asynchronous client that is heard."""

    async def opened() -> Any:
        return recording.async_client()

    client = runner.run(opened())
    yield client
    runner.run(client.close())


def accepts(recorded: Recorded) -> bool:
    """Tell whether the server would take it, at the time that the request tells, that the key's owner sent this."""
    return verifies(recorded, wire.parse_time(recorded.headers["ocp-date"]))


def verifies(recorded: Recorded, now: int) -> bool:
    """Tell whether the server would take it, at some time, that the key's owner sent this."""
    try:
        reading.authenticate(recorded.request(), ACCOUNT, KEY, now)
    except Refused:
        return False
    return True


def asked_for(recorded: Recorded) -> list[str]:
    """Give the ids of the path, as an operation is told them."""
    _, ids = find(recorded.method, recorded.request().path)
    return list(ids.values())


@pytest.mark.parametrize("call", CALLS)
@settings(max_examples=15)
@given(name=NAMES)
def test_what_the_sdk_signs_is_accepted(recording: Recorder, sync_client: Any, call: str, name: str) -> None:
    """Whatever ids, file names and filters there are, and they arrive as they were meant."""
    recorded = recording.of(sync_client, lambda client: CALLS[call](client, name))
    assert accepts(recorded)
    assert name in asked_for(recorded) or "{" not in path_of(call)


@pytest.mark.parametrize("call", CALLS)
@settings(max_examples=15)
@given(name=NAMES)
def test_what_the_asynchronous_sdk_signs_is_accepted(
    recording: Recorder, async_client: Any, runner: asyncio.Runner, call: str, name: str
) -> None:
    """Its HTTP stack writes paths in another way than they were signed."""
    recorded = runner.run(recording.of_async(async_client, lambda client: CALLS[call](client, name)))
    assert accepts(recorded)
    assert name in asked_for(recorded) or "{" not in path_of(call)


def path_of(call: str) -> str:
    """Give the path of an operation."""
    return next(route.path for route in ROUTES if route.name == call)


@pytest.mark.parametrize("call", CALLS)
def test_both_clients_may_write_one_name_in_two_ways(
    recording: Recorder, sync_client: Any, async_client: Any, runner: asyncio.Runner, call: str
) -> None:
    """The oddest name of all is accepted from both, and means the same."""
    one = recording.of(sync_client, lambda client: CALLS[call](client, ODD))
    other = runner.run(recording.of_async(async_client, lambda client: CALLS[call](client, ODD)))
    assert accepts(one)
    assert accepts(other)
    assert asked_for(one) == asked_for(other)


# What an alteration may do without a change of meaning, and so without a new signature:
#   - percent-encode a character of the path or query that was not, or the other way round; write %2f for %2F
#   - write names of the query in capitals where they were signed in small letters; such a name is refused later if the
#     operation does not know it so
#   - add a query parameter without a value, which is neither signed nor heeded
#   - say by `Content-Length: 0` that there is no body where it was not said
#   - change what is never signed: Accept, User-Agent, client-request-id and return-client-request-id
def meaning(request: Request) -> object:
    """Give what the server heeds of a request."""
    headers = {"content-length": "" if request.verb in {"GET", "HEAD"} else "0", **request.headers}
    signed = {name: value for name, value in headers.items() if name in SIGNED or name.startswith("ocp-")}
    return (
        request.verb,
        [unquote(segment) for segment in request.path.split("/")],
        sorted((name.lower(), value) for name, value in request.query),
        {name: value for name, value in signed.items() if value},
    )


SIGNED = {
    *("content-encoding", "content-language", "content-length", "content-md5", "content-type", "date", "range"),
    *("if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "authorization"),
}


def altered_texts(text: str) -> Iterator[str]:
    """Give the text with each of its bytes flipped, taken out, and with one more before it."""
    for n in range(len(text) + 1):
        before, after = text[:n], text[n + 1 :]
        if n < len(text):
            yield before + after
            yield from (before + chr(ord(text[n]) ^ bit) + after for bit in (1, 2, 32))
        yield from (before + more + text[n:] for more in "a/%&=?A0")


def altered_requests(recorded: Recorded) -> Iterator[Recorded]:
    """Give the request with each byte altered of all that matters in it."""
    method, target, headers = recorded.method, recorded.target, recorded.headers
    methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", *altered_texts(method)} - {method}
    yield from (Recorded(other, target, headers) for other in methods)
    yield from (Recorded(method, other, headers) for other in altered_texts(target))
    for name in {*SIGNED, *(name for name in headers if name.startswith("ocp-")), "ocp-more"}:
        for other in {*altered_texts(headers.get(name, "")), ""} - {headers.get(name, "")}:
            yield Recorded(method, target, {**headers, name: other})


@pytest.mark.parametrize("call", CALLS)
def test_nothing_altered_by_a_byte_is_accepted(recording: Recorder, sync_client: Any, call: str) -> None:
    """Unless it means the same."""
    recorded = recording.of(sync_client, lambda client: CALLS[call](client, "a b(c)/d,é"))
    assert accepts(recorded)
    assert "SharedKey" in recorded.headers["authorization"]

    meant, now = meaning(recorded.request()), wire.parse_time(recorded.headers["ocp-date"])
    accepted = [altered for altered in altered_requests(recorded) if verifies(altered, now)]

    assert [altered for altered in accepted if meaning(altered.request()) != meant] == []


def a_request(target: str = "/pools?api-version=2025-06-01", method: str = "GET", **headers: str) -> Recorded:
    """Give a request that is signed at NOW; underscores in names of headers stand for hyphens."""
    named = {"ocp-date": wire.http_date(NOW), **{name.replace("_", "-"): text for name, text in headers.items()}}
    path, query = reading.split(target)
    authorization = signature.sign(Request(method, path, query, named), ACCOUNT, KEY)
    return Recorded(method, target, {**named, "authorization": authorization})


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        ("/pools?a=1&timeout=3", "/pools?a=1&timeOut=3"),
        ("/pools?a=1", "/pools?a=1&b="),
        ("/pools?a=1", "/pools?a=1&&b"),
        ("/pools?a=1", "/pools?%61=%31"),
        ("/pools?a=1+2", "/pools?a=1%202"),
        ("/pools?a=1&b=2", "/pools?b=2&a=1"),
        ("/jobs/j/tasks/t/files/a%28%2F", "/jobs/j/tasks/t/files/a(%2F"),
        ("/jobs/j/tasks/t/files/a%2Fb", "/jobs/j/tasks/t/files/a%2fb"),
    ],
)
def test_what_means_the_same_is_accepted(signed: str, sent: str) -> None:
    """Clients and proxies write a request in more than one way."""
    headers = a_request(signed).headers
    assert verifies(Recorded("GET", sent, headers), NOW)
    assert meaning(Recorded("GET", sent, headers).request()) == meaning(Recorded("GET", signed, headers).request())


def test_a_parameter_split_in_two_keeps_its_signature_but_is_refused() -> None:
    """The documentation joins repeated parameters by commas; none of the operations takes any."""
    headers = a_request("/pools?api-version=2025-06-01&$select=id,state").headers
    altered = Recorded("GET", "/pools?api-version=2025-06-01&$select=id&$select=state", headers)
    assert verifies(altered, NOW)
    with pytest.raises(Refused, match="InvalidQueryParameterValue"):
        reading.query(find("GET", "/pools")[0], altered.request().query)


@pytest.mark.parametrize("date", ["ocp-date", "date"])
def test_a_request_may_come_15_minutes_early_or_late(date: str) -> None:
    """And not a moment more, in either header."""
    headers = {date: wire.http_date(NOW), "authorization": ""}
    headers["authorization"] = signature.sign(Request("GET", "/pools", [], headers), ACCOUNT, KEY)
    request = Request("GET", "/pools", [], headers)
    for apart in (-signature.SKEW, 0, signature.SKEW):
        signature.verify(request, ACCOUNT, KEY, NOW + apart)
    for apart in (-signature.SKEW - 1, signature.SKEW + 1):
        with pytest.raises(NotSigned, match="15 minutes"):
            signature.verify(request, ACCOUNT, KEY, NOW + apart)


@pytest.mark.parametrize(
    "date", ["", "now", "\udcff", "0", "Mon, 01 Jan 2024 00:00:00 +99999999999999", "2024-99-01T00:00:00Z", "1" * 60000]
)
def test_a_request_must_say_its_time(date: str) -> None:
    """A signature without one would be good for ever."""
    with pytest.raises(NotSigned, match="must say its time"):
        verify(a_request(ocp_date=date))


def verify(recorded: Recorded, account: str = ACCOUNT, key: bytes = KEY) -> None:
    """Check a request at the time at which all are signed here."""
    signature.verify(recorded.request(), account, key, NOW)


def test_the_wrong_key_and_the_wrong_account_are_refused() -> None:
    """The signer is who has the key, and says so."""
    verify(a_request())
    with pytest.raises(NotSigned, match="not the one of the string to sign"):
        verify(a_request(), key=KEY[:-1])
    with pytest.raises(NotSigned, match="account"):
        verify(a_request(), account="another")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        " ",
        "SharedKey",
        "SharedKey ",
        f"SharedKey {ACCOUNT}",
        f"SharedKey {ACCOUNT}:",
        f"SharedKey {ACCOUNT}:x",
        f"SharedKey {ACCOUNT}:\udcff\udc80",
        f"SharedKey {ACCOUNT}:é",
        f"SharedKey {ACCOUNT}:{'A' * 60000}",
        f"SharedKey :{ACCOUNT}",
        f"SharedKeyLite {ACCOUNT}:x",
        "Bearer eyJ0eXAiOiJKV1QifQ.e30.",
        "Basic c29tZWFjY291bnQ6",
        "\udcff",
    ],
)
def test_garbage_is_no_signature(authorization: str) -> None:
    """Whatever stands where the signature should be, it is refused and nothing breaks."""
    recorded = a_request()
    with pytest.raises(NotSigned):
        verify(Recorded(recorded.method, recorded.target, {**recorded.headers, "authorization": authorization}))


@given(
    st.text(st.characters(max_codepoint=0xFF)).map(lambda text: text.encode("latin-1").decode(errors="surrogateescape"))
)
def test_any_bytes_are_a_signature_or_none(authorization: str) -> None:
    """Headers hold any bytes, as they were read."""
    recorded = a_request()
    for given_ in (authorization, f"SharedKey {ACCOUNT}:{authorization}"):
        with pytest.raises(NotSigned):
            verify(Recorded(recorded.method, recorded.target, {**recorded.headers, "authorization": given_}))


def test_a_refusal_never_holds_the_key_or_the_signature() -> None:
    """It holds the string to sign, as the real service's does, and that is all that is needed to find one's fault."""
    recorded = a_request("/pools?api-version=2025-06-01&$filter=id")
    right = recorded.headers["authorization"].rpartition(":")[2]
    with pytest.raises(NotSigned) as refused:
        verify(Recorded("HEAD", recorded.target, {**recorded.headers, "authorization": f"SharedKey {ACCOUNT}:wrong"}))
    text = str(refused.value)
    assert "HEAD\\n" in text
    assert f"/{ACCOUNT}/pools\\n$filter:id" in text
    for secret in (KEY.decode("latin-1"), repr(KEY), base64.b64encode(KEY).decode(), KEY.hex(), right):
        assert secret not in text


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a refusal takes tells nothing of the right signature: every one goes through the one comparison."""
    compared: list[tuple[bytes, bytes]] = []

    def comparing(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare_digest(one, other)

    compare_digest = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", comparing)
    recorded = a_request()
    verify(recorded)
    right = recorded.headers["authorization"].rpartition(":")[2].encode()
    assert compared == [(right, right)]


def test_the_recipe_is_the_documented_one() -> None:
    """One request, signed by hand."""
    text = "\n".join(
        [
            "POST",
            *("", "", "2", "", "application/json", "", "", '"0x8D1"', "", "", ""),
            "ocp-date:Tue, 14 Nov 2023 22:13:20 GMT",
            "ocp-range:bytes=0-9",
            f"/{ACCOUNT}/jobs/a%2Fb/tasks",
            "api-version:2025-06-01",
            "timeOut:30",
        ]
    )
    expected = base64.b64encode(hmac.new(KEY, text.encode(), hashlib.sha256).digest()).decode()
    headers = {
        "accept": "*/*",
        "content-length": "2",
        "content-type": "application/json",
        "if-match": '"0x8D1"',
        "ocp-date": "Tue, 14 Nov 2023 22:13:20 GMT",
        "ocp-range": "bytes=0-9",
    }
    path, query = reading.split("/jobs/a%2Fb/tasks?timeOut=30&api-version=2025-06-01&blank=")
    assert signature.sign(Request("POST", path, query, headers), ACCOUNT, KEY) == f"SharedKey {ACCOUNT}:{expected}"


def test_a_path_is_signed_as_it_is_sent() -> None:
    """Not as it reads: a slash within a name is no step."""
    headers = a_request(f"/jobs/{quote('a/b', safe='')}").headers
    assert verifies(Recorded("GET", "/jobs/a%2Fb", headers), NOW)
    assert not verifies(Recorded("GET", "/jobs/a/b", headers), NOW)
