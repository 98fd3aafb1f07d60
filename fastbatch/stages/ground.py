"""What a run needs on the services before tasks can be added: its job, a container, the program, a pool."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import anyio

from fastbatch import nodecode, pools
from fastbatch.azure.services import Services
from fastbatch.chunks import Described
from fastbatch.errors import NotOurs, Refused, ServiceError, Unreachable
from fastbatch.events import Observer
from fastbatch.facts import Submit
from fastbatch.order import Order
from fastbatch.stages import describe
from fastbatch.stages.upload import MARKED_EVERY

# Signatures outlive the job, so that its last tasks can write.
_AFTER_JOB = timedelta(hours=1)


class Ground:
    """Makes what a run needs, and knows what it made."""

    pool: pools.Pool  # as soon as it is there

    def __init__(self, order: Order, services: Services, observe: Observer) -> None:
        self.made: list[str] = []  # on the services, for this run; and the pool, whoever made it
        self.pool_is_there = anyio.Event()
        self._order = order
        self._services = services
        self._observe = observe
        self._program = nodecode.zipapp()

    @property
    def made_pool(self) -> bool:
        """Tell whether the pool was not there before."""
        return self.pool_is_there.is_set() and self.pool.made

    async def make_job(self) -> None:
        """Make the run's job."""
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

    async def ready_storage(self) -> None:
        """Make the container of the run's results, and have the node's program in its own."""
        storage = self._services.storage
        results = describe.results_container(self._order.run)
        with self._making(f"container {results}"):
            await storage.make_container(results)
        await self.put_program()

    async def put_program(self) -> None:
        """Have the node's program in storage; mark it as used, so that who cleans by age leaves it."""
        storage, program = self._services.storage, self._program
        there = await storage.blobs.look(describe.PROGRAMS, program.digest)
        if there is not None:
            if storage.line.clock.now() - there.touched > MARKED_EVERY:
                await storage.blobs.renew(describe.PROGRAMS, program.digest, there.etag)
            return
        await storage.make_container(describe.PROGRAMS)
        await storage.blobs.put(describe.PROGRAMS, program.digest, program.content)

    async def find_pool(self) -> None:
        """Find the pool, or make it."""
        self.pool = await pools.ensure(self._services.batch, self._order.settings, self._observe)
        self.made.append(f"pool {self.pool.id}")
        self.pool_is_there.set()

    async def describer(self) -> Callable[[Submit], Described]:
        """Give what describes the run's tasks; the pool is there by then."""
        order, storage = self._order, self._services.storage
        until = storage.line.clock.now() + timedelta(seconds=order.settings.job_timeout) + _AFTER_JOB
        tasks = describe.Tasks(
            order.run,
            order.workload,
            self._program.digest,
            self.pool.slots,
            order.settings.task_timeout,
            await storage.access(until, order.settings.identity),
        )
        return tasks.describer()
