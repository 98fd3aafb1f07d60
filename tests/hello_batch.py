"""A pool, a job, three tasks and what they print: azure-batch as anyone would use it, with an account's key."""

import os
import time

from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential

IMAGE = models.VirtualMachineConfiguration(
    image_reference=models.BatchVmImageReference(
        publisher="canonical", offer="0001-com-ubuntu-server-jammy", sku="22_04-lts", version="latest"
    ),
    node_agent_sku_id="batch.node.ubuntu 22.04",
)


def main() -> None:
    """Run the tasks, and print what they say."""
    credential = AzureNamedKeyCredential(os.environ["AZURE_BATCH_ACCOUNT"], os.environ["AZURE_BATCH_ACCESS_KEY"])
    with BatchClient(os.environ["AZURE_BATCH_ENDPOINT"], credential) as client:
        client.create_pool(
            models.BatchPoolCreateOptions(
                id="hello", vm_size="STANDARD_D2S_V3", virtual_machine_configuration=IMAGE, target_dedicated_nodes=2
            )
        )
        client.create_job(models.BatchJobCreateOptions(id="hello", pool_info=models.BatchPoolInfo(pool_id="hello")))
        names = [f"task-{number}" for number in range(3)]
        script = "/bin/sh -c 'echo hello from $AZ_BATCH_TASK_ID'"
        client.create_tasks("hello", [models.BatchTaskCreateOptions(id=name, command_line=script) for name in names])
        while client.get_job_task_counts("hello").task_counts.completed < len(names):
            time.sleep(0.1)
        for name in names:
            print(b"".join(client.download_task_file("hello", name, "stdout.txt")).decode(), end="")


if __name__ == "__main__":
    main()
