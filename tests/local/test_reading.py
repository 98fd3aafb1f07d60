"""Requests through the wire: who signed them, their queries and their JSON."""

import asyncio
import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from fastbatch.local import wire
from fastbatch.local.clock import SystemClock
from tests.local import instances, speaking
from tests.local.instances import Instance, eventually
from tests.local.speaking import VERSION, Said, ask, at, send, signed

MINUTE = 60 * wire.SECOND
POOLS = at("/pools")


def asked_at(instance: Instance, moment: int) -> Said:
    """Give the answer to a request that says it is of that time."""
    return ask(instance, "GET", POOLS, headers={"ocp-date": wire.http_date(moment)})


def test_an_unsigned_request_is_refused(instance: Instance) -> None:
    """By the header that is missing."""
    said = send(instance, "GET", POOLS, b"", {})
    assert said.refusal == (400, "MissingRequiredHeader")
    assert said.values == {"HeaderName": "Authorization"}


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "x",
        "\udcff",
        "SharedKey",
        "SharedKey ACCOUNT:",
        "SharedKey ACCOUNT:é",
        "SharedKey ACCOUNT:\udcff\udc80",
        f"SharedKey ACCOUNT:{'A' * 60000}",
        "SharedKey other:x",
        "sharedkey ACCOUNT:x",
        "Bearer eyJ0.e30.x",
    ],
)
def test_a_wrong_signature_is_refused(instance: Instance, authorization: str) -> None:
    """With 403, and a word on why."""
    authorization = authorization.replace("ACCOUNT", instance.account)
    said = ask(instance, "GET", POOLS, headers={"authorization": authorization})
    assert said.refusal == (403, "AuthenticationFailed")
    assert list(said.values) == ["AuthenticationErrorDetail"]


def test_a_refusal_never_tells_the_key(instance: Instance) -> None:
    """It tells the string to sign, from which clients learn what they signed wrongly."""
    said = ask(instance, "GET", POOLS, headers={"authorization": f"SharedKey {instance.account}:x"})
    assert f"/{instance.account}/pools\\napi-version:{VERSION}" in said.values["AuthenticationErrorDetail"]
    right = signed(instance, "GET", POOLS)["authorization"].partition(":")[2]
    for secret in (instance.key, right):
        assert secret.encode() not in said.body


def test_a_request_is_of_its_time(instance: Instance) -> None:
    """Up to a quarter of an hour early or late."""
    now = SystemClock().now()
    for apart in (-14 * MINUTE, 0, 14 * MINUTE):
        assert asked_at(instance, now + apart).status == 200
    for apart in (-16 * MINUTE, 16 * MINUTE, -10_000_000 * MINUTE):
        said = asked_at(instance, now + apart)
        assert said.refusal == (403, "AuthenticationFailed")
        assert "15 minutes" in said.values["AuthenticationErrorDetail"]


@pytest.mark.parametrize("date", ["", "now", "\udcff", "Mon, 01 Jan 2024 00:00:00 +99999999999999", "9" * 60000])
def test_a_request_without_a_time_is_refused(instance: Instance, date: str) -> None:
    """Though it is signed."""
    said = ask(instance, "GET", POOLS, headers={"ocp-date": date})
    assert said.refusal == (403, "AuthenticationFailed")


def test_the_plain_date_header_will_do(instance: Instance) -> None:
    """For clients that may set it."""
    headers = {"ocp-date": "", "date": wire.http_date(SystemClock().now())}
    assert ask(instance, "GET", POOLS, headers=headers).status == 200


@pytest.mark.parametrize("version", ["2025-06-01", "2024-07-01.20.0", "2024-02-01.19.0", "2023-05-01.17.0"])
def test_known_versions_are_spoken(instance: Instance, version: str) -> None:
    """Those of all current clients."""
    assert ask(instance, "GET", f"/pools?api-version={version}").status == 200


