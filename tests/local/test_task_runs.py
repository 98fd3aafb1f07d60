"""What happens on the node: where a task runs, what it finds there, how it ends, and what is left of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import re
import shlex
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ResourceNotFoundError

from fastbatch.local import wire
from fastbatch.local.agent.folders import Node as Folders
from fastbatch.local.agent.node import Agent
from fastbatch.local.agent.running import Work
from fastbatch.local.agent.running import run as run_work
from fastbatch.local.errors import Refused
from fastbatch.local.operations import jobs, pools, tasks
from fastbatch.local.processes import Identity, alive, gone, identify
from fastbatch.local.records import Node
from fastbatch.local.states.outcomes import Outcome
from tests.local import instances
from tests.local.instances import eventually
from tests.local.play import JOB, POOL, TASK, Play, pool_body
from tests.local.storage import output, signed
from tests.local.tasks import a_task, completed, files_code, printed, process_of, run, sleeping

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from azure.storage.blob import ContainerClient

    from tests.local.instances import Instance

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SAY_ARGUMENTS = "python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))'"


@pytest.fixture
def job(client: Any, pool: str) -> Iterator[str]:
    """Have a job."""
    with instances.job(client, pool) as name:
        yield name


def working(instance: Instance, job: str, task_id: str = "t") -> Path:
    """Give the folder where a task runs or has run."""
    (found,) = instance.home.glob(f"nodes/*/workitems/{job}/job-1/{task_id}/wd")
    return found


def failure_of(task: Any) -> Any:
    """Give why a task failed."""
    assert task.execution_info.result == "failure"
    assert "sig=" not in json.dumps(task.as_dict()["executionInfo"])
    return task.execution_info.failure_info


def pids(client: Any, job: str, count: int, task_id: str = "t") -> list[Identity]:
    """Give the processes whose pids a task has printed, once there are so many."""
    text = eventually(lambda: printed(client, job, task_id), lambda text: text.count("\n") == count)
    found = [identify(int(line)) for line in text.split()]
    return [one for one in found if one]


def all_gone(processes: Sequence[Identity]) -> bool:
    """Wait until some processes are gone."""

    async def go() -> None:
        async with asyncio.timeout(20):
            for process in processes:
                await gone(process)

    asyncio.run(go())
    return not any(map(alive, processes))


# Where it runs, and what it sees.


def test_a_task_has_the_documented_folders(client: Any, instance: Instance, job: str) -> None:
    """It runs in its own working folder, beside what it prints."""
    task = run(client, job, "sh -c 'pwd; ls -A; ls -A ..; ls $AZ_BATCH_NODE_ROOT_DIR'")
    folder = working(instance, job)
    lines = printed(client, job).split("\n")

    assert lines[0] == str(folder)
    assert lines[1:-1] == [
        *("certs", "stderr.txt", "stdout.txt", "wd"),
        *("applications", "fsmounts", "shared", "startup", "volatile", "workitems"),
    ]
    assert task.node_info.task_root_directory == f"workitems/{job}/job-1/t"
    assert str(folder).endswith(f"{task.node_info.task_root_directory}/wd")


def test_a_task_has_the_documented_environment(client: Any, instance: Instance, pool: str, job: str) -> None:
    """That, and nothing of the environment in which the service or its tests run."""
    task = run(client, job, "env -0")
    found = dict(line.split("=", 1) for line in printed(client, job).split("\0") if line)
    at = str(working(instance, job).parent)
    root = at.removesuffix(f"/workitems/{job}/job-1/t")

    assert os.environ.keys() - found.keys()
    assert found == {
        "AZ_BATCH_ACCOUNT_NAME": instance.account,
        "AZ_BATCH_ACCOUNT_URL": f"{instance.endpoint}/",
        "AZ_BATCH_CERTIFICATES_DIR": f"{at}/certs",
        "AZ_BATCH_JOB_ID": job,
        "AZ_BATCH_NODE_ID": task.node_info.node_id,
        "AZ_BATCH_NODE_IS_DEDICATED": "true",
        "AZ_BATCH_NODE_MOUNTS_DIR": f"{root}/fsmounts",
        "AZ_BATCH_NODE_ROOT_DIR": root,
        "AZ_BATCH_NODE_SHARED_DIR": f"{root}/shared",
        "AZ_BATCH_NODE_STARTUP_DIR": f"{root}/startup",
        "AZ_BATCH_POOL_ID": pool,
        "AZ_BATCH_TASK_DIR": at,
        "AZ_BATCH_TASK_ID": "t",
        "AZ_BATCH_TASK_RESERVED_EPHEMERAL_DISK_SPACE_BYTES": "1073741824",
        "AZ_BATCH_TASK_USER": "_azbatch",
        "AZ_BATCH_TASK_USER_IDENTITY": "PoolNonAdmin",
        "AZ_BATCH_TASK_WORKING_DIR": f"{at}/wd",
        "HOME": f"{at}/wd",
        "PATH": f"{os.path.dirname(sys.executable)}:{SYSTEM_PATH}:{root}/shared:{at}/wd",
        "PWD": f"{at}/wd",
        "USER": "_azbatch",
    }


def test_the_python_of_the_service_is_found_first(client: Any, job: str) -> None:
    """So that tasks need nothing that is not there anyway."""
    run(client, job, "python3 -c 'import sys; print(sys.executable)'")

    assert os.path.dirname(printed(client, job).strip()) == os.path.dirname(sys.executable)


def test_the_settings_of_the_task_go_before_those_of_its_job(client: Any, pool: str) -> None:
    """And those of the job before the service's own; of two for one name the last counts."""
    common = [{"name": "A", "value": "job"}, {"name": "B", "value": "job"}, {"name": "USER", "value": "me"}]
    own = [{"name": "B", "value": "first"}, {"name": "B", "value": "ä = 'task' $A\n"}, {"name": "EMPTY"}]
    with instances.job(client, pool, commonEnvironmentSettings=common) as job:
        run(client, job, "sh -c 'echo \"$A|$B|$USER|${EMPTY-unset}\"'", environmentSettings=own)
        assert printed(client, job) == "job|ä = 'task' $A\n|me|\n"


