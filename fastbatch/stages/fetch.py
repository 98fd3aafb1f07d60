"""Results, brought here while other tasks still run; and what failed tasks have to say."""

import contextlib
import os
from collections.abc import Callable
from typing import BinaryIO

from anyio import to_thread
from anyio.abc import ObjectReceiveStream

from fastbatch import names
from fastbatch.azure.batch import Batch
from fastbatch.azure.storage import Storage
from fastbatch.books.facts import Collected, Explain, Fact, Fetch, Unsound
from fastbatch.capacity import Capacity
from fastbatch.errors import OutputFailed, Refused, ResultUnsound, ServiceError
from fastbatch.events import Observer, TaskFailed
from fastbatch.model import Task
from fastbatch.stages import describe
from fastbatch.workload import Workload

_TAIL_BYTES = 2048
_ASKED_AT_MOST = 100
_MEMORY = 1 << 20  # what verifying and writing a result holds


class Fetcher:
    """Brings the results of a run into a folder."""

    def __init__(self, storage: Storage, run: str, folder: str, workload: Workload, *, capacity: Capacity) -> None:
        self._storage = storage
        self._run = run
        self._container = describe.results_container(run)
        self._folder = folder
        self._workload = workload
        self._capacity = capacity

    def path(self, task: Task) -> str:
        """Give where the result of a task is kept. The name is ours, not one that a service told."""
        return os.path.join(self._folder, f"{task.id}.result")

    async def work(self, todo: ObjectReceiveStream[Fetch], note: Callable[[Fact], None]) -> None:
        """Fetch, one result after the other."""
        async for action in todo:
            async with self._capacity.budget.hold(_MEMORY):
                note(await self._fetch(action))

    async def _fetch(self, action: Fetch) -> Fact:
        path = self.path(action.task)
        if await self._is_here(action, path):
            return Collected(action.task)
        try:
            with _created(path) as file:
                name = describe.result_blob(action.task.id)
                await self._storage.blobs.read("fetch a result", self._container, name, file)
            await self._verify(action, path)
        except OSError as error:
            raise OutputFailed(
                f"{path}: {error.strerror or error}. Make room there, then go on: fastbatch resume {self._run}"
            ) from error
        except Refused as refused:
            if not refused.not_found:
                raise
            return Unsound(action.task, "the task ended well, but its result is not in storage")
        except ResultUnsound as unsound:
            return Unsound(action.task, str(unsound))
        return Collected(action.task)

    async def _is_here(self, action: Fetch, path: str) -> bool:
        """Tell whether it was brought here before, whole."""
        if not await to_thread.run_sync(os.path.exists, path):
            return False
        try:
            await self._verify(action, path)
        except (ResultUnsound, OSError):
            return False
        return True

    async def _verify(self, action: Fetch, path: str) -> None:
        await to_thread.run_sync(
            self._workload.collect, path, action.bundle, action.lost, limiter=self._capacity.threads
        )


def _created(path: str) -> BinaryIO:
    return open(path, "wb")


class Explainer:
    """Tells why tasks failed, with where they ran and what they wrote."""

    def __init__(self, batch: Batch, storage: Storage, run: str, observe: Observer) -> None:
        self._batch = batch
        self._storage = storage
        self._run = run
        self._observe = observe
        self._asked = 0

    async def work(self, todo: ObjectReceiveStream[Explain]) -> None:
        """Explain, one failure after the other."""
        async for action in todo:
            await self._explain(action)

    async def _explain(self, action: Explain) -> None:
        task_id = action.ending.task.id
        container = describe.results_container(self._run)
        node, written = action.ending.node, b""
        self._asked += 1
        if self._asked <= _ASKED_AT_MOST:  # thousands of failures are alike, and each answer is two or three requests
            with contextlib.suppress(ServiceError):  # what is not known of a failure is no failure of the run
                node = node or await self._batch.node_of(names.job(self._run, action.ending.job), task_id)
            with contextlib.suppress(ServiceError):
                written = await self._storage.blobs.tail(container, describe.error_blob(task_id), _TAIL_BYTES)
        self._observe(
            TaskFailed(
                task_id,
                action.reason,
                action.retried,
                exit_code=action.ending.exit_code,
                node=node,
                stderr=written.decode("utf-8", "replace").strip(),
            )
        )