@pytest.mark.parametrize(
    ("target", "code", "name"),
    [
        ("/pools", "MissingRequiredQueryParameter", "api-version"),
        ("/pools?api-version=", "MissingRequiredQueryParameter", "api-version"),
        ("/pools?API-Version=2025-06-01", "UnsupportedQueryParameter", "API-Version"),
        ("/pools?api-version=2025-06-01&x=1", "UnsupportedQueryParameter", "x"),
        ("/pools?api-version=2025-06-01&$top=1", "UnsupportedQueryParameter", "$top"),
        ("/pools?api-version=2025-06-01&MaxResults=1", "UnsupportedQueryParameter", "MaxResults"),
        ("/pools?api-version=2025-06-01&force=true", "UnsupportedQueryParameter", "force"),
        ("/pools?api-version=2025-06-01&api-version=2025-06-01", "InvalidQueryParameterValue", "api-version"),
        ("/pools?api-version=2025-06-01&$select=id&$select=id", "InvalidQueryParameterValue", "$select"),
        ("/pools?api-version=2025-06-01&timeout=x", "InvalidQueryParameterValue", "timeout"),
        ("/pools?api-version=2025-06-01&timeOut=-1", "InvalidQueryParameterValue", "timeOut"),
        ("/pools?api-version=2025-06-01&timeOut=1.5", "InvalidQueryParameterValue", "timeOut"),
        ("/pools?api-version=2025-06-01&timeOut=%D9%A3", "InvalidQueryParameterValue", "timeOut"),
        ("/pools?api-version=2025-06-01&maxresults=x", "InvalidQueryParameterValue", "maxresults"),
        ("/pools?api-version=2025-06-01&maxresults=%D9%A3", "InvalidQueryParameterValue", "maxresults"),
        ("/pools?api-version=2025-06-01&maxresults=1.0", "InvalidQueryParameterValue", "maxresults"),
        ("/pools?api-version=2025-06-01&maxresults=0", "OutOfRangeQueryParameterValue", "maxresults"),
        ("/pools?api-version=2025-06-01&maxresults=1001", "OutOfRangeQueryParameterValue", "maxresults"),
        (f"/pools?api-version=2025-06-01&maxresults={'9' * 5000}", "OutOfRangeQueryParameterValue", "maxresults"),
        ("/pools?api-version=2025-06-01&$skiptoken=x", "InvalidQueryParameterValue", "$skiptoken"),
        ("/pools?api-version=2025-06-01&$skiptoken=-1", "InvalidQueryParameterValue", "$skiptoken"),
        ("/pools?api-version=2025-06-01&$skiptoken=%D9%A3", "InvalidQueryParameterValue", "$skiptoken"),
        (f"/pools?api-version=2025-06-01&$skiptoken={'9' * 30}", "InvalidQueryParameterValue", "$skiptoken"),
        ("/pools?api-version=2025-06-01&$select=id,none", "InvalidQueryParameterValue", "$select"),
        ("/pools?api-version=2025-06-01&$select=,", "InvalidQueryParameterValue", "$select"),
        ("/pools?api-version=2025-06-01&$filter=id", "InvalidQueryParameterValue", "$filter"),
        ("/pools?api-version=2025-06-01&$filter=none%20eq%20'x'", "InvalidQueryParameterValue", "$filter"),
        ("/pools?api-version=2025-06-01&$filter=id%20eq%20'%00'", "InvalidQueryParameterValue", "$filter"),
    ],
)
def test_a_bad_query_is_refused_by_name(instance: Instance, target: str, code: str, name: str) -> None:
    """Nothing of a query is passed over."""
    said = ask(instance, "GET", target)
    assert said.refusal == (400, code)
    assert said.values["QueryParameterName"] == name


@pytest.mark.parametrize("version", ["1", "x", "2025-6-1", "1999-01-01", "2025-06-01x", "2025-06-01.1", "٢٠٢٥-06-01"])
def test_an_unknown_version_is_refused(instance: Instance, version: str) -> None:
    """By a code of its own."""
    assert ask(instance, "GET", at("/pools", **{"api-version": version})).refusal == (400, "UnsupportedRequestVersion")


@pytest.mark.parametrize("query", ["%ff=1", "x=%ff", "$filter=%ED%A0%80"])
def test_a_query_is_text(instance: Instance, query: str) -> None:
    """Bytes that are none are refused, whoever sends them."""
    headers = {"authorization": "SharedKey x:y"}
    said = send(instance, "GET", f"/pools?api-version={VERSION}&{query}", b"", headers)
    assert said.refusal == (400, "InvalidUri")