def test_an_administrator_is_named_as_one(client: Any, job: str) -> None:
    """What was asked for is told, though it makes no difference here."""
    identity = {"autoUser": {"elevationLevel": "admin"}}
    run(client, job, "sh -c 'echo $AZ_BATCH_TASK_USER_IDENTITY'", userIdentity=identity)

    assert printed(client, job) == "PoolAdmin\n"


def test_there_is_no_shell(client: Any, job: str) -> None:
    """What a shell would do something with is passed on as it is."""
    run(client, job, "echo $HOME ~ * | cat && false ; x > y `id` # z")

    assert printed(client, job) == "$HOME ~ * | cat && false ; x > y `id` # z\n"


def test_arguments_arrive_as_they_were_quoted(client: Any, job: str) -> None:
    """Spaces, quotes, line ends and letters of all alphabets; none at all is an argument too."""
    odd = ["", " ", "a b", "it's", '"', "\\", "\\n", "a\nb", "\t", "$X", "*", "-", "ä\N{SNOWMAN}\N{PILE OF POO}", "%20"]
    run(client, job, f"{SAY_ARGUMENTS} {shlex.join(odd)}")
    assert json.loads(printed(client, job)) == odd

    run(client, job, SAY_ARGUMENTS + """ a"b c"'d e'f\\ g "\\"h\\"" """, "u")
    assert json.loads(printed(client, job, "u")) == ["ab cd ef g", '"h"']


def test_what_is_printed_goes_to_two_files(client: Any, job: str) -> None:
    """And there is nothing to read."""
    run(client, job, "sh -c 'echo out; echo err >&2; cat; echo end'")

    assert printed(client, job) == "out\nend\n"
    assert printed(client, job, name="stderr.txt") == "err\n"


# How it ends.


@pytest.mark.parametrize(
    ("command", "code"),
    [("true", 0), ("false", 1), ("sh -c 'exit 255'", 255), ("sh -c 'kill -15 $$'", -15), ("sh -c 'kill -9 $$'", -9)],
)
def test_the_exit_code_is_told(client: Any, job: str, command: str, code: int) -> None:
    """One that a signal has ended has the signal's number, negative."""
    info = run(client, job, command).execution_info

    assert (info.exit_code, info.result) == (code, "failure" if code else "success")
    if code:
        assert (info.failure_info.code, info.failure_info.category) == ("FailureExitCode", "UserError")
        assert info.failure_info.message == "The task process exited with an unexpected exit code"
    else:
        assert info.failure_info is None


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("there-is-no-such-program x", "CommandProgramNotFound"),
        ("./nor-here", "CommandProgramNotFound"),
        ("''", "CommandProgramNotFound"),
        ("   ", "CommandProgramNotFound"),
        ("/", "CommandLaunchFailed"),
        ("./input", "CommandLaunchFailed"),
        ("echo 'x", "CommandLaunchFailed"),
    ],
)
def test_a_command_that_can_not_be_started_has_no_exit_code(
    client: Any, job: str, container: ContainerClient, command: str, code: str
) -> None:
    """It fails for a reason of its own, and is not tried again."""
    container.upload_blob("input", "no program")
    resource = {"httpUrl": signed(container, name="/input"), "filePath": "input", "fileMode": "0644"}
    task = run(client, job, command, resourceFiles=[resource], constraints={"maxTaskRetryCount": 3})

    assert (failure_of(task).code, failure_of(task).category) == (code, "UserError")
    assert (task.execution_info.exit_code, task.execution_info.retry_count) == (None, 0)


