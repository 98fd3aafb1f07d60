"""What answers are like: their headers, the form of errors, and conditions."""

import asyncio
import contextlib
import re
import sqlite3
import uuid
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import RawTestServer

from fastbatch.local import signature, wire
from fastbatch.local.clock import SystemClock, TurnableClock
from fastbatch.local.errors import Refused
from fastbatch.local.faultplan import Plan
from fastbatch.local.operations.call import Answer, FilePart
from fastbatch.local.server import reading, writing
from fastbatch.local.server.handler import Account, Handler
from tests.local import instances
from tests.local.instances import Instance, eventually
from tests.local.speaking import Said, ask, at

JSON = "application/json;odata=minimalmetadata"
ETAG = re.compile("0x[0-9A-F]+")
LONG_AGO, FAR_OFF = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.fixture
def job(client: Any) -> Iterator[str]:
    """Have a job without a pool."""
    with instances.job(client, "none") as name:
        yield name


def common(said: Said) -> None:
    """Check what every answer has."""
    assert said.headers["DataServiceVersion"] == "3.0"
    assert str(uuid.UUID(said.headers["request-id"])) == said.headers["request-id"]
    assert parsedate_to_datetime(said.headers["Date"]).year > 2000
    assert said.headers["Server"]


def test_what_is_made_has_an_address_and_a_version(instance: Instance, client: Any) -> None:
    """And nothing is said in the body."""
    name = instances.new_name("all")
    task = {"id": "t", "commandLine": "true"}
    for path, body in (
        ("/pools", instances.pool_body(name)),
        ("/jobs", {"id": name, "poolInfo": {"poolId": "none"}}),
        (f"/jobs/{name}/tasks", task),
    ):
        said = ask(instance, "POST", at(path), body)
        common(said)
        assert (said.status, said.body) == (201, b"")
        assert said.headers["Location"] == said.headers["DataServiceId"] == f"{instance.endpoint}{path}/{body['id']}"
        read = ask(instance, "GET", at(f"{path}/{body['id']}"))
        assert said.headers["ETag"] == read.headers["ETag"] == read.json["eTag"]
        assert ETAG.fullmatch(said.headers["ETag"])
        assert said.headers["Last-Modified"] == read.headers["Last-Modified"]
        assert said.headers["Last-Modified"] == wire.http_date(wire.parse_time(read.json["lastModified"]))
    client.begin_delete_job(name, polling_interval=3600)
    client.begin_delete_pool(name, polling_interval=3600)


def test_what_is_changed_has_a_new_version(instance: Instance, job: str) -> None:
    """And an address, but no Location."""
    path = f"/jobs/{job}"
    before = ask(instance, "GET", at(path)).headers["ETag"]
    said = ask(instance, "PATCH", at(path), {"priority": 1})
    common(said)
    assert (said.status, said.body) == (200, b"")
    assert said.headers["DataServiceId"] == f"{instance.endpoint}{path}"
    assert said.headers["ETag"] == ask(instance, "GET", at(path)).headers["ETag"] != before
    assert "Location" not in said.headers


def test_what_is_begun_is_accepted(instance: Instance, job: str) -> None:
    """With the address that was asked."""
    for action in ("disable", "enable", "terminate"):
        path = f"/jobs/{job}/{action}"
        eventually(
            lambda: ask(instance, "GET", at(f"/jobs/{job}")).json["state"],
            lambda state: state in {"active", "disabled"},
        )
        said = ask(instance, "POST", at(path), {"disableTasks": "wait"} if action == "disable" else None)
        common(said)
        assert (said.status, said.body) == (202, b"")
        assert said.headers["DataServiceId"] == f"{instance.endpoint}{path}"


def test_what_is_read_says_what_it_is(instance: Instance, job: str) -> None:
    """By its metadata."""
    for path, kind in (
        ("/pools", "pools"),
        ("/jobs", "jobs"),
        (f"/jobs/{job}", "jobs/@Element"),
        (f"/jobs/{job}/tasks", "tasks"),
        ("/supportedimages", "supportedimages"),
    ):
        said = ask(instance, "GET", at(path))
        common(said)
        assert said.headers["Content-Type"] == JSON
        assert said.headers["Content-Length"] == str(len(said.body))
        assert said.json["odata.metadata"] == f"{instance.endpoint}/$metadata#{kind}"
        assert isinstance(said.json.get("value"), list) == ("@Element" not in kind)


def test_the_clients_own_id_comes_back_if_it_wishes_so(instance: Instance) -> None:
    """On errors, too."""
    own = {"client-request-id": "6f2d", "Return-Client-Request-Id": "TRUE"}
    for path in ("/pools", "/pools/none", "/nothing"):
        assert ask(instance, "GET", at(path), headers=own).headers["client-request-id"] == "6f2d"
        for headers in (
            {"client-request-id": "6f2d"},
            {"client-request-id": "6f2d", "return-client-request-id": "false"},
        ):
            said = ask(instance, "GET", at(path), headers=headers)
            assert "client-request-id" not in said.headers
            assert "6f2d" not in said.headers["request-id"].partition("-")[0]


