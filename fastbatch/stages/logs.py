"""What tasks wrote: from their nodes, or what failed ones left in storage; a piece at a time."""

import enum
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from fastbatch import names
from fastbatch.azure.services import Services
from fastbatch.errors import Refused
from fastbatch.journal.records import Attempt, Outcome, RunRecord
from fastbatch.model import Ending, Task
from fastbatch.stages import describe
from fastbatch.stages.watch import read

PIECE = 1 << 20
_STEP = 1 << 16  # bytes that are looked through at once for the ends of lines
_FIELDS = "id,state,executionInfo,nodeInfo"
_FAILED = "state eq 'completed' and executionInfo/result eq 'failure'"
_UNAVAILABLE = frozenset(
    {
        "NodeNotReady",
        "NodeStateUnusable",
        "OperationInvalidForCurrentState",
        "TaskFilesCleanedup",
        "TaskFilesUnavailable",
    }
)


class Stream(enum.Enum):
    """What a program writes to."""

    STDOUT = "stdout.txt"
    STDERR = "stderr.txt"


@dataclass(frozen=True, slots=True)
class Written:
    """What a task wrote to one of its streams, up to when it was looked at."""

    stream: Stream
    size: int
    part: Callable[[range], Awaitable[bytes]]

    async def last_lines(self, number: int) -> int:
        """Tell at which byte the last lines begin; the end of the file ends a line, too."""
        end = self.size
        while end > 0:
            begin = max(0, end - _STEP)
            piece = await self.part(range(begin, end))
            at = len(piece) - (end == self.size and piece.endswith(b"\n"))
            while (at := piece.rfind(b"\n", 0, at)) >= 0:
                number -= 1
                if not number:
                    return begin + at + 1
            end = begin
        return 0

    async def pieces(self, start: int = 0) -> AsyncIterator[bytes]:
        """Give it in pieces, from a byte on; it is never held whole."""
        while start < self.size:
            piece = await self.part(range(start, min(start + PIECE, self.size)))
            if not piece:  # it became shorter
                return
            yield piece
            start += len(piece)


@dataclass(frozen=True, slots=True)
class Log:
    """A task, how it is known to stand, and what it wrote."""

    task: Task
    state: str | None  # on the service, if it is there
    ending: Ending | None  # by the service, or by the journal
    node: str | None
    written: tuple[Written, ...]


class Logs:
    """Finds what the tasks of a run wrote."""

    def __init__(self, services: Services, record: RunRecord, attempts: Iterable[Attempt]) -> None:
        self._batch = services.batch
        self._storage = services.storage
        self._record = record
        self._attempts = {attempt.task: attempt for attempt in attempts}
        self._ours: dict[int, bool] = {}

    async def jobs(self) -> list[int]:
        """Give the numbers of the jobs that are there, the newest first."""
        return [number for number in range(self._record.job, -1, -1) if await self._is_there(number)]

    async def tasks(self, *, failed: bool) -> list[Task]:
        """Name the tasks that there are, or those that failed, as far as the journal and the service know."""
        found = {
            attempt.task
            for attempt in self._attempts.values()
            if attempt.outcome is Outcome.FAILED or not (failed or attempt.outcome is Outcome.REJECTED)
        }
        if failed or not found:
            where = _FAILED if failed else ""
            for number in await self.jobs():
                async for page in self._batch.task_pages(self._job(number), where=where, select="id"):
                    found |= {Task.of(task["id"]) for task in page}
        return sorted(found, key=lambda task: (task.bundle, task.attempt))

    async def of(self, task: Task, streams: Iterable[Stream]) -> Log | None:
        """Give what a task wrote; None if it is nowhere known."""
        wanted = tuple(streams)
        for number in self._numbers(task):
            if not await self._is_there(number):
                continue
            shown = await self._batch.task(self._job(number), task.id, select=_FIELDS)
            if shown is not None:
                ending = read(shown) if shown["state"] == "completed" else None
                written = await self._on_node(self._job(number), task, wanted) if shown["state"] != "active" else ()
                if written is None:
                    written = await self._in_storage(task, wanted)
                node = (shown.get("nodeInfo") or {}).get("nodeId")
                return Log(task, shown["state"], ending, node, written)
        return await self._remembered(task, wanted)

    async def _remembered(self, task: Task, streams: tuple[Stream, ...]) -> Log | None:
        """Give what is left of a task that the service does not have any more."""
        written = await self._in_storage(task, streams)
        attempt = self._attempts.get(task)
        if attempt is None or attempt.outcome is Outcome.REJECTED:
            return Log(task, None, None, None, written) if written else None
        ended = attempt.outcome in {Outcome.SUCCEEDED, Outcome.FAILED}
        succeeded = attempt.outcome is Outcome.SUCCEEDED
        ending = Ending(task, succeeded, attempt.exit_code, None, attempt.reason) if ended else None
        return Log(task, None, ending, attempt.node, written)

    def _numbers(self, task: Task) -> Iterable[int]:
        """Give the numbers of the jobs in which a task may be."""
        attempt = self._attempts.get(task)
        return range(self._record.job, -1, -1) if attempt is None else (attempt.job,)

    def _job(self, number: int) -> str:
        return names.job(self._record.id, number)

    async def _is_there(self, number: int) -> bool:
        """Tell whether a job is there, and the run's."""
        if number not in self._ours:
            job = await self._batch.job(self._job(number))
            self._ours[number] = job is not None and describe.is_ours(job, self._record.uid)
        return self._ours[number]

    async def _on_node(self, job_id: str, task: Task, streams: tuple[Stream, ...]) -> tuple[Written, ...] | None:
        """Give what is on the node of a task; None if that, or its files, can't be reached."""
        try:
            sizes = await self._batch.task_files(job_id, task.id)
        except Refused as refused:
            if refused.not_found or refused.code in _UNAVAILABLE:
                return None
            raise

        def written(stream: Stream) -> Written:
            async def part(span: range) -> bytes:
                return await self._batch.task_file(job_id, task.id, stream.value, span)

            return Written(stream, sizes[stream.value], part)

        return tuple(written(stream) for stream in streams if stream.value in sizes)

    async def _in_storage(self, task: Task, streams: tuple[Stream, ...]) -> tuple[Written, ...]:
        """Give what a failed task left in storage."""
        container = describe.results_container(self._record.id)

        async def written(stream: Stream) -> Written | None:
            name = f"{task.id}/{stream.value}"
            stored = await self._storage.blobs.look(container, name)

            async def part(span: range) -> bytes:
                return await self._storage.blobs.piece(container, name, span)

            return Written(stream, stored.length, part) if stored else None

        found = [await written(stream) for stream in streams]
        return tuple(each for each in found if each is not None)
