"""A service whose time and whose nodes are in the hands of a test: the real engine, states and store, no processes."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fastbatch.local import bodies
from fastbatch.local.agent.node import Assignment, Duty
from fastbatch.local.clock import Setting, TurnableClock
from fastbatch.local.errors import Refused
from fastbatch.local.faults import runs
from fastbatch.local.fields import Object
from fastbatch.local.operations import tasks
from fastbatch.local.operations.call import Answer, Call, Operation
from fastbatch.local.records import Node
from fastbatch.local.service import engine
from fastbatch.local.service.core import Core
from fastbatch.local.service.limits import Limits
from fastbatch.local.states.outcomes import Outcome
from fastbatch.local.store import Store

H = TypeVar("H", bound="Held")

_BEGIN = 1_000_000_000_000_000


def _future() -> Any:
    return asyncio.get_running_loop().create_future()


@dataclass(eq=False, kw_only=True)
class Held:
    """What is on a node until the test says how it ends; what is stopped stays until the test lets it go."""

    outcome: asyncio.Future[Outcome] = field(default_factory=_future)
    gone: asyncio.Future[None] = field(default_factory=_future)
    stopped: bool = False

    @property
    def is_over(self) -> bool:
        """Tell whether the test has said how it ends, though nobody may have heard it yet."""
        return (self.gone if self.stopped else self.outcome).done()

    def end(self, outcome: Outcome) -> None:
        """Let it end, or what was stopped be gone."""
        if self.stopped:
            self.gone.set_result(None)
        else:
            self.outcome.set_result(outcome)


@dataclass(eq=False)
class Playing(Held):
    """A task on a node."""

    assigned: Assignment


@dataclass(eq=False)
class Doing(Held):
    """A preparation or a release on a node."""

    duty: Duty


@dataclass
class PlayAgent:
    """Nodes on which nothing happens but what a test says."""

    playing: list[Playing] = field(default_factory=list)
    doing: list[Doing] = field(default_factory=list)
    is_lost: Callable[[Playing | Doing], bool] = lambda _: False
    numbers: Any = field(default_factory=itertools.count)

    def new_node_id(self, *, dedicated: bool) -> str:
        """Give a name for a node."""
        return f"node{next(self.numbers)}{'d' if dedicated else 'p'}"

    def prepare(self, node: Node) -> None:
        """Make nothing."""

    async def run_task(self, assigned: Assignment, note: Callable[[str], None]) -> Outcome:
        """Play a task; no task is on two nodes, but for lost ones, and no node has more tasks than slots."""
        here = [play for play in self.playing if play.assigned.node.key == assigned.node.key]
        assert not any(map(self.is_lost, here)), "what was lost is there still"
        running = [play.assigned.task.key for play in self.playing if not self.is_lost(play)]
        assert assigned.task.key not in running, "it runs already"
        taken = sum(play.assigned.task.slots for play in here)
        assert taken + assigned.task.slots <= assigned.pool.slots, "the node is full"
        note(f"{assigned.task.key}:1")
        return await self._hold(Playing(assigned), self.playing)

    async def run_errand(self, duty: Duty, note: Callable[[str], None]) -> Outcome:
        """Play an errand; no node does one twice at a time, and none releases a job that has anything else on it."""
        job, node = duty.job.key, duty.node.key
        assert (job, node) not in [(other.duty.job.key, other.duty.node.key) for other in self.doing], "it does one"
        if duty.errand.kind == "release":
            running = [play.assigned.job.key for play in self.playing if not self.is_lost(play)]
            assert job not in running, "the job's tasks run"
        note(f"{duty.errand.key}:1")
        return await self._hold(Doing(duty), self.doing)

    async def _hold(self, held: H, among: list[H]) -> Outcome:
        among.append(held)
        try:
            return await held.outcome
        except asyncio.CancelledError:
            held.stopped = True
            if not held.gone.done():
                await held.gone
            raise
        finally:
            among.remove(held)

    async def run_start_task(self, *_: object) -> Outcome:
        """Succeed at once."""
        return Outcome(0)

    async def remove(self, node: Node) -> None:
        """Remove nothing."""

    async def remove_everything(self) -> None:
        """Remove nothing."""

    async def restart(self, node: Node) -> None:
        """End nothing."""

    async def remove_job(self, job_id: str) -> None:
        """Remove nothing."""

    async def remove_task(self, node: Node, job_id: str, task_id: str) -> None:
        """Remove nothing."""


class Play:
    """A service; what is asked of it is done before the question returns."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._fail)
        self.clock = TurnableClock(Setting(stopped_at=_BEGIN))
        self.store = Store(path)
        self.agent = PlayAgent()
        self._limits = limits or Limits(node_quota=20)
        self._failures: list[Mapping[str, Any]] = []
        self._calls: set[asyncio.Task[Answer]] = set()  # those that take their time
        self.core = self._new_core()

    def _new_core(self) -> Core:
        agent: Any = self.agent
        core = Core(self.store, self.clock, agent, self._limits, engine.step, runs.running)
        self.agent.is_lost = lambda held: _is_lost(core, held)
        return core

    def _fail(self, _loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        self._failures.append(context)

    def settle(self) -> None:
        """Let everything happen that follows from what has happened."""
        for _ in range(20):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
        assert not self._failures, self._failures

    def ask(self, operation: Operation, check: Object | None = None, body: Any = None, **ids: str) -> Answer | None:
        """Call an operation as a client would; an asynchronous one goes on by itself."""
        call = Call(self.core, "http://play", "/", ids, {}, {}, check(body) if check else {})

        async def perform() -> Answer | None:
            if asyncio.iscoroutinefunction(operation):
                lasting = asyncio.ensure_future(operation(call))
                self._calls.add(lasting)
                lasting.add_done_callback(self._calls.discard)
                return None
            with self.store.transaction():
                answer = operation(call)
            assert isinstance(answer, Answer)
            return answer

        try:
            return self.loop.run_until_complete(perform())
        finally:
            self.settle()

    def tries(self, operation: Operation, check: Object | None = None, body: Any = None, **ids: str) -> bool:
        """Call an operation that may come too early or too late; tell whether it was not refused."""
        try:
            self.ask(operation, check, body, **ids)
        except Refused as refused:
            if refused.status not in {404, 409}:
                raise
            return False
        return True

    def restart(self, after: int = 0) -> None:
        """End every process, and start anew after some time from what the store says, in which all is as it was."""
        self.loop.run_until_complete(self._restart(after))
        self.settle()

    async def _restart(self, after: int) -> None:
        await self._stop()
        if after:
            for _ in self.clock.advance(after):
                pass
        self.clock = TurnableClock(self.clock.setting, self.store.last_moment())
        self.core = self._new_core()
        engine.recover(self.core)

    async def _stop(self) -> None:
        for held in (*self.agent.playing, *self.agent.doing):
            held.gone.set_result(None)
        await self.core.close()
        await asyncio.gather(*self._calls)

    def wait(self, duration: int) -> None:
        """Let time pass."""

        async def turn() -> None:
            for _ in self.clock.advance(duration):
                await self.core.settled()

        self.loop.run_until_complete(turn())
        self.settle()

    def close(self) -> None:
        """End it."""
        self.loop.run_until_complete(self._stop())
        self.loop.close()
        self.store.close()


def _is_lost(core: Core, held: Playing | Doing) -> bool:
    """Tell whether a task or an errand goes on on a node that it was lost with."""
    if isinstance(held, Playing):
        given, node = held.assigned.task, held.assigned.node
        return any(run.lost and run.task and run.task.key == given.key for run in core.runs.on_node(node.key))
    errand, node = held.duty.errand, held.duty.node
    return any(run.lost and run.errand and run.errand.key == errand.key for run in core.runs.on_node(node.key))


def add(play: Play, *names: str, job: str = "job", **more: Any) -> None:
    """Add tasks to a job."""
    for name in names:
        play.ask(tasks.create, TASK, {"id": name, "commandLine": "c", **more}, job=job)


def playing(play: Play) -> list[str]:
    """Give the tasks that have processes."""
    return [each.assigned.task.id for each in play.agent.playing]


@contextmanager
def refusing(play: Play, event: str, table: str, when: str = "1") -> Iterator[None]:
    """Have a database that refuses something in the middle of a transaction, as when its disk is full."""
    database = play.store._database  # noqa: SLF001 - the store itself never wants this
    database.execute(
        f"CREATE TEMP TRIGGER full BEFORE {event} ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, 'no room'); END"
    )
    yield
    database.execute("DROP TRIGGER full")


def pool_body(name: str, nodes: int, slots: int, fill: str) -> dict[str, Any]:
    """Give the body of a pool."""
    machine = {"imageReference": {"publisher": "p", "offer": "o", "sku": "s"}, "nodeAgentSKUId": "a"}
    return {
        "id": name,
        "vmSize": "v",
        "virtualMachineConfiguration": machine,
        "targetDedicatedNodes": nodes,
        "taskSlotsPerNode": slots,
        "taskSchedulingPolicy": {"nodeFillType": fill},
    }


POOL, JOB, TASK = bodies.POOL, bodies.JOB, bodies.TASK