@pytest.mark.parametrize("own", ["é", "\udcff", "", "x" * 60000, "a: b", '"'])
def test_the_clients_own_id_may_be_odd(instance: Instance, own: str) -> None:
    """It is only told back, and breaks nothing."""
    headers = {"client-request-id": own, "return-client-request-id": "true"}
    assert ask(instance, "GET", at("/pools"), headers=headers).status == 200


def test_no_two_requests_have_one_id(instance: Instance) -> None:
    """So that each can be found in a log."""
    assert len({ask(instance, "GET", at("/pools")).headers["request-id"] for _ in range(20)}) == 20


def test_an_error_says_what_when_and_which_request(instance: Instance) -> None:
    """In the form that clients parse."""
    said = ask(instance, "GET", at("/jobs/none"))
    common(said)
    assert said.status == 404
    assert said.headers["Content-Type"] == JSON
    assert said.json["code"] == "JobNotFound"
    kind = "Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element"
    assert said.json["odata.metadata"] == f"{instance.endpoint}/$metadata#{kind}"
    assert said.json["message"]["lang"] == "en-US"
    first, request, time = said.json["message"]["value"].split("\n")
    assert first == "There is no job none."
    assert request == f"RequestId:{said.headers['request-id']}"
    assert wire.parse_time(time.removeprefix("Time:"))
    assert "values" not in said.json


def test_the_details_of_an_error_are_pairs(instance: Instance) -> None:
    """Of a key and a value."""
    said = ask(instance, "GET", at("/pools", x="y"))
    assert said.json["values"] == [
        {"key": "QueryParameterName", "value": "x"},
        {"key": "QueryParameterValue", "value": "y"},
    ]


def test_the_sdk_understands_errors(client: Any) -> None:
    """Their code, their text and their details."""
    with pytest.raises(Exception, match="JobNotFound") as caught:
        client.get_job("none")
    error: Any = caught.value
    assert error.status_code == 404
    assert error.error.code == "JobNotFound"
    with pytest.raises(Exception, match="InvalidQueryParameterValue") as caught:
        list(client.list_jobs(filter="x"))
    error = caught.value
    assert {detail.code for detail in error.error.details} >= {"QueryParameterName"}


@pytest.mark.parametrize("path", ["/pools/none", "/nothing", "/jobschedules/x", "/jobs/x/tasks/y/files/z"])
def test_an_error_to_head_has_no_body(instance: Instance, path: str) -> None:
    """Its status says it all."""
    said = ask(instance, "HEAD", at(path))
    common(said)
    assert said.status in {404, 501}
    assert said.body == b""
    assert ask(instance, "HEAD", at(path), headers={"authorization": "x"}).status == 403


def test_head_says_what_get_would(instance: Instance, client: Any, pool: str) -> None:
    """Without the body: of pools and of files."""
    said = ask(instance, "HEAD", at(f"/pools/{pool}"))
    assert (said.status, said.body) == (200, b"")
    assert said.headers["ETag"] == ask(instance, "GET", at(f"/pools/{pool}")).headers["ETag"]
    with instances.job(client, pool) as job:
        client.create_task(job, {"id": "t", "commandLine": "/bin/echo hello"})
        eventually(lambda: client.get_task(job, "t").state, lambda state: state == "completed")
        target = at(f"/jobs/{job}/tasks/t/files/stdout.txt")
        head, whole = ask(instance, "HEAD", target), ask(instance, "GET", target)
        assert (head.status, head.body, whole.body) == (200, b"", b"hello\n")
        for name in ("Content-Length", "Content-Type", "Last-Modified", "ocp-batch-file-mode", "ocp-batch-file-url"):
            assert head.headers[name] == whole.headers[name]
        assert head.headers["Content-Length"] == "6"


@pytest.mark.parametrize("quotes", ["", '"'])
@pytest.mark.parametrize(
    ("conditions", "met"),
    [
        ({"if-match": "CURRENT"}, True),
        ({"if-match": "*"}, True),
        ({"if-none-match": "0x8D0"}, True),
        ({"if-match": "CURRENT", "if-none-match": "0x8D0"}, True),
        ({"if-match": "0x8D0"}, False),
        ({"if-match": ""}, False),
        ({"if-none-match": "CURRENT"}, False),
        ({"if-none-match": "*"}, False),
        ({"if-match": "CURRENT", "if-none-match": "CURRENT"}, False),
    ],
)
def test_conditions_on_the_version(
    instance: Instance, job: str, conditions: dict[str, str], met: bool, quotes: str
) -> None:
    """In quotes, as SDKs write it, or without, as the service does."""
    path = at(f"/jobs/{job}")
    current = ask(instance, "GET", path).headers["ETag"]
    headers = {name: f"{quotes}{tag.replace('CURRENT', current)}{quotes}" for name, tag in conditions.items()}
    assert ask(instance, "GET", path, headers=headers).status == (200 if met else 304)
    assert ask(instance, "PATCH", path, {"priority": 1}, headers).status == (200 if met else 412)
    assert (ask(instance, "GET", path).headers["ETag"] != current) == met


