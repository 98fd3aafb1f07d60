"""Tasks that depend on others, as clients of azure-batch add them and see them run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.batch import models

from tests.local import instances
from tests.local.instances import Instance
from tests.local.moves import add, gate, on_wire, reach_job, reach_tasks, states
from tests.local.tasks import a_task, completed, refused

FAILS = "/bin/sh -c 'exit 3'"


@pytest.fixture
def job(client: Any, pool: str) -> Iterator[str]:
    """Have a job whose tasks may depend on each other."""
    with instances.job(client, pool, usesTaskDependencies=True) as name:
        yield name


def times(client: Any, job: str) -> dict[str, tuple[Any, Any]]:
    """Give when the tasks of a job began and ended."""
    return {task.id: (task.execution_info.start_time, task.execution_info.end_time) for task in client.list_tasks(job)}


def test_a_chain_runs_from_its_beginning_to_its_end(client: Any, job: str, tmp_path: Path) -> None:
    """One after the other, though the last was added first, by models and by dicts alike."""
    command, let = gate(tmp_path)
    after_b = models.BatchTaskDependencies(task_ids=["b"])
    client.create_task(job, models.BatchTaskCreateOptions(id="c", command_line="true", depends_on=after_b))
    add(client, job, "b", dependsOn={"taskIds": ["a"]})
    add(client, job, "a", command)
    reach_tasks(client, job, a="running", b="active", c="active")
    let()
    reach_tasks(client, job, a="completed", b="completed", c="completed")
    found = times(client, job)
    assert found["a"][1] <= found["b"][0] <= found["b"][1] <= found["c"][0]


def test_a_task_that_merges_runs_after_all_of_a_range(client: Any, job: str, tmp_path: Path) -> None:
    """Leading zeros in an id don't matter to a range; what it is not about, nobody waits for."""
    command, let = gate(tmp_path)
    after_merge = models.BatchTaskDependencies(task_ids=["MERGE"])
    ranges = models.BatchTaskDependencies(task_id_ranges=[models.BatchTaskIdRange(start=1, end=3)])
    client.create_tasks(
        job,
        [
            models.BatchTaskCreateOptions(id="merge", command_line="true", depends_on=ranges),
            *(models.BatchTaskCreateOptions(id=name, command_line="true") for name in ("1", "002")),
            models.BatchTaskCreateOptions(id="3", command_line=command),
            models.BatchTaskCreateOptions(id="4", command_line="true", depends_on=after_merge),
        ],
    )
    reach_tasks(client, job, **{"1": "completed", "002": "completed", "3": "running", "4": "active", "merge": "active"})
    let()
    reach_tasks(client, job, **dict.fromkeys(("1", "002", "3", "4", "merge"), "completed"))
    found = times(client, job)
    assert max(found[name][1] for name in ("1", "002", "3")) <= found["merge"][0]


def test_a_failure_blocks_those_that_depend_on_it(client: Any, job: str, tmp_path: Path) -> None:
    """They stay active, and begin when the task succeeds after all."""
    ready = tmp_path / "ready"
    add(client, job, "a", f"/bin/sh -c 'test -e {ready}'")
    add(client, job, "b", dependsOn={"taskIds": ["a"]})
    reach_tasks(client, job, a="completed", b="active")
    counts = client.get_job_task_counts(job).task_counts
    assert (counts.active, counts.completed, counts.failed) == (1, 1, 1)
    assert client.get_task(job, "b").execution_info.start_time is None
    ready.touch()
    client.reactivate_task(job, "a")
    reach_tasks(client, job, a="completed", b="completed")


def test_a_failure_that_satisfies_lets_others_run(client: Any, job: str) -> None:
    """If the exit code is the one that was named; the job of these tasks does not mind failures."""
    options = models.ExitOptions(dependency_action=models.DependencyAction.SATISFY)
    named = models.ExitConditions(exit_codes=[models.ExitCodeMapping(code=3, exit_options=options)])
    other = models.ExitConditions(exit_codes=[models.ExitCodeMapping(code=4, exit_options=options)])
    client.create_task(job, models.BatchTaskCreateOptions(id="a", command_line=FAILS, exit_conditions=named))
    client.create_task(job, models.BatchTaskCreateOptions(id="b", command_line=FAILS, exit_conditions=other))
    for name in ("a", "b"):
        add(client, job, f"after-{name}", dependsOn={"taskIds": [name]})
    reach_tasks(client, job, **{"a": "completed", "b": "completed", "after-a": "completed", "after-b": "active"})


