"""Jobs, as clients of azure-batch make, see and change them, and the order in which their tasks run."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from azure.batch import models
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError

from tests.local import instances
from tests.local.instances import Instance, eventually, new_name
from tests.local.moves import LONG, SOON, add, delete_job, disable, gate, on_wire, reach_job, reach_tasks, states
from tests.local.tasks import refused

if TYPE_CHECKING:
    from collections.abc import Callable

FOREVER = "P10675199DT2H48M5.4775807S"


# --- what is shown and changed ---


def test_a_new_job_shows_the_defaults_of_the_service(client: Any, pool: str) -> None:
    """What was not asked for is shown as the real service shows it, and the rest as it was given."""
    with instances.job(client, pool, displayName="A job", metadata=[{"name": "run", "value": "1"}]) as name:
        found = on_wire(client.get_job(name))
        times = {found.pop(key) for key in ("creationTime", "lastModified", "stateTransitionTime")}
        execution = found.pop("executionInfo")
        assert found.pop("eTag").startswith("0x8D")
        assert found.pop("url").endswith(f"/jobs/{name}")
        assert found == {
            "id": name,
            "displayName": "A job",
            "metadata": [{"name": "run", "value": "1"}],
            "state": "active",
            "poolInfo": {"poolId": pool},
            "priority": 0,
            "maxParallelTasks": -1,
            "allowTaskPreemption": False,
            "usesTaskDependencies": False,
            "constraints": {"maxWallClockTime": FOREVER, "maxTaskRetryCount": 0},
            "onAllTasksComplete": "noaction",
            "onTaskFailure": "noaction",
        }
        assert execution == {"startTime": times.pop(), "poolId": pool}
        assert not times


def test_a_number_that_came_as_a_text_is_shown_as_one(client: Any, pool: str) -> None:
    """As `az batch job create --priority 5` sends it."""
    with instances.job(client, pool, priority="5", constraints={"maxTaskRetryCount": "-1"}) as name:
        found = on_wire(client.get_job(name))
        assert (found["priority"], found["constraints"]["maxTaskRetryCount"]) == (5, -1)


def test_the_models_of_the_sdk_do_as_well_as_dicts(client: Any, pool: str) -> None:
    """A job that is made, read, changed and written by models keeps what the models don't write."""
    name = new_name("job")
    constraints = models.BatchJobConstraints(max_task_retry_count=2)
    client.create_job(
        models.BatchJobCreateOptions(
            id=name,
            pool_info=models.BatchPoolInfo(pool_id=pool),
            display_name="kept",
            constraints=constraints,
            common_environment_settings=[models.EnvironmentSetting(name="A", value="1")],
        )
    )
    found = client.get_job(name)
    assert found.constraints.max_task_retry_count == 2
    found.priority = 5
    client.replace_job(name, found)
    client.update_job(name, models.BatchJobUpdateOptions(all_tasks_complete_mode="terminatejob"))
    ended = reach_job(client, name, "completed")
    assert (ended["priority"], ended["displayName"], ended["constraints"]["maxTaskRetryCount"]) == (5, "kept", 2)
    assert ended["commonEnvironmentSettings"] == [{"name": "A", "value": "1"}]
    delete_job(client, name)


def test_only_what_is_selected_is_shown(client: Any, job: str) -> None:
    """A name that jobs don't have can't be selected."""
    assert client.get_job(job, select=["id", "state"]).as_dict().keys() - {"odata.metadata"} == {"id", "state"}
    with refused("InvalidQueryParameterValue"):
        client.get_job(job, select=["ID"])


