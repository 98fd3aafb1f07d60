"""Operations on the files that tasks leave on their nodes."""

import asyncio
import itertools
import os
import re
from typing import Any
from urllib.parse import quote

from fastbatch.local import filters, wire
from fastbatch.local.agent import files
from fastbatch.local.agent.files import File
from fastbatch.local.agent.folders import Unsafe
from fastbatch.local.errors import Refused
from fastbatch.local.operations import listing, tasks
from fastbatch.local.operations.call import Answer, Call, FilePart
from fastbatch.local.removal import remove
from fastbatch.local.service import cleaning

_RANGE = re.compile(r"bytes=(?P<first>\d{1,18})-(?P<last>\d{0,18})", re.ASCII)


def _folders(call: Call) -> tuple[str, str]:
    """Give the folder of a task, and that of its node."""
    job, task = tasks.find(call)
    if task.files_gone:
        raise Refused("TaskFilesCleanedup", f"The files of the task {task.id} were kept for their time, and are gone.")
    node = cleaning.node_of(call.core, task)
    if node is None:
        raise Refused("TaskFilesUnavailable", f"The task {task.id} is on no node that is there.")
    at = call.core.agent.place(node)
    try:
        return at.task(job.id, task.id).path, at.root
    except Unsafe as error:  # another task has put a link there
        raise Refused("TaskFilesUnavailable", f"{error}.") from error


async def list_all(call: Call) -> Answer:
    """List a task's files."""
    root, _ = _folders(call)
    expression = listing.parse_filter(call, filters.FILES)
    recursive = call.query.get("recursive", "false").lower() == "true"
    skipped, most = listing.skipped(call), listing.page_size(call)

    def page() -> list[File]:
        wanted = (
            file
            for file in files.walk(root, recursive=recursive)
            if expression is None or expression.holds({"name": file.name})
        )
        return list(itertools.islice(wanted, skipped, skipped + most + 1))

    found = await asyncio.to_thread(page)
    shown = [_shown(call, file) for file in found[:most]]
    return listing.envelope(call, shown, "files", str(skipped + most) if len(found) > most else None)


def _shown(call: Call, file: File) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": file.name, "url": _url(call, file), "isDirectory": file.is_folder}
    if not file.is_folder:
        shown["properties"] = {
            "lastModified": wire.time_text(file.modified),
            "contentLength": str(file.size),
            "contentType": _content_type(file),
            "fileMode": _mode(file),
        }
    return shown


def _url(call: Call, file: File) -> str:
    task = f"{call.url}/jobs/{call.ids['job']}/tasks/{call.ids['task']}"
    return f"{task}/files/{quote(file.name, safe='/')}"


def _content_type(file: File) -> str:
    return "text/plain" if file.name.endswith(".txt") else "application/octet-stream"


def _mode(file: File) -> str:
    return f"0o{file.mode:o}"


def _find(call: Call) -> File:
    root, limits = _folders(call)
    try:
        file = files.find(root, call.ids["file"], limits)
    except Unsafe as error:
        raise Refused("InvalidUri", f"{error}.") from error
    if file is None:
        raise Refused("FileNotFound", f"The task {call.ids['task']} has no file {call.ids['file']}.")
    return file


def properties(call: Call) -> Answer:
    """Tell about a file."""
    file = _find(call)
    return Answer(headers=_headers(call, file), part=FilePart(file.path, 0, 0 if file.is_folder else file.size))


def get(call: Call) -> Answer:
    """Give a file, or the range of it that ocp-range names."""
    file = _find(call)
    if file.is_folder:
        raise Refused("OperationInvalidForCurrentState", f"{call.ids['file']} is a folder.")
    first, length = _span(call.headers.get("ocp-range"), file.size)
    return Answer(headers=_headers(call, file), part=FilePart(file.path, first, length))


def _headers(call: Call, file: File) -> dict[str, str]:
    return {
        "Content-Type": _content_type(file),
        "Last-Modified": wire.http_date(file.modified),
        "ocp-batch-file-isdirectory": str(file.is_folder),
        "ocp-batch-file-mode": _mode(file),
        "ocp-batch-file-url": quote(_url(call, file), safe=""),
    }


def _span(text: str | None, size: int) -> tuple[int, int]:
    if text is None:
        return 0, size
    match = _RANGE.fullmatch(text)
    if match is None:
        raise Refused("InvalidHeaderValue", "ocp-range must be like bytes=0-99.", {"HeaderName": "ocp-range"})
    first = int(match["first"])
    last = min(int(match["last"] or size), size - 1)
    if first > last:
        raise Refused("InvalidRange", f"The file has {size} bytes; {text} is not among them.")
    return first, last - first + 1


async def delete(call: Call) -> Answer:
    """Remove a file, or a folder: with all in it if `recursive` says so."""
    file = _find(call)
    recursive = call.query.get("recursive", "false").lower() == "true"
    try:
        await asyncio.to_thread(_remove, file, recursive=recursive)
    except FileNotFoundError:
        pass  # somebody was quicker
    except OSError:
        raise Refused(
            "OperationInvalidForCurrentState", f"The folder {call.ids['file']} is not empty; say recursive=true."
        ) from None
    return Answer()


def _remove(file: File, *, recursive: bool) -> None:
    if file.is_folder and not recursive and not os.path.islink(file.path):
        os.rmdir(file.path)
    else:
        remove(file.path)