def test_a_failing_task_is_retried_as_often_as_it_may_be(client: Any, job: str) -> None:
    """With two retries there are three runs, each in fresh folders."""
    command = "sh -c 'ls -A; touch left; echo x >> $AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID; exit 4'"
    task = run(client, job, command, constraints={"maxTaskRetryCount": 2})
    info = task.execution_info

    assert (info.retry_count, info.exit_code, failure_of(task).code) == (2, 4, "FailureExitCode")
    assert info.last_retry_time <= info.start_time
    assert printed(client, job) == ""
    run(client, job, "sh -c 'wc -l < $AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID'", "count")
    assert printed(client, job, "count") == "3\n"


def test_the_job_says_how_often_its_tasks_are_retried(client: Any, pool: str) -> None:
    """If a task does not say it itself; success ends it."""
    command = "sh -c 'echo x >> $AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID; [ $(wc -l < $0) = 3 ]'"
    with instances.job(client, pool, constraints={"maxTaskRetryCount": 5}) as job:
        task = run(client, job, command.replace("$0", "$AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID"))
        assert task.constraints.max_task_retry_count == 5
        assert (task.execution_info.retry_count, task.execution_info.result) == (2, "success")
        assert run(client, job, "false", "u", constraints={"maxTaskRetryCount": 0}).execution_info.retry_count == 0


def test_a_task_has_no_more_than_its_time(client: Any, job: str) -> None:
    """When that is over, it is ended with all its processes, and not retried."""
    command = "sh -c 'echo $$; sleep 100 & echo $!; setsid sleep 100 & echo $!; wait'"
    limits = {"maxWallClockTime": "PT0.4S", "maxTaskRetryCount": 3}
    client.create_task(job, a_task(command=command, constraints=limits))
    processes = pids(client, job, 3)
    task = completed(client, job)

    assert not any(map(alive, processes))
    assert failure_of(task).code == "TaskEnded"
    assert failure_of(task).details[0].value == "The maximum execution time configured on the task was exceeded"
    assert task.execution_info.retry_count == 0
    took = task.execution_info.end_time - task.execution_info.start_time
    assert took >= dt.timedelta(seconds=0.4)


def test_files_go_when_their_time_is_over(client: Any, instance: Instance, job: str) -> None:
    """Then this is what is said of them, and they no longer take room; those of others stay."""
    run(client, job, "echo x", "stays")
    run(client, job, "echo x", constraints={"retentionTime": "PT0.05S"})
    eventually(lambda: files_code(client, job), lambda code: code == "TaskFilesCleanedup")

    left = instance.home.glob(f"nodes/*/workitems/{job}/job-1/*")
    eventually(lambda: [path.name for path in left], lambda names: "t" not in names)
    assert printed(client, job, "stays") == "x\n"


def test_files_of_a_task_that_runs_again_do_not_go(client: Any, job: str) -> None:
    """The time of the run before is no longer of interest, be it nearly over or just so."""
    command = "sh -c 'touch there; sleep 0.02; [ -e there ] && exit 1'"
    names = [f"t{n}" for n in range(8)]
    for name in names:
        client.create_task(job, a_task(name, command, constraints={"retentionTime": "PT0S"}))
    for name in names * 2:
        assert completed(client, job, name).execution_info.exit_code == 1
        client.reactivate_task(job, name)
    assert {completed(client, job, name).execution_info.exit_code for name in names} == {1}


def test_no_process_of_a_task_is_left(client: Any, job: str) -> None:
    """Neither its children, nor those that have made a session of their own, nor those without an environment."""
    children = ["sleep 100", "setsid sleep 100", "setsid env -i sleep 100", "env --chdir / setsid sleep 100"]
    script = "".join(f"{child} & echo $!; " for child in children)
    client.create_task(job, a_task(command=f"sh -c '{script} exit 5'"))
    task = completed(client, job)
    text = printed(client, job).split()

    assert (task.execution_info.exit_code, len(text)) == (5, 4)
    assert not [pid for pid in text if identify(int(pid))]


