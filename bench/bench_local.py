"""The local Batch service: what adding, listing and running tasks costs, with clients as they are used."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.rest import HttpRequest
from azure.storage.blob import BlobSasPermissions, ContainerSasPermissions, generate_blob_sas, generate_container_sas

from fastbatch.local.instance.home import Home
from tests.local import instances
from tests.local.instances import Instance, new_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .accounts import Hosted
    from .scale import Scale

pytestmark = pytest.mark.local

SLOTS = 2
COLLECTION = 100
AT_ONCE = 4
POLL_SECONDS = 0.1
VERSION = "2025-06-01"
HOUR = dt.timedelta(hours=1)
SIGNATURE = "?sv=2025-01-05&se=2026-11-22T00%3A00%3A00Z&sr=b&sp=r&sig=" + 44 * "x"


@pytest.fixture(scope="module")
def instance(hosted: Hosted) -> Iterator[Instance]:
    """Have an instance of the local services."""
    with hosted() as found:
        yield found.instance


@pytest.fixture(scope="module")
def client(instance: Instance) -> Iterator[Any]:
    """Have a client."""
    with instance.client() as connected:
        yield connected


@pytest.fixture(scope="module")
def pool(client: Any) -> Iterator[str]:
    """Have a pool with one node."""
    with instances.pool(client, nodes=1, slots=SLOTS) as name:
        yield name


@pytest.fixture
def job(client: Any) -> Iterator[str]:
    """Have a job whose pool is not there: its tasks wait."""
    with instances.job(client, "nowhere") as name:
        yield name


@pytest.fixture
def rate(benchmark: Any, scale: Scale, figure: Callable[..., None]) -> Callable[..., None]:
    """Give a way to measure how many tasks a second something does."""

    def measure(
        what: str, do: Callable[[], object], count: int, *, setup: Callable[[], None] | None = None, rounds: int = 5
    ) -> None:
        seconds: list[float] = []

        def timed() -> None:
            begin = time.perf_counter()
            do()
            seconds.append(time.perf_counter() - begin)

        benchmark.pedantic(timed, setup=setup, rounds=min(rounds, scale.rounds))
        figure(what, [count / one for one in seconds], "tasks/s")

    return measure


def bundle_task(number: int) -> dict[str, Any]:
    """Give a task as a submitter makes it: two blobs in, a result or what went wrong out, each with a signature."""
    blob = f"http://127.0.0.1:10000/account/fastbatch-input/{64 * 'a'}{SIGNATURE}"
    container = {"containerUrl": f"http://127.0.0.1:10000/account/fastbatch-out{SIGNATURE}", "path": f"b{number}"}
    return {
        "id": f"b{number:06}",
        "commandLine": "python3 node.pyz count bundle --tar --output result",
        "resourceFiles": [{"httpUrl": blob, "filePath": "bundle"}, {"httpUrl": blob, "filePath": "node.pyz"}],
        "outputFiles": [
            {
                "filePattern": pattern,
                "destination": {"container": container},
                "uploadOptions": {"uploadCondition": condition},
            }
            for pattern, condition in (("result", "tasksuccess"), ("../std*.txt", "taskfailure"))
        ],
        "constraints": {"maxWallClockTime": "PT1H", "retentionTime": "PT1H"},
    }


def send(client: Any, method: str, path: str, query: dict[str, str], content: bytes | None = None) -> Any:
    """Send a request and give the answer, with no models of the SDK between."""
    headers = {"Content-Type": "application/json; odata=minimalmetadata"} if content else {}
    request = HttpRequest(method, path, params={"api-version": VERSION, **query}, headers=headers, content=content)
    return client.send_request(request)


def add(client: Any, job: str, tasks: list[dict[str, Any]]) -> None:
    """Add tasks in collections, with a few requests under way at once."""

    def add_some(first: int) -> None:
        body = json.dumps({"value": tasks[first : first + COLLECTION]}).encode()
        added = send(client, "POST", f"/jobs/{job}/addtaskcollection", {}, body).json()
        assert all(item["status"] == "success" for item in added["value"])

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(add_some, range(0, len(tasks), COLLECTION)))


def listed(client: Any, job: str) -> int:
    """List a job's tasks with id and state, and count them."""
    page = send(client, "GET", f"/jobs/{job}/tasks", {"$select": "id,state"}).json()
    found = len(page["value"])
    while "odata.nextLink" in page:
        page = client.send_request(HttpRequest("GET", page["odata.nextLink"])).json()
        found += len(page["value"])
    return found


def bench_add_tasks(rate: Callable[..., None], client: Any, scale: Scale) -> None:
    """In collections of a hundred, as bytes, with a few requests under way."""
    tasks = [bundle_task(number) for number in range(scale.some(10_000))]
    jobs: list[str] = []

    def new_job() -> None:
        jobs.append(new_name("job"))
        client.create_job({"id": jobs[-1], "poolInfo": {"poolId": "nowhere"}})

    rate("tasks added, in collections of 100", lambda: add(client, jobs[-1], tasks), len(tasks), setup=new_job)
    for name in jobs:
        client.begin_delete_job(name, polling_interval=3600)


