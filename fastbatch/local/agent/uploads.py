"""Output files: what a task leaves, brought to blob storage after its process has ended."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from fastbatch.local.agent.blobs import Answered, Storage, blob_url, reason, shown
from fastbatch.local.agent.blockblobs import put
from fastbatch.local.agent.failures import Failed
from fastbatch.local.agent.folders import Task
from fastbatch.local.agent.patterns import Unusable, matching
from fastbatch.local.agent.several import each
from fastbatch.local.agent.sources import Changed
from fastbatch.local.agent.uploadlog import UploadLog

_AT_ONCE = 8
_NOT_FOUND = 404
_DENIED = {401, 403}


def due(output_files: Iterable[Mapping[str, Any]], exit_code: int) -> list[Mapping[str, Any]]:
    """Choose the output files that are to be uploaded after a process that ended so."""
    apply = {"taskcompletion", "taskfailure" if exit_code else "tasksuccess"}
    return [one for one in output_files if one["uploadOptions"]["uploadCondition"].lower() in apply]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the files of a task's output files are: in its folders, or elsewhere below the node's `root`."""

    task: Task
    root: str
    environment: Mapping[str, str]


async def send(storage: Storage, output_files: Sequence[Mapping[str, Any]], origin: Origin) -> None:
    """
    Upload what output files, as the wire describes them, mean of a task's files, one output file after the other.

    One that fails is given up, but not those after it: a task's log is worth most when its results can't be stored.

    Raises:
        Failed: the first failure, when all has been tried.

    """
    if not output_files:
        return
    failures = []
    log = UploadLog(origin.task.path)
    for output_file in output_files:
        try:
            await _upload_one(storage, output_file, origin, log)
        except Failed as failed:
            failures.append(failed)
        log.flush()  # one of the next patterns may be for the log itself
    if failures:
        raise failures[0]


async def _upload_one(storage: Storage, output_file: Mapping[str, Any], origin: Origin, log: UploadLog) -> None:
    """Upload the files of one output file; the first that fails ends the others, as all go to the same place."""
    container = output_file["destination"]["container"]
    with _translated(output_file["filePattern"], shown(container["containerUrl"]), log):
        matches = await asyncio.to_thread(_matches, output_file, origin)  # the folders may be large
    headers = {header["name"]: header["value"] for header in container.get("uploadHeaders") or ()}

    async def store(match: tuple[str, str]) -> None:
        path, blob = match
        with _translated(path, shown(container["containerUrl"]), log):
            url = blob_url(container["containerUrl"], blob)
            size = await put(storage, path, url, headers)
        log.done(path, shown(url), size)

    await each(_one_by_one(matches), store, limit=_AT_ONCE)


def _matches(output_file: Mapping[str, Any], origin: Origin) -> list[tuple[str, str]]:
    return matching(
        output_file["filePattern"],
        working=origin.task.working,
        root=origin.root,
        environment=origin.environment,
        path=output_file["destination"]["container"].get("path"),
    )


async def _one_by_one(matches: Iterable[tuple[str, str]]) -> AsyncGenerator[tuple[str, str], None]:
    for match in matches:
        yield match


@contextmanager
def _translated(path: str, container: str, log: UploadLog) -> Iterator[None]:
    """Give what can go wrong on the way to the storage its code, and the log its line."""
    try:
        yield
    except (Changed, Unusable, Answered, aiohttp.ClientError, OSError, ValueError) as error:
        message = f"{path!r} can't be uploaded to {container}: {_reason(error)}"
        failed = Failed(_code(error), message, {"FilePath": path, "Container": container})
        log.failed(failed)
        raise failed from None


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, Changed | Unusable) else reason(error)


def _code(error: Exception) -> str:
    if isinstance(error, Answered) and error.status == _NOT_FOUND:
        return "FileUploadContainerNotFound"
    if isinstance(error, Answered) and error.status in _DENIED:
        return "FileUploadAccessDenied"
    return "FileUploadMiscError"