def test_who_names_another_folder_as_its_own_is_ended_too(client: Any, job: str) -> None:
    """The variables that processes are known by can't be set."""
    told = {"AZ_BATCH_TASK_DIR": "/x", "AZ_BATCH_NODE_ROOT_DIR": "/x", "AZ_BATCH_TASK_WORKING_DIR": "/x"}
    settings = [{"name": name, "value": value} for name, value in told.items()]
    hide = 'setsid sh -c "echo \\$\\$; touch $mark; exec sleep 100"'
    script = f"cd /; mark=$AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID; {hide} & until [ -e $mark ]; do sleep 0.01; done"
    command = shlex.join(["sh", "-c", script])
    assert run(client, job, command, environmentSettings=settings).execution_info.exit_code == 0

    assert identify(int(printed(client, job))) is None


def test_a_large_output_is_kept_whole(client: Any, job: str) -> None:
    """Fifty megabytes, to the last byte."""
    size = 50_000_000
    task = run(client, job, f"sh -c 'head -c {size} /dev/zero; echo end'")
    assert task.execution_info.exit_code == 0

    assert client.get_task_file_properties(job, "t", "stdout.txt").content_length == size + 4
    read, last = 0, b""
    for chunk in client.download_task_file(job, "t", "stdout.txt"):
        read, last = read + len(chunk), (last + chunk)[-5:]
    assert (read, last) == (size + 4, b"\0end\n")


# Files that come.


def test_resource_files_are_there_before_the_task_is(client: Any, job: str, container: ContainerClient) -> None:
    """Under the names they are to have, with the modes they are to have."""
    container.upload_blob("a b/ü.txt", "one")
    container.upload_blob("run", "#!/bin/sh\necho ran")
    files = [
        {"httpUrl": signed(container, name="/a%20b/%C3%BC.txt"), "filePath": "deep/er/it's ü.txt"},
        {"httpUrl": signed(container, name="/run"), "filePath": "run", "fileMode": "0750"},
    ]
    run(client, job, "sh -c './run; cat deep/er/*; echo; stat -c \"%a %n\" deep/er/* run'", resourceFiles=files)

    assert printed(client, job) == "ran\none\n770 deep/er/it's ü.txt\n750 run\n"


def test_a_container_comes_with_the_names_of_its_blobs(client: Any, job: str, container: ContainerClient) -> None:
    """Those that begin with the prefix, which stays part of their names; a file path is a folder for them."""
    for name in ("in/a", "in/b c/d", "inner", "other"):
        container.upload_blob(name, name)
    files = [
        {"storageContainerUrl": signed(container), "blobPrefix": "in/"},
        {"storageContainerUrl": signed(container), "blobPrefix": "o", "filePath": "to/here", "fileMode": "0600"},
    ]
    run(client, job, "sh -c 'find . -type f -printf \"%p %m\\n\" | sort'", resourceFiles=files)

    assert printed(client, job) == "./in/a 770\n./in/b c/d 770\n./to/here/other 600\n"


@pytest.mark.parametrize(
    "case",
    [
        ("/missing", 10, "x", "BlobNotFound"),
        ("/there", -10, "x", "BlobAccessDenied"),
        ("/there", 10, "../x", "ResourceFileCreateFailed"),
        ("/there", 10, "a/../../x", "ResourceFileCreateFailed"),
        ("/there", 10, "/x", "ResourceFileCreateFailed"),
    ],
)
def test_without_its_files_a_task_does_not_run(
    client: Any, job: str, container: ContainerClient, case: tuple[str, int, str, str]
) -> None:
    """It fails before its process, tells which file, and is not retried."""
    blob, minutes, path, code = case
    container.upload_blob("there", "x")
    files = [{"httpUrl": signed(container, minutes=minutes, name=blob), "filePath": path}]
    task = run(client, job, "echo ran", resourceFiles=files, constraints={"maxTaskRetryCount": 3})
    failure = failure_of(task)

    assert (failure.code, failure.category) == (code, "UserError")
    assert {(one.name, one.value) for one in failure.details} == {
        ("BlobSource", f"{container.url}{blob}"),
        ("FilePath", path),
    }
    assert (task.execution_info.exit_code, task.execution_info.retry_count) == (None, 0)
    assert task.execution_info.start_time
    assert printed(client, job) == ""


