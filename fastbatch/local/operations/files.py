"""Operations on the files of nodes, and on those of them that are a task's."""

import asyncio
import itertools
import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastbatch.local import filters, wire
from fastbatch.local.agent import files
from fastbatch.local.agent.files import File
from fastbatch.local.agent.folders import Unsafe
from fastbatch.local.errors import Refused
from fastbatch.local.operations import listing, nodes, tasks
from fastbatch.local.operations.call import Answer, Call, FilePart
from fastbatch.local.records import Node, Task
from fastbatch.local.removal import remove
from fastbatch.local.service import cleaning
from fastbatch.local.states.nodes import refuse_out_of_reach

_RANGE = re.compile(r"bytes=(?P<first>\d{1,18})-(?P<last>\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where files are: a folder, and that of its node, which no link leads out of; and whose they are."""

    root: str
    limits: str
    owner: str
    url: str


def _place(call: Call) -> _Place:
    return _place_of_task(call) if "task" in call.ids else _place_of_node(call)


def _place_of_node(call: Call) -> _Place:
    pool, node = nodes.find(call)
    refuse_out_of_reach(node)
    root = call.core.agent.place(node).root
    return _Place(root, root, f"node {node.id}", f"{call.url}/pools/{pool.id}/nodes/{node.id}")


def _place_of_task(call: Call) -> _Place:
    job, task = tasks.find(call)
    if task.files_gone:
        raise Refused("TaskFilesCleanedup", f"The files of the task {task.id} have gone from its node.")
    at = call.core.agent.place(_node_of(call, task))
    try:
        root = at.task(job.id, task.id).path
    except Unsafe as error:  # another task has put a link there
        raise Refused("TaskFilesUnavailable", f"{error}.") from error
    return _Place(root, at.root, f"task {task.id}", f"{call.url}/jobs/{job.id}/tasks/{task.id}")


def _node_of(call: Call, task: Task) -> Node:
    node = cleaning.node_of(call.core, task)
    if node is None:
        raise Refused("TaskFilesUnavailable", f"The task {task.id} is on no node that is there.")
    try:
        refuse_out_of_reach(node)
    except Refused as refused:
        raise Refused("TaskFilesUnavailable", refused.message) from refused
    return node


async def list_all(call: Call) -> Answer:
    """List files."""
    place = _place(call)
    expression = listing.parse_filter(call, filters.FILES)
    recursive = call.query.get("recursive", "false").lower() == "true"
    skipped, most = listing.skipped(call), listing.page_size(call)

    def page() -> list[File]:
        wanted = (
            file
            for file in files.walk(place.root, recursive=recursive)
            if expression is None or expression.holds({"name": file.name})
        )
        return list(itertools.islice(wanted, skipped, skipped + most + 1))

    found = await asyncio.to_thread(page)
    shown = [_shown(place, file) for file in found[:most]]
    return listing.envelope(call, shown, "files", str(skipped + most) if len(found) > most else None)


def _shown(place: _Place, file: File) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": file.name, "url": _url(place, file), "isDirectory": file.is_folder}
    if not file.is_folder:
        shown["properties"] = {
            "lastModified": wire.time_text(file.modified),
            "contentLength": str(file.size),
            "contentType": _content_type(file),
            "fileMode": _mode(file),
        }
    return shown


def _url(place: _Place, file: File) -> str:
    return f"{place.url}/files/{quote(file.name, safe='/')}"


def _content_type(file: File) -> str:
    return "text/plain" if file.name.endswith(".txt") else "application/octet-stream"


def _mode(file: File) -> str:
    return f"0o{file.mode:o}"


def _find(call: Call, place: _Place) -> File:
    try:
        file = files.find(place.root, call.ids["file"], place.limits)
    except Unsafe as error:
        raise Refused("InvalidUri", f"{error}.") from error
    if file is None:
        raise Refused("FileNotFound", f"The {place.owner} has no file {call.ids['file']}.")
    return file


def properties(call: Call) -> Answer:
    """Tell about a file."""
    place = _place(call)
    file = _find(call, place)
    call.match_time(file.modified)
    return Answer(headers=_headers(place, file), part=FilePart(file.path, 0, 0 if file.is_folder else file.size))


def get(call: Call) -> Answer:
    """Give a file, or the range of it that ocp-range names."""
    place = _place(call)
    file = _find(call, place)
    call.match_time(file.modified)
    if file.is_folder:
        raise Refused("OperationInvalidForCurrentState", f"{call.ids['file']} is a folder.")
    first, length = _span(call.headers.get("ocp-range"), file.size)
    return Answer(headers=_headers(place, file), part=FilePart(file.path, first, length))


def _headers(place: _Place, file: File) -> dict[str, str]:
    return {
        "Content-Type": _content_type(file),
        "Last-Modified": wire.http_date(file.modified),
        "ocp-batch-file-isdirectory": str(file.is_folder),
        "ocp-batch-file-mode": _mode(file),
        "ocp-batch-file-url": quote(_url(place, file), safe=""),
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
    file = _find(call, _place(call))
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