@pytest.mark.parametrize(
    "query",
    [
        {"timeOut": "30"},
        {"timeout": "0"},
        {"timeOut": "999"},
        {"maxresults": "1"},
        {"maxresults": "1000"},
        {"_skiptoken": "0"},
        {"_skiptoken": "9" * 18},
        {"_select": "id, state"},
        {"_filter": ""},
        {"x": ""},
    ],
)
def test_a_good_query_is_taken(instance: Instance, query: dict[str, str]) -> None:
    """A parameter without a value is as none at all."""
    assert ask(instance, "GET", at("/pools", **query)).status == 200


def test_statistics_are_not_kept(instance: Instance) -> None:
    """Whoever asks for them is told so, not given the rest as if it were all."""
    assert ask(instance, "GET", at("/pools", _expand="stats")).refusal == (501, "NotImplemented")
    assert ask(instance, "GET", at("/nodecounts", _expand="stats")).refusal == (400, "UnsupportedQueryParameter")


def job_with(text: str) -> Callable[[str], bytes]:
    """Give the body of a job, by its id, in which something stands instead of a display name."""
    return lambda name: f'{{"id":"{name}","poolInfo":{{"poolId":"p"}},"displayName":{text}}}'.encode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lambda _: b"", "InvalidRequestBody"),
        (lambda _: b"{", "InvalidRequestBody"),
        (lambda _: b"{}{}", "InvalidRequestBody"),
        (lambda _: b"{'id': 1}", "InvalidRequestBody"),
        (lambda _: b"null", "InvalidRequestBody"),
        (lambda _: b"[]", "InvalidRequestBody"),
        (lambda _: b'"id"', "InvalidRequestBody"),
        (lambda _: b"1", "InvalidRequestBody"),
        (lambda _: b"\0", "InvalidRequestBody"),
        (job_with('"\\ud800"'), "InvalidRequestBody"),
        (job_with('"\\udfff\\ud800"'), "InvalidRequestBody"),
        (job_with('"x","\\ud800":1'), "InvalidRequestBody"),
        (lambda name: job_with('"?"')(name).replace(b"?", b"\xed\xa0\x80"), "InvalidRequestBody"),
        (lambda name: job_with('"?"')(name).replace(b"?", b"\xff"), "InvalidRequestBody"),
        (lambda name: job_with('"?"')(name).replace(b"?", b"\xc0\x80"), "InvalidRequestBody"),
        (lambda name: job_with('"x"')(name).decode().encode("utf-16"), "InvalidRequestBody"),
        (lambda name: job_with('"x"')(name).decode().encode("utf-32"), "InvalidRequestBody"),
        (lambda name: b"\xef\xbb\xbf" + job_with('"x"')(name), "InvalidRequestBody"),
        (job_with('"a\nb"'), "InvalidRequestBody"),
        (job_with("NaN"), "InvalidRequestBody"),
        (job_with("Infinity"), "InvalidRequestBody"),
        (job_with("-Infinity"), "InvalidRequestBody"),
        (job_with("9" * 5000), "InvalidRequestBody"),
        (job_with("[" * 100_000 + "]" * 100_000), "InvalidRequestBody"),
        (job_with('{"x":' * 50_000 + "1" + "}" * 50_000), "InvalidRequestBody"),
        (job_with("[" * 500_000), "InvalidRequestBody"),
        (job_with('"x","displayName":"y"'), "InvalidRequestBody"),
        (job_with('"x","id":"y"'), "InvalidRequestBody"),
        (job_with('"x","constraints":{"maxTaskRetryCount":1,"maxTaskRetryCount":1}'), "InvalidRequestBody"),
        (job_with("1"), "InvalidPropertyValue"),
        (job_with('"\\u0000"'), "InvalidPropertyValue"),
        (job_with('"x","priority":18446744073709551616'), "InvalidPropertyValue"),
        (job_with('"x","priority":-9223372036854775809'), "InvalidPropertyValue"),
        (job_with('"x","priority":' + "9" * 4000), "InvalidPropertyValue"),
        (job_with('"x","priority":1.0'), "InvalidPropertyValue"),
        (job_with('"x","priority":1e400'), "InvalidPropertyValue"),
        (job_with('"x","priority":-0.0'), "InvalidPropertyValue"),
        (job_with('"x","priority":true'), "InvalidPropertyValue"),
        (job_with('"x","priority":"x"'), "InvalidPropertyValue"),
        (job_with('"x","Priority":1'), "UnsupportedProperty"),
        (job_with('"x","":1'), "UnsupportedProperty"),
        (job_with('"x","poolinfo":1'), "UnsupportedProperty"),
        (lambda name: json.dumps({"id": name}).encode(), "MissingRequiredProperty"),
        (lambda _: b'{"poolInfo":{"poolId":"p"}}', "MissingRequiredProperty"),
    ],
)
def test_a_bad_body_is_refused(instance: Instance, body: Callable[[str], bytes], code: str) -> None:
    """With the code that says how it is bad, and nothing is made of it."""
    name = instances.new_name("job")
    assert ask(instance, "POST", at("/jobs"), body(name)).refusal == (400, code)
    assert ask(instance, "GET", at(f"/jobs/{name}")).status == 404


