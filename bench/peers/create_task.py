"""Add tasks with the SDK, one request for each, one after the other."""

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
    arguments = parser.parse_args()
    inputs = json.loads(arguments.inputs.read_bytes())
    key = AzureNamedKeyCredential(os.environ["AZURE_BATCH_ACCOUNT"], os.environ["AZURE_BATCH_ACCESS_KEY"])
    with BatchClient(os.environ["AZURE_BATCH_ENDPOINT"], key) as batch:
        start, cpu = time.perf_counter(), time.process_time()
        add_in_turn(batch, arguments.job, inputs)
        spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({"tasks": len(inputs), **spent}))


def add_in_turn(batch: BatchClient, job: str, inputs: dict[str, str]) -> None:
    """Add the task of each input."""
    for number, (name, url) in enumerate(inputs.items()):
        try:
            batch.create_task(job, task(name, url))
        except HttpResponseError as error:
            sys.exit(f"{len(inputs) - number} of {len(inputs)} tasks were not added: {error.reason}")


def task(name: str, url: str) -> models.BatchTaskCreateOptions:
    """Give the task of an input."""
    return models.BatchTaskCreateOptions(
        id=name,
        command_line="python3 count.py input.txt",
        resource_files=[models.ResourceFile(http_url=url, file_path="input.txt")],
    )


if __name__ == "__main__":
    main()
