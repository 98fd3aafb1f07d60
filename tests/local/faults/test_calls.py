"""What goes wrong with calls of the Batch service, as its clients see it."""

import json
import threading
import time
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

from tests.local import speaking
from tests.local.faults.ordering import Faults
from tests.local.instances import Instance, eventually, new_name
from tests.local.speaking import at, is_closed
from tests.local.tasks import a_task

CLOSED = (ServiceRequestError, ServiceResponseError)


def idle_job(client: Any) -> str:
    """Make a job whose pool never comes, and give its name."""
    name = new_name("job")
    client.create_job({"id": name, "poolInfo": {"poolId": "none"}})
    return name


@pytest.fixture
def waiting(client: Any) -> Any:
    """Have a job whose tasks wait for ever."""
    name = idle_job(client)
    yield name
    client.begin_delete_job(name, polling_interval=3600)


def added(client: Any, job: str, *names: str) -> list[Any]:
    """Add tasks, and give their results."""
    return list(client.create_task_collection(job, {"value": [a_task(name) for name in names]}).result_values)


def ids(client: Any, job: str) -> list[str]:
    """Give the tasks that are there."""
    return [task.id for task in client.list_tasks(job)]


# --- refused ---


@pytest.mark.parametrize(("status", "code"), [(429, "TooManyRequests"), (500, "InternalError"), (503, "ServerBusy")])
def test_a_call_is_refused(faults: Faults, client: Any, status: int, code: str) -> None:
    """With the service's codes and nothing done, so often and no more."""
    faults.order({"operation": "create_job", "fault": "refuse", "status": status, "count": 2})
    for _ in range(2):
        with pytest.raises(HttpResponseError) as raised:
            idle_job(client)
        assert raised.value.error
        assert (raised.value.status_code, raised.value.error.code) == (status, code)
        response: Any = raised.value.response
        assert "Retry-After" not in response.headers
    client.begin_delete_job(idle_job(client), polling_interval=3600)
    assert faults.counts() == [(3, 2)]


def test_a_refusal_may_say_when_to_come_again(faults: Faults, instance: Instance) -> None:
    """To HEAD, too, by the status and the headers alone."""
    faults.order({"operation": "pool_exists", "fault": "refuse", "status": 429, "retryAfter": 7})
    said = speaking.ask(instance, "HEAD", at("/pools/p"))
    assert (said.status, said.headers["Retry-After"], said.body) == (429, "7", b"")


def test_calls_are_refused_that_come_too_soon(faults: Faults, instance: Instance) -> None:
    """All that a rule is about are counted together; a burst is taken, and so is what comes later."""
    faults.order({"operation": "get_*", "fault": "limitRate", "perSecond": 1, "burst": 2, "retryAfter": 2})
    asked = [speaking.ask(instance, "GET", at(path)) for path in ("/jobs/x", "/pools/x", "/jobs/x")]
    assert [said.status for said in asked] == [404, 404, 429]
    assert asked[2].headers["Retry-After"] == "2"
    assert speaking.ask(instance, "GET", at("/pools")).status == 200
    eventually(lambda: speaking.ask(instance, "GET", at("/jobs/x")).status, lambda status: status == 404)


def test_clients_that_retry_get_through(faults: Faults, instance: Instance) -> None:
    """The SDK does, and waits as long as it is told."""
    faults.order({"operation": "list_pools", "fault": "refuse", "retryAfter": 0, "count": 1})
    with type(instance.client())(instance.endpoint, instance.credential) as client:
        list(client.list_pools())
    assert faults.counts() == [(2, 1)]


def test_calls_that_are_refused_anyway_are_not_counted(faults: Faults, instance: Instance) -> None:
    """A plan is about calls that are signed and well formed; what these come to does not matter."""
    faults.order({"operation": "get_job", "fault": "dropBefore", "after": 1})
    assert speaking.send(instance, "GET", at("/jobs/x"), b"", {}).status == 400
    assert speaking.ask(instance, "GET", at("/jobs/x", nonsense="1")).status == 400
    assert faults.counts() == [(0, 0)]
    assert speaking.ask(instance, "GET", at("/jobs/x")).status == 404
    assert faults.counts() == [(1, 0)]


