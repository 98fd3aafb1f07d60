"""
Count the words of a folder's files as Microsoft's Batch tutorial for Python does, on a warm pool or one of its own.

Each file is uploaded by itself, one after the other, and is a task of its own; all tasks are listed every second until
all are completed; each output is downloaded by itself. Where the tutorial's way can't be had any more, this is the
cheaper one: the script is a resource file of each task (a warm pool has no start task of ours to bring it), Batch
uploads the output (a node needs no SDK), and no shell is started. A task writes its top words and all its counts, so
that the totals can be compared; they are merged when the clock has stopped.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import tempfile
import time
import uuid
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import (
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    generate_blob_sas,
    generate_container_sas,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT_NAME = "count.py"
SCRIPT = b"""
import json
import string
import sys
from collections import Counter

with open(sys.argv[1], encoding="utf-8-sig", errors="replace") as file:
    words = [word.strip(string.punctuation) for word in file.read().split()]
counts = Counter(word for word in words if word)
with open(sys.argv[2], "w") as file:
    file.write(json.dumps({"top": counts.most_common(int(sys.argv[3])), "counts": counts}))
"""
COMMAND = f"python3 {SCRIPT_NAME} input.txt output.json 3"


class Clock:
    """Knows how long each stage took."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Have a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class Services:
    """The two services, and what is timed by."""

    batch: BatchClient
    storage: BlobServiceClient
    clock: Clock


