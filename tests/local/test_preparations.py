"""Preparation and release tasks of jobs, as clients of azure-batch ask for them, on nodes that are processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from fastbatch.local import bodies
from fastbatch.local.errors import Refused
from tests.local import instances
from tests.local.instances import eventually, new_name
from tests.local.moves import (
    SOON,
    add,
    delete_job,
    finish,
    gate,
    on_wire,
    reach_job,
    reach_task,
    reach_tasks,
    states,
    terminate,
)
from tests.local.storage import signed
from tests.local.tasks import printed, refused, run

FAILS = {"commandLine": "/bin/sh -c 'exit 7'"}


def shell(script: str) -> str:
    """Give the command line of a script."""
    return f"/bin/sh -c '{script}'"


@contextmanager
def job(client: Any, pool: str, preparation: Any, release: Any = None, **more: Any) -> Iterator[str]:
    """Have a job whose tasks need a preparation, for a while."""
    asked = {"jobPreparationTask": preparation, **({"jobReleaseTask": release} if release else {})}
    with instances.job(client, pool, **asked, **more) as name:
        yield name


def statuses(client: Any, name: str, **options: Any) -> list[dict[str, Any]]:
    """Give how a job's preparation and release went on each node."""
    return [on_wire(status) for status in client.list_job_preparation_and_release_task_status(name, **options)]


def prepared(client: Any, name: str) -> dict[str, Any]:
    """Wait until the preparation of a job has ended on the only node, and give how it went."""
    found = eventually(
        lambda: statuses(client, name),
        lambda items: [item["jobPreparationTaskExecutionInfo"]["state"] for item in items] == ["completed"],
    )
    return dict(found[0]["jobPreparationTaskExecutionInfo"])


# --- what is asked for, and shown ---


def test_a_job_shows_its_preparation_and_release(client: Any, pool: str) -> None:
    """With what the service says of them where the client says nothing."""
    with job(client, pool, {"commandLine": "a"}, {"commandLine": "b", "maxWallClockTime": "PT5M"}) as name:
        found = on_wire(client.get_job(name))
        user = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}
        assert found["jobPreparationTask"] == {
            "id": "jobpreparation",
            "commandLine": "a",
            "constraints": {
                "maxWallClockTime": "P10675199DT2H48M5.4775807S",
                "retentionTime": "P7D",
                "maxTaskRetryCount": 0,
            },
            "waitForSuccess": True,
            "rerunOnNodeRebootAfterSuccess": True,
            "userIdentity": user,
        }
        assert found["jobReleaseTask"] == {
            "id": "jobrelease",
            "commandLine": "b",
            "maxWallClockTime": "PT5M",
            "retentionTime": "P7D",
            "userIdentity": user,
        }


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("jobPreparationTask", {}),
        ("jobPreparationTask", {"commandLine": "a", "id": "a b"}),
        ("jobPreparationTask", {"commandLine": "a", "maxTaskRetryCount": 1}),
        ("jobReleaseTask", {"commandLine": "a", "maxWallClockTime": "PT15M1S"}),
        ("jobReleaseTask", {"commandLine": "a", "constraints": {}}),
        ("jobReleaseTask", {"commandLine": "a", "waitForSuccess": True}),
    ],
)
def test_a_preparation_that_is_not_right_is_refused(name: str, body: dict[str, Any]) -> None:
    """And so is a release: it has at most a quarter of an hour, and no retries."""
    with pytest.raises(Refused) as caught:
        bodies.JOB({"id": "j", "poolInfo": {"poolId": "p"}, name: body})
    assert caught.value.status == 400


def test_a_task_has_another_id_than_the_preparation(client: Any, pool: str) -> None:
    """Alone and in a collection."""
    with job(client, pool, {"commandLine": "a", "id": "before"}, {"commandLine": "b"}) as name:
        with refused("TaskIdSameAsJobPreparationTask"):
            add(client, name, "Before")
        with refused("TaskIdSameAsJobReleaseTask"):
            add(client, name, "jobrelease")
        both = {"value": [{"id": "before", "commandLine": "c"}, {"id": "after", "commandLine": "c"}]}
        results = client.create_task_collection(name, both).as_dict()["value"]
        codes = {result["taskId"]: result.get("error", {}).get("code") for result in results}
        assert codes == {"before": "TaskIdSameAsJobPreparationTask", "after": None}


def test_a_job_without_a_preparation_has_none_to_list(client: Any, job: str) -> None:
    """The service says so."""
    with refused("JobPreparationTaskNotSpecified"):
        statuses(client, job)


# --- before the first task ---


