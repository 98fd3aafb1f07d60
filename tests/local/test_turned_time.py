"""Everything in the service that takes time, in no time: its clock is turned, on the wire, with the real SDK."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential

from fastbatch.local.control import ControlRefused
from fastbatch.local.processes import alive
from fastbatch.local.testing import LocalBatch
from tests.local import instances
from tests.local.instances import eventually
from tests.local.moves import gate, node_states, reach_job, reach_task
from tests.local.tasks import a_task, files_code, printed, sleeping

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def client(local_batch: LocalBatch) -> Iterator[Any]:
    """Have a client of a service that has nothing yet."""
    credential = AzureNamedKeyCredential(local_batch.account_name, local_batch.account_key)
    with BatchClient(local_batch.endpoint, credential, use_env_settings=False, retry_total=0) as connected:
        yield connected


@pytest.fixture
def pool(client: Any) -> Iterator[str]:
    """Have a pool with a node that is ready."""
    with instances.pool(client) as name:
        yield name


def seconds_from(moment: datetime, other: datetime) -> float:
    """Tell how far two times are from each other."""
    return abs((moment - other).total_seconds())


def test_the_time_is_the_same_for_the_clock_and_for_answers(local_batch: LocalBatch, client: Any) -> None:
    """Clients that go by the Date of answers see the turned time."""
    local_batch.clock.freeze()
    local_batch.clock.advance(timedelta(days=400))
    told = local_batch.clock.now()
    dates: list[str] = []
    list(client.list_pools(raw_response_hook=lambda said: dates.append(said.http_response.headers["Date"])))

    assert seconds_from(told, datetime.now(UTC) + timedelta(days=400)) < 60
    assert dates == [told.strftime("%a, %d %b %Y %H:%M:%S GMT")]
    assert local_batch.clock.now() == told


def test_a_node_boots_when_its_time_has_come_and_not_before(local_batch: LocalBatch, client: Any) -> None:
    """However slow the machine of the test is."""
    local_batch.set_limits(node_boot_seconds=90)
    local_batch.clock.freeze()
    client.create_pool(instances.pool_body("slow", targetDedicatedNodes=2))
    eventually(lambda: node_states(client, "slow"), lambda states: states == ["creating"] * 2)
    local_batch.clock.advance(timedelta(seconds=89))

    assert node_states(client, "slow") == ["creating"] * 2
    local_batch.clock.advance(timedelta(seconds=1))
    eventually(lambda: node_states(client, "slow"), lambda states: states == ["idle"] * 2)


def test_a_resize_that_takes_too_long_is_over_when_its_time_is(local_batch: LocalBatch, client: Any) -> None:
    """With the error that says so."""
    local_batch.set_limits(node_boot_seconds=3600)
    client.create_pool(instances.pool_body("slow", targetDedicatedNodes=1, resizeTimeout="PT5M"))
    local_batch.clock.advance(5 * MINUTE)

    pool = eventually(lambda: client.get_pool("slow"), lambda found: found.allocation_state == "steady")
    assert [error.code for error in pool.resize_errors] == ["AllocationTimedOut"]


def test_a_task_is_ended_when_its_time_is_over(local_batch: LocalBatch, client: Any, pool: str) -> None:
    """An hour takes no time."""
    with instances.job(client, pool) as job:
        sleeping(client, job, constraints={"maxWallClockTime": "PT1H"})
        local_batch.clock.advance(HOUR - MINUTE)
        assert client.get_task(job, "t").state == "running"

        local_batch.clock.advance(MINUTE)
        task = reach_task(client, job, "t", "completed")
        assert task.execution_info.failure_info.code == "TaskEnded"
        assert seconds_from(task.execution_info.end_time, task.execution_info.start_time + HOUR) < 60


def test_a_job_is_ended_when_its_time_is_over(local_batch: LocalBatch, client: Any, pool: str) -> None:
    """With what runs of it."""
    with instances.job(client, pool, constraints={"maxWallClockTime": "P1D"}) as job:
        sleeping(client, job)
        local_batch.clock.advance(timedelta(days=1))

        assert reach_job(client, job, "completed")["executionInfo"]["terminateReason"] == "MaxWallClockTimeExpiry"
        assert client.get_task(job, "t").state == "completed"


def test_files_are_kept_for_their_time(local_batch: LocalBatch, client: Any, pool: str) -> None:
    """And are gone right after."""
    with instances.job(client, pool) as job:
        client.create_task(job, a_task("t", "echo kept", constraints={"retentionTime": "P2D"}))
        reach_task(client, job, "t", "completed")
        local_batch.clock.advance(timedelta(days=2) - HOUR)
        assert printed(client, job) == "kept\n"

        local_batch.clock.advance(HOUR)
        assert files_code(client, job) == "TaskFilesCleanedup"


def test_nothing_is_over_while_the_clock_stands_still(
    local_batch: LocalBatch, client: Any, pool: str, tmp_path: Path
) -> None:
    """A task may take as long as the machine needs for it."""
    command, let = gate(tmp_path)
    local_batch.clock.freeze()
    with instances.job(client, pool) as job:
        client.create_task(job, a_task("t", command, constraints={"maxWallClockTime": "PT0.001S"}))
        eventually(lambda: client.get_task(job, "t").state, lambda state: state == "running")
        let()

        assert reach_task(client, job, "t", "completed").execution_info.result == "success"


def test_a_clock_that_is_let_go_on_goes_on(local_batch: LocalBatch) -> None:
    """From where it stood."""
    local_batch.clock.freeze()
    stood_at = local_batch.clock.now()
    local_batch.clock.resume()

    assert eventually(local_batch.clock.now, lambda now: now > stood_at) < stood_at + MINUTE


def test_a_fresh_start_leaves_nothing_but_blobs(local_batch: LocalBatch, client: Any) -> None:
    """No pool, job, task or process; the limits and the clock are as they were at first."""
    local_batch.set_limits(pool_quota=1)
    client.create_pool(instances.pool_body("only", targetDedicatedNodes=1))
    client.create_job({"id": "j", "poolInfo": {"poolId": "only"}})
    process = sleeping(client, "j")
    local_batch.clock.advance(timedelta(days=3))
    local_batch.reset()

    assert not alive(process)
    assert list(client.list_pools()) == list(client.list_jobs()) == []
    assert seconds_from(local_batch.clock.now(), datetime.now(UTC)) < 60
    for name in ("only", "another"):
        client.create_pool(instances.pool_body(name))


def test_the_clock_goes_as_far_as_times_can_be_written(local_batch: LocalBatch, client: Any) -> None:
    """Farther is refused; nothing is turned then."""
    local_batch.clock.freeze()
    for _ in range(2):
        local_batch.clock.advance(timedelta(days=366 * 1000))
    before = local_batch.clock.now()
    with pytest.raises(ControlRefused, match="9999"):
        local_batch.clock.advance(timedelta(days=366 * 8000))

    assert local_batch.clock.now() == before
    assert list(client.list_pools()) == []


@pytest.mark.parametrize(
    ("limits", "wrong"),
    [({"node_boot_seconds": -1}, "nodeBootSeconds"), ({"pool_quota": 0.5}, "poolQuota"), ({"pools": 1}, "pools")],
)
def test_limits_that_are_none_are_refused_by_name(
    local_batch: LocalBatch, limits: dict[str, float], wrong: str
) -> None:
    """Nothing is taken and then ignored."""
    with pytest.raises(ControlRefused, match=wrong):
        local_batch.set_limits(**limits)


def test_what_no_request_can_say_is_refused_with_the_reason(local_batch: LocalBatch) -> None:
    """Where it is ordered, not where it would have had its effect."""
    with pytest.raises(ControlRefused, match="NaN"):
        local_batch.faults.add("create_task", "delay", seconds=float("nan"))


def test_the_clock_does_not_go_back(local_batch: LocalBatch) -> None:
    """What has happened has happened."""
    with pytest.raises(ValueError, match="forward only"):
        local_batch.clock.advance(-HOUR)


@pytest.mark.parametrize("name", ["a b", "a/../b?c=d#e", "ü", "a\r\nb: c", "%41"])
def test_a_node_may_be_asked_for_by_any_name(local_batch: LocalBatch, name: str) -> None:
    """That there is none of this name is said, and nothing else."""
    with pytest.raises(ControlRefused, match="There is no pool"):
        local_batch.lose_node(name, name)