def test_jobs_are_listed_by_filter_in_pages(client: Any, pool: str) -> None:
    """Each is on exactly one page, in the order in which they were made."""
    prefix = new_name("page")
    names = [f"{prefix}-{number}" for number in range(5)]
    for name in names:
        client.create_job({"id": name, "poolInfo": {"poolId": pool}})
    mine = f"startswith(id,'{prefix.upper()}')"
    pages = client.list_jobs(filter=f"{mine} and state eq 'active'", select=["id", "state"], max_results=2).by_page()
    found = [[job.as_dict() for job in page] for page in pages]
    assert [len(page) for page in found] == [2, 2, 1]
    assert [job for page in found for job in page] == [{"id": name, "state": "active"} for name in names]

    disable(client, names[1], "wait")
    for condition, wanted in {
        "state eq 'disabled'": names[1:2],
        "state ne 'disabled'": [names[0], *names[2:]],
        f"id gt '{names[2]}'": names[3:],
        f"executionInfo/poolId eq '{pool}'": names,
        "executionInfo/endTime gt DateTime'2000-01-01T00:00:00Z'": [],
        "creationTime lt DateTime'2000-01-01T00:00:00Z'": [],
    }.items():
        assert [job.id for job in client.list_jobs(filter=f"{mine} and {condition}")] == wanted, condition
    for name in names:
        client.begin_delete_job(name, polling_interval=3600)


@pytest.mark.parametrize("wrong", ["priority eq 1", "state gt 'active'", "nothing", "state eq active"])
def test_a_filter_that_jobs_do_not_know_is_refused(client: Any, wrong: str) -> None:
    """It is not taken for one that nothing meets."""
    with refused("InvalidQueryParameterValue"):
        list(client.list_jobs(filter=wrong))


def test_a_patch_changes_what_it_names_and_no_more(client: Any, pool: str) -> None:
    """The rest stays; a constraint that is not named goes back to its default, as constraints are one property."""
    constraints = {"maxWallClockTime": "PT1H", "maxTaskRetryCount": 1}
    with instances.job(client, pool, constraints=constraints, metadata=[{"name": "a", "value": "b"}]) as name:
        before = on_wire(client.get_job(name))
        client.update_job(name, {"priority": 7, "constraints": {"maxTaskRetryCount": 2}})
        after = on_wire(client.get_job(name))
        differing = {key for key in after if after[key] != before.get(key)}
        assert differing == {"priority", "constraints", "eTag", "lastModified"}
        assert after["constraints"] == {"maxWallClockTime": FOREVER, "maxTaskRetryCount": 2}


def test_an_update_resets_what_it_does_not_name(client: Any, pool: str) -> None:
    """All that can be changed is as if the job were new; what can't be changed stays."""
    more = {"priority": 9, "maxParallelTasks": 3, "metadata": [{"name": "a", "value": "b"}], "displayName": "kept"}
    with instances.job(client, pool, **more) as name:
        client.replace_job(name, {"poolInfo": {"poolId": pool}})
        after = on_wire(client.get_job(name))
        assert (after["priority"], after["maxParallelTasks"], after["displayName"]) == (0, -1, "kept")
        assert "metadata" not in after
        with refused("MissingRequiredProperty"):
            client.replace_job(name, {"priority": 1})


@pytest.mark.parametrize(
    ("code", "properties"),
    [
        ("MissingRequiredProperty", {"poolInfo": None}),
        ("MissingRequiredProperty", {"poolInfo": {}}),
        ("MissingRequiredProperty", {"id": None}),
        ("UnsupportedProperty", {"colour": "red"}),
        ("UnsupportedProperty", {"constraints": {"maxTaskRetries": 1}}),
        ("InvalidPropertyValue", {"id": "a b"}),
        ("InvalidPropertyValue", {"id": "a" * 65}),
        ("InvalidPropertyValue", {"priority": 1001}),
        ("InvalidPropertyValue", {"priority": "high"}),
        ("InvalidPropertyValue", {"priority": True}),
        ("InvalidPropertyValue", {"poolInfo": "pool"}),
        ("InvalidPropertyValue", {"metadata": {"name": "a"}}),
        ("InvalidPropertyValue", {"onAllTasksComplete": "stop"}),
        ("InvalidPropertyValue", {"constraints": {"maxWallClockTime": "1h"}}),
        ("InvalidPropertyValue", {"constraints": {"maxTaskRetryCount": -2}}),
        ("InvalidPropertyValue", {"jobReleaseTask": {"commandLine": "true"}}),
        ("MissingRequiredProperty", {"jobPreparationTask": {"id": "a"}}),
        ("NotImplemented", {"jobPreparationTask": {"commandLine": "true", "containerSettings": {"imageName": "a"}}}),
        ("NotImplemented", {"poolInfo": {"poolId": "p", "autoPoolSpecification": {"poolLifetimeOption": "job"}}}),
    ],
)
def test_a_job_that_is_not_right_is_refused(client: Any, code: str, properties: dict[str, Any]) -> None:
    """Each fault has the code that is documented for it, and no job is made."""
    name = new_name("job")
    with refused(code):
        client.create_job({"id": name, "poolInfo": {"poolId": "p"}, **properties})
    with refused("JobNotFound"):
        client.get_job(name)


