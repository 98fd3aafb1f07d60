"""
A run: the stages, the streams between them, and the books in their middle.

A stage tells the ledger what happened, and the ledger says what is to be done; that goes into the stream of the stage
that does it. Streams hold ids and no content, so they have no bound; what is held in memory is bounded by the budget.
"""

import contextlib
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, Self, TypeVar, assert_never

import anyio
from anyio import CapacityLimiter
from anyio.abc import TaskGroup

from fastbatch.azure.services import Services
from fastbatch.budget import ByteBudget
from fastbatch.capacity import Capacity, threads
from fastbatch.events import Observer
from fastbatch.facts import (
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
from fastbatch.groups import unwrapped
from fastbatch.guard import Guard, Guarded
from fastbatch.ledger import Ledger
from fastbatch.order import Order
from fastbatch.stages import describe
from fastbatch.stages.fetch import Explainer, Fetcher
from fastbatch.stages.ground import Ground
from fastbatch.stages.merge import SoundResult
from fastbatch.stages.submit import Submitter
from fastbatch.stages.upload import Uploader
from fastbatch.stages.watch import Watcher
from fastbatch.stopwatch import Stopwatch

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


class Pipeline:
    """Drives a run from its plan until every bundle is done or has failed."""

    def __init__(self, order: Order, services: Services, observe: Observer, stopwatch: Stopwatch) -> None:
        settings = order.settings
        self.ledger = Ledger(order.plan, retries=settings.task_retries, retry_wait=RETRY_WAIT)
        self._order = order
        self._services = services
        self._observe = observe
        self._stopwatch = stopwatch
        self.ground = Ground(order, services, observe)
        self._nodes: dict[str, str] = {}
        self._settled = anyio.Event()

        capacity = Capacity(CapacityLimiter(threads()), ByteBudget(settings.in_flight), together)
        self._prepare, self._submit = _Stream[Prepare](), _Stream[Submit]()
        self._fetch, self._explain = _Stream[Fetch](), _Stream[Explain]()
        self._uploader = Uploader(services.storage, describe.BUNDLES, capacity, self._note)
        self._watcher = Watcher(services.batch, order.run, self.ledger, note=self._note, observe=observe)
        self._fetcher = Fetcher(services.storage, order.run, order.folder, order.workload, capacity=capacity)
        self._explainer = Explainer(services.batch, services.storage, order.run, observe)
        if settings.per_file:
            self._watcher.want_nodes()

    async def run(self) -> None:
        """Run until all is settled."""
        with contextlib.ExitStack() as streams:
            for stream in (self._prepare, self._submit, self._fetch, self._explain):
                streams.enter_context(stream)
            self._act(self.ledger.begin())
            await self._work()

    async def _work(self) -> None:
        async with anyio.create_task_group() as stages:
            async with anyio.create_task_group() as background:
                self._background = background
                background.start_soon(self._set_up, stages)
                background.start_soon(self._watcher.work)
                background.start_soon(self._guard)
                for _ in range(self._order.settings.upload_requests):
                    stages.start_soon(self._fetcher.work, self._fetch.out, self._note)
                for _ in range(_EXPLAINERS):
                    stages.start_soon(self._explainer.work, self._explain.out)
                await self._settled.wait()
                background.cancel_scope.cancel()
            for stream in (self._prepare, self._submit, self._fetch, self._explain):
                stream.into.close()

    def found(self) -> list[SoundResult]:
        """Give the results that count."""
        return [
            SoundResult(bundle, self._fetcher.path(task), task.id, self._nodes.get(task.id))
            for bundle, task in self.ledger.results()
        ]

    async def _set_up(self, stages: TaskGroup) -> None:
        """Bring about what bundles and tasks need; uploads begin before it is all there."""
        with self._stopwatch.during("set up"):
            ground = self.ground
            needed = [ground.make_job, ground.ready_storage, ground.find_pool]
            await together([partial(self._begin_uploads, stages), *needed])
            describer = await ground.describer()
        submitter = Submitter(self._services.batch, self._order.run, describe=describer, note=self._note)
        for _ in range(self._order.settings.batch_requests):
            stages.start_soon(submitter.work, self._submit.out)

    async def _begin_uploads(self, stages: TaskGroup) -> None:
        await self._uploader.look_around()
        for _ in range(self._order.settings.upload_requests):
            stages.start_soon(self._uploader.work, self._prepare.out)

    async def _guard(self) -> None:
        await self.ground.pool_is_there.wait()
        guard = Guard(
            self._services.batch,
            Guarded(self._order.settings.pool, self._order.run),
            self.ledger,
            note=self._note,
            observe=self._observe,
        )
        await guard.work()

    def _note(self, fact: Fact) -> None:
        """Enter what happened into the books, and set going what follows."""
        if stage := _SHOWN_BY.get(type(fact)):
            self._stopwatch.mark(stage)
        if isinstance(fact, Ended) and fact.ending.node:
            self._nodes[fact.ending.task.id] = fact.ending.node
        self._act(self.ledger.apply(fact))
        if isinstance(fact, Submitted):
            self._stopwatch.mark("run")
            self._watcher.submitted.set()
        if self.ledger.settled:
            self._settled.set()

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if stage := _BEGUN_BY.get(type(action)):
                self._stopwatch.mark(stage)
            match action:
                case Prepare():
                    self._prepare.into.send_nowait(action)
                    if action.replace:  # what was gone or bad may have been the program
                        self._background.start_soon(self.ground.put_program)
                case Submit():
                    self._send_later(action)
                case Fetch():
                    self._fetch.into.send_nowait(action)
                case Explain():
                    self._explain.into.send_nowait(action)
                case Tell():
                    self._observe(action.event)
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


async def together(calls: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """Do things side by side; if one fails, end the others and raise its error."""

    async def one(call: Callable[[], Awaitable[object]]) -> None:
        await call()

    with unwrapped():
        async with anyio.create_task_group() as group:
            for call in calls:
                group.start_soon(one, call)