def test_a_container_that_is_not_there_is_a_failure(client: Any, job: str, container: ContainerClient) -> None:
    """And so is one that may not be listed."""
    missing = re.sub(r"/c-\w+", "/missing", signed(container))
    unlisted = signed(container, "r")
    for task_id, url, codes in (
        ("a", missing, {"BlobNotFound", "BlobAccessDenied"}),
        ("b", unlisted, {"BlobAccessDenied"}),
    ):
        task = run(client, job, "true", task_id, resourceFiles=[{"storageContainerUrl": url}])
        assert failure_of(task).code in codes


# Files that go.


@pytest.mark.parametrize(("code", "wanted"), [(0, {"success", "completion"}), (3, {"failure", "completion"})])
def test_output_files_go_where_their_condition_says(
    client: Any, job: str, container: ContainerClient, code: int, wanted: set[str]
) -> None:
    """On success, on failure, or both; the exit code is the task's own."""
    url = signed(container)
    outputs = [output(url, "out", f"task{when}", when) for when in ("success", "failure", "completion")]
    task = run(client, job, f"sh -c 'echo x > out; exit {code}'", outputFiles=outputs)

    assert task.execution_info.exit_code == code
    assert set(container.list_blob_names()) == wanted


def test_output_files_are_found_by_patterns(client: Any, job: str, container: ContainerClient) -> None:
    """In the working folder and above it; a pattern may mean many files, or none."""
    url = signed(container)
    outputs = [
        output(url, "**/*.txt", path="all"),
        output(url, "../std*.txt", path="logs"),
        output(url, "a.txt"),
        output(url, "$AZ_BATCH_TASK_ID.bin", path="renamed"),
        output(url, "none*"),
    ]
    command = "sh -c 'mkdir -p d/e; echo 1 > a.txt; echo 2 > \"d/e/b ü.txt\"; echo 3 > t.bin; echo 4; echo 5 >&2'"
    assert run(client, job, command, outputFiles=outputs).execution_info.result == "success"

    found = {name: container.download_blob(name).readall() for name in container.list_blob_names()}
    assert found == {
        "all/a.txt": b"1\n",
        "all/d/e/b ü.txt": b"2\n",
        "logs/stdout.txt": b"4\n",
        "logs/stderr.txt": b"5\n",
        "a.txt": b"1\n",
        "renamed": b"3\n",
    }


def test_an_output_file_overwrites_what_was_there(client: Any, job: str, container: ContainerClient) -> None:
    """The last one to come stays; each attempt of a task brings its own."""
    container.upload_blob("same", "much longer than what comes")
    command = "sh -c 'f=$AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID; echo x >> $f; cp $f out; [ $(wc -l < $f) = 2 ]'"
    outputs = [output(signed(container), "out", path="same")]
    run(client, job, command, outputFiles=outputs, constraints={"maxTaskRetryCount": 1})

    assert container.download_blob("same").readall() == b"x\nx\n"


@pytest.mark.parametrize(
    ("permission", "code"), [("rw", "FileUploadContainerNotFound"), ("r", "FileUploadAccessDenied")]
)
def test_an_output_file_that_can_not_be_stored_fails_the_task(
    client: Any, job: str, container: ContainerClient, permission: str, code: str
) -> None:
    """Though its process did well, which its exit code tells; it is not retried."""
    url = signed(container, permission)
    if permission == "rw":
        container.delete_container()
    limits = {"maxTaskRetryCount": 3}
    task = run(client, job, "sh -c 'echo x > out'", outputFiles=[output(url, "out")], constraints=limits)

    assert (failure_of(task).code, task.execution_info.exit_code) == (code, 0)
    assert task.execution_info.retry_count == 0
    assert code in printed(client, job, name="fileuploaderr.txt")
    counts = client.get_job_task_counts(job).task_counts
    assert (counts.succeeded, counts.failed) == (0, 1)


# Several tasks, several nodes.


def test_a_node_runs_what_its_slots_allow(client: Any, pool: str, job: str) -> None:
    """Never more at once than it has slots for, and in the end everything."""
    slots = {f"t{n}": needed for n, needed in enumerate([2, 1, 1, 2, 1, 2])}
    tasks = [a_task(task_id, "sleep 0.05", requiredSlots=needed) for task_id, needed in slots.items()]
    client.create_task_collection(job, {"value": tasks})
    done = [completed(client, job, task_id) for task_id in slots]

    most = client.get_pool(pool).task_slots_per_node
    for task in done:
        at = task.execution_info.start_time
        taken = [
            slots[other.id] for other in done if other.execution_info.start_time <= at < other.execution_info.end_time
        ]
        assert sum(taken) <= most