# --- late, or not at all ---


def test_a_call_is_delayed_and_then_done(faults: Faults, client: Any, waiting: str) -> None:
    """Others are not; and rules after it have their turn."""
    faults.order({"operation": "get_job", "fault": "delay", "seconds": 0.1})
    faults.add({"operation": "get_job", "fault": "refuse", "after": 1})
    start = time.monotonic()
    assert client.get_job(waiting).id == waiting
    assert time.monotonic() - start >= 0.1
    with pytest.raises(HttpResponseError, match="currently unable"):
        client.get_job(waiting)
    assert time.monotonic() - start >= 0.2
    assert faults.counts() == [(2, 2), (2, 1)]


def test_a_connection_is_closed_before_the_work(faults: Faults, client: Any, waiting: str) -> None:
    """The client gets no answer, and nothing is done."""
    faults.order({"operation": "create_task", "fault": "dropBefore", "count": 1})
    with pytest.raises(CLOSED):
        client.create_task(waiting, a_task("t"))
    assert ids(client, waiting) == []
    client.create_task(waiting, a_task("t"))
    assert ids(client, waiting) == ["t"]


def test_a_connection_is_closed_after_the_work(faults: Faults, client: Any, waiting: str) -> None:
    """The client gets no answer, and all is done."""
    faults.order({"operation": "create_task", "fault": "dropAfter", "count": 1})
    with pytest.raises(CLOSED):
        client.create_task(waiting, a_task("t"))
    assert ids(client, waiting) == ["t"]


def test_work_that_takes_its_time_is_done_before_the_connection_is_closed(
    faults: Faults, client: Any, waiting: str
) -> None:
    """As to delete a task does."""
    client.create_task(waiting, a_task("t"))
    faults.order({"operation": "delete_task", "fault": "dropAfter"})
    with pytest.raises(CLOSED):
        client.delete_task(waiting, "t")
    assert ids(client, waiting) == []


@pytest.mark.parametrize("fault", ["dropBefore", "dropAfter"])
def test_a_closed_connection_says_nothing(faults: Faults, instance: Instance, fault: str) -> None:
    """Not a byte, be it a refusal that would have been said, and it is closed in order and not reset."""
    faults.order({"operation": "get_job", "fault": fault})
    with speaking.talk(instance) as connection:
        target = at("/jobs/nobody")
        connection.sendall(speaking.written(instance, "GET", target, speaking.signed(instance, "GET", target)))
        assert connection.recv(1) == b""
        assert is_closed(connection)


# --- collections of tasks ---


def test_results_are_missing(faults: Faults, client: Any, waiting: str) -> None:
    """The tasks are added; the last results are not told."""
    faults.order({"operation": "create_task_collection", "fault": "shortResults", "missing": 2, "count": 1})
    assert [result.task_id for result in added(client, waiting, "a", "b", "c")] == ["a"]
    assert ids(client, waiting) == ["a", "b", "c"]
    assert [result.task_id for result in added(client, waiting, "d", "e")] == ["d", "e"]


def test_more_results_than_there_are_can_be_missing(faults: Faults, client: Any, waiting: str) -> None:
    """None is told then."""
    faults.order({"operation": "create_task_collection", "fault": "shortResults", "missing": 100})
    assert added(client, waiting, "a", "b") == []
    assert ids(client, waiting) == ["a", "b"]


def test_results_are_in_another_order(faults: Faults, client: Any, waiting: str) -> None:
    """Each is still about its task."""
    faults.order({"operation": "create_task_collection", "fault": "reorderResults"})
    added(client, waiting, "b")
    results = added(client, waiting, "a", "b", "c")
    assert [(result.task_id, result.status) for result in results] == [
        ("c", "success"),
        ("b", "clienterror"),
        ("a", "success"),
    ]


def test_statuses_are_written_with_capitals(faults: Faults, instance: Instance, client: Any, waiting: str) -> None:
    """As the documentation has them."""
    added(client, waiting, "b")
    faults.order({"operation": "create_task_collection", "fault": "pascalStatuses"})
    body = {"value": [a_task("a"), a_task("b")]}
    said = speaking.ask(instance, "POST", at(f"/jobs/{waiting}/addtaskcollection"), body).json
    assert [result["status"] for result in said["value"]] == ["Success", "ClientError"]


