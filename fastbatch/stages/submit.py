"""Tasks, given to the service in collections; every id is accounted for."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from fastbatch.azure.batch import Batch
from fastbatch.books.facts import Fact, Rejected, Returned, Submit, Submitted
from fastbatch.chunks import Collection, Described, body
from fastbatch.errors import Refused
from fastbatch.masking import masked
from fastbatch.stages.jobs import OpenJob

_TOO_LARGE = 413
_OVER = frozenset({"JobCompleted", "JobBeingTerminated", "JobNotActive"})
_ROUNDS = 8
_PARTIAL_EVERY = 0.1
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0


@dataclass(slots=True)
class Verdicts:
    """What the service said of each task of a collection."""

    taken: list[Described] = field(default_factory=list)
    refused: list[tuple[Described, str]] = field(default_factory=list)
    open: list[tuple[Described, str]] = field(default_factory=list)  # to be sent again, and why


def judge(sent: Sequence[Described], answers: Sequence[dict[str, Any]]) -> Verdicts:
    """
    Match a service's answers to what was sent.

    The letter case of a status is not to be relied on, and what is not named in the answer may or may not be there.
    A task that exists is ours, as the job is.
    """
    by_id = {str(answer.get("taskId", "")).lower(): answer for answer in answers}
    verdicts = Verdicts()
    for described in sent:
        answer = by_id.get(described.task.id.lower(), {})
        status = str(answer.get("status", "")).lower()
        code = (answer.get("error") or {}).get("code", "")
        if status == "success" or code == "TaskExists":
            verdicts.taken.append(described)
        elif status == "clienterror":
            verdicts.refused.append((described, _said(answer)))
        else:
            verdicts.open.append((described, _said(answer) or "it was not in the service's answer"))
    return verdicts


def _said(answer: dict[str, Any]) -> str:
    error = answer.get("error") or {}
    message = (error.get("message") or {}).get("value", "").partition("\n")[0]
    return masked(": ".join(part for part in (error.get("code", ""), message) if part))


class TakesTasks(Protocol):
    """Gives the job that takes tasks."""

    async def current(self) -> OpenJob:
        """Give it, as soon as it is there."""

    async def after(self, job: OpenJob) -> OpenJob | None:
        """Give the one that takes tasks when another takes no more; none if there is to be none."""


class Submitter:
    """
    Adds tasks to the job that takes them.

    Whoever has gathered a full collection sends it, beside others. One that is not full is sent too, but only one at a
    time and not often, so that what comes meanwhile goes together.
    """

    def __init__(self, batch: Batch, jobs: TakesTasks, note: Callable[[Fact], None]) -> None:
        self._batch = batch
        self._jobs = jobs
        self._note = note
        self._gathering = anyio.Lock()
        self._left: Submit | None = None

    async def work(self, todo: MemoryObjectReceiveStream[Submit]) -> None:
        """Gather and send, one collection after the other."""
        while True:
            async with self._gathering:
                try:
                    first = self._left or await todo.receive()
                except anyio.EndOfStream:
                    return
                self._left = None
                job = await self._jobs.current()
                collection = self._gather(first, todo, job)
                left = None
                if not collection.full:
                    began = anyio.current_time()
                    left = await self._send_once(job, collection.tasks)
                    await anyio.sleep_until(began + _PARTIAL_EVERY)
            await self._send(job, collection.tasks, left)

    def _gather(self, first: Submit, todo: MemoryObjectReceiveStream[Submit], job: OpenJob) -> Collection:
        collection = Collection()
        self._put(collection, job.describe(first))
        while not collection.full:
            try:
                action = todo.receive_nowait()
            except (anyio.WouldBlock, anyio.EndOfStream):
                break
            if not self._put(collection, job.describe(action)):
                self._left = action
        return collection

    def _put(self, collection: Collection, described: Described) -> bool:
        if described.too_large:
            self._note(Rejected(described.task, "its description is over what one request can hold"))
            return True
        return collection.add(described)

    async def _send(self, job: OpenJob, tasks: list[Described], reasons: list[tuple[Described, str]] | None) -> None:
        if reasons is None:
            reasons = await self._send_once(job, tasks)
        for attempt in range(1, _ROUNDS):
            if not reasons:
                return
            await anyio.sleep(min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**attempt) * random.uniform(0.5, 1.0))  # noqa: S311
            reasons = await self._send_once(job, [described for described, _ in reasons])
        for described, reason in reasons:
            self._note(Rejected(described.task, f"{reason} ({_ROUNDS} times)", passing=True))

    async def _send_once(self, job: OpenJob, tasks: list[Described]) -> list[tuple[Described, str]]:
        """Send tasks; give those that are to be sent again, with the reason."""
        if not tasks:
            return []
        try:
            answers = await self._batch.add_tasks(job.id, body(tasks))
        except Refused as refused:
            if refused.status == _TOO_LARGE:
                return await self._send_halves(job, tasks, refused)
            if refused.code not in _OVER:
                raise
            await self._go_elsewhere(job, tasks)
            return []
        verdicts = judge(tasks, answers)
        if verdicts.taken:
            self._note(Submitted(tuple(described.task for described in verdicts.taken), job.number))
        for described, reason in verdicts.refused:
            self._note(Rejected(described.task, reason))
        return verdicts.open

    async def _go_elsewhere(self, job: OpenJob, tasks: list[Described]) -> None:
        """Let tasks whose job is over go into another one, unless it was to take all: then somebody ended it."""
        if job.ends_by_itself and await self._jobs.after(job) is not None:
            self._note(Returned(tuple(described.task for described in tasks)))
            return
        for described in tasks:
            self._note(Rejected(described.task, f"job {job.id} is over", passing=True))

    async def _send_halves(self, job: OpenJob, tasks: list[Described], refused: Refused) -> list[tuple[Described, str]]:
        if len(tasks) == 1:
            self._note(Rejected(tasks[0].task, str(refused)))
            return []
        middle = len(tasks) // 2
        return [*await self._send_once(job, tasks[:middle]), *await self._send_once(job, tasks[middle:])]
