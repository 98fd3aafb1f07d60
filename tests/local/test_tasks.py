"""Tasks as their clients see them: added one by one or by the hundred, listed, changed, ended and removed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from azure.batch.models import BatchTaskConstraints, BatchTaskCreateOptions, EnvironmentSetting
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.core.rest import HttpRequest

from fastbatch.local import wire
from fastbatch.local.processes import alive, gone
from tests.local import instances
from tests.local.instances import eventually
from tests.local.tasks import a_task, completed, files_code, printed, process_of, refused, sleeping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.local.instances import Instance

LARGEST_BODY = 1_048_576
NO_LIMIT = "P10675199DT2H48M5.4775807S"
NEVER_FITS: dict[str, Any] = {"requiredSlots": 200}  # so that a task waits for ever
MIXED = {  # what becomes of the tasks of a job that has some of each kind
    "bad-1": "sh -c 'exit 3'",
    "good-1": "true",
    "good-2": "true",
    "killed": "sh -c 'kill -9 $$'",
    "no-program": "there-is-no-such-program",
}


@pytest.fixture
def job(client: Any, pool: str) -> Iterator[str]:
    """Have a job whose tasks run."""
    with instances.job(client, pool) as name:
        yield name


@pytest.fixture
def waiting(client: Any) -> Iterator[str]:
    """Have a job whose tasks wait, as its pool is not there."""
    with instances.job(client, instances.new_name("no-pool")) as name:
        yield name


@pytest.fixture(scope="module")
def mixed(client: Any, pool: str) -> Iterator[str]:
    """Have a job with tasks that went well, that failed in several ways, and that wait."""
    with instances.job(client, pool) as name:
        for task_id, command in MIXED.items():
            client.create_task(name, a_task(task_id, command))
        client.create_task(name, a_task("waits", **NEVER_FITS))
        eventually(lambda: client.get_job_task_counts(name).task_counts.completed, lambda n: n == len(MIXED))
        yield name


def options(count: int, **more: Any) -> list[BatchTaskCreateOptions]:
    """Give so many tasks as the SDK has them."""
    return [BatchTaskCreateOptions(id=f"t{n:03}", command_line="true", **more) for n in range(count)]


async def until(client: Any, job: str, state: str) -> None:
    """Wait until a task is in a state."""
    async with asyncio.timeout(20):
        while (await client.get_task(job, "t")).state != state:  # noqa: ASYNC110 -- the service tells only who asks
            await asyncio.sleep(0.01)


def ids(tasks: Any) -> list[str]:
    """Give the ids of tasks in their order."""
    return [task.id for task in tasks]


def ask(client: Any, method: str, path: str, query: dict[str, Any] | None = None, body: bytes | None = None) -> Any:
    """Send a request that the SDK would not send so."""
    headers = {"Content-Type": "application/json; odata=minimalmetadata"} if body is not None else {}
    said = urlencode({"api-version": "2025-06-01", **(query or {})}, quote_via=quote)
    return client.send_request(HttpRequest(method, f"{path}?{said}", headers=headers, content=body))


# Adding one.


def test_a_task_is_shown_with_what_was_not_said(client: Any, instance: Instance, waiting: str) -> None:
    """Every default is there, in the service's words, and nothing of a run that has not been."""
    client.create_task(waiting, a_task("T-1", "echo x"))
    shown = client.get_task(waiting, "T-1").as_dict()

    times = {shown.pop("creationTime"), shown.pop("lastModified"), shown.pop("stateTransitionTime")}
    assert len(times) == 1
    assert shown.pop("eTag").startswith("0x8D")
    assert shown.pop("odata.metadata", None) in {None, f"{instance.endpoint}/$metadata#tasks/@Element"}
    assert shown == {
        "id": "T-1",
        "url": f"{instance.endpoint}/jobs/{waiting}/tasks/T-1",
        "commandLine": "echo x",
        "state": "active",
        "constraints": {"maxWallClockTime": NO_LIMIT, "retentionTime": "P7D", "maxTaskRetryCount": 0},
        "requiredSlots": 1,
        "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}},
        "executionInfo": {"retryCount": 0, "requeueCount": 0},
    }