@pytest.mark.parametrize(
    ("headers", "met"),
    [
        ({"if-modified-since": LONG_AGO}, True),
        ({"if-modified-since": FAR_OFF}, False),
        ({"if-unmodified-since": LONG_AGO}, False),
        ({"if-unmodified-since": FAR_OFF}, True),
        ({"if-modified-since": LONG_AGO, "if-unmodified-since": FAR_OFF}, True),
    ],
)
def test_conditions_on_the_time(instance: Instance, job: str, headers: dict[str, str], met: bool) -> None:
    """In whole seconds, as headers have them."""
    path = at(f"/jobs/{job}")
    assert ask(instance, "GET", path, headers=headers).status == (200 if met else 304)
    assert ask(instance, "PATCH", path, {"priority": 1}, headers).status == (200 if met else 412)


def test_what_was_modified_at_that_second_was_not_modified_since(instance: Instance, job: str) -> None:
    """What Last-Modified says can be sent back."""
    path = at(f"/jobs/{job}")
    modified = ask(instance, "GET", path).headers["Last-Modified"]
    assert ask(instance, "GET", path, headers={"if-modified-since": modified}).status == 304
    assert ask(instance, "GET", path, headers={"if-unmodified-since": modified}).status == 200


@pytest.mark.parametrize("name", ["if-modified-since", "if-unmodified-since"])
@pytest.mark.parametrize("time", ["x", "", "\udcff", "Mon, 01 Jan 2024 00:00:00 +99999999999999", "9" * 5000])
def test_a_condition_on_no_time_is_refused(instance: Instance, job: str, name: str, time: str) -> None:
    """By the header's name."""
    said = ask(instance, "GET", at(f"/jobs/{job}"), headers={name: time})
    assert said.refusal == (400, "InvalidHeaderValue")
    assert said.values == {"HeaderName": name}


def test_an_unmet_condition_of_a_read_has_no_body(instance: Instance, job: str) -> None:
    """And that of a write says so in one."""
    path = at(f"/jobs/{job}")
    said = ask(instance, "GET", path, headers={"if-match": "x"})
    common(said)
    assert (said.status, said.body) == (304, b"")
    said = ask(instance, "DELETE", path, headers={"if-match": "x"})
    assert said.refusal == (412, "ConditionNotMet")
    assert ask(instance, "GET", path).json["state"] == "active"


def test_a_file_that_went_just_now_is_not_found(tmp_path: Path) -> None:
    """That is seen before anything is said, or a second answer would follow in the midst of the first."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        with pytest.raises(Refused, match="FileNotFound"):
            await writing.answer(
                request, Answer(part=FilePart(str(tmp_path / "gone"), 0, 1 << 20)), "", writing.Stamp("id", 0)
            )
        return web.Response(text="nothing was said yet")

    async def asked() -> str:
        async with (
            RawTestServer(answer) as server,
            ClientSession() as session,
            session.get(server.make_url("/")) as said,
        ):
            return await said.text()

    assert asyncio.run(asked()) == "nothing was said yet"


def asked_of(broken: Any) -> tuple[int, str, dict[str, Any]]:
    """Give the status, the request's id and the error that a service answers whose core is broken."""
    account = Account("someaccount", b"key")
    headers = {"ocp-date": wire.http_date(SystemClock().now())}
    path, query = reading.split(at("/pools"))
    headers["authorization"] = signature.sign(signature.Request("GET", path, query, headers), account.name, account.key)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return await Handler(broken, account, request.url.port or 0)(request)

    async def asked() -> tuple[int, str, dict[str, Any]]:
        async with (
            RawTestServer(answer) as server,
            ClientSession() as session,
            session.get(server.make_url(at("/pools")), headers=headers) as said,
        ):
            return said.status, said.headers["request-id"], await said.json()

    return asyncio.run(asked())


def test_a_failure_of_the_service_is_told_and_written_down(caplog: pytest.LogCaptureFixture) -> None:
    """A client learns that it was not its own fault, and no more; the log has the rest."""
    status, request_id, error = asked_of(SimpleNamespace(clock=TurnableClock(), faults=Plan()))  # the store is missing
    assert (status, error["code"]) == (500, "InternalError")
    assert error["message"]["value"].startswith("The service failed; its log says how.\n")
    assert "store" not in str(error)
    assert f"request {request_id} failed" in caplog.text
    assert "no attribute 'store'" in caplog.text


def test_of_a_full_disk_a_client_is_told() -> None:
    """The log, which may be on the same disk, does not have to say it."""

    class Full:
        @contextlib.contextmanager
        def transaction(self) -> Iterator[None]:
            with contextlib.closing(sqlite3.connect(":memory:")) as database:
                database.execute("PRAGMA max_page_count = 1")
                database.execute("CREATE TABLE more (than INTEGER)")
            yield

    status, _, error = asked_of(SimpleNamespace(clock=TurnableClock(), faults=Plan(), store=Full()))
    assert (status, error["code"]) == (500, "InternalError")
    assert error["message"]["value"].startswith("The disk is full; free some space.\n")