def test_a_node_is_prepared_once_before_the_first_task(client: Any, pool: str, tmp_path: Path) -> None:
    """All tasks find what it has left in its folder."""
    file = tmp_path / "runs"
    script = f"echo $AZ_BATCH_TASK_ID $COMMON $OWN ${{AZ_BATCH_JOB_PREP_DIR-none}} | tee -a {file} > left"
    own = [{"name": "OWN", "value": "b"}]
    common = [{"name": "COMMON", "value": "a"}, {"name": "OWN", "value": "a"}]
    preparation = {"commandLine": shell(script), "environmentSettings": own}
    with job(client, pool, preparation, commonEnvironmentSettings=common) as name:
        for task in ("a", "b"):
            run(client, name, shell("cat $AZ_BATCH_JOB_PREP_WORKING_DIR/left; echo $AZ_BATCH_JOB_PREP_DIR"), task)
            left, folder = printed(client, name, task).splitlines()
            assert left == "jobpreparation a b none"
            assert folder.endswith(f"/workitems/{name}/job-1/jobpreparation")
        assert len(file.read_text().splitlines()) == 1


def test_a_task_is_preparing_as_long_as_its_node_is(client: Any, pool: str, tmp_path: Path) -> None:
    """So the preparation is running; the job counts the task as running."""
    command, let = gate(tmp_path)
    with job(client, pool, {"commandLine": command}) as name:
        add(client, name, "a")
        task = reach_task(client, name, "a", "preparing")
        assert (task.execution_info.start_time, task.node_info.pool_id) == (None, pool)
        assert client.get_job_task_counts(name).task_counts.running == 1
        assert [task.id for task in client.list_tasks(name, filter="state eq 'preparing'")] == ["a"]
        (status,) = statuses(client, name)
        assert status["jobPreparationTaskExecutionInfo"]["state"] == "running"
        let()
        reach_tasks(client, name, a="completed")
        info = client.get_task(name, "a").execution_info
        assert info.start_time > client.get_task(name, "a").creation_time


def test_a_preparation_that_fails_keeps_its_job_off_the_node(client: Any, pool: str, job: str) -> None:
    """Another job's tasks run there; the list says why."""
    with instances.job(client, pool, jobPreparationTask=FAILS, priority=1000) as name:
        add(client, name, "a")
        info = prepared(client, name)
        assert (info["exitCode"], info["result"], info["retryCount"]) == (7, "failure", 0)
        assert (info["failureInfo"]["category"], info["failureInfo"]["code"]) == ("UserError", "FailureExitCode")
        assert run(client, job, "true").execution_info.exit_code == 0
        assert states(client, name) == {"a": "active"}
        assert client.get_task(name, "a").node_info is None


def test_a_preparation_is_retried(client: Any, pool: str, tmp_path: Path) -> None:
    """As often as it says, each time in a fresh folder."""
    file = tmp_path / "runs"
    script = f"ls > seen; echo x >> {file}; test $(wc -l < {file}) = 3"
    preparation = {"commandLine": shell(script), "constraints": {"maxTaskRetryCount": 2}}
    with job(client, pool, preparation) as name:
        run(client, name, shell("cat $AZ_BATCH_JOB_PREP_WORKING_DIR/seen"))
        assert printed(client, name) == "seen\n"
        info = prepared(client, name)
        assert (info["exitCode"], info["result"], info["retryCount"]) == (0, "success", 2)
        assert info["lastRetryTime"] == info["startTime"]


def test_a_preparation_has_its_time(client: Any, pool: str) -> None:
    """When that is over it is ended, and has failed."""
    with job(client, pool, {"commandLine": "sleep 60", "constraints": {"maxWallClockTime": "PT0.1S"}}) as name:
        add(client, name, "a")
        info = prepared(client, name)
        assert (info["result"], info["failureInfo"]["code"], "exitCode" in info) == ("failure", "TaskEnded", False)


def test_tasks_need_not_wait_for_the_preparation(client: Any, pool: str, tmp_path: Path) -> None:
    """It goes on beside them."""
    command, _ = gate(tmp_path)
    with job(client, pool, {"commandLine": command, "waitForSuccess": False}) as name:
        run(client, name, "true")
        assert statuses(client, name)[0]["jobPreparationTaskExecutionInfo"]["state"] == "running"
        terminate(client, name)
        assert prepared(client, name)["failureInfo"]["code"] == "TaskEnded"


def test_a_preparation_gets_its_files_from_the_storage(client: Any, pool: str, container: ContainerClient) -> None:
    """And fails if they are not there."""
    container.upload_blob("data", b"from the storage")
    there, missing = ({"httpUrl": signed(container, name=f"/{blob}"), "filePath": "in/data"} for blob in ("data", "no"))
    with job(client, pool, {"commandLine": "true", "resourceFiles": [there]}) as name:
        run(client, name, shell("cat $AZ_BATCH_JOB_PREP_WORKING_DIR/in/data"))
        assert printed(client, name) == "from the storage"
    with job(client, pool, {"commandLine": "true", "resourceFiles": [missing]}) as name:
        add(client, name, "a")
        assert prepared(client, name)["failureInfo"]["code"] == "BlobNotFound"