def test_a_task_that_needs_more_slots_than_any_node_has_waits(client: Any, job: str) -> None:
    """It keeps nobody else from running."""
    client.create_task(job, a_task("large", requiredSlots=3))
    run(client, job, "true", "small")

    assert client.get_task(job, "large").state == "active"


def test_tasks_of_one_job_run_in_the_order_they_were_added(client: Any, job: str) -> None:
    """On one node, with all its slots for each."""
    names = [f"t{n}" for n in range(6)]
    client.create_task_collection(job, {"value": [a_task(name, requiredSlots=2) for name in names]})
    infos = [completed(client, job, name).execution_info for name in names]

    assert all(before.end_time < after.start_time for before, after in pairwise(infos))


def test_tasks_go_to_the_nodes_they_ask_for_and_move_when_those_leave(client: Any) -> None:
    """A node that is full, or not there, is no reason to wait; a task of a node that goes runs again elsewhere."""
    with instances.pool(client, nodes=2, slots=1) as pool, instances.job(client, pool) as job:
        nodes = {node.id: node.affinity_id for node in client.list_nodes(pool)}
        for number, (node, affinity) in enumerate(reversed(nodes.items())):
            task = run(client, job, "true", f"t{number}", affinityInfo={"affinityId": affinity})
            assert task.node_info.node_id == node
            assert task.node_info.affinity_id == affinity
        run(client, job, "true", "nowhere", affinityInfo={"affinityId": "TVM:nowhere"})

        first, second = nodes
        process = sleeping(client, job, "moves", affinityInfo={"affinityId": nodes[first]})
        assert run(client, job, "true", "full", affinityInfo={"affinityId": nodes[first]}).node_info.node_id == second

        client.begin_remove_nodes(pool, {"nodeList": [first]}, polling_interval=3600)
        assert all_gone([process])
        task = eventually(
            lambda: client.get_task(job, "moves"), lambda task: task.execution_info.requeue_count and task.node_info
        )
        assert (task.state, task.node_info.node_id, task.execution_info.requeue_count) == ("running", second, 1)
        assert task.execution_info.last_requeue_time <= task.execution_info.start_time
        assert task.execution_info.retry_count == 0
        assert alive(process_of(client, job, "moves"))
        eventually(lambda: [node.id for node in client.list_nodes(pool)], lambda left: left == [second])
        files = {files_code(client, job, name) for name in ("t0", "t1")}
        assert files == {"", "TaskFilesUnavailable"}


def test_a_start_task_that_goes_on_does_not_keep_its_node_busy(client: Any) -> None:
    """A node runs as long as it runs tasks of jobs, and is idle afterwards."""
    start = {"commandLine": "sleep 100", "waitForSuccess": False}
    with instances.pool(client, startTask=start) as pool, instances.job(client, pool) as job:
        run(client, job, "true")
        (node,) = client.list_nodes(pool)
        assert (node.state, node.running_tasks_count, node.total_tasks_run) == ("idle", 0, 1)
        assert node.start_task_info.state == "running"


def test_a_task_can_not_lead_another_astray(client: Any, pool: str, job: str, tmp_path: Path) -> None:
    """Where one has put a link in the place of the other's folder, that one fails, and nothing behind the link goes."""
    (tmp_path / "job-1/t").mkdir(parents=True)
    with instances.job(client, pool) as other:
        link = f"ln -s {shlex.quote(str(tmp_path))} $AZ_BATCH_NODE_ROOT_DIR/workitems/{other}"
        assert run(client, job, shlex.join(["sh", "-c", link])).execution_info.exit_code == 0
        assert failure_of(run(client, other, "true")).code == "ResourceDirectoryCreateFailed"
        assert files_code(client, other) == "TaskFilesUnavailable"
        client.delete_task(other, "t")
        run(client, other, "true", "u")
    with pytest.raises(ResourceNotFoundError):
        eventually(lambda: client.get_job(other), lambda _: False)

    assert (tmp_path / "job-1/t").exists()


# Interruptions.


