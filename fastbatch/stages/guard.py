"""Looking after pool and job while tasks wait: how the nodes are, and when there is nothing to wait for."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

import anyio

from fastbatch.azure.batch import Batch
from fastbatch.azure.requests import Json
from fastbatch.books.facts import Abandoned, Fact
from fastbatch.books.ledger import Ledger
from fastbatch.errors import PoolUnusable
from fastbatch.events import NodesCounted, Noticed, Observer
from fastbatch.pools.health import hopeless, in_states, start_failures

LOOK_AGAIN = 1.0
LOOK_AT_MOST = 15.0
TOLD_EVERY = 60.0

# What was completed before a job ended is listed once at once, and again after so long.
LISTED_AGAIN = 5.0


class End(NamedTuple):
    """Why no task of a job will run any more."""

    reason: str
    all_done: bool = False  # as its tasks are all completed: then it was to end


def ended(job: Json | None) -> End | None:
    """Say why no task of a job will run any more, if so."""
    if job is None:
        return End("the job was deleted")
    if job["state"] in ("active", "enabling", "disabling", "disabled"):
        return None
    reason = (job.get("executionInfo") or {}).get("terminateReason")
    said = f"the job is {job['state']}" + (f" ({reason})" if reason else "")
    return End(said, all_done=str(reason).lower() == "alltaskscomplete")


class NewestJob(Protocol):
    """Tells which job of a run is its newest."""

    @property
    def number(self) -> int:
        """Give its number."""

    @property
    def id(self) -> str:
        """Give its name."""


class Guarded(NamedTuple):
    """What is looked after."""

    pool: str
    jobs: NewestJob
    listed: Callable[[], Awaitable[None]]  # waits until the tasks are listed anew


class Guard:
    """
    Looks after the pool and the job of a run.

    It tells how the nodes are, ends the run when none will ever be ready, and gives up what is open when the job is
    over.
    """

    def __init__(
        self, batch: Batch, guarded: Guarded, ledger: Ledger, *, note: Callable[[Fact], None], observe: Observer
    ) -> None:
        self._batch = batch
        self._pool_id, self._jobs, self._listed = guarded
        self._ledger = ledger
        self._note = note
        self._observe = observe
        self._counts: Mapping[str, int] = {}
        self._told = 0.0
        self._disabled = False

    async def work(self) -> None:
        """Look often at first, then now and then; for as long as nodes are needed and it is not cancelled."""
        wait, before = LOOK_AGAIN, None
        while True:
            await anyio.sleep(wait)
            if not self._ledger.needs_nodes():
                continue
            if self._ledger.on_service:
                await self._look_at_job()
            reason = await self._look_at_pool()
            if reason and reason == before:  # once may be a moment between two states
                raise PoolUnusable(f"No task can run in pool {self._pool_id}: {reason}{await self._details()}")
            before = reason
            wait = LOOK_AGAIN if reason else min(LOOK_AT_MOST, wait * 1.6)

    async def _look_at_job(self) -> None:
        number, job_id = self._jobs.number, self._jobs.id
        job = await self._batch.job(job_id)
        if end := ended(job):
            await self._listed()
            await anyio.sleep(LISTED_AGAIN)
            await self._listed()
            if number == self._jobs.number or end.all_done:
                self._note(Abandoned(end.reason, number, end.all_done))
        disabled = job is not None and job["state"] == "disabled"
        if disabled and not self._disabled:
            self._observe(Noticed(f"Job {job_id} was disabled; waiting until it is enabled."))
        self._disabled = disabled

    async def _look_at_pool(self) -> str | None:
        found = await self._batch.pool(self._pool_id)
        counts = {} if found is None else await self._batch.node_counts(self._pool_id)
        states = in_states(counts)
        now = anyio.current_time()
        if states != self._counts or now - self._told >= TOLD_EVERY:
            self._counts, self._told = states, now
            self._observe(NodesCounted(states))
        return hopeless(found, counts)

    async def _details(self) -> str:
        if not self._counts:
            return "."
        said = start_failures(await self._batch.nodes(self._pool_id))
        return f" ({said})." if said else "."
