"""What a run needs on the services beside its job: a container, the program, a pool."""

import contextlib
from collections.abc import Iterator

import anyio

from fastbatch import nodecode
from fastbatch.azure.services import Services
from fastbatch.errors import ServiceError, Unreachable
from fastbatch.events import Observer
from fastbatch.journal.notes import Notes
from fastbatch.order import Order
from fastbatch.pools import obtaining
from fastbatch.stages import describe
from fastbatch.stages.upload import MARKED_EVERY


class Ground:
    """Makes what a run needs, and knows what it made."""

    pool: obtaining.Pool  # as soon as it is there

    def __init__(self, order: Order, services: Services, observe: Observer, notes: Notes) -> None:
        self.made: list[str] = []  # on the services, for this run; and the pool, whoever made it
        self.pool_is_there = anyio.Event()
        self._order = order
        self._services = services
        self._observe = observe
        self._notes = notes
        self._program = nodecode.zipapp()

    @property
    def _results(self) -> str:
        return f"container {describe.results_container(self._order.run)}"

    @property
    def program(self) -> str:
        """Give the digest of the node's program."""
        return self._program.digest

    @property
    def made_pool(self) -> bool:
        """Tell whether the run made its pool, now or before."""
        return self._order.made_pool or (self.pool_is_there.is_set() and self.pool.made)

    @contextlib.contextmanager
    def making(self, what: str) -> Iterator[None]:
        """Note what is made, also if its answer never comes: the service may have made it."""
        if what not in self.made:
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
        with self.making(self._results):
            await storage.make_container(describe.results_container(self._order.run))
        await self.put_program()

    def expect_results(self) -> None:
        """Take it that the container of the run's results is there."""
        self.made.append(self._results)

    async def put_program(self) -> None:
        """Have the node's program in storage, and sound; mark it as used, so that who cleans by age leaves it."""
        storage, program = self._services.storage, self._program
        there = await storage.blobs.look(describe.PROGRAMS, program.digest)
        if there is not None and there.holds(program.content):
            if storage.line.clock.now() - there.touched > MARKED_EVERY:
                await storage.blobs.renew(describe.PROGRAMS, program.digest, there.etag)
            return
        await storage.make_container(describe.PROGRAMS)
        await storage.blobs.put(describe.PROGRAMS, program.digest, program.content, replace=there is not None)

    async def find_pool(self) -> None:
        """Find the pool, or make it."""
        self.pool = await obtaining.ensure(self._services.batch, self._order.settings, self._observe)
        self.made.append(f"pool {self.pool.id}")
        if self.pool.made:
            await self._notes.made_pool()
        self.pool_is_there.set()
