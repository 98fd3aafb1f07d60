"""Upload every file of a folder as a blob of its own with the SDK: many at once, or with --sync one at a time."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from pathlib import Path

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient
from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient


def main() -> None:
    """Upload, and print how much and how long."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--container", required=True)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--sync", action="store_true", help="one at a time, with the synchronous client")
    arguments = parser.parse_args()
    storage = os.environ["AZURE_STORAGE_CONNECTION_STRING"]
    create(storage, arguments.container)
    paths = [path for path in arguments.folder.rglob("*") if path.is_file()]
    blobs = {path.relative_to(arguments.folder).as_posix(): path for path in paths}
    start, cpu = time.perf_counter(), time.process_time()
    if arguments.sync:
        sizes = upload_in_turn(storage, arguments.container, blobs)
    else:
        sizes = asyncio.run(upload_at_once(storage, arguments.container, blobs, arguments.at_once))
    spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({"files": len(sizes), "bytes": sum(sizes), **spent}))


def create(storage: str, container: str) -> None:
    """Create the container, if it is not there."""
    with BlobServiceClient.from_connection_string(storage) as service:
        try:
            service.create_container(container)
        except ResourceExistsError:
            return


def upload_in_turn(storage: str, container: str, blobs: dict[str, Path]) -> list[int]:
    """Upload one after the other, and give the sizes."""
    sizes = []
    with BlobServiceClient.from_connection_string(storage) as service:
        client = service.get_container_client(container)
        for name, path in blobs.items():
            with open(path, "rb") as file:
                client.upload_blob(name, file, overwrite=True)
            sizes.append(path.stat().st_size)
    return sizes


async def upload_at_once(storage: str, container: str, blobs: dict[str, Path], at_once: int) -> list[int]:
    """Upload so many at once, and give the sizes."""
    free = asyncio.Semaphore(at_once)
    async with AsyncBlobServiceClient.from_connection_string(storage) as service:
        client = service.get_container_client(container)

        async def upload(name: str, path: Path) -> int:
            async with free:
                with open(path, "rb") as file:  # noqa: ASYNC230 - from the cache of the system
                    await client.upload_blob(name, file, overwrite=True)
            return path.stat().st_size  # noqa: ASYNC240 - the same

        return await asyncio.gather(*(upload(name, path) for name, path in blobs.items()))


if __name__ == "__main__":
    main()
