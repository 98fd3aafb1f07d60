"""What the service is told of jobs and tasks."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch import Account, limits
from fastbatch.azure.signing import Signer
from fastbatch.books.facts import Submit
from fastbatch.model import Blob, Bundle, Item, Kind, Task
from fastbatch.stages import describe
from fastbatch.workload import Counting

KEY = "c2VjcmV0IG9mIG5vYm9keQ=="
ACCOUNT = Account(
    batch_account="b",
    batch_endpoint="https://b.example",
    storage_account="store",
    storage_endpoint="https://store.example",
    storage_key=KEY,
)
BLOB = Blob("d" * 64, 10)
ODD = Item("/in/odd", "a'b\"c $(touch x)\n\udcff", 10, 0)


def described(name: str = "b00001", attempt: int = 0, slots: int = 4) -> dict[str, Any]:
    """Describe a task."""
    signer = Signer(ACCOUNT, datetime(2030, 1, 1, tzinfo=UTC), key=KEY)
    tasks = describe.Tasks("run-x", Counting(10, ignore_case=False), "p" * 64, slots, 7200, signer)
    bundle = Bundle(name, Kind.WHOLE, (ODD,))
    content = tasks.describer()(Submit(Task(name, attempt), bundle, BLOB)).content
    task: dict[str, Any] = json.loads(content)
    return task


def test_a_task_gets_its_bundle_and_the_program_and_nothing_else() -> None:
    """Each by a URL that is good for one blob."""
    files = described()["resourceFiles"]
    assert [file["filePath"] for file in files] == ["bundle", "node.pyz"]
    assert [file["httpUrl"].partition("?")[0] for file in files] == [
        f"https://store.example/fastbatch-input/{BLOB.digest}",
        f"https://store.example/fastbatch-app/{'p' * 64}",
    ]
    assert len(json.dumps(files)) < limits.RESOURCE_FILES_CHARACTERS


def test_nothing_secret_and_no_name_from_outside_is_on_a_command_line() -> None:
    """The command line and the environment are shown to everyone who may look at the job."""
    task = described()
    assert "sig=" not in task["commandLine"]
    assert "sig=" not in json.dumps(task["environmentSettings"])
    assert "touch" not in json.dumps(task)
    assert KEY not in json.dumps(task)


def test_results_are_kept_on_success_and_what_was_written_on_failure() -> None:
    """Below the task's id, so that attempts do not meet."""
    result, logs = described(attempt=2)["outputFiles"]
    assert (result["filePattern"], result["uploadOptions"]) == ("result", {"uploadCondition": "tasksuccess"})
    assert (logs["filePattern"], logs["uploadOptions"]) == ("../std*.txt", {"uploadCondition": "taskfailure"})
    assert result["destination"]["container"]["path"] == describe.result_blob("b00001-r2")
    assert describe.error_blob("b00001-r2").startswith(logs["destination"]["container"]["path"])
    assert "/fastbatch-out-run-x?" in result["destination"]["container"]["containerUrl"]


def test_a_task_knows_its_share_of_the_node_and_its_end() -> None:
    """Its time is limited, and its files are not kept for long."""
    task = described(slots=4)
    assert task["environmentSettings"] == [{"name": "FASTBATCH_SLOTS", "value": "4"}]
    assert task["constraints"] == {"maxWallClockTime": "P0DT7200S", "retentionTime": "PT1H"}


def test_a_hundred_tasks_fit_one_request() -> None:
    """By a wide margin, so that requests are as few as they can be."""
    assert len(json.dumps(described())) * limits.TASKS_PER_COLLECTION < limits.COLLECTION_BYTES / 2


def test_a_job_stays_open_until_all_tasks_are_in_it_and_is_known_as_ours() -> None:
    """By its run's id, and no other."""
    job = describe.job("run-x", "uid-1", "pool", 86400)
    assert job["onAllTasksComplete"] == "noaction"
    assert job["constraints"] == {"maxWallClockTime": "P1DT0S"}
    assert describe.is_ours(job, "uid-1")
    assert not describe.is_ours(job, "uid-2")
    assert not describe.is_ours({"id": "run-x"}, "uid-1")
    assert not describe.is_ours({"id": "run-x", "metadata": None}, "uid-1")


def test_names_are_within_the_services_limits() -> None:
    """With the longest name of a run."""
    run = f"{'n' * 30}-{'x' * 8}"
    assert len(describe.results_container(run)) <= limits.CONTAINER_NAME_LENGTH
    assert len(run) <= limits.ID_LENGTH


@given(st.integers(1, 180 * 86400))
def test_a_time_is_written_without_loss(seconds: int) -> None:
    """In days and seconds."""
    days, _, rest = describe.duration(seconds).removeprefix("P").removesuffix("S").partition("DT")
    assert timedelta(days=int(days), seconds=int(rest)) == timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [0.001, 0.4, 0.5, 1.4, 2.5])
def test_a_time_is_never_shorter_than_what_was_asked_for(seconds: float) -> None:
    """Least of all none, which the service does not take."""
    days, _, rest = describe.duration(seconds).removeprefix("P").removesuffix("S").partition("DT")
    assert timedelta(days=int(days), seconds=int(rest)) >= timedelta(seconds=seconds)
