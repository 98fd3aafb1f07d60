"""Adding tasks, waiting for what becomes of them, and reading what they print."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from fastbatch.local.processes import identify
from tests.local.instances import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastbatch.local.processes import Identity


def a_task(task_id: str = "t", command: str = "true", **more: Any) -> dict[str, Any]:
    """Give the body of a task."""
    return {"id": task_id, "commandLine": command, **more}


@contextmanager
def refused(code: str, status: int = 0) -> Iterator[None]:
    """Expect that the service refuses, with this code, and with this status if one is given."""
    with pytest.raises(HttpResponseError) as caught:
        yield
    error: Any = caught.value
    # Where the answer is to be a stream, the SDK does not read the error.
    said = error.error.code if error.error else json.loads(error.response.read())["code"]
    assert (said, error.status_code) == (code, status or error.status_code)


def run(client: Any, job: str, command: str, task_id: str = "t", **more: Any) -> Any:
    """Add a task, wait until it is completed, and give it."""
    client.create_task(job, a_task(task_id, command, **more))
    return completed(client, job, task_id)


def completed(client: Any, job: str, task_id: str = "t") -> Any:
    """Wait until a task is completed, and give it."""
    return eventually(lambda: client.get_task(job, task_id), lambda task: task.state == "completed")


def sleeping(client: Any, job: str, task_id: str = "t", **more: Any) -> Identity:
    """Add a task that runs until it is ended, and give its process."""
    client.create_task(job, a_task(task_id, "sh -c 'echo $$; exec sleep 100'", **more))
    return process_of(client, job, task_id)


def process_of(client: Any, job: str, task_id: str = "t") -> Identity:
    """Give the process of a task that runs and tells its pid."""
    identity = eventually(lambda: identify(int(printed(client, job, task_id) or "0")), bool)
    assert identity
    return identity


def printed(client: Any, job: str, task_id: str = "t", name: str = "stdout.txt") -> str:
    """Give what a task has printed until now."""
    try:
        return b"".join(client.download_task_file(job, task_id, name)).decode()
    except (ResourceNotFoundError, ResourceExistsError):  # the statuses 404 and 409: nothing yet
        return ""


def files_code(client: Any, job: str, task_id: str = "t") -> str:
    """Tell why the files of a task are not to be had."""
    try:
        list(client.list_task_files(job, task_id))
    except HttpResponseError as error:
        refusal: Any = error
        return str(refusal.error.code)
    return ""