class Slow(BaseHTTPRequestHandler):
    """Begins to answer, and goes on only when it is told to, or when nobody listens any more."""

    def do_GET(self) -> None:
        """Answer with the first half of a file, and the second one when it may."""
        self.send_response(200)
        self.send_header("Content-Length", "2000")
        self.end_headers()
        self.wfile.write(b"x" * 1000)
        server: Any = self.server
        server.asked.release()
        server.go_on.wait(20)
        self.wfile.write(b"x" * 1000)

    def do_PUT(self) -> None:
        """Answer nothing until it may."""
        server: Any = self.server
        server.asked.release()
        server.go_on.wait(20)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def slow_server() -> Iterator[Any]:
    """Have a server that keeps its clients waiting."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.handle_error = lambda *_: None  # clients leave
    server.asked, server.go_on = threading.Semaphore(0), threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


def slowly(server: Any) -> list[dict[str, str]]:
    """Give a resource file from a slow server."""
    return [{"httpUrl": f"http://127.0.0.1:{server.server_port}/x", "filePath": "x"}]


def test_a_task_can_be_ended_while_its_files_come(client: Any, instance: Instance, job: str) -> None:
    """It is completed at once, its process never starts, and nothing half is left; another can run in its place."""
    with slow_server() as server:
        client.create_task(job, a_task(command="echo ran", resourceFiles=slowly(server), requiredSlots=2))
        assert server.asked.acquire(timeout=20)
        task = client.get_task(job, "t")
        assert (task.state, task.execution_info.exit_code) == ("running", None)
        client.terminate_task(job, "t")
        assert failure_of(client.get_task(job, "t")).code == "TaskEnded"
        run(client, job, "true", "next", requiredSlots=2)

        assert list(working(instance, job).iterdir()) == []
        assert printed(client, job) == ""


def test_the_time_of_a_task_counts_from_the_first_file_on(client: Any, job: str) -> None:
    """A server that does not answer in time costs the task its life."""
    with slow_server() as server:
        limits = {"maxWallClockTime": "PT0.2S"}
        task = run(client, job, "echo ran", resourceFiles=slowly(server), constraints=limits)
        assert failure_of(task).code == "TaskEnded"
        assert task.execution_info.exit_code is None
        assert printed(client, job) == ""


def test_a_task_can_be_deleted_while_its_files_come(client: Any, instance: Instance, job: str) -> None:
    """And added again at once."""
    with slow_server() as server:
        for _ in range(3):
            client.create_task(job, a_task(resourceFiles=slowly(server)))
            assert server.asked.acquire(timeout=20)
            client.delete_task(job, "t")
            assert list(instance.home.glob(f"nodes/*/workitems/{job}/job-1/t*")) == []
        assert run(client, job, "true").execution_info.exit_code == 0


def test_a_task_can_be_ended_while_its_files_go(client: Any, job: str) -> None:
    """Its process was done, but the task was not; another can run in its place, and so can this one."""
    with slow_server() as server:
        outputs = [output(f"http://127.0.0.1:{server.server_port}/c", "../stdout.txt")]
        client.create_task(job, a_task(command="echo ran", outputFiles=outputs, requiredSlots=2))
        assert server.asked.acquire(timeout=20)
        assert client.get_task(job, "t").state == "running"
        client.terminate_task(job, "t")
        assert failure_of(client.get_task(job, "t")).code == "TaskEnded"
        run(client, job, "true", "next", requiredSlots=2)
        client.reactivate_task(job, "t")
        assert server.asked.acquire(timeout=20)
        client.delete_task(job, "t")


def test_a_task_that_is_ended_and_runs_again_never_runs_twice(client: Any, job: str) -> None:
    """The second run begins when all of the first one is gone, however quickly it is asked for."""
    lock = "$AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID"
    command = f"flock --nonblock {lock} sh -c 'echo $$; sleep 100 & sleep 100 & sleep 100' || echo twice; exit 9"
    client.create_task(job, a_task(command=shlex.join(["sh", "-c", command])))
    for _ in range(6):
        eventually(lambda: printed(client, job), lambda text: text.endswith("\n"))
        client.terminate_task(job, "t")
        client.reactivate_task(job, "t")
        assert client.get_task(job, "t").state in {"active", "running"}
    process = process_of(client, job)
    assert "twice" not in printed(client, job)
    client.delete_task(job, "t")

    assert not alive(process)


def test_a_disabled_job_takes_its_tasks_back(client: Any, job: str) -> None:
    """They wait, with nothing left of their runs, and run again when the job does."""
    process = sleeping(client, job)
    client.begin_disable_job(job, {"disableTasks": "requeue"}, polling_interval=3600)
    eventually(lambda: client.get_job(job).state, lambda state: state == "disabled")
    task = client.get_task(job, "t")
    assert (task.state, task.execution_info.requeue_count, alive(process)) == ("active", 1, False)
    assert task.execution_info.start_time is None
    assert task.node_info is None

    client.begin_enable_job(job, polling_interval=3600)
    assert process_of(client, job) != process


# The same, with time and processes in the hands of the test.


@pytest.fixture
def play() -> Iterator[Play]:
    """Have a service with a node of two slots, and a job."""
    service = Play(Path(":memory:"))
    service.ask(pools.create, POOL, pool_body("pool", 1, 2, "Spread"))
    service.ask(jobs.create, JOB, {"id": "job", "poolInfo": {"poolId": "pool"}})
    yield service
    service.close()


def played(play: Play, task_id: str) -> Any:
    """Give a task's run."""
    (found,) = (each for each in play.agent.playing if each.assigned.task.id == task_id)
    return found