def test_a_task_is_shown_as_it_was_given(client: Any, waiting: str) -> None:
    """What was said comes back as it was said."""
    given: dict[str, Any] = {
        "displayName": "ein Stück \N{SNOWMAN}",
        "resourceFiles": [{"httpUrl": "http://127.0.0.1/x?a=b%20c", "filePath": "a b/c", "fileMode": "0644"}],
        "outputFiles": [
            {
                "filePattern": "../std*.txt",
                "destination": {"container": {"containerUrl": "http://127.0.0.1/c?sig=%2B", "path": "p"}},
                "uploadOptions": {"uploadCondition": "taskcompletion"},
            }
        ],
        "environmentSettings": [{"name": "A", "value": "b"}, {"name": "EMPTY", "value": ""}],
        "constraints": {"maxWallClockTime": "PT1H30M", "retentionTime": "PT2H", "maxTaskRetryCount": -1},
        "requiredSlots": 2,
        "affinityInfo": {"affinityId": "TVM:x"},
        "userIdentity": {"autoUser": {"scope": "task", "elevationLevel": "admin"}},
        "exitConditions": {"exitCodes": [{"code": 1, "exitOptions": {}}]},
    }
    client.create_task(waiting, a_task(**given))

    shown = client.get_task(waiting, "t").as_dict()
    assert {name: shown[name] for name in given} == given


def test_the_answer_tells_where_the_task_is(client: Any, instance: Instance, waiting: str) -> None:
    """And which version of it was made."""
    seen: list[Any] = []
    client.create_task(waiting, a_task(), raw_response_hook=seen.append)
    headers = seen[0].http_response.headers

    assert headers["Location"] == headers["DataServiceId"] == f"{instance.endpoint}/jobs/{waiting}/tasks/t"
    assert headers["ETag"] == client.get_task(waiting, "t")["eTag"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"id": None}, "MissingRequiredProperty"),
        ({"id": ""}, "InvalidPropertyValue"),
        ({"id": "a b"}, "InvalidPropertyValue"),
        ({"id": "x" * 65}, "InvalidPropertyValue"),
        ({"id": "ä"}, "InvalidPropertyValue"),
        ({"commandLine": None}, "MissingRequiredProperty"),
        ({"commandLine": ""}, "InvalidPropertyValue"),
        ({"commandLine": "x" * 8193}, "InvalidPropertyValue"),
        ({"commandLine": ["ls"]}, "InvalidPropertyValue"),
        ({"commandline": "ls"}, "UnsupportedProperty"),
        ({"requiredSlots": 0}, "InvalidPropertyValue"),
        ({"requiredSlots": "one"}, "InvalidPropertyValue"),
        ({"constraints": {"maxTaskRetryCount": -2}}, "InvalidPropertyValue"),
        ({"constraints": {"maxWallClockTime": "1h"}}, "InvalidPropertyValue"),
        ({"constraints": {"retentionTime": "P" + "9" * 5000 + "D"}}, "InvalidPropertyValue"),
        ({"resourceFiles": [{"filePath": "x"}]}, "InvalidPropertyValue"),
        ({"resourceFiles": [{"httpUrl": "http://x/y"}]}, "InvalidPropertyValue"),
        ({"resourceFiles": [{"httpUrl": "http://x", "storageContainerUrl": "http://x"}]}, "InvalidPropertyValue"),
        ({"environmentSettings": [{"value": "x"}]}, "MissingRequiredProperty"),
        ({"environmentSettings": [{"name": "", "value": "x"}]}, "InvalidPropertyValue"),
        ({"outputFiles": [{"filePattern": "x"}]}, "MissingRequiredProperty"),
        ({"exitConditions": {"default": {"jobAction": "terminate"}}}, "InvalidPropertyValue"),
    ],
)
def test_what_can_not_be_a_task_is_refused(client: Any, waiting: str, more: dict[str, Any], code: str) -> None:
    """And nothing is added."""
    with refused(code, 400):
        client.create_task(waiting, a_task() | more)
    assert list(client.list_tasks(waiting)) == []


def test_what_the_local_service_can_not_do_is_refused_not_ignored(client: Any, waiting: str) -> None:
    """A task that needs more than one node would not do what its owner thinks."""
    with refused("NotImplemented", 501):
        client.create_task(waiting, a_task(multiInstanceSettings={"coordinationCommandLine": "true"}))


def test_ids_are_unique_in_any_letter_case(client: Any, waiting: str) -> None:
    """One task has an id, whoever spells it how; its own spelling is kept."""
    client.create_task(waiting, a_task("Task-A"))
    with refused("TaskExists", 409):
        client.create_task(waiting, a_task("tASK-a"))

    assert client.get_task(waiting, "TASK-A").id == "Task-A"


