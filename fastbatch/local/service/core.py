"""
What all parts of the service share: the store, the clock, what runs, and what is to be looked at next.

Whoever changes a record says which pool or job has to be looked at. That is done soon, once for many changes, in one
transaction; what has to be begun or ended because of it comes after the transaction. Nothing is polled.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from fastbatch.local import wire
from fastbatch.local.agent.node import Agent
from fastbatch.local.clock import Timer, TurnableClock
from fastbatch.local.faultplan import Plan
from fastbatch.local.records import Job, Node, Pool, Task
from fastbatch.local.service.limits import Limits
from fastbatch.local.service.runs import Run, Running, Runs
from fastbatch.local.states.outcomes import Outcome
from fastbatch.local.store import Store

Do = Callable[[Mapping[str, Any]], Running]  # lets a task run that was asked for so

_RETRY_AFTER = wire.SECOND
_log = logging.getLogger(__name__)


class Core:
    """The state of a running service; `step` is called when there is something to look at, `running` for each run."""

    def __init__(  # noqa: PLR0913, PLR0917 - it is where they come together
        self,
        store: Store,
        clock: TurnableClock,
        agent: Agent,
        limits: Limits,
        step: Callable[["Core"], None],
        running: Callable[["Core", Run, Mapping[str, Any], Do], Running],
    ) -> None:
        self.store = store
        self.clock = clock
        self.agent = agent
        self.limits = self._first_limits = limits
        self.runs = Runs(self._concluded)
        self.faults = Plan()  # what is to go wrong
        self.pools: set[int] = set()  # to look at
        self.jobs: set[int] = set()
        self.releasing: set[int] = set()  # jobs that end when nodes have done what they still have to do for them
        self.results: list[tuple[Run, Outcome | None]] = []
        self.actions: list[Callable[[], None]] = []  # for when the transaction is done
        self.removing: set[tuple[str, int]] = set()  # what goes, but whose files are being removed first
        self.next_cleaning: int | None = None  # when the next files of tasks or errands go
        self._step = step
        self._running = running
        self._awake = False
        self._looked = asyncio.Event()  # not while a look is among the next things that the event loop does
        self._looked.set()
        self._closed = False
        self._timers: dict[tuple[str, int], Timer] = {}
        self._chores: set[asyncio.Task[None]] = set()

    def look_at_pool(self, key: int) -> None:
        """See soon to what a pool and its nodes need."""
        self.pools.add(key)
        self._wake()

    def look_at_job(self, key: int) -> None:
        """See soon to what a job and its tasks need."""
        self.jobs.add(key)
        self._wake()

    def look_at_pool_of(self, job: Job) -> None:
        """See soon to what the pool of a job needs, if there is one."""
        pool = self.store.find(Pool, job.pool_id)
        if pool is not None:
            self.look_at_pool(pool.key)

    def after(self, action: Callable[[], None]) -> None:
        """Do something once the transaction is done."""
        self.actions.append(action)
        self._wake()

    def at(self, kind: str, key: int, moment: int, action: Callable[[], None]) -> None:
        """Do something to a record at a time, and not at the time that was set for this before."""
        self.never(kind, key)
        self._timers[kind, key] = self.clock.call_at(moment, partial(self._do, kind, key, action))

    def _do(self, kind: str, key: int, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:  # noqa: BLE001 - whatever it is, it must not be forgotten
            _log.exception("what is due can't be done; it is tried again")
            self.at(kind, key, self.clock.now() + _RETRY_AFTER, action)

    def never(self, kind: str, key: int) -> None:
        """Take back what was to be done to a record at some time."""
        timer = self._timers.pop((kind, key), None)
        if timer is not None:
            timer.cancel()

    def chore(self, work: Coroutine[Any, Any, None]) -> None:
        """Let some work go on beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def running(self, run: Run, body: Mapping[str, Any], do: Do) -> Running:
        """Give what does what was asked for, as the fault plan has it."""
        return self._running(self, run, body, do)

    async def end_task(self, task: Task) -> None:
        """End a task's processes, if it has any, and wait until they are gone."""
        run = self.runs.of_task(task.key)
        if run is not None:
            run.stop()
            await self.runs.ended(run)

    def note_process(self, run: Run, process: str) -> None:
        """Write down the process of a run: with what runs, or with its node if it is lost."""
        if run.lost:
            self.store.note_lost(run.node.key, process)
        else:
            self.store.note_process(run.task or run.errand or run.node, process)

    def remove_once(self, record: Node | Job, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let a record go by some work, after the transaction; to ask for it again while that goes on does nothing."""
        self.after(lambda: self._begin_removal(record, work))

    def _begin_removal(self, record: Node | Job, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if not self.is_removing(record):
            self.removing.add((type(record).__name__, record.key))
            self.chore(self._remove(record, work))

    def is_removing(self, record: Node | Job) -> bool:
        """Tell whether a record is being removed."""
        return (type(record).__name__, record.key) in self.removing

    async def _remove(self, record: Node | Job, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception:  # noqa: BLE001 - whatever it is, it must not be forgotten
            _log.exception("what is to go can't be removed; it is tried again")
            again = (
                partial(self.look_at_job, record.key)
                if isinstance(record, Job)
                else partial(self.look_at_pool, record.pool)
            )
            self.clock.call_at(self.clock.now() + _RETRY_AFTER, again)
        finally:
            self.removing.discard((type(record).__name__, record.key))

    async def settled(self) -> None:
        """Wait until everything is looked at that there is to look at, and what was begun has taken a first step."""
        while not self._looked.is_set():
            await self._looked.wait()
        await asyncio.sleep(0)

    async def close(self) -> None:
        """End all that runs, and do nothing more."""
        self._closed = True
        for kind, key in list(self._timers):
            self.never(kind, key)
        await self.runs.stop_all()
        if self._chores:
            await asyncio.wait(self._chores)

    async def start_anew(self) -> None:
        """Forget everything, and end all that runs: there is nothing, as at the very first start."""
        self._forget()
        try:
            await self.close()
            await self.agent.remove_everything()
        finally:
            self._awake = self._closed = False
            self._wake()  # for what was asked meanwhile

    def _forget(self) -> None:
        with self.store.transaction():
            self.store.clear()
        for memory in (self.pools, self.jobs, self.releasing, self.results, self.actions, self.faults):
            memory.clear()
        self.next_cleaning = None
        self.limits = self._first_limits
        self.clock.set_right()

    def _concluded(self, run: Run, outcome: Outcome | None) -> None:
        self.results.append((run, outcome))
        self._wake()

    def _wake(self) -> None:
        if not (self._awake or self._closed):
            self._awake = True
            self._looked.clear()
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._looked.set()
        if self._closed:
            return
        before = list(self.results), set(self.jobs), set(self.pools)
        actions_before = len(self.actions)
        try:
            with self.store.transaction():
                self._step(self)
        except Exception:  # noqa: BLE001 - whatever it is, it must not be forgotten
            _log.exception("what has happened can't be written down; it is tried again")
            self.results, self.jobs, self.pools = before
            del self.actions[actions_before:]
            self.runs.release_unbegun()
            self.clock.call_at(self.clock.now() + _RETRY_AFTER, self._look)
            return
        self._awake = False
        actions, self.actions = self.actions, []
        for action in actions:
            action()
