"""The jobs of a run: the one that takes its tasks, and those before it that are over."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from fastbatch import names
from fastbatch.azure.requests import Json
from fastbatch.azure.services import Services
from fastbatch.books.facts import Submit
from fastbatch.chunks import Described
from fastbatch.errors import NotOurs, Refused
from fastbatch.journal.notes import Notes
from fastbatch.order import Order
from fastbatch.stages import describe
from fastbatch.stages.ground import Ground

# Signatures outlive the job, so that its last tasks can write.
_AFTER_JOB = timedelta(hours=1)

_LIVE = frozenset({"active", "disabling", "disabled", "enabling"})


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that takes tasks, and how they are described for it."""

    number: int
    id: str
    describe: Callable[[Submit], Described]
    ends_by_itself: bool  # as soon as all its tasks are completed: that may be before ours are added


class Jobs:
    """The jobs of a run. Only the newest has tasks that are still to run."""

    def __init__(self, order: Order, services: Services, ground: Ground, notes: Notes) -> None:
        self.number = order.job
        self.signed_until: datetime | None = None  # the tasks that wait in it, if any, may read and write so long
        self._order = order
        self._services = services
        self._ground = ground
        self._notes = notes
        self._turn = anyio.Lock()
        self._is_there = False
        self._ends_by_itself = False
        self._open: OpenJob | None = None

    @property
    def id(self) -> str:
        """Give the name of the newest job."""
        return names.job(self._order.run, self.number)

    @property
    def ids(self) -> list[str]:
        """Give the names of all jobs that were."""
        return [names.job(self._order.run, number) for number in range(self.number + 1)]

    def find(self, found: Json | None, *, used: bool) -> bool:
        """
        Learn what there is of the newest job; tell whether its tasks still run.

        If they do not, and it was `used`, the next tasks get a new one.
        """
        if found is not None and not describe.is_ours(found, self._order.uid):
            raise NotOurs(f"There is a job {self.id} that this run did not make. Delete it, or run the inputs anew.")
        if found is not None and found["state"] in _LIVE:
            self._is_there = True
            self._ends_by_itself = found.get("onAllTasksComplete") == "terminatejob"
            return True
        if used or found is not None:
            self.number += 1
        return False

    async def make(self) -> None:
        """Have the newest job."""
        async with self._turn:
            await self._make()

    async def current(self) -> OpenJob:
        """Give the job that takes tasks, as soon as there is a pool for it."""
        await self._ground.pool_is_there.wait()
        async with self._turn:
            await self._make()
            if self._open is None:
                self._open = await self._described()
            return self._open

    async def after(self, job: OpenJob) -> OpenJob | None:
        """Give the job that takes tasks when one takes no more; none if the run was cancelled."""
        async with self._turn:
            if job.number == self.number:
                found = await self._services.batch.job(job.id)
                if found is not None and describe.was_cancelled(found):
                    return None
                self.number += 1
                self._is_there = self._ends_by_itself = False
                self.signed_until = None
                self._open = None
        return await self.current()

    async def _make(self) -> None:
        if self._is_there:
            return
        order = self._order
        body = describe.job(self.id, order.uid, order.settings.pool, order.settings.job_timeout)
        await self._notes.job(self.number, None)
        with self._ground.making(f"job {self.id}"):
            try:
                await self._services.batch.make_job(body)
            except Refused as refused:
                if refused.code != "JobExists":
                    raise
                # A lost answer, perhaps: then the job that is there is ours.
                job = await self._services.batch.job(self.id)
                if job is None or not describe.is_ours(job, order.uid):
                    raise NotOurs(f"There is a job {self.id} that this run did not make.") from refused
        self._is_there = True

    async def _described(self) -> OpenJob:
        order, storage = self._order, self._services.storage
        until = storage.line.clock.now() + timedelta(seconds=order.settings.job_timeout) + _AFTER_JOB
        tasks = describe.Tasks(
            order.run,
            order.workload,
            self._ground.program,
            self._ground.pool.slots,
            order.settings.task_timeout,
            await storage.access(until, order.settings.identity),
        )
        if not order.settings.identity:
            await self._notes.job(self.number, min(until, self.signed_until or until))
        return OpenJob(self.number, self.id, tasks.describer(), self._ends_by_itself)