def test_some_tasks_fail_by_a_fault_of_the_server(faults: Faults, client: Any, waiting: str) -> None:
    """They are not there, and can be added later."""
    faults.order({"operation": "create_task_collection", "fault": "someServerErrors", "number": 2, "count": 1})
    results = added(client, waiting, "a", "b", "c")
    assert [(result.task_id, result.status) for result in results] == [
        ("a", "servererror"),
        ("b", "servererror"),
        ("c", "success"),
    ]
    assert results[0].error.code == "InternalError"
    assert ids(client, waiting) == ["c"]
    assert [result.status for result in added(client, waiting, "a", "b")] == ["success"] * 2


@pytest.mark.parametrize("value", [[], [None], [{"id": 5}, {"id": "a", "commandLine": "c"}]])
def test_results_can_be_spoilt_whatever_the_tasks_are(
    faults: Faults, instance: Instance, waiting: str, value: list[Any]
) -> None:
    """One that is no task, too."""
    faults.order({"operation": "create_task_collection", "fault": "someServerErrors", "number": 1})
    said = speaking.ask(instance, "POST", at(f"/jobs/{waiting}/addtaskcollection"), {"value": value})
    assert said.status == 200
    assert [result["status"] for result in said.json["value"]] == ["servererror", "success"][: len(value)]


def test_a_collection_that_is_refused_has_no_results_to_spoil(faults: Faults, client: Any) -> None:
    """The refusal stays what it is."""
    faults.order({"operation": "create_task_collection", "fault": "shortResults"})
    with pytest.raises(HttpResponseError) as raised:
        added(client, "nobody", "a")
    assert raised.value.error
    assert raised.value.error.code == "JobNotFound"


# --- counts ---


def active(client: Any, job: str) -> int:
    """Give how many tasks are active, as the service tells."""
    return int(client.get_job_task_counts(job).task_counts.active)


def test_counts_are_those_of_the_call_before(faults: Faults, client: Any, waiting: str) -> None:
    """Zeros at first; and each job has its own."""
    other = idle_job(client)
    faults.order({"operation": "get_job_task_counts", "fault": "staleCounts"})
    found = []
    for name in ("a", "b", "c"):
        client.create_task(waiting, a_task(name))
        found.append(active(client, waiting))
    assert found == [0, 1, 2]
    assert active(client, other) == 0
    assert active(client, waiting) == 3
    client.begin_delete_job(other, polling_interval=3600)


def test_counts_are_remembered_while_the_truth_is_told(faults: Faults, client: Any, waiting: str) -> None:
    """What a spared call answered is what the next one answers again."""
    faults.order({"operation": "get_job_task_counts", "fault": "staleCounts", "after": 2, "count": 1})
    found = []
    for name in ("a", "b", "c", "d"):
        client.create_task(waiting, a_task(name))
        found.append(active(client, waiting))
    assert found == [1, 2, 2, 4]


def test_counts_are_stale_as_a_whole(faults: Faults, instance: Instance, waiting: str) -> None:
    """In the shape that they always have."""
    target = at(f"/jobs/{waiting}/taskcounts")
    truth = speaking.ask(instance, "GET", target).json
    faults.order({"operation": "get_job_task_counts", "fault": "staleCounts"})
    assert speaking.ask(instance, "GET", target).json == truth


# --- many at once ---


def test_counts_are_exact_with_many_clients(faults: Faults, instance: Instance) -> None:
    """So many are refused as the rule says, whoever asks when."""
    faults.order({"operation": "list_jobs", "fault": "refuse", "after": 11, "count": 23})
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(speaking.ask(instance, "GET", at("/jobs")).status for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(503) == 23
    assert statuses.count(200) == 57
    assert faults.counts() == [(80, 23)]


def test_a_plan_is_not_kept_by_the_answers(faults: Faults, instance: Instance) -> None:
    """Once it is cleared, all is as ever."""
    faults.order({"operation": "*", "fault": "dropBefore"})
    faults.clear()
    assert json.loads(speaking.ask(instance, "GET", at("/pools")).body)["value"] is not None