def test_what_is_not_there_is_not_found(client: Any, waiting: str) -> None:
    """Whatever is asked of it; the job is looked for first."""
    asked: list[Callable[[str], Any]] = [
        lambda job: client.get_task(job, "t"),
        lambda job: client.delete_task(job, "t"),
        lambda job: client.terminate_task(job, "t"),
        lambda job: client.reactivate_task(job, "t"),
        lambda job: client.replace_task(job, "t", {}),
        lambda job: list(client.list_task_files(job, "t")),
        lambda job: client.download_task_file(job, "t", "stdout.txt"),
        lambda job: client.delete_task_file(job, "t", "stdout.txt"),
    ]
    for ask_for in asked:
        with refused("TaskNotFound", 404):
            ask_for(waiting)
        with refused("JobNotFound", 404):
            ask_for("no-such-job")
    with refused("JobNotFound", 404):
        list(client.list_tasks("no-such-job"))
    with refused("JobNotFound", 404):
        client.get_job_task_counts("no-such-job")


def test_a_job_that_has_ended_takes_no_tasks(client: Any, waiting: str) -> None:
    """Neither one nor many; what it has is still shown, and can't run again."""
    client.create_task(waiting, a_task("before"))
    client.terminate_task(waiting, "before")
    client.begin_terminate_job(waiting, options={"terminateReason": "enough"}, polling_interval=3600)
    eventually(lambda: client.get_job(waiting).state, lambda state: state == "completed")

    with refused("JobCompleted", 409):
        client.create_task(waiting, a_task())
    with refused("JobCompleted", 409):
        client.create_task_collection(waiting, {"value": [a_task()]})
    with refused("JobCompleted", 409):
        client.reactivate_task(waiting, "before")
    assert ids(client.list_tasks(waiting)) == ["before"]


def test_a_job_that_goes_takes_no_tasks(client: Any) -> None:
    """From the moment on that it is to go."""
    name = instances.new_name("job")
    client.create_job({"id": name, "poolInfo": {"poolId": "no-pool"}})
    client.begin_delete_job(name, polling_interval=3600)

    def code() -> str:
        with pytest.raises(HttpResponseError) as caught:
            client.create_task(name, a_task())
        error: Any = caught.value
        assert error.error.code in {"JobBeingDeleted", "JobNotFound"}
        return str(error.error.code)

    eventually(code, lambda said: said == "JobNotFound")


# Adding many.


def test_a_collection_has_a_verdict_for_each(client: Any, instance: Instance, waiting: str) -> None:
    """Good ones are added whatever is wrong with others, and each refusal says why."""
    client.create_task(waiting, a_task("There"))
    items = [
        a_task("a"),
        a_task("tHERE"),
        a_task("b", requiredSlots=0),
        a_task("A", "false"),
        {"commandLine": "x"},
        a_task("not an id"),
        a_task("c", containerSettings={"imageName": "x"}),
        a_task("d"),
    ]
    found = client.create_task_collection(waiting, {"value": items}).as_dict()["value"]

    assert [(one["taskId"], one["status"].lower(), one.get("error", {}).get("code")) for one in found] == [
        ("a", "success", None),
        ("tHERE", "clienterror", "TaskExists"),
        ("b", "clienterror", "InvalidPropertyValue"),
        ("A", "clienterror", "TaskExists"),
        ("", "clienterror", "MissingRequiredProperty"),
        ("not an id", "clienterror", "InvalidPropertyValue"),
        ("c", "clienterror", "NotImplemented"),
        ("d", "success", None),
    ]
    assert found[0]["location"] == f"{instance.endpoint}/jobs/{waiting}/tasks/a"
    assert found[0]["eTag"] == client.get_task(waiting, "a")["eTag"]
    assert found[1]["error"]["message"]["lang"] == "en-US"
    assert {"key": "PropertyName", "value": "requiredSlots"} in found[2]["error"]["values"]
    assert client.get_task(waiting, "a").command_line == "true"
    assert ids(client.list_tasks(waiting)) == ["There", "a", "d"]


@pytest.mark.parametrize("item", [None, 1, "t", [], {}, {"id": 7, "commandLine": "x"}, {"id": {}, "commandLine": "x"}])
def test_what_is_no_task_at_all_is_refused_alone(client: Any, waiting: str, item: Any) -> None:
    """A collection with something strange in it is still a collection."""
    body = json.dumps({"value": [item, a_task()]}).encode()
    found = ask(client, "POST", f"/jobs/{waiting}/addtaskcollection", body=body).json()["value"]

    assert [(one["taskId"], one["status"].lower()) for one in found] == [("", "clienterror"), ("t", "success")]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"value": {}}', b"{", b"", b'{"value": [], "more": 1}'])
