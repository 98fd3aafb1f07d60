"""What a run leaves on the services, and what is deleted of it."""

from collections.abc import Awaitable
from typing import Protocol

import anyio

from fastbatch.errors import PoolUnusable, ServiceError
from fastbatch.events import Left, Noticed, Observer
from fastbatch.order import Order
from fastbatch.stages import describe
from fastbatch.stages.site import Site

_LAST_REQUEST_SECONDS = 5.0


_KINDS = ("job", "container", "pool")


def _rank(what: str) -> int:
    return _KINDS.index(what.partition(" ")[0])


class Confirm(Protocol):
    """Asks a question."""

    async def __call__(self, question: str, *, expected: bool) -> bool:
        """Give the answer; where nobody can be asked, the expected one."""


class Cleaner:
    """Deletes what is no longer of use, if that is wished, and knows what is left."""

    def __init__(self, order: Order, site: Site, observe: Observer) -> None:
        self._run = order.run
        self._settings = order.settings
        self._services = site.services
        self._jobs = site.jobs
        self._made = site.ground.made
        self._observe = observe
        self._deleted: set[str] = set()

    @property
    def left(self) -> list[str]:
        """Name what is left on the services, of all that a run makes or uses; jobs first, the pool at the end."""
        return sorted((what for what in self._made if what not in self._deleted), key=_rank)

    @property
    def has_data(self) -> bool:
        """Tell whether jobs or results are still there."""
        return any(not what.startswith("pool ") for what in self.left)

    async def leave(self, error: BaseException) -> None:
        """
        Leave all as it is, but let the job end, so that it holds no quota; also when cancelled.

        It ends with its tasks; where none of them can run, it ends now, as they must not run at some later time.
        """
        with anyio.move_on_after(_LAST_REQUEST_SECONDS, shield=True):
            if isinstance(error, PoolUnusable) and self._made_job:
                await self._try("end the job", self._services.batch.end_job(self._jobs.id, "no node can run its tasks"))
            else:
                await self.let_job_end()
        if self.left:
            self._observe(Left(tuple(self.left)))

    async def clean(self, *, complete: bool, made_pool: bool, confirm: Confirm) -> None:
        """Delete job and results if all inputs are done, and the pool if that is wished; ask where one can be asked."""
        if not complete or self._settings.keep_data:
            await self.let_job_end()
        else:
            await self._clean_data(confirm)
        if complete and await self._wants_pool_deleted(confirm, made=made_pool):
            await self._delete(f"pool {self._settings.pool}", self._services.batch.delete_pool(self._settings.pool))

    async def _clean_data(self, confirm: Confirm) -> None:
        container = describe.results_container(self._run)
        jobs = [job for job in self._jobs.ids if f"job {job}" in self._made]
        named = " and ".join([*(f"job {job}" for job in jobs), f"container {container}"])
        if not await confirm(f"Delete {named}?", expected=True):
            await self.let_job_end()
            return
        for job in jobs:
            await self._delete(f"job {job}", self._services.batch.delete_job(job))
        await self._delete(f"container {container}", self._services.storage.delete_container(container))

    async def _wants_pool_deleted(self, confirm: Confirm, *, made: bool) -> bool:
        if self._settings.delete_pool or self._settings.keep_pool or not made:
            return self._settings.delete_pool
        question = f"Delete pool {self._settings.pool}, which this run made? It costs money until it is deleted."
        return await confirm(question, expected=False)

    @property
    def _made_job(self) -> bool:
        return f"job {self._jobs.id}" in self._made

    async def let_job_end(self) -> None:
        """Let the newest job end with its tasks, if it is there."""
        if self._made_job:
            await self._try("let the job end", self._services.batch.end_job_after_tasks(self._jobs.id))

    async def _delete(self, what: str, doing: Awaitable[object]) -> None:
        if await self._try(f"delete {what}", doing):
            self._deleted.add(what)

    async def _try(self, what: str, doing: Awaitable[object]) -> bool:
        """Do what is not worth losing results for; tell whether it was done."""
        try:
            await doing
        except ServiceError as error:
            self._observe(Noticed(f"Could not {what}: {error}"))
            return False
        return True
