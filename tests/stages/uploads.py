"""Uploads of bundles, and what came of them."""

import os
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
from anyio import CapacityLimiter
from azure.storage.blob import ContainerClient

from fastbatch import Account
from fastbatch.azure.services import Services
from fastbatch.books.facts import Built, Fact, NotStored, Prepare, Stored
from fastbatch.budget import ByteBudget
from fastbatch.capacity import Capacity
from fastbatch.model import Bundle, Item, Kind
from fastbatch.stages.upload import Uploader, nothing
from tests.seam import using


class Uploads:
    """What came of uploads."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.requests: Counter[str] = Counter()
        self.budget = ByteBudget(1 << 20)

    @property
    def stored(self) -> dict[str, bool]:
        """Tell of each bundle that is stored whether it was there before."""
        return {fact.bundle: fact.reused for fact in self.facts if isinstance(fact, Stored)}

    @property
    def not_stored(self) -> dict[str, str]:
        """Tell why bundles are not stored."""
        return {fact.bundle: fact.reason for fact in self.facts if isinstance(fact, NotStored)}

    @property
    def passing(self) -> bool:
        """Tell whether all that is not stored may be another time."""
        return all(fact.passing for fact in self.facts if isinstance(fact, NotStored))

    @property
    def digests(self) -> dict[str, str]:
        """Tell what bundles were built as."""
        return {fact.bundle: fact.blob.digest for fact in self.facts if isinstance(fact, Built) and fact.blob}


def whole(path: Path, number: int = 1) -> Bundle:
    """Give a bundle of one file."""
    status = path.stat()
    return Bundle(f"b{number:05}", Kind.WHOLE, (Item(str(path), path.name, status.st_size, status.st_mtime_ns),))


def files(folder: Path, number: int, size: int = 100) -> list[Bundle]:
    """Write files that nobody else has, and give a bundle of each."""
    bundles = []
    for n in range(1, number + 1):
        path = folder / f"{n}.txt"
        path.write_bytes(os.urandom(size))
        bundles.append(whole(path, n))
    return bundles


def upload(  # noqa: PLR0913, what differs between tests
    account: Account,
    container: str,
    todo: list[Bundle] | list[Prepare],
    *,
    replace: bool = False,
    budget: int = 1 << 20,
    before: Callable[[Services], Any] = lambda _: None,
    settled: Callable[[list[Fact]], Awaitable[None]] | None = None,
) -> Uploads:
    """Upload bundles, with four uploaders; `settled` is given what was noted so far."""
    uploads = Uploads()
    uploads.budget = ByteBudget(budget)
    wait = (lambda: settled(uploads.facts)) if settled else nothing

    async def scene(services: Services) -> None:
        capacity = Capacity(CapacityLimiter(4), uploads.budget)
        uploader = Uploader(services.storage, container, capacity, uploads.facts.append, wait)
        before(services)
        await uploader.look_around()
        into, out = anyio.create_memory_object_stream[Prepare](len(todo))
        for each in todo:
            into.send_nowait(each if isinstance(each, Prepare) else Prepare(each, replace))
        into.close()
        with out:
            async with anyio.create_task_group() as group:
                for _ in range(4):
                    group.start_soon(uploader.work, out)
        uploads.requests = services.storage.line.counts

    using(account, scene)
    assert uploads.budget.held == 0
    return uploads


def content(container: ContainerClient, digest: str) -> bytes:
    """Give what a blob holds."""
    return container.download_blob(digest).readall()


def name(container: ContainerClient) -> str:
    """Give a container's name."""
    return str(container.container_name)