@pytest.mark.parametrize("text", ['"\\ud83d\\ude00"', '"😀"', '"\\u00e9"', '"\\\\ud800"', '""', "null", '"a\\nb"'])
def test_a_good_text_comes_back(instance: Instance, client: Any, text: str) -> None:
    """Whatever it is written with."""
    name = instances.new_name("job")
    assert ask(instance, "POST", at("/jobs"), job_with(text)(name)).status == 201
    assert ask(instance, "GET", at(f"/jobs/{name}")).json.get("displayName") == json.loads(text)
    client.begin_delete_job(name, polling_interval=3600)


def test_unknown_properties_are_named(instance: Instance) -> None:
    """Where they stand, too."""
    said = ask(instance, "POST", at("/jobs"), {"id": "x", "poolInfo": {"poolId": "p", "pool": 1}})
    assert said.refusal == (400, "UnsupportedProperty")
    assert said.values["PropertyName"] == "pool"
    assert "poolInfo" in said.json["message"]["value"]


def test_no_body_is_needed_where_all_is_optional(instance: Instance, client: Any) -> None:
    """A job can be terminated without a reason, and with one."""
    for body in (None, {}, {"terminateReason": "done"}):
        with instances.job(client, "none") as job:
            assert ask(instance, "POST", at(f"/jobs/{job}/terminate"), body).status == 202


def test_no_body_is_taken_where_there_is_nothing_to_say(instance: Instance, client: Any) -> None:
    """Rather than read and not heeded."""
    with instances.job(client, "none") as job:
        said = ask(instance, "POST", at(f"/jobs/{job}/enable"), {"force": True})
    assert said.refusal == (400, "InvalidRequestBody")


def test_any_name_of_a_file_reaches_the_service(instance: Instance, client: Any, pool: str) -> None:
    """From both clients, though each writes it in its own way."""
    name = "wd/a b(c)!'*,;=:@&$~é+%41#?\\\U0001f600"

    async def downloaded(job: str) -> bytes:
        async with instance.async_client() as other:
            return b"".join([part async for part in await other.download_task_file(job, "t", name)])

    with instances.job(client, pool) as job:
        script = f"printf hello > {shlex.quote(name.removeprefix('wd/'))}"
        client.create_task(job, {"id": "t", "commandLine": shlex.join(["/bin/sh", "-c", script])})
        eventually(lambda: client.get_task(job, "t").state, lambda state: state == "completed")
        assert name in [file.name for file in client.list_task_files(job, "t", recursive=True)]
        assert b"".join(client.download_task_file(job, "t", name)) == b"hello"
        assert asyncio.run(downloaded(job)) == b"hello"
        assert client.get_task_file_properties(job, "t", name).content_length == 5


def test_a_stranger_is_refused_before_the_body_is_read(instance: Instance) -> None:
    """A stranger's body is not even looked at."""
    headers = signed(instance, "POST", at("/jobs"), length=1) | {"authorization": "SharedKey x:y"}
    assert send(instance, "POST", at("/jobs"), b"{", headers).refusal == (403, "AuthenticationFailed")
    assert speaking.ask(instance, "POST", at("/none"), b"{").refusal == (404, "ResourceNotFound")
