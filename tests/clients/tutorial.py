"""
The most frequent words of some files, counted on Azure Batch, in the way of Microsoft's tutorial for Python.

It is written for azure-batch 14.2 and knows of no local service: which accounts it uses is all in its environment.
"""
# mypy: ignore-errors
# It has another azure-batch than the type checker.
# ruff: noqa: T201
# It is there to print.

import datetime as dt
import os
import sys
import time
from pathlib import Path

from azure.batch import BatchServiceClient
from azure.batch import models as batchmodels
from azure.batch.batch_auth import SharedKeyCredentials
from azure.storage.blob import (
    BlobSasPermissions,
    BlobServiceClient,
    ContainerSasPermissions,
    generate_blob_sas,
    generate_container_sas,
)

BATCH_ACCOUNT_NAME = os.environ["BATCH_ACCOUNT_NAME"]
BATCH_ACCOUNT_KEY = os.environ["BATCH_ACCOUNT_KEY"]
BATCH_ACCOUNT_URL = os.environ["BATCH_ACCOUNT_URL"]
STORAGE_ACCOUNT_NAME = os.environ["STORAGE_ACCOUNT_NAME"]
STORAGE_ACCOUNT_KEY = os.environ["STORAGE_ACCOUNT_KEY"]
STORAGE_ACCOUNT_URL = os.environ["STORAGE_ACCOUNT_URL"]

POOL_ID = "TutorialPool"
JOB_ID = "TutorialJob"
CONTAINERS = ("application", "input", "output")
SCRIPT = Path(__file__).with_name("tutorial_task.py")
TIMEOUT = dt.timedelta(minutes=1)


def in_shell(*commands: str) -> str:
    """Wrap commands in a shell: tasks are not given one."""
    return f"/bin/bash -c 'set -e; set -o pipefail; {';'.join(commands)}; wait'"


def expiry() -> dt.datetime:
    """Tell when signatures expire."""
    return dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)


def upload(blobs: BlobServiceClient, container: str, path: Path) -> batchmodels.ResourceFile:
    """Upload a file, and give it as a resource file with a signature to read it."""
    blobs.get_blob_client(container, path.name).upload_blob(path.read_bytes(), overwrite=True)
    signature = generate_blob_sas(
        STORAGE_ACCOUNT_NAME,
        container,
        path.name,
        account_key=STORAGE_ACCOUNT_KEY,
        permission=BlobSasPermissions(read=True),
        expiry=expiry(),
    )
    url = f"{STORAGE_ACCOUNT_URL}/{container}/{path.name}?{signature}"
    return batchmodels.ResourceFile(http_url=url, file_path=path.name)


def signed_container(container: str) -> str:
    """Give the address of a container with a signature to write into it."""
    signature = generate_container_sas(
        STORAGE_ACCOUNT_NAME,
        container,
        account_key=STORAGE_ACCOUNT_KEY,
        permission=ContainerSasPermissions(write=True),
        expiry=expiry(),
    )
    return f"{STORAGE_ACCOUNT_URL}/{container}?{signature}"


def image_of(batch: BatchServiceClient, publisher: str) -> batchmodels.ImageInformation:
    """Find a verified image of a publisher."""
    options = batchmodels.AccountListSupportedImagesOptions(filter="verificationType eq 'verified'")
    images = batch.account.list_supported_images(options)
    return next(image for image in images if image.image_reference.publisher.lower() == publisher)