def test_what_is_no_collection_is_refused(client: Any, waiting: str, body: bytes) -> None:
    """Before anything is added."""
    with pytest.raises(HttpResponseError) as caught:
        ask(client, "POST", f"/jobs/{waiting}/addtaskcollection", body=body)
    assert caught.value.status_code == 400


def test_a_collection_has_a_hundred_tasks_at_most(client: Any, waiting: str) -> None:
    """Of one more, none is added."""
    with refused("InvalidPropertyValue", 400):
        client.create_task_collection(waiting, {"value": [a_task(f"x{n}") for n in range(101)]})
    assert list(client.list_tasks(waiting)) == []

    found = client.create_task_collection(waiting, {"value": [a_task(f"x{n}") for n in range(100)]})
    assert {one.status.lower() for one in found["value"]} == {"success"}
    assert ids(client.list_tasks(waiting)) == [f"x{n}" for n in range(100)]


@pytest.mark.parametrize("beyond", [0, 1, 20 * LARGEST_BODY])
def test_a_body_has_a_mebibyte_at_most(client: Any, waiting: str, beyond: int) -> None:
    """One byte more is too much, and much more is refused in the same way."""
    values = [{"name": f"V{n}", "value": "x" * 60000} for n in range(17)]
    empty = json.dumps({"value": [a_task(environmentSettings=values)]}).encode()
    body = empty + b" " * (LARGEST_BODY + beyond - len(empty))
    if not beyond:
        assert ask(client, "POST", f"/jobs/{waiting}/addtaskcollection", body=body).status_code == 200
    else:
        with refused("RequestBodyTooLarge", 413):
            ask(client, "POST", f"/jobs/{waiting}/addtaskcollection", body=body)
    assert len(list(client.list_tasks(waiting))) == (beyond == 0)


def test_the_sdk_splits_what_is_too_large(client: Any, waiting: str) -> None:
    """It is told so by the service, and brings all of them in smaller collections."""
    heavy = options(60, environment_settings=[EnvironmentSetting(name="X", value="x" * 60000)])
    client.create_tasks(waiting, heavy)

    assert sorted(ids(client.list_tasks(waiting, select=["id"]))) == [task.id for task in heavy]


@pytest.mark.parametrize("threads", [None, 4])
def test_the_sdk_adds_hundreds(client: Any, waiting: str, threads: int | None) -> None:
    """One request after the other, or several at once; to do it again changes nothing."""
    for _ in range(2):
        client.create_tasks(waiting, options(250), max_concurrency=threads)

    assert sorted(ids(client.list_tasks(waiting, select=["id"]))) == [f"t{n:03}" for n in range(250)]
    assert client.get_job_task_counts(waiting).task_counts.active == 250


def test_the_asynchronous_sdk_adds_hundreds(instance: Instance, waiting: str) -> None:
    """And lists them, in pages, and counts them."""

    async def go() -> tuple[list[str], int]:
        async with instance.async_client() as client:
            await client.create_tasks(waiting, options(250), max_concurrency=4)
            listed = [task.id async for task in client.list_tasks(waiting, max_results=60, select=["id"])]
            return listed, (await client.get_job_task_counts(waiting)).task_counts.active

    listed, active = asyncio.run(go())
    assert sorted(listed) == [f"t{n:03}" for n in range(250)]
    assert active == 250


def test_the_asynchronous_sdk_does_all_to_a_task(instance: Instance, job: str) -> None:
    """From its addition to its removal."""

    async def go() -> None:
        async with instance.async_client() as client:
            await client.create_task(job, a_task(command="sh -c 'echo x; exit 1'"))
            await until(client, job, "completed")
            assert (await client.get_task(job, "t")).execution_info.exit_code == 1
            await client.reactivate_task(job, "t")
            await until(client, job, "completed")
            chunks = [chunk async for chunk in await client.download_task_file(job, "t", "stdout.txt")]
            assert b"".join(chunks) == b"x\n"
            with refused("TaskCompleted", 409):
                await client.replace_task(job, "t", {"constraints": {}})
            with refused("TaskCompleted", 409):
                await client.terminate_task(job, "t")
            await client.delete_task(job, "t")
            with refused("TaskNotFound", 404):
                await client.get_task(job, "t")

    asyncio.run(go())


