"""
Watch a job as Microsoft's Batch tutorial for Python does: list all tasks every second, whole, until all are completed.

It says when it first saw each task completed, and how many bytes the answers had: bodies as they came over the wire,
and headers by themselves.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from typing import TYPE_CHECKING

from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest, PipelineResponse


class Traffic(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Counts requests, and the bytes of their answers."""

    def __init__(self) -> None:
        self.requests = 0
        self.bytes = 0
        self.header_bytes = 0

    def on_response(
        self, request: PipelineRequest[HttpRequest], response: PipelineResponse[HttpRequest, HttpResponse]
    ) -> None:
        """Count an answer."""
        del request
        headers = response.http_response.headers
        self.requests += 1
        self.bytes += int(headers.get("Content-Length") or len(response.http_response.read()))
        self.header_bytes += sum(len(f"{name}: {value}\r\n") for name, value in headers.items())


def main() -> None:
    """Watch, and print what was seen and what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job")
    parser.add_argument("--until", type=int, required=True, help="how many tasks are to be completed")
    parser.add_argument("--seconds", type=float, default=math.inf, help="when to stop at the latest")
    arguments = parser.parse_args()
    key = AzureNamedKeyCredential(os.environ["AZURE_BATCH_ACCOUNT"], os.environ["AZURE_BATCH_ACCESS_KEY"])
    traffic = Traffic()
    with BatchClient(os.environ["AZURE_BATCH_ENDPOINT"], key, per_retry_policies=[traffic]) as batch:
        start, cpu = time.perf_counter(), time.process_time()
        noticed = watch(batch, arguments.job, arguments.until, arguments.seconds)
        spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({"completed": len(noticed), **vars(traffic), **spent, "noticed": noticed}))


def watch(batch: BatchClient, job: str, until: int, seconds: float) -> dict[str, float]:
    """List all tasks every second, and give when each was first seen completed."""
    noticed: dict[str, float] = {}
    end = time.monotonic() + seconds
    while True:
        for task in batch.list_tasks(job):
            if task.state == models.BatchTaskState.COMPLETED:
                noticed.setdefault(task.id, time.time())
        if len(noticed) >= until or time.monotonic() + 1 > end:
            return noticed
        time.sleep(1)


if __name__ == "__main__":
    main()
