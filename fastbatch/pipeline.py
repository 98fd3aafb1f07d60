"""
A run: the stages, the streams between them, and the books in their middle.

A stage tells the ledger what happened, and the ledger says what is to be done; that goes into the stream of the stage
that does it. Streams hold ids and no content, so they have no bound; what is held in memory is bounded by the budget.
"""

import contextlib
import math
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Generic, Self, TypeVar, assert_never

import anyio
from anyio import CapacityLimiter
from anyio.abc import TaskGroup

from fastbatch import nodecode, pools
from fastbatch.azure.services import Services
from fastbatch.budget import ByteBudget
from fastbatch.capacity import Capacity, threads
from fastbatch.chunks import Described
from fastbatch.errors import NotOurs, Refused, ServiceError, Unreachable
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
from fastbatch.model import Plan
from fastbatch.settings import Settings
from fastbatch.stages import describe
from fastbatch.stages.fetch import Explainer, Fetcher
from fastbatch.stages.merge import SoundResult
from fastbatch.stages.submit import Submitter
from fastbatch.stages.upload import MARKED_EVERY, Uploader
from fastbatch.stages.watch import Watcher
from fastbatch.stopwatch import Stopwatch
from fastbatch.workload import Workload

T = TypeVar("T")

RETRY_WAIT = 2.0
_EXPLAINERS = 2
_AFTER_JOB = timedelta(hours=1)

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


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run, under which name, and where results are kept until they are merged."""

    run: str
    plan: Plan
    settings: Settings
    workload: Workload
    folder: str


class Pipeline:
    """Drives a run from its plan until every bundle is done or has failed."""

    def __init__(self, order: Order, services: Services, observe: Observer, stopwatch: Stopwatch) -> None:
        settings = order.settings
        self.ledger = Ledger(order.plan, retries=settings.task_retries, retry_wait=RETRY_WAIT)
        self._order = order
        self._services = services
        self._observe = observe
        self._stopwatch = stopwatch
        self._program = nodecode.zipapp()
        self.made: list[str] = []  # on the services, for this run; and the pool, whoever made it
        self._nodes: dict[str, str] = {}
        self._settled = anyio.Event()
        self._pool_is_there = anyio.Event()

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

    @property
    def made_pool(self) -> bool:
        """Tell whether the pool was not there before."""
        return self._pool_is_there.is_set() and self._pool.made

    async def _set_up(self, stages: TaskGroup) -> None:
        """Bring about what bundles and tasks need; uploads begin before it is all there."""
        with self._stopwatch.during("set up"):
            needed = [self._make_job, self._ready_storage, self._find_pool]
            await together([partial(self._begin_uploads, stages), *needed])
        describer = await self._describer()
        submitter = Submitter(self._services.batch, self._order.run, describe=describer, note=self._note)
        for _ in range(self._order.settings.batch_requests):
            stages.start_soon(submitter.work, self._submit.out)

    async def _begin_uploads(self, stages: TaskGroup) -> None:
        await self._uploader.look_around()
        for _ in range(self._order.settings.upload_requests):
            stages.start_soon(self._uploader.work, self._prepare.out)

    async def _make_job(self) -> None:
        uid = str(uuid.uuid4())
        settings = self._order.settings
        body = describe.job(self._order.run, uid, settings.pool, settings.job_timeout)
        with self._making(f"job {self._order.run}"):
            try:
                await self._services.batch.make_job(body)
            except Refused as refused:
                if refused.code != "JobExists":
                    raise
                # A lost answer, perhaps: then the job that is there is ours.
                job = await self._services.batch.job(self._order.run)
                if job is None or not describe.is_ours(job, uid):
                    raise NotOurs(f"There is a job {self._order.run} that this run did not make.") from refused

    @contextlib.contextmanager
    def _making(self, what: str) -> Iterator[None]:
        """Note what is made, also if its answer never comes: the service may have made it."""
        self.made.append(what)
        try:
            yield
        except ServiceError as error:
            if not isinstance(error, Unreachable):
                self.made.remove(what)
            raise

    async def _ready_storage(self) -> None:
        storage = self._services.storage
        results = describe.results_container(self._order.run)
        with self._making(f"container {results}"):
            await storage.make_container(results)
        await self._put_program()

    async def _put_program(self) -> None:
        """Have the node's program in storage; mark it as used, so that who cleans by age leaves it."""
        storage, program = self._services.storage, self._program
        there = await storage.blobs.look(describe.PROGRAMS, program.digest)
        if there is not None:
            if storage.line.clock.now() - there.touched > MARKED_EVERY:
                await storage.blobs.renew(describe.PROGRAMS, program.digest, there.etag)
            return
        await storage.make_container(describe.PROGRAMS)
        await storage.blobs.put(describe.PROGRAMS, program.digest, program.content)

    async def _find_pool(self) -> None:
        self._pool = await pools.ensure(self._services.batch, self._order.settings, self._observe)
        self.made.append(f"pool {self._pool.id}")
        self._pool_is_there.set()

    async def _guard(self) -> None:
        await self._pool_is_there.wait()
        guard = Guard(
            self._services.batch,
            Guarded(self._pool.id, self._order.run),
            self.ledger,
            note=self._note,
            observe=self._observe,
        )
        await guard.work()

    async def _describer(self) -> Callable[[Submit], Described]:
        order, storage = self._order, self._services.storage
        until = storage.line.clock.now() + timedelta(seconds=order.settings.job_timeout) + _AFTER_JOB
        tasks = describe.Tasks(
            order.run,
            order.workload,
            self._program.digest,
            self._pool.slots,
            order.settings.task_timeout,
            await storage.access(until, order.settings.identity),
        )
        return tasks.describer()

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
                        self._background.start_soon(self._put_program)
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