# Showing.


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("state eq 'completed'", "bad-1 good-1 good-2 killed no-program"),
        ("state ne 'COMPLETED'", "waits"),
        ("id eq 'GOOD-1'", "good-1"),
        ("id ne 'waits' and state eq 'active'", ""),
        ("startswith(id,'good')", "good-1 good-2"),
        ("startswith(id,'GOOD') and id gt 'good-1'", "good-2"),
        ("id ge 'killed'", "killed no-program waits"),
        ("id lt 'good-1' or id gt 'no-program'", "bad-1 waits"),
        ("id le 'bad-1'", "bad-1"),
        ("executionInfo/exitCode eq 0", "good-1 good-2"),
        ("executionInfo/exitCode ne 0", "bad-1 killed"),
        ("executionInfo/exitCode gt 0", "bad-1"),
        ("executionInfo/exitCode ge 3", "bad-1"),
        ("executionInfo/exitCode lt 0", "killed"),
        ("executionInfo/exitCode le -9", "killed"),
        ("executionInfo/result eq 'failure'", "bad-1 killed no-program"),
        ("executionInfo/result ne 'failure'", "good-1 good-2"),
        ("executionInfo/result eq 'success' and (id eq 'good-2' or id eq 'killed')", "good-2"),
        ("id eq 'bad-1' or id eq 'waits' and state eq 'completed'", "bad-1"),
        ("creationTime gt DateTime'2020-01-01T00:00:00Z'", "bad-1 good-1 good-2 killed no-program waits"),
        ("lastModifiedTime lt DateTime'2020-01-01T00:00:00Z'", ""),
        ("stateTransitionTime ge DateTime'Wed, 01 Jan 2020 00:00:00 GMT' and state eq 'active'", "waits"),
        ("executionInfo/startTime gt DateTime'2020-01-01T00:00:00Z'", "bad-1 good-1 good-2 killed no-program"),
        ("executionInfo/endTime ne DateTime'2020-01-01T00:00:00Z'", "bad-1 good-1 good-2 killed no-program"),
    ],
)
def test_tasks_are_found_by_what_is_true_of_them(client: Any, mixed: str, condition: str, wanted: str) -> None:
    """Values in any letter case; what a task does not have matches nothing."""
    assert sorted(ids(client.list_tasks(mixed, filter=condition))) == wanted.split()


@pytest.mark.parametrize("name", ["stateTransitionTime", "creationTime", "executionInfo/startTime"])
@pytest.mark.parametrize(("operator", "same"), [("eq", True), ("ge", True), ("le", True), ("gt", False), ("ne", False)])
def test_times_are_exact(client: Any, mixed: str, name: str, operator: str, *, same: bool) -> None:
    """What was read can be asked for, to the last digit."""
    shown = client.get_task(mixed, "good-1").as_dict()
    for part in name.split("/"):
        shown = shown[part]
    condition = f"id eq 'good-1' and {name} {operator} DateTime'{shown}'"

    assert ids(client.list_tasks(mixed, filter=condition)) == (["good-1"] if same else [])


