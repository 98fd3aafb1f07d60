"""The files of nodes as their clients see them; how they are read in parts is told of the files of tasks."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from fastbatch.local.errors import Refused
from fastbatch.local.states import nodes
from tests.local import instances
from tests.local.instances import Instance
from tests.local.speaking import ask, at
from tests.local.tasks import refused, run, sleeping
from tests.local.test_pool_states import node as a_node

START = "/bin/sh -c 'echo started; echo common > $AZ_BATCH_NODE_SHARED_DIR/common.txt'"
LINKS = """
cd "$AZ_BATCH_NODE_SHARED_DIR"; mkdir -p full/of; echo x > full/of/x
ln -s /etc/passwd out; ln -s / root; ln -s ../.. up; ln -s ../startup/stdout.txt within; ln -s nowhere dangling
ln -s "$AZ_BATCH_TASK_DIR/stdout.txt" absolute
"""


@pytest.fixture(scope="module")
def pool(client: Any) -> Iterator[str]:
    """Have a pool of one node that a start task has left files on."""
    with instances.pool(client, startTask={"commandLine": START}) as name:
        yield name


@pytest.fixture(scope="module")
def node(client: Any, pool: str) -> str:
    """Have that node."""
    (found,) = client.list_nodes(pool)
    return str(found.id)


@pytest.fixture(scope="module")
def job(client: Any, pool: str) -> Iterator[str]:
    """Have a job whose task has left files and links there."""
    with instances.job(client, pool) as name:
        run(client, name, f"/bin/sh -c '{LINKS}'")
        yield name


def names(files: Any) -> set[str]:
    """Give the names of files."""
    return {file.name for file in files}


def text(client: Any, pool: str, node: str, name: str, **more: Any) -> str:
    """Give what is in a file."""
    return b"".join(client.download_node_file(pool, node, name, **more)).decode()


def test_a_node_has_the_folders_that_are_documented(client: Any, pool: str, node: str, job: str) -> None:
    """Names are relative to AZ_BATCH_NODE_ROOT_DIR."""
    assert names(client.list_node_files(pool, node)) == {
        *("applications", "fsmounts", "shared", "startup", "volatile", "workitems")
    }
    found = names(client.list_node_files(pool, node, recursive=True))
    task = f"workitems/{job}/job-1/t"
    assert {"startup/stdout.txt", "startup/wd", "shared/common.txt", f"{task}/stdout.txt", f"{task}/wd"} <= found


def test_a_list_can_be_of_names_that_begin_so_in_pages(client: Any, pool: str, node: str, job: str) -> None:
    """Each file is on one page."""
    pages = client.list_node_files(
        pool, node, recursive=True, filter=f"startswith(name,'workitems/{job}/')", max_results=2
    ).by_page()
    found = [[file.name for file in page] for page in pages]
    task = f"workitems/{job}/job-1/t"
    assert [name for page in found for name in page] == [
        f"workitems/{job}/job-1",
        *(task, f"{task}/certs", f"{task}/stderr.txt", f"{task}/stdout.txt", f"{task}/wd"),
    ]
    assert [len(page) for page in found] == [2, 2, 2]


def test_a_file_of_a_node_is_described_and_read(client: Any, instance: Instance, pool: str, node: str) -> None:
    """By its whole name; its address is one of the node's."""
    assert text(client, pool, node, "startup/stdout.txt") == "started\n"
    assert text(client, pool, node, "startup/stdout.txt", ocp_range="bytes=2-4") == "art"
    found = client.get_node_file_properties(pool, node, "startup/stdout.txt")
    assert (found.content_length, found.is_directory) == (8, False)
    assert unquote(found.url) == f"{instance.endpoint}/pools/{pool}/nodes/{node}/files/startup/stdout.txt"
    (listed,) = client.list_node_files(pool, node, recursive=True, filter="startswith(name,'startup/stdout')")
    assert listed.url == unquote(found.url)
    assert client.get_node_file_properties(pool, node, "startup").is_directory


@pytest.mark.usefixtures("job")
def test_files_and_folders_of_a_node_are_deleted(client: Any, pool: str, node: str) -> None:
    """A folder with what is in it only if that is said."""
    with refused("OperationInvalidForCurrentState", 409):
        client.delete_node_file(pool, node, "shared/full")
    client.delete_node_file(pool, node, "shared/full", recursive=True)
    client.delete_node_file(pool, node, "shared/common.txt")
    assert not {"shared/full", "shared/common.txt"} & names(client.list_node_files(pool, node, recursive=True))
    with refused("FileNotFound", 404):
        client.delete_node_file(pool, node, "shared/common.txt")


@pytest.mark.parametrize(
    "name", ["../other", "shared/../../other", "shared/..", "/etc/passwd", "shared/out", "shared/root/etc"]
)
@pytest.mark.usefixtures("job")
def test_no_name_leads_out_of_a_node(client: Any, pool: str, node: str, name: str) -> None:
    """Neither by itself nor by a link, whatever is to be done with the file."""
    code = ("InvalidUri", 400)
    with refused(*code):
        list(client.download_node_file(pool, node, name))
    with refused(*code):
        client.delete_node_file(pool, node, name, recursive=True)
    assert ask_head(client, pool, node, name) == 400


def ask_head(client: Any, pool: str, node: str, name: str) -> int:
    """Give the status with which it is told about a file."""
    try:
        client.get_node_file_properties(pool, node, name)
    except Exception as error:  # noqa: BLE001 - whatever the SDK makes of it
        return int(getattr(error, "status_code", 0))
    return 200