def test_a_job_must_let_one_task_run_at_least(client: Any) -> None:
    """The number of tasks that run at once is -1, for no limit, or greater than 0."""
    with refused("InvalidPropertyValue"):
        client.create_job({"id": new_name("job"), "poolInfo": {"poolId": "p"}, "maxParallelTasks": 0})


def test_a_property_that_does_not_change_can_not_be_patched(client: Any, job: str) -> None:
    """A job keeps its name and what it does when a task fails."""
    for wrong in ({"displayName": "x"}, {"onTaskFailure": "noaction"}, {"id": "x"}):
        with refused("UnsupportedProperty"):
            client.update_job(job, wrong)


def test_an_id_is_found_in_any_letter_case_and_shown_as_given(client: Any, pool: str) -> None:
    """There are no two jobs whose ids differ in letter case only."""
    name = new_name("Job")
    client.create_job({"id": name, "poolInfo": {"poolId": pool.upper()}})
    assert client.get_job(name.upper()).id == name
    with refused("JobExists"):
        client.create_job({"id": name.lower(), "poolInfo": {"poolId": pool}})
    add(client, name.upper(), "a")
    reach_tasks(client, name, a="completed")
    delete_job(client, name.lower())
    with refused("JobNotFound"):
        client.get_job(name)


@pytest.mark.parametrize("operation", ["get", "patch", "replace", "disable", "enable", "terminate", "delete", "counts"])
def test_a_job_that_is_not_there_is_not_found(client: Any, operation: str) -> None:
    """Whatever is asked of it."""
    calls: dict[str, Callable[[str], Any]] = {
        "get": client.get_job,
        "patch": lambda name: client.update_job(name, {"priority": 1}),
        "replace": lambda name: client.replace_job(name, {"poolInfo": {"poolId": "p"}}),
        "disable": lambda name: client.begin_disable_job(name, {"disableTasks": "wait"}),
        "enable": client.begin_enable_job,
        "terminate": lambda name: client.begin_terminate_job(name, options={"terminateReason": "x"}),
        "delete": client.begin_delete_job,
        "counts": client.get_job_task_counts,
    }
    with refused("JobNotFound"):
        calls[operation]("nobody")


def test_conditions_on_the_version_are_kept(client: Any, job: str) -> None:
    """What was read is changed only while it is as it was read; who has it already is not given it again."""
    old = client.get_job(job).etag
    with pytest.raises(HttpResponseError) as unchanged:
        client.get_job(job, etag=old, match_condition=MatchConditions.IfModified)
    assert unchanged.value.status_code == 304
    client.update_job(job, {"priority": 1}, etag=old, match_condition=MatchConditions.IfNotModified)
    new = client.get_job(job, etag=old, match_condition=MatchConditions.IfModified).etag
    assert new != old

    on_old = {"etag": old, "match_condition": MatchConditions.IfNotModified}
    changes: list[Callable[[], Any]] = [
        lambda: client.update_job(job, {"priority": 2}, **on_old),
        lambda: client.begin_terminate_job(job, options={"terminateReason": "x"}, **on_old),
        lambda: client.begin_delete_job(job, **on_old),
    ]
    for change in changes:
        with refused("ConditionNotMet"):
            change()
    found = client.get_job(job)
    assert (found.priority, found.state, found.etag) == (1, "active", new)


def test_a_job_may_wait_for_its_pool(client: Any) -> None:
    """Its tasks run as soon as there is a pool of that name."""
    pool = new_name("pool")
    with instances.job(client, pool) as job:
        add(client, job, "a")
        assert states(client, job) == {"a": "active"}
        client.create_pool(instances.pool_body(pool, targetDedicatedNodes=1))
        reach_tasks(client, job, a="completed")
        client.begin_delete_pool(pool, polling_interval=3600)