def test_what_a_preparation_leaves_running_is_there_for_the_tasks(client: Any, tmp_path: Path) -> None:
    """It ends with the node."""
    pid = tmp_path / "pid"
    command = shell(f"sleep 60 & echo $! > {pid}")
    with instances.pool(client) as pool, job(client, pool, {"commandLine": command}) as name:
        assert run(client, name, shell(f"kill -0 $(cat {pid})")).execution_info.exit_code == 0
        process = Path("/proc", pid.read_text().strip())
        assert process.exists()
        finish(client.begin_resize_pool(pool, {"targetDedicatedNodes": 0}, polling_interval=SOON))
        assert not process.exists()


# --- at the end of the job ---


@pytest.mark.parametrize("how", ["terminated", "deleted", "over"])
def test_a_job_that_ends_is_released(client: Any, pool: str, tmp_path: Path, how: str) -> None:
    """Whether a user ends it, deletes it, or its tasks are complete."""
    file, name = tmp_path / "release", new_name("job")
    script = f"echo $AZ_BATCH_TASK_ID $COMMON $(cat $AZ_BATCH_JOB_PREP_WORKING_DIR/left) > {file}"
    body = {
        "jobPreparationTask": {"commandLine": shell("echo b > left")},
        "jobReleaseTask": {"commandLine": shell(script)},
        "commonEnvironmentSettings": [{"name": "COMMON", "value": "a"}],
    }
    client.create_job({"id": name, "poolInfo": {"poolId": pool}, **body})
    run(client, name, "true")
    assert not file.exists()
    if how == "terminated":
        terminate(client, name)
    elif how == "over":
        client.update_job(name, {"onAllTasksComplete": "terminatejob"})
        reach_job(client, name, "completed")
    if how != "deleted":
        assert file.read_text() == "jobrelease a b\n"
        file.unlink()
    delete_job(client, name)
    assert file.exists() == (how == "deleted")


def test_a_release_has_its_time_and_may_fail(client: Any, pool: str) -> None:
    """That is nothing to the job."""
    with job(client, pool, {"commandLine": "true"}, {"commandLine": "sleep 60", "maxWallClockTime": "PT0.1S"}) as name:
        run(client, name, "true")
        terminate(client, name)
        (status,) = statuses(client, name)
        info = status["jobReleaseTaskExecutionInfo"]
        assert (info["state"], info["result"], info["failureInfo"]["code"]) == ("completed", "failure", "TaskEnded")


def test_preparations_and_releases_are_listed_by_filter_in_pages(client: Any, tmp_path: Path) -> None:
    """For each node that has begun them, in the wire's names; for a node that is gone too."""
    command, let = gate(tmp_path)
    with (
        instances.pool(client, nodes=2, slots=1) as pool,
        job(client, pool, FAILS | {"waitForSuccess": False}, {"commandLine": "true"}) as name,
    ):
        for task in ("a", "b"):
            add(client, name, task, command)
        reach_tasks(client, name, a="running", b="running")
        first, second = (node.id for node in client.list_nodes(pool))
        eventually(
            lambda: statuses(client, name, filter="jobPreparationTaskExecutionInfo/exitCode eq 7"),
            lambda found: [status["nodeId"] for status in found] == [first, second],
        )
        let()
        terminate(client, name)
        assert [status["nodeId"] for status in statuses(client, name, max_results=1)] == [first, second]
        (status,) = statuses(client, name, filter=f"nodeId eq '{second}' and poolId eq '{pool}'")
        url = status["nodeUrl"]
        assert url.endswith(f"/pools/{pool}/nodes/{second}")
        assert status.keys() == {
            "poolId",
            "nodeId",
            "nodeUrl",
            "jobPreparationTaskExecutionInfo",
            "jobReleaseTaskExecutionInfo",
        }
        release = status["jobReleaseTaskExecutionInfo"]
        folder = f"workitems/{name}/job-1/jobrelease"
        assert (release.pop("startTime") < release.pop("endTime")) is True
        assert release == {
            "state": "completed",
            "taskRootDirectory": folder,
            "taskRootDirectoryUrl": f"{url}/files/{folder}",
            "exitCode": 0,
            "result": "success",
        }
        selected = statuses(client, name, filter="jobReleaseTaskExecutionInfo/exitCode ne 0", select=["nodeId"])
        assert selected == []
        assert statuses(client, name, select=["nodeId"]) == [{"nodeId": first}, {"nodeId": second}]
        finish(client.begin_resize_pool(pool, {"targetDedicatedNodes": 0}, polling_interval=SOON))
        assert len(statuses(client, name)) == 2