@pytest.mark.usefixtures("job")
def test_links_within_a_node_are_what_they_lead_to(client: Any, pool: str, node: str) -> None:
    """And those that lead out are not listed."""
    found = names(client.list_node_files(pool, node, recursive=True, filter="startswith(name,'shared/')"))
    assert {"shared/within", "shared/absolute"} <= found
    assert not {"shared/out", "shared/root", "shared/up"} & found
    assert text(client, pool, node, "shared/within") == "started\n"


def test_what_is_not_there_is_not_found(client: Any, pool: str, node: str) -> None:
    """The node, or its file."""
    with refused("NodeNotFound", 404):
        list(client.list_node_files(pool, "nobody"))
    with refused("FileNotFound", 404):
        list(client.download_node_file(pool, node, "shared/nothing"))
    with refused("OperationInvalidForCurrentState", 409):
        list(client.download_node_file(pool, node, "shared"))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_is_read_if_it_was_modified(instance: Instance, pool: str, node: str, job: str, method: str) -> None:
    """A task's as well as a node's; in whole seconds, as Last-Modified says it."""
    task = f"workitems%2F{job}%2Fjob-1%2Ft%2Fstdout.txt"
    for path in (f"/pools/{pool}/nodes/{node}/files/{task}", f"/jobs/{job}/tasks/t/files/stdout.txt"):
        modified = ask(instance, method, at(path)).headers["Last-Modified"]
        for headers, status in (
            ({"if-modified-since": modified}, 304),
            ({"if-modified-since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 200),
            ({"if-unmodified-since": modified}, 200),
            ({"if-unmodified-since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 304),
        ):
            assert ask(instance, method, at(path), headers=headers).status == status


def test_a_file_may_be_older_than_time(client: Any, pool: str, node: str, job: str) -> None:
    """Its time is before that of which clocks count the seconds."""
    run(client, job, "touch -d 1960-01-01 old", "old")
    name = f"workitems/{job}/job-1/old/wd/old"
    found = client.get_node_file_properties(pool, node, name)
    assert found.last_modified == dt.datetime(1960, 1, 1, tzinfo=dt.UTC)
    since = dt.datetime(1950, 1, 1, tzinfo=dt.UTC)
    assert text(client, pool, node, name, if_modified_since=since) == ""


def test_a_node_that_nobody_reaches_shows_no_files(client: Any, instance: Instance) -> None:
    """Nor does a task that has run there; when it is there again, both do."""
    with instances.pool(client) as pool, instances.job(client, pool) as job:
        run(client, job, "echo hello")
        (found,) = client.list_nodes(pool)
        path = f"/local/pools/{pool}/nodes/{found.id}"
        assert ask(instance, "POST", at(f"{path}/lose")).status == 202
        with refused("OperationInvalidForCurrentState", 409):
            list(client.list_node_files(pool, found.id))
        with refused("OperationInvalidForCurrentState", 409):
            client.delete_node_file(pool, found.id, "shared", recursive=True)
        with refused("TaskFilesUnavailable", 409):
            list(client.download_task_file(job, "t", "stdout.txt"))
        assert ask(instance, "POST", at(f"{path}/return")).status == 202
        assert b"".join(client.download_task_file(job, "t", "stdout.txt")) == b"hello\n"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("creating", "NodeBeingCreated"),
        ("starting", "NodeBeingStarted"),
        ("unusable", "NodeStateUnusable"),
        ("unknown", "OperationInvalidForCurrentState"),
        ("preempted", "OperationInvalidForCurrentState"),
    ],
)
def test_a_node_that_is_not_up_is_out_of_reach(state: str, code: str) -> None:
    """The refusal says why."""
    with pytest.raises(Refused, match=code):
        nodes.refuse_out_of_reach(a_node(1, state))


@pytest.mark.parametrize("state", [*nodes.UP, "leavingpool", "rebooting", "reimaging"])
def test_a_node_that_is_up_can_be_reached(state: str) -> None:
    """And one that goes down and runs a task still."""
    nodes.refuse_out_of_reach(a_node(1, state))


def test_a_node_shows_its_last_tasks(client: Any, pool: str, node: str) -> None:
    """The one that began or ended last is the first, and those that were deleted are not there."""
    with instances.job(client, pool) as job:
        for number in range(12):
            run(client, job, "true" if number % 2 else "false", f"t{number}")
        sleeping(client, job, "long")
        client.delete_task(job, "t10")
        found = client.get_node(pool, node)["recentTasks"]
        assert [task["taskId"] for task in found] == ["long", "t11", *(f"t{number}" for number in range(9, 2, -1))]
        assert [task["taskState"] for task in found[:2]] == ["running", "completed"]
        task = client.get_task(job, "t11")
        assert found[1] == {
            "taskUrl": task.url,
            "jobId": job,
            "taskId": "t11",
            "taskState": "completed",
            "executionInfo": task["executionInfo"],
        }
        (listed,) = client.list_nodes(pool, select=["id", "recentTasks"])
        assert listed["recentTasks"] == found
        client.terminate_task(job, "long")


def test_a_node_that_has_run_nothing_shows_no_tasks(client: Any) -> None:
    """Not even an empty list."""
    with instances.pool(client) as fresh:
        (found,) = client.list_nodes(fresh)
        assert "recentTasks" not in found.as_dict()
