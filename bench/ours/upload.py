"""Uploading a folder by our stage; scanning and planning count."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from fastbatch import Settings
from fastbatch.api import prepare
from fastbatch.azure.services import connected
from fastbatch.books.facts import Fact, Prepare, Stored
from fastbatch.budget import ByteBudget
from fastbatch.capacity import Capacity, threads
from fastbatch.configuration import resolve
from fastbatch.events import nobody
from fastbatch.stages.upload import Uploader

if TYPE_CHECKING:
    from fastbatch.model import Plan


def main() -> None:
    """Upload, and print how much and how long."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--container", required=True)
    parser.add_argument("--files-per-task", type=int)
    arguments = parser.parse_args()
    told = anyio.run(upload, arguments.folder, arguments.container, arguments.files_per_task)
    sys.stdout.write(f"{json.dumps(told)}\n")


async def upload(folder: str, container: str, files_per_task: int | None) -> dict[str, float]:
    """Scan, plan, bundle and upload."""
    account = resolve({}, environ=os.environ, cwd=Path.cwd()).account
    assert account
    settings = Settings(files_per_task=files_per_task)
    start, cpu = time.perf_counter(), time.process_time()
    plan = prepare([folder], settings)
    facts: list[Fact] = []
    async with connected(account, settings, nobody) as services:
        capacity = Capacity(anyio.CapacityLimiter(threads()), ByteBudget(settings.in_flight))
        uploader = Uploader(services.storage, container, capacity, facts.append)
        await uploader.look_around()
        await _work(uploader, plan, settings.upload_requests)
    spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    stored = {fact.bundle for fact in facts if isinstance(fact, Stored) and not fact.reused}
    items = [item for bundle in plan.bundles if bundle.id in stored for item in bundle.items]
    return {"files": len(items), "bytes": sum(item.size for item in items), **spent}


async def _work(uploader: Uploader, plan: Plan, at_once: int) -> None:
    into, out = anyio.create_memory_object_stream[Prepare](math.inf)
    with into, out:
        for bundle in plan.bundles:
            into.send_nowait(Prepare(bundle))
        into.close()
        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(uploader.work, out)


if __name__ == "__main__":
    main()
