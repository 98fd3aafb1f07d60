"""Add tasks with the SDK's helper, which sends a hundred in a request: in turn, or by some threads."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError


def main() -> None:
    """Add them, and print how many and how long."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job")
    parser.add_argument("inputs", type=Path, help="a JSON object: the URL of each task's input by the task's id")
    parser.add_argument("--threads", type=int, help="how many threads send; none unless told, so in turn")
    arguments = parser.parse_args()
    inputs = json.loads(arguments.inputs.read_bytes())
    key = AzureNamedKeyCredential(os.environ["AZURE_BATCH_ACCOUNT"], os.environ["AZURE_BATCH_ACCESS_KEY"])
    with BatchClient(os.environ["AZURE_BATCH_ENDPOINT"], key) as batch:
        start, cpu = time.perf_counter(), time.process_time()
        add(batch, arguments.job, inputs, arguments.threads)
        spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({"tasks": len(inputs), **spent}))


def add(batch: BatchClient, job: str, inputs: dict[str, str], threads: int | None) -> None:
    """Add the tasks of all inputs."""
    tasks = [task(name, url) for name, url in inputs.items()]
    try:
        batch.create_tasks(job, tasks, max_concurrency=threads)
    except models.CreateTasksError as error:
        reasons = {failure.reason for failure in error.errors if isinstance(failure, HttpResponseError)}
        sys.exit(f"{len(error.pending_tasks)} of {len(tasks)} tasks were not added: {', '.join(map(str, reasons))}")


def task(name: str, url: str) -> models.BatchTaskCreateOptions:
    """Give the task of an input."""
    return models.BatchTaskCreateOptions(
        id=name,
        command_line="python3 count.py input.txt",
        resource_files=[models.ResourceFile(http_url=url, file_path="input.txt")],
    )


if __name__ == "__main__":
    main()
