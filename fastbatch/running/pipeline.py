"""
A run: the stages, the streams between them, and the books in their middle.

A stage tells the ledger what happened, and the ledger says what is to be done; that goes into the stream of the stage
that does it. Streams hold ids and no content, so they have no bound; what is held in memory is bounded by the budget.
"""

import contextlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Generic, Self, TypeVar, assert_never

import anyio
from anyio import CapacityLimiter
from anyio.abc import TaskGroup

from fastbatch import names
from fastbatch.books.facts import (
    Action,
    Built,
    Collected,
    Ended,
    Explain,
    Fact,
    Fetch,
    NotStored,
    Prepare,
    Stored,
    Submit,
    Submitted,
    Tell,
)
from fastbatch.books.ledger import Ledger
from fastbatch.books.standing import Standing, State
from fastbatch.budget import ByteBudget
from fastbatch.capacity import Capacity, threads
from fastbatch.groups import together
from fastbatch.model import Ending, Task
from fastbatch.order import Order
from fastbatch.running.manners import Manners, Reach
from fastbatch.running.recorder import Recorder, Write
from fastbatch.stages import describe
from fastbatch.stages.fetch import Explainer, Fetcher
from fastbatch.stages.guard import Guard, Guarded
from fastbatch.stages.merge import SoundResult
from fastbatch.stages.site import Site
from fastbatch.stages.submit import Submitter
from fastbatch.stages.upload import Uploader
from fastbatch.stages.watch import Watcher

T = TypeVar("T")

RETRY_WAIT = 2.0
_EXPLAINERS = 2

# The stages at whose work actions and facts show that they are.
_BEGUN_BY: dict[type[Action], str] = {Prepare: "upload", Submit: "submit", Fetch: "fetch"}
_SHOWN_BY: dict[type[Fact], str] = {
    Built: "upload",
    Stored: "upload",
    NotStored: "upload",
    Submitted: "submit",
    Ended: "run",
    Collected: "fetch",
}


# The states that are over when a stage has nothing more to do.
_ENDS = (
    frozenset({State.PREPARING}),
    frozenset({State.PREPARING, State.SUBMITTING}),
    frozenset({State.PREPARING, State.SUBMITTING, State.WAITING}),
)


# The states in which no bundle may be for a run to have been driven as far as it is to be.
_BEFORE = {
    Reach.PRESENT: frozenset({State.FETCHING}),
    Reach.SUBMITTED: frozenset({State.PREPARING, State.SUBMITTING}),
    Reach.END: frozenset(state for state in State if not state.final),
}


@dataclass(frozen=True, slots=True)
class Start:
    """Where a run goes on; a new one has nothing yet."""

    standings: Mapping[str, Standing] = field(default_factory=dict)
    endings: Sequence[Ending] = ()  # that came meanwhile
    live: Mapping[Task, int] = field(default_factory=dict)  # tasks that are waited for, and their jobs
    over: Collection[Task] = ()  # that ended before
    known_until: Mapping[int, datetime | None] = field(default_factory=dict)  # by job
    tasks: int = 0  # that were ever submitted