def test_files_that_were_due_to_go_stay_when_their_task_runs_again(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though many are due at once, when the service is started again, and those of others take long to remove."""
    removed, go_on = [], play.loop.create_future()

    async def remove(_node: object, _job: str, task_id: str) -> None:
        removed.append(task_id)
        await go_on

    monkeypatch.setattr(play.agent, "remove_task", remove)
    for task_id in ("a", "b", "c"):
        play.ask(tasks.create, TASK, a_task(task_id, constraints={"retentionTime": "PT1M"}), job="job")
        played(play, task_id).outcome.set_result(Outcome(1))
        play.settle()
    play.restart(after=10 * 60 * wire.SECOND)
    began = list(removed)
    play.ask(tasks.reactivate, job="job", task="b")
    assert played(play, "b")
    go_on.set_result(None)
    play.settle()

    assert began == ["a"]
    assert removed == ["a", "c"]


def test_a_task_that_is_reactivated_while_it_is_being_deleted_is_deleted_all_the_same(play: Play) -> None:
    """It is to run again when its processes are gone; that never comes to pass."""
    play.ask(tasks.create, TASK, a_task(), job="job")
    first = played(play, "t")
    play.ask(tasks.delete, job="job", task="t")
    play.ask(tasks.reactivate, job="job", task="t")
    assert first.stopped
    first.gone.set_result(None)
    play.settle()

    assert play.agent.playing == []
    with pytest.raises(Refused, match="TaskNotFound"):
        play.ask(tasks.get, job="job", task="t")


def test_a_task_that_is_deleted_twice_and_added_again_stays(play: Play) -> None:
    """The second deletion is of the task that was there, not of the one that has its id now."""
    play.ask(tasks.create, TASK, a_task(), job="job")
    first = played(play, "t")
    for _ in range(2):
        play.ask(tasks.delete, job="job", task="t")
    first.gone.set_result(None)
    play.settle()
    play.ask(tasks.create, TASK, a_task(), job="job")

    assert not played(play, "t").stopped
    assert play.ask(tasks.get, job="job", task="t")


def test_a_task_can_run_again_while_its_old_files_are_being_removed(tmp_path: Path) -> None:
    """They are out of its way from the first moment on."""
    unused: Any = None
    agent = Agent(str(tmp_path), "account", "http://url/", unused, unused)
    node = Node(key=1, pool=1, id="n", dedicated=True, allocated=0, state="idle", state_time=0)
    folder = agent.place(node).task("job", "t")
    folder.create()
    for n in range(200):
        (Path(folder.working) / str(n)).touch()

    async def go() -> None:
        removal = asyncio.create_task(agent.remove_task(node, "job", "t"))
        await asyncio.sleep(0)
        folder.create()
        assert os.listdir(folder.working) == []
        await removal

    asyncio.run(go())
    assert os.listdir(os.path.dirname(folder.path)) == ["t"]
    assert os.listdir(folder.working) == []


def test_a_run_that_is_stopped_again_and_again_leaves_nothing_going_on(tmp_path: Path) -> None:
    """As when a user ends a task whose time is just over: what it is doing about its files it does to the end."""
    unused: Any = None
    node = Folders(str(tmp_path))
    folder = node.task("job", "t")
    folder.create()
    for n in range(300):
        (Path(folder.working) / str(n)).touch()
    work = Work(
        node=node,
        folder=folder,
        command_line="true",
        environment={},
        resource_files=(),
        output_files=(),
        deadline=None,
        daemons_stay=False,
        note_process=unused,
    )

    def left() -> list[str]:
        return os.listdir(os.path.dirname(folder.path))

    async def go() -> None:
        running = asyncio.create_task(run_work(work, unused, unused))
        await asyncio.sleep(0)
        while not running.done():
            running.cancel()
            await asyncio.sleep(0)
        assert running.cancelled()
        assert left() == []

    asyncio.run(go())