def main() -> None:
    """Count, and print the totals and the times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pool", help="a warm pool; else one is made, and deleted")
    parser.add_argument("--nodes", type=int, default=2, help="of a pool that is made")
    parser.add_argument("--slots", type=int, default=2, help="of each of its nodes")
    parser.add_argument("--timeout", type=float, default=3600.0, help="seconds to wait for the tasks")
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.rglob("*") if path.is_file())
    files = {path.relative_to(arguments.folder).as_posix(): path for path in paths}
    storage = BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])
    key = AzureNamedKeyCredential(os.environ["AZURE_BATCH_ACCOUNT"], os.environ["AZURE_BATCH_ACCESS_KEY"])
    batch = BatchClient(os.environ["AZURE_BATCH_ENDPOINT"], key)
    with storage, batch, tempfile.TemporaryDirectory() as output:
        clock, start, cpu = Clock(), time.perf_counter(), time.process_time()
        services = Services(batch, storage, clock)
        with (
            nullcontext(arguments.pool) if arguments.pool else pool(services, arguments.nodes, arguments.slots) as name
        ):
            run(services, name, files, Path(output), arguments.timeout)
        spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
        print(json.dumps({**totals(paths, Path(output)), **spent, "stages": clock.stages}))


def run(services: Services, pool: str, files: dict[str, Path], output: Path, timeout: float) -> None:
    """Do all that the tutorial does."""
    name = f"tutorial-{uuid.uuid4().hex[:8]}"
    batch, stage = services.batch, services.clock.stage
    with (
        container(services, f"{name}-application") as app,
        container(services, f"{name}-input") as inputs,
        container(services, f"{name}-output") as outputs,
    ):
        with stage("upload"):
            script = models.ResourceFile(http_url=upload(app, SCRIPT_NAME, SCRIPT), file_path=SCRIPT_NAME)
            urls = [upload(inputs, blob, path.read_bytes()) for blob, path in files.items()]
        with job(services, name, pool):
            with stage("add tasks"):
                output_url = writable(outputs)
                tasks = [task(f"task{number}", url, script, output_url) for number, url in enumerate(urls)]
                batch.create_tasks(name, tasks)
            with stage("wait"):
                wait_for_tasks(batch, name, timeout)
            with stage("download"):
                download_all(outputs, output)


@contextmanager
def pool(services: Services, nodes: int, slots: int) -> Iterator[str]:
    """Have a pool for a while; tasks wait until its nodes are ready."""
    name = f"tutorial-{uuid.uuid4().hex[:8]}"
    ubuntu = models.BatchVmImageReference(
        publisher="canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts", version="latest"
    )
    machine = models.VirtualMachineConfiguration(image_reference=ubuntu, node_agent_sku_id="batch.node.ubuntu 22.04")
    options = models.BatchPoolCreateOptions(
        id=name,
        vm_size="STANDARD_D2S_V3",
        virtual_machine_configuration=machine,
        target_dedicated_nodes=nodes,
        task_slots_per_node=slots,
    )
    with services.clock.stage("create"):
        services.batch.create_pool(options)
    try:
        yield name
    finally:
        with services.clock.stage("delete"):
            services.batch.begin_delete_pool(name)


@contextmanager
def container(services: Services, name: str) -> Iterator[ContainerClient]:
    """Have a container for a while."""
    with services.clock.stage("create"):
        client = services.storage.create_container(name)
    try:
        yield client
    finally:
        with services.clock.stage("delete"):
            client.delete_container()


@contextmanager
def job(services: Services, name: str, pool: str) -> Iterator[None]:
    """Have a job for a while."""
    with services.clock.stage("create"):
        in_pool = models.BatchPoolInfo(pool_id=pool)
        services.batch.create_job(models.BatchJobCreateOptions(id=name, pool_info=in_pool))
    try:
        yield
    finally:
        with services.clock.stage("delete"):
            services.batch.begin_delete_job(name)  # the tutorial doesn't wait for its end either


def upload(to: ContainerClient, name: str, content: bytes) -> str:
    """Upload a blob, and give the URL to read it."""
    blob = to.get_blob_client(name)
    blob.upload_blob(content, overwrite=True)
    signature = generate_blob_sas(
        account_name=blob.account_name or "",
        container_name=blob.container_name,
        blob_name=blob.blob_name,
        account_key=blob.credential.account_key,
        permission=BlobSasPermissions(read=True),
        expiry=in_two_hours(),
    )
    return f"{blob.url}?{signature}"


def writable(outputs: ContainerClient) -> str:
    """Give the URL for tasks to write their output."""
    signature = generate_container_sas(
        account_name=outputs.account_name or "",
        container_name=outputs.container_name,
        account_key=outputs.credential.account_key,
        permission=ContainerSasPermissions(create=True, write=True),
        expiry=in_two_hours(),
    )
    return f"{outputs.url}?{signature}"


def in_two_hours() -> dt.datetime:
    """Give the time at which a signature ends."""
    return dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)


def task(name: str, url: str, script: models.ResourceFile, output_url: str) -> models.BatchTaskCreateOptions:
    """Give the task of a file."""
    to = models.OutputFileBlobContainerDestination(container_url=output_url, path=f"{name}.json")
    return models.BatchTaskCreateOptions(
        id=name,
        command_line=COMMAND,
        resource_files=[script, models.ResourceFile(http_url=url, file_path="input.txt")],
        output_files=[
            models.OutputFile(
                file_pattern="output.json",
                destination=models.OutputFileDestination(container=to),
                upload_options=models.OutputFileUploadConfiguration(
                    upload_condition=models.OutputFileUploadCondition.TASK_SUCCESS
                ),
            )
        ],
    )


def wait_for_tasks(batch: BatchClient, name: str, timeout: float) -> None:
    """Wait until all tasks are completed, looking at all of them every second."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        incomplete = [task for task in batch.list_tasks(name) if task.state != models.BatchTaskState.COMPLETED]
        if not incomplete:
            return
        time.sleep(1)
    raise TimeoutError(f"Not all tasks of job {name} were completed within {timeout} seconds.")


def download_all(outputs: ContainerClient, to: Path) -> None:
    """Download all outputs, one after the other."""
    for blob in outputs.list_blobs():
        with open(to / blob.name, "wb") as file:
            outputs.download_blob(blob.name).readinto(file)


def totals(files: list[Path], output: Path) -> dict[str, object]:
    """Merge what was downloaded, and give what all the files hold together."""
    found = list(output.iterdir())
    if len(found) != len(files):
        raise RuntimeError(f"{len(files) - len(found)} of {len(files)} tasks left no output.")
    counts: Counter[str] = Counter()
    for path in found:
        counts.update(json.loads(path.read_bytes())["counts"])
    return {
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "words": counts.total(),
        "distinct": len(counts),
        "top": sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10],
    }


if __name__ == "__main__":
    main()
