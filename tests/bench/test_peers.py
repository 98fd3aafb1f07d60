"""What fastbatch is measured against does what it should: else its time would say nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench import corpora
from tests.local import instances
from tests.local.instances import Instance, new_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.corpora import Totals

PEERS = Path(corpora.__file__).with_name("peers")

MAKERS: dict[str, Callable[[Path], Totals]] = {
    "small": lambda folder: corpora.small(folder, files=1001, size=100),
    "large": lambda folder: corpora.large(folder / "text", 2_000_001),
    "even": lambda folder: corpora.even(folder / "in", files=2, size=1_100_000),
    "mix": lambda folder: corpora.mix(folder, files=5, large_size=100_000),
}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Have an instance of the local services."""
    with instances.lasting_as_long_as_we(tmp_path_factory.mktemp("instance")) as found:
        yield found


@pytest.fixture(scope="module")
def client(instance: Instance) -> Iterator[Any]:
    """Have a client of it."""
    with instance.client() as connected:
        yield connected


@pytest.fixture(scope="module")
def pool(client: Any) -> Iterator[str]:
    """Have a pool with one node of two slots."""
    with instances.pool(client) as name:
        yield name


@pytest.fixture(scope="module")
def run(instance: Instance) -> Callable[..., dict[str, Any]]:
    """Give a way to run a peer, which tells what it printed last."""
    accounts = {
        "AZURE_BATCH_ACCOUNT": instance.account,
        "AZURE_BATCH_ACCESS_KEY": instance.key,
        "AZURE_BATCH_ENDPOINT": instance.endpoint,
        "AZURE_STORAGE_CONNECTION_STRING": instance.connection_string,
    }

    def run_it(name: str, *arguments: str | Path) -> dict[str, Any]:
        command = [sys.executable, PEERS / f"{name}.py", *arguments]
        done = subprocess.run(command, env=os.environ | accounts, stdout=subprocess.PIPE, check=True)
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return said

    return run_it


def files_in(folder: Path) -> dict[str, bytes]:
    """Give what all files of a folder hold, by their paths in it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_corpus_holds_what_its_totals_say(tmp_path: Path, make: Callable[[Path], Totals]) -> None:
    """By the definition of a word, on what was written."""
    totals = make(tmp_path)

    contents = files_in(tmp_path).values()
    counts: Counter[str] = Counter()
    for content in contents:
        counts.update(corpora.reference(content))
    assert (totals.files, totals.bytes, totals.counts) == (len(contents), sum(map(len, contents)), counts)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_corpus_is_the_same_every_time(tmp_path: Path, make: Callable[[Path], Totals]) -> None:
    """So that its runs can be compared."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        make(tmp_path / name)

    assert files_in(tmp_path / "one") == files_in(tmp_path / "other")


def test_small_texts_are_all_different_and_lie_in_folders_of_a_thousand(tmp_path: Path) -> None:
    """Equal ones would be uploaded once, by who knows how to."""
    corpora.small(tmp_path, files=1001, size=100)

    found = files_in(tmp_path)
    assert len(set(found.values())) == 1001
    assert {len(content) for content in found.values()} == {100}
    assert Counter(name.partition("/")[0] for name in found) == {"part-0000": 1000, "part-0001": 1}


def test_the_tutorials_way_finds_the_totals(
    tmp_path: Path, run: Callable[..., dict[str, Any]], instance: Instance, client: Any, pool: str
) -> None:
    """It leaves nothing behind, and says how long each stage took."""
    totals = corpora.mix(tmp_path, files=3, large_size=100_000)

    said = run("tutorial_flow", tmp_path, "--pool", pool)

    assert {name: said[name] for name in totals.summary()} == totals.summary()
    assert set(said["stages"]) == {"create", "upload", "add tasks", "wait", "download", "delete"}
    assert sum(said["stages"].values()) <= said["seconds"]
    assert {job.state for job in client.list_jobs()} <= {"deleting"}
    with instance.blobs() as storage:
        assert not [found.name for found in storage.list_containers() if found.name.startswith("tutorial-")]


def test_the_tutorials_way_makes_a_pool_of_its_own(
    tmp_path: Path, run: Callable[..., dict[str, Any]], client: Any
) -> None:
    """And deletes it."""
    totals = corpora.small(tmp_path, files=2, size=100)

    said = run("tutorial_flow", tmp_path, "--nodes", "1", "--slots", "1")

    assert said["words"] == totals.counts.total()
    assert {pool.state for pool in client.list_pools() if pool.id.startswith("tutorial-")} <= {"deleting"}


@pytest.mark.parametrize("how", [["create_task"], ["create_tasks"], ["create_tasks", "--threads", "2"]], ids=" ".join)
def test_the_sdk_adds_a_task_for_each_input(
    tmp_path: Path, run: Callable[..., dict[str, Any]], client: Any, how: list[str]
) -> None:
    """By its id, with the input as a resource file."""
    inputs = {f"t{number}": f"http://127.0.0.1:10000/a/{number}?sig=x" for number in range(101)}
    path = tmp_path / "inputs.json"
    path.write_text(json.dumps(inputs))
    name, *options = how

    with instances.job(client, "nowhere") as job:
        said = run(name, job, path, *options)
        found = {task.id: task.resource_files[0].http_url for task in client.list_tasks(job)}

    assert said["tasks"] == 101
    assert found == inputs


@pytest.mark.parametrize("how", [["--at-once", "3"], ["--sync"]], ids=["at once", "one at a time"])
def test_the_sdk_uploads_each_file_as_a_blob(
    tmp_path: Path, run: Callable[..., dict[str, Any]], instance: Instance, how: list[str]
) -> None:
    """By its path in the folder."""
    corpora.small(tmp_path, files=10, size=4096)
    container = new_name("up")

    said = run("sdk_upload", tmp_path, "--container", container, *how)

    assert (said["files"], said["bytes"]) == (10, 10 * 4096)
    with instance.blobs() as storage:
        blobs = storage.get_container_client(container)
        held = {name: blobs.download_blob(name).readall() for name in blobs.list_blob_names()}
    assert held == files_in(tmp_path)


def test_the_tutorials_way_to_watch_sees_each_task_completed(
    run: Callable[..., dict[str, Any]], client: Any, pool: str
) -> None:
    """Not before it is, and at the cost of whole listings."""
    with instances.job(client, pool) as job:
        client.create_tasks(job, [{"id": f"t{number}", "commandLine": "/bin/true"} for number in range(3)])
        said = run("tutorial_watch", job, "--until", "3", "--seconds", "30")
        ends = {task.id: task.execution_info.end_time.timestamp() for task in client.list_tasks(job)}

    assert said["completed"] == 3
    assert said["noticed"].keys() == ends.keys()
    assert all(ends[name] <= seen for name, seen in said["noticed"].items())
    assert said["requests"] >= 1
    assert said["bytes"] > 1000


def test_the_tutorials_way_to_watch_ends_in_time(run: Callable[..., dict[str, Any]], client: Any) -> None:
    """Though a task is not completed."""
    with instances.job(client, "nowhere") as job:
        client.create_task(job, {"id": "a", "commandLine": "/bin/true"})
        said = run("tutorial_watch", job, "--until", "1", "--seconds", "0.5")

    assert (said["completed"], said["noticed"], said["requests"]) == (0, {}, 1)