def test_all_tasks_see_the_settings_of_their_job(client: Any, pool: str) -> None:
    """A task's own settings are on top of them."""
    common = [{"name": "A", "value": "job's"}, {"name": "B", "value": "job's"}]
    with instances.job(client, pool, commonEnvironmentSettings=common) as job:
        own = [{"name": "B", "value": "task's"}]
        add(client, job, "a", "/bin/sh -c 'echo $A, $B'", environmentSettings=own)
        reach_tasks(client, job, a="completed")
        assert b"".join(client.download_task_file(job, "a", "stdout.txt")) == b"job's, task's\n"


# --- in what order tasks run ---


def order(client: Any, *jobs: str) -> list[str]:
    """Give the tasks of jobs in the order in which they began, when all are complete."""
    eventually(
        lambda: [state for job in jobs for state in states(client, job).values()],
        lambda found: set(found) == {"completed"},
    )
    begun = [(task.execution_info.start_time, task.id) for job in jobs for task in client.list_tasks(job)]
    return [task for _, task in sorted(begun)]


def test_jobs_of_a_higher_priority_go_first(client: Any, tmp_path: Path) -> None:
    """A change of the priority counts for the tasks that still wait."""
    command, let = gate(tmp_path)
    with (
        instances.pool(client, slots=1) as pool,
        instances.job(client, pool, priority=-1) as low,
        instances.job(client, pool) as usual,
        instances.job(client, pool, priority=1) as high,
    ):
        add(client, low, "first", command)
        reach_tasks(client, low, first="running")
        for job, task in ((low, "low"), (usual, "usual"), (high, "high")):
            add(client, job, task)
        client.update_job(low, {"priority": 1000})
        let()
        assert order(client, low, usual, high) == ["first", "low", "high", "usual"]


def test_a_job_runs_no_more_tasks_at_once_than_it_may(client: Any, tmp_path: Path) -> None:
    """The others wait though there is room, until one ends or more may run."""
    command, let = gate(tmp_path)
    with instances.pool(client, slots=4) as pool, instances.job(client, pool, maxParallelTasks=2) as job:
        for task in "abcd":
            add(client, job, task, command)
        reach_tasks(client, job, a="running", b="running", c="active", d="active")
        client.update_job(job, {"maxParallelTasks": 3})
        reach_tasks(client, job, a="running", b="running", c="running", d="active")
        let()
        reach_tasks(client, job, **dict.fromkeys("abcd", "completed"))


# --- the asynchronous client ---


def test_the_asynchronous_client_does_all_that_the_other_does(instance: Instance, pool: str) -> None:
    """It walks through the whole life of a job."""
    asyncio.run(_walk(instance, pool))


async def _walk(instance: Instance, pool: str) -> None:
    job = new_name("job")
    async with instance.async_client() as client:
        await client.create_job({"id": job, "poolInfo": {"poolId": pool}})
        await client.create_task(job, {"id": "a", "commandLine": LONG})
        await client.update_job(job, {"priority": 2})
        await client.replace_job(job, {"poolInfo": {"poolId": pool}, "maxParallelTasks": 5})
        found = await client.get_job(job)
        assert (found.priority, found.max_parallel_tasks) == (0, 5)
        assert [each.id async for each in client.list_jobs(filter=f"id eq '{job}'", select=["id"])] == [job]

        requeue = {"disableTasks": "requeue"}
        await (await client.begin_disable_job(job, requeue, polling_interval=SOON)).result()
        assert (await client.get_job(job)).state == "disabled"
        await (await client.begin_enable_job(job, polling_interval=SOON)).result()
        reason = {"terminateReason": "Walked"}
        await (await client.begin_terminate_job(job, options=reason, polling_interval=SOON)).result()
        found = await client.get_job(job)
        assert (found.state, found.execution_info.termination_reason) == ("completed", "Walked")
        counts = (await client.get_job_task_counts(job)).task_counts
        assert counts.active + counts.completed == 1
        with refused("JobCompleted"):
            await client.update_job(job, {"priority": 1})
        await (await client.begin_delete_job(job, polling_interval=SOON)).result()
        with refused("JobNotFound"):
            await client.get_job(job)