class Pipeline:
    """Drives a run until every bundle is done or has failed."""

    def __init__(self, order: Order, site: Site, start: Start, *, write: Write, manners: Manners) -> None:
        settings, services = order.settings, site.services
        self.ledger = Ledger(
            order.plan,
            retries=settings.task_retries,
            retry_wait=RETRY_WAIT,
            standings=start.standings,
            live=start.live,
        )
        self.ledger.tasks = start.tasks
        self.ledger.knows(start.over)
        self.recorder = Recorder(write, self.ledger)
        self._order = order
        self._site = site
        self._start = start
        self._manners = manners
        self._ran: dict[str, Ending] = {}
        self._needed = anyio.Event()
        self._reached = anyio.Event()
        self._ends = [*_ENDS]

        capacity = Capacity(CapacityLimiter(threads()), ByteBudget(settings.in_flight))
        self._prepare, self._submit = _Stream[Prepare](), _Stream[Submit]()
        self._fetch, self._explain = _Stream[Fetch](), _Stream[Explain]()
        self._uploader = Uploader(services.storage, describe.BUNDLES, capacity, self._note, self.recorder.written)
        self._watcher = Watcher(services.batch, order.run, self.ledger, note=self._note, observe=manners.observe)
        self._fetcher = Fetcher(services.storage, order.run, order.folder, order.workload, capacity=capacity)
        self._explainer = Explainer(services.batch, services.storage, order.run, manners.observe)
        if settings.per_file:
            self._watcher.want_nodes()
        for job, until in start.known_until.items():
            self._watcher.knows(job, until)

    async def run(self) -> None:
        """Run as far as it is to be driven."""
        self.ledger.check()
        with contextlib.ExitStack() as streams:
            for stream in (self._prepare, self._submit, self._fetch, self._explain):
                streams.enter_context(stream)
            try:
                await self._work()
            finally:
                with anyio.CancelScope(shield=True):
                    await self.recorder.flush()
        self.ledger.check()

    async def _work(self) -> None:
        async with anyio.create_task_group() as recording:  # until the end, as uploads wait for what is recorded
            recording.start_soon(self.recorder.work)
            await self._work_in_stages()
            recording.cancel_scope.cancel()

    async def _work_in_stages(self) -> None:
        async with anyio.create_task_group() as stages:
            async with anyio.create_task_group() as background:
                self._background = background
                if self._manners.reach is not Reach.PRESENT:
                    background.start_soon(self._set_up, stages)
                    background.start_soon(self._watcher.work)
                    background.start_soon(self._guard)
                for _ in range(self._order.settings.upload_requests):
                    stages.start_soon(self._fetcher.work, self._fetch.out, self._note)
                for _ in range(_EXPLAINERS):
                    stages.start_soon(self._explainer.work, self._explain.out)
                self._begin()
                await self._reached.wait()
                background.cancel_scope.cancel()
            for stream in (self._prepare, self._submit, self._fetch, self._explain):
                stream.into.close()
            if self._manners.reach is Reach.SUBMITTED:
                stages.cancel_scope.cancel()

    def _begin(self) -> None:
        self._act(self.ledger.begin())
        for ending in self._start.endings:
            self._note(Ended(ending))
        if self.ledger.needs_nodes():
            self._needed.set()
        self._see_ends()

    def found(self) -> list[SoundResult]:
        """Give the results that count."""
        return [
            SoundResult(bundle, self._fetcher.path(task), task.id, *self._where(task))
            for bundle, task in self.ledger.results()
        ]

    def _where(self, task: Task) -> tuple[str | None, str]:
        """Tell on which node a task ran, if that is known, and in which job."""
        ending = self._ran.get(task.id)
        return (ending.node, names.job(self._order.run, ending.job)) if ending else (None, self._order.run)

    async def _set_up(self, stages: TaskGroup) -> None:
        """Bring about what bundles and tasks need; uploads begin before it is all there."""
        await self._needed.wait()
        with self._manners.stopwatch.during("set up"):
            ground, jobs = self._site.ground, self._site.jobs
            needed = [jobs.make, ground.ready_storage, ground.find_pool]
            await together([partial(self._begin_uploads, stages), *needed])
        submitter = Submitter(self._site.services.batch, jobs, self._note)
        for _ in range(self._order.settings.batch_requests):
            stages.start_soon(submitter.work, self._submit.out)

    async def _begin_uploads(self, stages: TaskGroup) -> None:
        await self._uploader.look_around()
        for _ in range(self._order.settings.upload_requests):
            stages.start_soon(self._uploader.work, self._prepare.out)

    async def _guard(self) -> None:
        await self._site.ground.pool_is_there.wait()
        guard = Guard(
            self._site.services.batch,
            Guarded(self._order.settings.pool, self._site.jobs, self._watcher.listed),
            self.ledger,
            note=self._note,
            observe=self._manners.observe,
        )
        await guard.work()

    def _note(self, fact: Fact) -> None:
        """Enter what happened into the books, and set going what follows."""
        if stage := _SHOWN_BY.get(type(fact)):
            self._manners.stopwatch.mark(stage)
        if isinstance(fact, Ended) and fact.ending.succeeded and self._order.settings.per_file:
            self._ran[fact.ending.task.id] = fact.ending
        actions = self.ledger.apply(fact)
        self.recorder.note(fact)
        self._act(actions)
        if isinstance(fact, Submitted):
            self._manners.stopwatch.mark("run")
            self._watcher.submitted.set()
        self._see_ends()

    def _see_ends(self) -> None:
        """Check the books at the end of each stage; see whether all is submitted, or settled."""
        while self._ends and self.ledger.none_in(*self._ends[0]):
            self._ends.pop(0)
            self.ledger.check()
        if self.ledger.none_in(*_BEFORE[self._manners.reach]):
            self._reached.set()

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if stage := _BEGUN_BY.get(type(action)):
                self._manners.stopwatch.mark(stage)
            match action:
                case Prepare():
                    self._needed.set()
                    self._prepare.into.send_nowait(action)
                    if action.replace:  # what was gone or bad may have been the program
                        self._background.start_soon(self._site.ground.put_program)
                case Submit():
                    self._needed.set()
                    self._send_later(action)
                case Fetch():
                    self._fetch.into.send_nowait(action)
                case Explain():
                    self._explain.into.send_nowait(action)
                case Tell():
                    self._manners.observe(action.event)
                case _:
                    assert_never(action)

    def _send_later(self, action: Submit) -> None:
        if action.delay:
            self._background.start_soon(self._submit_after, action)
        else:
            self._submit.into.send_nowait(action)

    async def _submit_after(self, action: Submit) -> None:
        await anyio.sleep(action.delay)
        self._submit.into.send_nowait(action)


class _Stream(Generic[T]):
    """A stream between stages."""

    def __init__(self) -> None:
        self.into, self.out = anyio.create_memory_object_stream[T](math.inf)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.into.close()
        self.out.close()
