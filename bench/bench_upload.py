"""
Uploading: files of a folder into a fresh container, ours beside the SDK's own loop.

As a program of its own, this is what runs ours, or a sink: storage that takes everything at once and keeps nothing, so
that what shows is the client.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import json
import math
import os
import subprocess
import sys
import tarfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from aiohttp import web

from fastbatch import Settings
from fastbatch.api import prepare
from fastbatch.azure.services import connected
from fastbatch.books.facts import Fact, Prepare, Stored
from fastbatch.budget import ByteBudget
from fastbatch.capacity import Capacity, threads
from fastbatch.configuration import resolve
from fastbatch.events import nobody
from fastbatch.stages.upload import Uploader
from tests.local.instances import new_name

from . import corpora
from .contests import Entrant, Lap
from .programs import ROOT, Program, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastbatch.model import Plan

    from .accounts import Accounts
    from .arena import Arena
    from .scale import Scale

SDK = Path(__file__).with_name("peers") / "sdk_upload.py"

pytestmark = pytest.mark.submit

MODULE = "bench.bench_upload"
FILES, FILES_ALONE, SIZE = 20_000, 2000, 4 << 10
AT_ONCE = 32
ASKED = "8 times as fast"
ACCOUNT, KEY = "sink", "a2V5" * 16


@dataclass(frozen=True)
class Check:
    """Looks whether what was uploaded is what was to be, and deletes it."""

    services: Accounts

    def __call__(self, container: str, folder: Path) -> None:
        """Compare the digests of contents, of which no two are the same."""
        expected = {_digest(path.read_bytes()) for path in folder.rglob("*.txt")}
        with self.services.instance.blobs() as service:
            client = service.get_container_client(container)
            found: set[bytes] = set()
            for blob in client.list_blobs():
                digest = bytes(blob.content_settings.content_md5 or b"")
                found |= {digest} if digest in expected else set(_members(client.download_blob(blob.name).readall()))
            client.delete_container()
        assert found == expected


def _members(content: bytes) -> Iterator[bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file
            yield _digest(file.read())


def _digest(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


@dataclass(frozen=True)
class Uploads:
    """Uploads of a folder to storage, by us and by the SDK."""

    folder: Path
    environment: dict[str, str]
    check: Check | None

    def ours(self, *options: str) -> Lap:
        """Upload by our stage; scanning and planning count."""
        return self._run("fastbatch", ["-m", MODULE, "upload", *options])

    def theirs(self) -> Lap:
        """Upload by the SDK, so many at once; finding the files does not count."""
        return self._run("the SDK", [str(SDK), "--at-once", str(AT_ONCE)])

    def _run(self, name: str, arguments: list[str]) -> Lap:
        container = new_name("upload")
        command = [sys.executable, *arguments, "--container", container, str(self.folder)]
        told = json.loads(run(Program(name, command, self.environment)).output)
        if self.check:
            self.check(container, self.folder)
        return Lap(told["seconds"], (told["files"], told["bytes"]))


@contextmanager
def _sink() -> Iterator[str]:
    """Have a sink, and how to connect to it."""
    command = [sys.executable, "-m", MODULE, "sink"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        endpoint = process.stdout.readline().strip()
        try:
            yield f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint}/{ACCOUNT};"
        finally:
            process.terminate()


@pytest.fixture(params=["to Azurite", "to a sink"])
def uploads(request: pytest.FixtureRequest, services: Accounts, tmp_path: Path) -> Iterator[Uploads]:
    """Have uploads to storage, or to what takes everything."""
    environment = {**services.environment, "PYTHONPATH": str(ROOT)}
    if request.param == "to Azurite":
        yield Uploads(tmp_path / "in", environment, Check(services))
        return
    with _sink() as connection:
        yield Uploads(tmp_path / "in", {**environment, "AZURE_STORAGE_CONNECTION_STRING": connection}, None)


@pytest.mark.parametrize("options", [[], ["--files-per-task", "1"]], ids=["bundled", "one by one"])
def bench_upload(contest: Arena, scale: Scale, uploads: Uploads, options: list[str]) -> None:
    """Small files, in bundles or a blob each."""
    files, size = scale.corpus(FILES_ALONE if options else FILES, SIZE)
    corpora.small(uploads.folder, files, size)
    where = "a sink" if uploads.check is None else "Azurite"
    contest(
        f"Upload to {where}: {files} files of {size} bytes {' '.join(options)}".strip(),
        Entrant(f"the SDK, {AT_ONCE} at once", uploads.theirs),
        Entrant("fastbatch", partial(uploads.ours, *options)),
        rounds=scale.few,
        amount=(files, "files"),
        asked={} if options or not uploads.check else {"fastbatch": ASKED},
    )


# Ours, as a program


def main() -> None:
    """Upload, and print how much and how long; or be a sink."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("sink")
    uploading = commands.add_parser("upload")
    uploading.add_argument("folder")
    uploading.add_argument("--container", required=True)
    uploading.add_argument("--files-per-task", type=int)
    arguments = parser.parse_args()
    told = (
        serve()
        if arguments.command == "sink"
        else upload(arguments.folder, arguments.container, arguments.files_per_task)
    )
    sys.stdout.write(f"{asyncio.run(told)}\n")


async def upload(folder: str, container: str, files_per_task: int | None) -> str:
    """Scan, plan, bundle and upload."""
    account = resolve({}, environ=os.environ, cwd=ROOT).account
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
    return json.dumps({"files": len(items), "bytes": sum(item.size for item in items), **spent})


async def _work(uploader: Uploader, plan: Plan, at_once: int) -> None:
    into, out = anyio.create_memory_object_stream[Prepare](math.inf)
    with into, out:
        for bundle in plan.bundles:
            into.send_nowait(Prepare(bundle))
        into.close()
        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(uploader.work, out)


async def serve() -> str:
    """Be a sink until the end; there is nothing in it."""
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("GET", "/{path:.*}", _missing)
    application.router.add_route("PUT", "/{path:.*}", _taken)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    await anyio.sleep_forever()
    return ""


async def _missing(_request: web.Request) -> web.Response:
    return web.Response(status=404, headers={"x-ms-error-code": "ContainerNotFound"})


async def _taken(request: web.Request) -> web.Response:
    async for _ in request.content.iter_any():
        pass
    return web.Response(status=201, headers={"ETag": '"0x1"', "Last-Modified": "Sat, 01 Jan 2022 00:00:00 GMT"})


if __name__ == "__main__":
    main()