def bench_list_tasks(rate: Callable[..., None], client: Any, scale: Scale, job: str) -> None:
    """With id and state, in pages of a thousand."""
    tasks = [bundle_task(number) for number in range(scale.some(10_000))]
    add(client, job, tasks)

    def list_them() -> None:
        assert listed(client, job) == len(tasks)

    rate(f"{len(tasks):,} tasks listed, as JSON", list_them, len(tasks))


def bench_list_tasks_with_the_sdk(rate: Callable[..., None], client: Any, scale: Scale, job: str) -> None:
    """List them as models."""
    tasks = [bundle_task(number) for number in range(scale.some(10_000))]
    add(client, job, tasks)

    def list_them() -> None:
        assert sum(1 for _ in client.list_tasks(job, select=["id", "state"])) == len(tasks)

    rate(f"{len(tasks):,} tasks listed, with the SDK", list_them, len(tasks))


@dataclass
class Runs:
    """Runs all of a job's tasks, as often as it is asked to."""

    client: Any
    pool: str
    tasks: list[dict[str, Any]]
    job: str = ""

    def prepare(self) -> None:
        """
        Have a new job.

        Those before it stay: on ext4, making folders right after thousands were removed takes many times as long as
        else, which is not what is to be measured.
        """
        self.job = new_name("job")
        self.client.create_job({"id": self.job, "poolInfo": {"poolId": self.pool}})

    def once(self) -> None:
        """Let all tasks run, from the first that is added to the last that ends."""
        add(self.client, self.job, self.tasks)
        while self._left():
            time.sleep(POLL_SECONDS)
        assert self.client.get_job_task_counts(self.job).task_counts.succeeded == len(self.tasks)

    def _left(self) -> int:
        counts = self.client.get_job_task_counts(self.job).task_counts
        return int(counts.active + counts.running)


def bench_run_tasks(rate: Callable[..., None], client: Any, scale: Scale, pool: str) -> None:
    """Tasks that do nothing, on two slots."""
    tasks = [{"id": f"t{number}", "commandLine": "/bin/true"} for number in range(scale.some(2_000))]
    runs = Runs(client, pool, tasks)
    rate("tasks run that do nothing", runs.once, len(tasks), setup=runs.prepare)


def bench_run_tasks_with_blobs(
    rate: Callable[..., None], instance: Instance, client: Any, scale: Scale, pool: str
) -> None:
    """Tasks that bring one blob of 10 KiB, and leave one."""
    container = new_name("blobs")
    with instance.blobs() as service:
        blobs = service.create_container(container)
        blobs.upload_blob("in", os.urandom(10 << 10))
        account, key = blobs.account_name, instance.storage_key
        expiry = dt.datetime.now(dt.UTC) + HOUR
        read = generate_blob_sas(
            account, container, "in", account_key=key, permission=BlobSasPermissions(read=True), expiry=expiry
        )
        write = generate_container_sas(
            account, container, key, permission=ContainerSasPermissions(create=True, write=True), expiry=expiry
        )
        tasks = [
            {
                "id": f"t{number}",
                "commandLine": "/bin/cp in out",
                "resourceFiles": [{"httpUrl": f"{blobs.url}/in?{read}", "filePath": "in"}],
                "outputFiles": [
                    {
                        "filePattern": "out",
                        "destination": {"container": {"containerUrl": f"{blobs.url}?{write}", "path": f"out/{number}"}},
                        "uploadOptions": {"uploadCondition": "tasksuccess"},
                    }
                ],
            }
            for number in range(scale.some(500))
        ]
        runs = Runs(client, pool, tasks)
        rate("tasks run that bring a blob and leave one", runs.once, len(tasks), setup=runs.prepare)
        assert sum(1 for _ in blobs.list_blobs(name_starts_with="out/")) == len(tasks)


@pytest.mark.parametrize("size", [1_000, 50_000])
def bench_run_tasks_in_a_large_job(rate: Callable[..., None], client: Any, scale: Scale, pool: str, size: int) -> None:
    """See that the cost of a task does not grow with the job that it is in."""
    size = size // 100 if scale.quick else size
    tasks = [{"id": f"t{number}", "commandLine": "/bin/true"} for number in range(size)]
    runs = Runs(client, pool, tasks)
    rate(
        f"tasks run that do nothing, in a job of {size:,}",
        runs.once,
        len(tasks),
        setup=runs.prepare,
        rounds=max(1, 3000 // size),
    )


@pytest.fixture
def idle(hosted: Hosted) -> Iterator[Instance]:
    """Have an instance of the local services that has a pool and nothing to do, nor ever had."""
    with (
        hosted() as found,
        found.pool(nodes=1, slots=SLOTS),
    ):
        yield found.instance


def bench_idle(benchmark: Any, scale: Scale, figure: Callable[..., None], idle: Instance) -> None:
    """Leave the services alone."""
    seconds = 1.0 if scale.quick else 10.0
    services = {"the Batch service": _pid(idle, "batch"), "Azurite": _pid(idle, "storage")}
    before = {name: _cpu(pid) for name, pid in services.items()}
    benchmark.pedantic(time.sleep, args=(seconds,))
    for name, pid in services.items():
        figure(f"{name}: CPU in {seconds:.0f} s of idling", [_cpu(pid) - before[name]], "s")
        figure(f"{name}: resident memory when idle", [_resident(pid)], "bytes")


def _pid(instance: Instance, name: str) -> int:
    process = Home(instance.home).process(name)
    assert process
    return process.identity.pid


def _cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="utf-8") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