def create_pool(batch: BatchServiceClient, script: batchmodels.ResourceFile) -> None:
    """Make a pool whose nodes have the script in their shared folder."""
    image = image_of(batch, "canonical")
    admin = batchmodels.AutoUserSpecification(
        scope=batchmodels.AutoUserScope.pool, elevation_level=batchmodels.ElevationLevel.admin
    )
    pool = batchmodels.PoolAddParameter(
        id=POOL_ID,
        virtual_machine_configuration=batchmodels.VirtualMachineConfiguration(
            image_reference=image.image_reference, node_agent_sku_id=image.node_agent_sku_id
        ),
        vm_size="STANDARD_D2S_V3",
        target_dedicated_nodes=1,
        start_task=batchmodels.StartTask(
            command_line=in_shell(f"cp -p {script.file_path} $AZ_BATCH_NODE_SHARED_DIR"),
            user_identity=batchmodels.UserIdentity(auto_user=admin),
            wait_for_success=True,
            resource_files=[script],
        ),
    )
    batch.pool.add(pool)


def task_for(number: int, file: batchmodels.ResourceFile, container_url: str) -> batchmodels.TaskAddParameter:
    """Give a task that counts the words of a file and uploads what it finds."""
    output = batchmodels.OutputFile(
        file_pattern="*_OUTPUT.txt",
        destination=batchmodels.OutputFileDestination(
            container=batchmodels.OutputFileBlobContainerDestination(container_url=container_url)
        ),
        upload_options=batchmodels.OutputFileUploadOptions(
            upload_condition=batchmodels.OutputFileUploadCondition.task_success
        ),
    )
    command = f"python3 $AZ_BATCH_NODE_SHARED_DIR/{SCRIPT.name} --filepath {file.file_path} --numwords 3"
    return batchmodels.TaskAddParameter(
        id=f"Task{number}", command_line=in_shell(command), resource_files=[file], output_files=[output]
    )


def wait_for_tasks(batch: BatchServiceClient) -> None:
    """Wait until all tasks are completed."""
    deadline = dt.datetime.now(dt.UTC) + TIMEOUT
    while any(task.state != batchmodels.TaskState.completed for task in batch.task.list(JOB_ID)):
        if dt.datetime.now(dt.UTC) > deadline:
            raise RuntimeError(f"Tasks were not completed within {TIMEOUT}")
        time.sleep(1)


def run(batch: BatchServiceClient, blobs: BlobServiceClient, paths: list[Path]) -> None:
    """Count the words of files in a job of their own."""
    batch.job.add(batchmodels.JobAddParameter(id=JOB_ID, pool_info=batchmodels.PoolInformation(pool_id=POOL_ID)))
    files = [upload(blobs, "input", path) for path in paths]
    output = signed_container("output")
    tasks = [task_for(number, file, output) for number, file in enumerate(files)]
    batch.task.add(JOB_ID, tasks[0])
    batch.task.add_collection(JOB_ID, tasks[1:])
    wait_for_tasks(batch)


def show(batch: BatchServiceClient, blobs: BlobServiceClient) -> None:
    """Print what tasks have printed, and what they have uploaded."""
    for task in sorted(batch.task.list(JOB_ID), key=lambda task: task.id):
        print(f"{task.id}: exit code {task.execution_info.exit_code}")
        print(b"".join(batch.file.get_from_task(JOB_ID, task.id, "stdout.txt")).decode(), end="")
    output = blobs.get_container_client("output")
    for blob in output.list_blobs():
        print(f"{blob.name}: {output.download_blob(blob.name).readall().decode().split()}")


def main() -> None:
    """Make what is needed, use it, and remove it."""
    blobs = BlobServiceClient(STORAGE_ACCOUNT_URL, STORAGE_ACCOUNT_KEY)
    batch = BatchServiceClient(SharedKeyCredentials(BATCH_ACCOUNT_NAME, BATCH_ACCOUNT_KEY), BATCH_ACCOUNT_URL)
    for container in CONTAINERS:
        blobs.create_container(container)
    create_pool(batch, upload(blobs, "application", SCRIPT))
    try:
        run(batch, blobs, [Path(path) for path in sys.argv[1:]])
        show(batch, blobs)
    finally:
        batch.job.delete(JOB_ID)
        batch.pool.delete(POOL_ID)
        for container in CONTAINERS:
            blobs.delete_container(container)


if __name__ == "__main__":
    main()
