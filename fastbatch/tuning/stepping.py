"""A pool that is brought to one number of nodes after the other, and left as it was found."""

import contextlib
import dataclasses
import uuid
from collections.abc import AsyncIterator

import anyio

from fastbatch.azure.batch import Batch
from fastbatch.azure.requests import Json
from fastbatch.errors import PoolUnusable, ServiceError, UsageError
from fastbatch.events import Noticed, Observer, PoolLeft, PoolReady
from fastbatch.patience import LOOK_AGAIN, Patience
from fastbatch.pools import obtaining
from fastbatch.pools.health import current, resize_errors
from fastbatch.pools.readiness import Ready, wait_until_ready
from fastbatch.settings import Settings
from fastbatch.tuning.measured import Boot

_LEAVING_SECONDS = 60.0
_LOOK_AT_MOST = 3.0  # seconds; a boot that takes minutes is timed by it
_LOOKS = 3  # more than one, as counts of nodes may lag behind


class Steps:
    """A pool, one number of its nodes after the other."""

    def __init__(self, batch: Batch, settings: Settings, found: Json | None, observe: Observer) -> None:
        self.vm_size = settings.vm_size  # as it is, once the pool is there
        self.slots = settings.slots or obtaining.SLOTS
        self._batch = batch
        self._settings = settings
        self._id = settings.pool
        self._observe = observe
        self._before = None if found is None else _dedicated(found)
        self._since = None if found is None else found.get("creationTime")
        self._fixed = 0 if found is None else _low_priority(found)
        self._asked = False  # for a pool or a resize, without an answer so far
        self._purpose = f"tune {uuid.uuid4()}"  # by it, what was made here is known, also if no answer ever came

    async def to(self, nodes: int) -> Boot:
        """
        Bring the pool to so many nodes and wait until all are ready; give how many are new, and how long it took.

        Raises PoolUnusable, with what was seen, if they do not come.
        """
        began = anyio.current_time()
        found = await self._batch.pool(self._id)
        had = 0 if found is None else current(found)
        ours = found is not None and obtaining.made_for(found, self._purpose)
        of_pool = obtaining.as_it_is(self._settings) if ours else self._settings
        wished = dataclasses.replace(of_pool, nodes=nodes - self._fixed)
        self._asked = True
        self.slots = (await obtaining.ensure(self._batch, wished, self._observe, purpose=self._purpose)).slots
        self._asked = False
        await self._all_ready(nodes)
        boot = Boot(max(0, nodes - had), anyio.current_time() - began)
        self._observe(PoolReady(self._id, nodes, boot.nodes, boot.seconds))
        return boot

    async def _all_ready(self, nodes: int) -> None:
        patience = Patience(lambda: None)
        ready, found = await self._settled()
        for _ in range(_LOOKS):
            if ready.usable == nodes or resize_errors(found):
                break
            await patience.wait()
            ready, found = await self._settled()
        self.vm_size = found.get("vmSize", self.vm_size)
        if ready.usable != nodes:
            raise PoolUnusable(_lacking(self._id, nodes, ready, resize_errors(found)))

    async def _settled(self) -> tuple[Ready, Json]:
        """Wait until no node is on its way; give what there is then."""
        ready = await wait_until_ready(self._batch, self._id, self._observe, look_at_most=_LOOK_AT_MOST)
        return ready, await self._batch.pool(self._id) or {}

    async def leave(self) -> None:
        """Leave the pool as it was found; where that can't be done in time, say how to do it."""
        why = "it took too long"
        with anyio.move_on_after(_LEAVING_SECONDS, shield=True):
            try:
                self._observe(await self._left())
            except ServiceError as error:
                why = str(error)
            else:
                return
        again = f"delete {self._id}" if self._before is None else f"resize {self._id} --nodes {self._before}"
        self._observe(
            Noticed(f"Pool {self._id} could not be left as it was found: {why}. To do it: fastbatch pool {again}")
        )

    async def _left(self) -> PoolLeft | Noticed:
        """Begin to bring the pool back; tell how it is left."""
        if self._asked:
            await anyio.sleep(LOOK_AGAIN)  # what was asked for last may just be on its way
        found = await self._batch.pool(self._id)
        if found is None or found["state"] == "deleting":
            return self._gone()
        if obtaining.made_for(found, self._purpose):
            await self._batch.delete_pool(self._id)
            return PoolLeft(self._id, None)
        if self._before is None or found.get("creationTime") != self._since:
            return Noticed(f"Pool {self._id} was made anew meanwhile, not by this, and is left as it is.")
        if _dedicated(found) != self._before:
            await self._resized(self._before)
        return PoolLeft(self._id, self._before + self._fixed)

    def _gone(self) -> PoolLeft | Noticed:
        """Tell of a pool that is not there any more."""
        if self._before is None:
            return PoolLeft(self._id, None)
        return Noticed(f"Pool {self._id}, which had {self._before} nodes, was deleted by others meanwhile.")

    async def _resized(self, nodes: int) -> None:
        """Begin to bring the pool to so many nodes, also if a resize goes on."""
        patience = Patience(lambda: None, _LOOK_AT_MOST)
        while not await obtaining.begins_resize(self._batch, self._id, nodes):
            await self._batch.stop_resize(self._id)
            await patience.wait()


@contextlib.asynccontextmanager
async def stepping(batch: Batch, settings: Settings, nodes: tuple[int, ...], observe: Observer) -> AsyncIterator[Steps]:
    """
    Have the pool of the settings for a while, for so many nodes; it is left as it was found, also if cancelled.

    Raises UsageError, before anything is done, if it can't have them.
    """
    found = await batch.pool(settings.pool)
    if found is not None:
        if problem := _problem(found, min(nodes)):
            raise UsageError(f"Pool {settings.pool} {problem}")
        if jobs := await batch.active_jobs(settings.pool):
            others = f"{len(jobs)} active jobs, first {jobs[0]}" if len(jobs) > 1 else f"an active job, {jobs[0]}"
            observe(Noticed(f"Pool {settings.pool} has {others}: what runs of it disturbs what is measured."))
    steps = Steps(batch, settings, found, observe)
    try:
        yield steps
    finally:
        await steps.leave()


def _problem(found: Json, least: int) -> str | None:
    """Say why a pool can't be brought to numbers of nodes."""
    if found["state"] == "deleting":
        return "is being deleted. Wait until it is gone, or name another one with --pool."
    if found.get("enableAutoScale"):
        return (
            "has as many nodes as its formula says (enableAutoScale), and can't be resized. "
            "Name another one with --pool; it is made if it is not there."
        )
    if least < (fixed := _low_priority(found)):
        return f"has {fixed} low-priority nodes, which are left as they are: so it can't have {least}."
    return None


def _low_priority(found: Json) -> int:
    return int(found.get("targetLowPriorityNodes") or 0)


def _dedicated(found: Json) -> int:
    return int(found.get("targetDedicatedNodes") or 0)


def _lacking(pool: str, nodes: int, ready: Ready, errors: str) -> str:
    """Say that a pool does not have the nodes that it is to have, and what was seen of it."""
    states = ", ".join(f"{count} {state}" for state, count in ready.of_no_use.items())
    seen = "; ".join(part.rstrip(".") for part in (errors, states, ready.said) if part)
    return f"Pool {pool} has {ready.usable} nodes that can be used, not {nodes}{f': {seen}' if seen else ''}."
