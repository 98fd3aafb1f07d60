"""Resource files: what a task needs, brought into its working folder before its process starts."""

import errno
import os
import secrets
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp

from fastbatch.local.agent import listing
from fastbatch.local.agent.blobs import CHUNK, Answered, Storage, blob_url, reason, shown
from fastbatch.local.agent.failures import Failed
from fastbatch.local.agent.folders import Unsafe, inside, make_folders
from fastbatch.local.agent.several import each

_AT_ONCE = 8
_DEFAULT_MODE = "0770"
_HIGHEST_MODE = 0o7777
_NOT_FOUND = 404
_DENIED = {401, 403, 409}  # a container that is not public says 409
_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A blob, and the file that it is to become."""

    url: str
    name: str  # as the task's description or the container has it
    path: str
    mode: int

    @property
    def details(self) -> dict[str, str]:
        """What a failure says of it."""
        return {"BlobSource": shown(self.url), "FilePath": self.name}


async def bring(
    storage: Storage, resource_files: Sequence[Mapping[str, Any]], working: str, *, at_once: int = _AT_ONCE
) -> None:
    """Bring resource files, as the wire describes them, into the working folder; Failed at the first that fails."""
    if resource_files:
        await each(_wanted(storage, resource_files, working), partial(_fetch, storage), limit=at_once)


async def _wanted(
    storage: Storage, resource_files: Sequence[Mapping[str, Any]], working: str
) -> AsyncGenerator[Wanted, None]:
    for described in resource_files:
        mode = _mode(described)
        if "httpUrl" in described:
            yield _placed(working, described["filePath"], described["httpUrl"], mode)
            continue
        container = described["storageContainerUrl"]
        folder = _folder(working, described)
        with _translated({"BlobSource": shown(container), "FilePath": described.get("filePath") or ""}):
            async for name in listing.names(storage, container, described.get("blobPrefix") or ""):
                wanted = _placed(folder, name, blob_url(container, name), mode)
                if name.endswith("/"):  # what some tools put for an empty folder
                    _make_folder(wanted.path, wanted)
                else:
                    yield wanted


def _folder(working: str, described: Mapping[str, Any]) -> str:
    """Return where a container's blobs go."""
    name = described.get("filePath") or "."
    if name in {".", "./"}:
        return working
    return _placed(working, name, described["storageContainerUrl"], 0).path


def _placed(folder: str, name: str, url: str, mode: int) -> Wanted:
    with _translated({"BlobSource": shown(url), "FilePath": name}):
        return Wanted(url, name, inside(folder, name), mode)


def _mode(described: Mapping[str, Any]) -> int:
    text = described.get("fileMode") or _DEFAULT_MODE
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= _HIGHEST_MODE:
        raise Failed("ResourceFileCreateFailed", f"{text!r} is no file mode", {"FileMode": text})
    return mode


async def _fetch(storage: Storage, wanted: Wanted) -> None:
    with _translated(wanted.details):
        await storage.persist(partial(_fetch_once, storage, wanted))


async def _fetch_once(storage: Storage, wanted: Wanted) -> None:
    """Copy a blob to a file of another name, which gets its own once it is whole."""
    async with storage.ask("GET", wanted.url) as response:
        with _landing(wanted) as descriptor:
            async for chunk in response.content.iter_chunked(CHUNK):
                with _local("ResourceFileWriteFailed", wanted):
                    _write(descriptor, chunk)


@contextmanager
def _landing(wanted: Wanted) -> Iterator[int]:
    temporary = f"{os.path.dirname(wanted.path)}/.{secrets.token_hex(8)}.part"
    descriptor = _created(temporary, wanted)
    try:
        yield descriptor
        with _local("ResourceFileCreateFailed", wanted):
            os.fchmod(descriptor, wanted.mode)
            os.replace(temporary, wanted.path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)


def _created(path: str, wanted: Wanted) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with _local("ResourceFileCreateFailed", wanted):
        with suppress(FileNotFoundError, NotADirectoryError):  # most often the folder is there
            return os.open(path, flags, 0o600)
        _make_folder(os.path.dirname(path), wanted)
        return os.open(path, flags, 0o600)


def _make_folder(path: str, wanted: Wanted) -> None:
    with _local("ResourceDirectoryCreateFailed", wanted):
        make_folders(path)


def _write(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextmanager
def _local(code: str, wanted: Wanted) -> Iterator[None]:
    """Give a failure of the node's own disk its code."""
    try:
        yield
    except OSError as error:
        code = "DiskFull" if error.errno in _FULL else code
        raise Failed(code, f"{wanted.name!r} can't be written: {error.strerror}", wanted.details) from None


@contextmanager
def _translated(details: Mapping[str, str]) -> Iterator[None]:
    """Give what can go wrong on the way from the storage its code."""
    try:
        yield
    except Unsafe as error:
        raise Failed("ResourceFileCreateFailed", str(error), details) from None
    except (Answered, aiohttp.ClientError, TimeoutError, ValueError) as error:
        message = f"{details['BlobSource']} can't be read: {reason(error)}"
        raise Failed(_code(error), message, details) from None


def _code(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "BlobDownloadTimedOut"
    if isinstance(error, Answered) and error.status == _NOT_FOUND:
        return "BlobNotFound"
    if isinstance(error, Answered) and error.status in _DENIED:
        return "BlobAccessDenied"
    return "BlobDownloadMiscError"