@pytest.mark.parametrize(
    ("command", "condition"),
    [("no-such-program", "preProcessingError"), ("true", "fileUploadError"), (FAILS, "default")],
)
def test_each_kind_of_failure_can_satisfy(
    instance: Instance, client: Any, job: str, command: str, condition: str
) -> None:
    """What could not begin, what could not be uploaded, and all the rest."""
    nowhere = {
        "filePattern": "../stdout.txt",
        "destination": {"container": {"containerUrl": f"{instance.blobs().url}none"}},
        "uploadOptions": {"uploadCondition": "tasksuccess"},
    }
    conditions = {condition: {"dependencyAction": "satisfy"}}
    add(client, job, "a", command, exitConditions=conditions, outputFiles=[nowhere])
    add(client, job, "b", dependsOn={"taskIds": ["a"]})
    assert completed(client, job, "a").execution_info.result == "failure"
    assert completed(client, job, "b").execution_info.result == "success"


@pytest.mark.parametrize(("action", "state"), [("terminate", "completed"), ("disable", "disabled")])
def test_a_job_that_ends_or_pauses_with_a_failure_runs_no_dependents(
    client: Any, pool: str, action: str, state: str
) -> None:
    """Even if the failure satisfies them; a job that is enabled again runs them then."""
    with instances.job(client, pool, usesTaskDependencies=True, onTaskFailure="performexitoptionsjobaction") as job:
        options = {"jobAction": action, "dependencyAction": "satisfy"}
        add(client, job, "b", dependsOn={"taskIds": ["a"]})
        add(client, job, "a", FAILS, exitConditions={"default": options})
        found = reach_job(client, job, state)
        assert found["executionInfo"].get("terminateReason") == ("TaskFailed" if state == "completed" else None)
        assert states(client, job) == {"a": "completed", "b": "active"}
        if state == "disabled":
            client.begin_enable_job(job, polling_interval=3600)
            assert completed(client, job, "b").execution_info.result == "success"


def test_dependencies_are_shown_as_they_were_given(client: Any, job: str) -> None:
    """Those of a task with it and in lists, and of a job that there may be some."""
    given = {"taskIds": ["x", "Y"], "taskIdRanges": [{"start": 9, "end": 12}, {"start": 0, "end": 0}]}
    conditions = {"default": {"dependencyAction": "satisfy"}}
    add(client, job, "a", dependsOn=given, exitConditions=conditions)
    assert on_wire(client.get_task(job, "a"))["dependsOn"] == given
    (listed,) = client.list_tasks(job, select=["id", "dependsOn", "exitConditions"])
    assert on_wire(listed) == {"id": "a", "dependsOn": given, "exitConditions": conditions}
    assert listed.depends_on.task_id_ranges[0].end == 12
    assert client.get_job(job).uses_task_dependencies is True


def test_a_job_says_from_the_start_whether_it_has_dependencies(client: Any, job: str, pool: str) -> None:
    """It can't be changed: a model that was read does not send it, and who sends it himself is refused."""
    found = client.get_job(job)
    client.replace_job(job, found)
    for uses in (True, False):
        with refused("UnsupportedProperty", 400):
            client.replace_job(job, {"poolInfo": {"poolId": pool}, "usesTaskDependencies": uses})
        with refused("UnsupportedProperty", 400):
            client.update_job(job, {"usesTaskDependencies": uses})
    assert client.get_job(job).uses_task_dependencies is True


def test_a_job_that_was_not_made_for_dependencies_has_none(client: Any, pool: str) -> None:
    """Each task of a collection is refused on its own; a list without any ids is none."""
    after: dict[str, Any] = {"dependsOn": {"taskIds": ["a"]}}
    with instances.job(client, pool) as job:
        with refused("TaskDependenciesNotSpecifiedOnJob", 400):
            client.create_task(job, a_task("b", **after))
        with refused("TaskDependenciesNotSpecifiedOnJob", 400):
            client.create_task(job, a_task("b", dependsOn={"taskIdRanges": [{"start": 1, "end": 1}]}))
        with refused("InvalidPropertyValue", 400):
            client.create_task(job, a_task("b", exitConditions={"default": {"dependencyAction": "block"}}))
        add(client, job, "a", dependsOn={"taskIds": []})
        verdicts = client.create_task_collection(job, {"value": [a_task("c"), a_task("d", **after)]}).result_values
        assert [verdict.status for verdict in verdicts] == ["success", "clienterror"]
        assert verdicts[1].error.code == "TaskDependenciesNotSpecifiedOnJob"
        reach_tasks(client, job, a="completed", c="completed")