@pytest.mark.parametrize(
    "query",
    [
        {"$filter": "state gt 'active'"},
        {"$filter": "State eq 'active'"},
        {"$filter": "executionInfo/retryCount eq 0"},
        {"$filter": "state eq"},
        {"$filter": "lastModified gt DateTime'2020-01-01T00:00:00Z'"},
        {"$select": "id,nothing"},
        {"$select": "ID"},
        {"maxresults": "0"},
        {"maxresults": "1001"},
        {"maxresults": "-1"},
        {"maxresults": "x"},
        {"maxresults": "1" * 5000},
        {"$skiptoken": "x"},
        {"$skiptoken": "1" * 5000},
        {"$top": "1"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(client: Any, mixed: str, query: dict[str, str]) -> None:
    """With the name of what is wrong in it."""
    with pytest.raises(HttpResponseError) as caught:
        ask(client, "GET", f"/jobs/{mixed}/tasks", query)
    error: Any = caught.value
    assert error.status_code == 400
    assert {"key": "QueryParameterName", "value": next(iter(query))} in error.response.json()["values"]


def test_only_what_is_selected_is_shown(client: Any, mixed: str) -> None:
    """Of one and of many; spaces and repetitions do no harm."""
    one = client.get_task(mixed, "bad-1", select=["id", "executionInfo"]).as_dict()
    assert one.keys() - {"odata.metadata"} == {"id", "executionInfo"}
    assert one["executionInfo"]["exitCode"] == 3

    found = ask(client, "GET", f"/jobs/{mixed}/tasks", {"$select": "id, commandLine,id"}).json()["value"]
    assert found[0] == {"id": "bad-1", "commandLine": MIXED["bad-1"]}
    assert [list(item) for item in found] == [["id", "commandLine"]] * 6


@pytest.mark.parametrize(("size", "pages"), [(1, 6), (2, 3), (3, 2), (4, 2), (6, 1), (7, 1), (1000, 1)])
def test_a_list_comes_in_pages(client: Any, mixed: str, size: int, pages: int) -> None:
    """All are as long as they may be but the last, which may be as well; none is empty."""
    found = [ids(page) for page in client.list_tasks(mixed, max_results=size).by_page()]

    assert [name for page in found for name in page] == [*MIXED, "waits"]
    assert [len(page) for page in found[:-1]] == [size] * (pages - 1)
    assert len(found) == pages


def test_what_was_asked_holds_for_all_pages(client: Any, instance: Instance, mixed: str) -> None:
    """Filter, selection and length are those of the first page, for each kind of client."""
    asked = {"max_results": 2, "filter": "startswith(id,'good') or id eq 'killed'", "select": ["id", "state"]}

    async def go() -> list[Any]:
        async with instance.async_client() as connected:
            return [task async for task in connected.list_tasks(mixed, **asked)]

    for found in (list(client.list_tasks(mixed, **asked)), asyncio.run(go())):
        assert [task.as_dict() for task in found] == [
            {"id": name, "state": "completed"} for name in ("good-1", "good-2", "killed")
        ]


def test_the_next_page_has_an_address(client: Any, instance: Instance, mixed: str) -> None:
    """It is absolute and complete, and the last page has none."""
    query = {"maxresults": "4", "$filter": "id ne 'it''s & + %'", "$select": "id"}
    first = ask(client, "GET", f"/jobs/{mixed}/tasks", query).json()
    link = first["odata.nextLink"]
    assert link.startswith(f"{instance.endpoint}/jobs/{mixed}/tasks?")

    rest = client.send_request(HttpRequest("GET", link)).json()
    assert [item["id"] for item in first["value"] + rest["value"]] == [*MIXED, "waits"]
    assert "odata.nextLink" not in rest


def test_tasks_that_are_added_while_pages_are_read_are_seen_once(client: Any, waiting: str) -> None:
    """A page begins where the one before has ended, whatever was added or removed meanwhile."""
    for n in range(4):
        client.create_task(waiting, a_task(f"a{n}"))
    pages = client.list_tasks(waiting, max_results=2).by_page()
    first = ids(next(pages))
    client.delete_task(waiting, "a0")
    client.create_task(waiting, a_task("a4"))

    assert first + [name for page in pages for name in ids(page)] == ["a0", "a1", "a2", "a3", "a4"]


def test_tasks_are_counted(client: Any, mixed: str) -> None:
    """By state and result, and with their slots."""
    counts = client.get_job_task_counts(mixed).as_dict()

    assert counts["taskCounts"] == {"active": 1, "running": 0, "completed": 5, "succeeded": 2, "failed": 3}
    assert counts["taskSlotCounts"] == {"active": 200, "running": 0, "completed": 5, "succeeded": 2, "failed": 3}


def test_a_condition_on_the_version_must_hold(client: Any, waiting: str) -> None:
    """A change meant for another version is refused; one for this version, or for any, is done."""
    client.create_task(waiting, a_task())
    task = client.get_task(waiting, "t")
    unchanged = {"etag": task["eTag"], "match_condition": MatchConditions.IfNotModified}
    client.replace_task(waiting, "t", {"constraints": {"maxTaskRetryCount": 1}}, **unchanged)

    for change in (client.terminate_task, client.delete_task, client.reactivate_task):
        with pytest.raises(ResourceModifiedError):
            change(waiting, "t", **unchanged)
    current = client.get_task(waiting, "t")
    assert current["eTag"] != task["eTag"]
    client.terminate_task(waiting, "t", etag=current["eTag"], match_condition=MatchConditions.IfNotModified)
    assert client.get_task(waiting, "t")["eTag"] == current["eTag"]


# Changing.


def test_other_constraints_can_be_given(client: Any, waiting: str) -> None:
    """What is given counts, what is not is the default, and nothing else changes."""
    client.create_task(waiting, a_task(constraints={"retentionTime": "PT1H", "maxTaskRetryCount": 5}))
    before = client.get_task(waiting, "t").as_dict()
    client.replace_task(waiting, "t", {"constraints": {"maxWallClockTime": "PT5M"}})
    after = client.get_task(waiting, "t").as_dict()

    assert after["constraints"] == {"maxWallClockTime": "PT5M", "retentionTime": "P7D", "maxTaskRetryCount": 0}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"constraints", "eTag", "lastModified"}


def test_a_task_that_was_read_can_be_written_back(client: Any, waiting: str) -> None:
    """What can't be changed, the SDK does not send."""
    client.create_task(waiting, a_task())
    task = client.get_task(waiting, "t")
    task.constraints = BatchTaskConstraints(max_task_retry_count=3)
    client.replace_task(waiting, "t", task)

    assert client.get_task(waiting, "t").constraints.max_task_retry_count == 3


def test_nothing_but_constraints_can_be_changed(client: Any, waiting: str) -> None:
    """A task does what it was added for."""
    client.create_task(waiting, a_task())
    with refused("UnsupportedProperty", 400):
        client.replace_task(waiting, "t", {"commandLine": "false"})


def test_a_running_task_can_get_other_constraints(client: Any, instance: Instance, job: str) -> None:
    """Retries and the retention of its files are those that it has at its end."""
    command = "sh -c 'echo $$; while ! [ -e go ]; do sleep 0.01; done; exit $(cat go)'"
    client.create_task(job, a_task(command=command))
    for code, constraints in (("1", {"maxTaskRetryCount": 5}), ("0", {"retentionTime": "PT0.05S"})):
        process = process_of(client, job)
        client.replace_task(job, "t", {"constraints": constraints})
        (working,) = instance.home.glob(f"nodes/*/workitems/{job}/job-1/t/wd")
        (working / "written").write_text(code)
        (working / "written").rename(working / "go")
        asyncio.run(gone(process))

    info = completed(client, job).execution_info
    assert (info.retry_count, info.exit_code) == (1, 0)
    eventually(lambda: files_code(client, job), lambda code: code == "TaskFilesCleanedup")


# Ending.


def test_a_waiting_task_can_be_ended(client: Any, waiting: str) -> None:
    """It never ran, and is completed as a failure."""
    client.create_task(waiting, a_task())
    client.terminate_task(waiting, "t")
    task = client.get_task(waiting, "t")

    info = task.execution_info.as_dict()
    assert (task.state, task.previous_state, info.pop("result")) == ("completed", "active", "failure")
    assert info.pop("failureInfo")["code"] == "TaskEnded"
    assert info.keys() == {"retryCount", "requeueCount", "endTime"}
    with refused("TaskCompleted", 409):
        client.terminate_task(waiting, "t")


def test_a_running_task_can_be_ended(client: Any, job: str) -> None:
    """It is completed at once, and its process is soon gone."""
    process = sleeping(client, job)
    client.terminate_task(job, "t")
    task = client.get_task(job, "t")

    assert (task.state, task.previous_state) == ("completed", "running")
    failure = task.execution_info.failure_info
    assert (failure.code, failure.category) == ("TaskEnded", "UserError")
    assert failure.message == "Task Was Ended by User Request"
    assert task.execution_info.start_time < task.execution_info.end_time
    assert task.execution_info.exit_code is None
    eventually(lambda: alive(process), lambda lives: not lives)


def test_only_a_failed_task_runs_again(client: Any, job: str) -> None:
    """One that waits or runs has not ended; one that succeeded need not."""
    client.create_task(job, a_task("waits", **NEVER_FITS))
    client.create_task(job, a_task("good"))
    completed(client, job, "good")
    sleeping(client, job, "runs")

    for task_id in ("waits", "runs"):
        with refused("TaskNotCompleted", 409):
            client.reactivate_task(job, task_id)
    with refused("TaskSucceeded", 409):
        client.reactivate_task(job, "good")


def test_a_failed_task_runs_again_with_all_its_retries(client: Any, job: str) -> None:
    """Its folder is fresh, and its count of retries begins anew."""
    command = "sh -c 'ls; echo x > left; echo x >> $AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID; exit 1'"
    client.create_task(job, a_task(command=command, constraints={"maxTaskRetryCount": 1}))
    first = completed(client, job)
    client.reactivate_task(job, "t")
    second = eventually(lambda: client.get_task(job, "t"), lambda task: task.state == "completed")

    assert (first.execution_info.retry_count, second.execution_info.retry_count) == (1, 1)
    assert first["eTag"] != second["eTag"]
    assert printed(client, job) == ""
    client.create_task(job, a_task("count", "sh -c 'wc -l < $AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID'"))
    completed(client, job, "count")
    assert printed(client, job, "count") == "4\n"


def test_a_deleted_task_is_gone(client: Any, job: str) -> None:
    """With its files; its id is free for another."""
    client.create_task(job, a_task(command="echo first"))
    completed(client, job)
    client.delete_task(job, "t")
    with refused("TaskNotFound", 404):
        client.get_task(job, "t")
    client.create_task(job, a_task(requiredSlots=200))

    assert files_code(client, job) == "TaskFilesUnavailable"


def test_a_running_task_can_be_deleted(client: Any, job: str) -> None:
    """When the answer comes, its process is gone already, and its slot free."""
    process = sleeping(client, job, requiredSlots=2)
    client.delete_task(job, "t")

    assert not alive(process)
    assert list(client.list_tasks(job)) == []
    client.create_task(job, a_task(requiredSlots=2))
    assert completed(client, job).execution_info.exit_code == 0


def test_what_is_done_to_a_task_that_is_being_deleted_does_not_keep_it(instance: Instance, job: str) -> None:
    """To let it run again, to end it, or to delete it once more: in the end it is gone, and nothing runs."""

    async def tried(call: Any) -> Any:
        try:
            return await call
        except (ResourceNotFoundError, ResourceExistsError):  # the statuses 404 and 409
            return None

    async def go(connected: Any) -> None:
        command = "sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done; wait'"
        await connected.create_task(job, a_task(command=command))
        await until(connected, job, "running")
        calls = [connected.delete_task(job, "t"), connected.delete_task(job, "t")]
        calls += [connected.reactivate_task(job, "t") for _ in range(10)]
        calls += [connected.terminate_task(job, "t") for _ in range(10)]
        await asyncio.gather(*map(tried, calls))
        with refused("TaskNotFound", 404):
            await connected.get_task(job, "t")

    async def rounds() -> None:
        async with instance.async_client() as connected:
            for _ in range(3):
                await go(connected)

    asyncio.run(rounds())
    assert list(instance.home.glob(f"nodes/*/workitems/{job}/job-1/*")) == []


def test_ids_can_be_used_again_at_once(client: Any, job: str) -> None:
    """What is left of the task before does not reach the next one."""
    for n in range(8):
        command = f"sh -c 'echo $$ {n} $(ls); touch left; exec sleep 100'"
        client.create_task(job, a_task(command=command))
        text = eventually(lambda: printed(client, job), lambda text: text.endswith("\n"))
        assert text.split()[1:] == [str(n)]
        client.delete_task(job, "t")


def test_a_disabled_job_takes_tasks_and_runs_them_when_it_is_enabled(client: Any, job: str) -> None:
    """Until then they wait."""
    client.begin_disable_job(job, {"disableTasks": "requeue"}, polling_interval=3600)
    eventually(lambda: client.get_job(job).state, lambda state: state == "disabled")
    client.create_task(job, a_task())
    client.create_task_collection(job, {"value": [a_task("u")]})
    with instances.job(client, client.get_job(job).pool_info.pool_id) as other:
        client.create_task(other, a_task())
        completed(client, other)

    assert [task.state for task in client.list_tasks(job)] == ["active", "active"]
    client.begin_enable_job(job, polling_interval=3600)
    for task_id in ("t", "u"):
        assert completed(client, job, task_id).execution_info.requeue_count == 0


def test_a_failed_task_of_a_disabled_job_does_not_run_again(client: Any, job: str) -> None:
    """The job is not active, and says so."""
    client.create_task(job, a_task(command="false"))
    completed(client, job)
    client.begin_disable_job(job, {"disableTasks": "requeue"}, polling_interval=3600)
    with refused("JobNotActive", 409):
        client.reactivate_task(job, "t")


def test_times_of_a_task_are_in_order(client: Any, job: str) -> None:
    """Added, begun, ended; and the record's own version does not change by that."""
    client.create_task(job, a_task())
    task = completed(client, job)
    info = task.execution_info

    assert task.creation_time == task.last_modified
    assert task.creation_time < info.start_time < info.end_time
    assert info.end_time == task.state_transition_time
    assert info.start_time == task.previous_state_transition_time
    assert wire.parse_time(task.as_dict()["creationTime"]) > 0
