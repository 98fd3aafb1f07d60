"""What runs at this moment: tasks, start tasks and errands, each until the last of its processes is gone."""

import asyncio
import collections
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

from fastbatch.local.records import Errand, Node, Task
from fastbatch.local.states.outcomes import Failure, Outcome
from fastbatch.local.states.placement import Load

Running = Coroutine[Any, Any, Outcome]

_log = logging.getLogger(__name__)
_BROKEN = Failure("InternalError", "The node's agent failed; the log of the service says how.", "ServerError")


@dataclass(eq=False)
class Run:
    """A run of a task or an errand, or of a node's start task when it is of neither."""

    node: Node
    task: Task | None = None
    errand: Errand | None = None
    retention: str = ""
    handle: asyncio.Task[Outcome] | None = None
    lost: bool = False  # with its node: it goes on, but is no more that of its task
    stopped: bool = False
    admission: asyncio.Event = field(default_factory=asyncio.Event)  # of a task that waits for its node's preparation

    @property
    def is_start(self) -> bool:
        """Tell whether it is one of a start task."""
        return self.task is None and self.errand is None

    def admit(self, task: Task) -> None:
        """Let a task go on that has waited."""
        self.task = task
        self.admission.set()

    def stop(self) -> None:
        """End it; to end it again changes nothing. A task that has no verdict by then waits to run again."""
        # That it is being cancelled says nothing: so is one whose time is over, and which goes on after that.
        if self.handle is not None and not self.stopped:
            self.stopped = True
            self.handle.cancel()


class Runs:
    """All runs. `concluded` is called with each and its outcome (None if it was stopped) when nothing is left of it."""

    def __init__(self, concluded: Callable[[Run, Outcome | None], None]) -> None:
        self._concluded = concluded
        self._tasks: dict[int, Run] = {}
        self._errands: dict[int, Run] = {}
        self._on_node: dict[int, set[Run]] = collections.defaultdict(set)
        self._of_job: dict[int, set[Run]] = collections.defaultdict(set)

    def reserve(self, run: Run) -> None:
        """Take a run's place; it begins later."""
        self._on_node[run.node.key].add(run)
        if run.task is not None:
            self._tasks[run.task.key] = run
            self._of_job[run.task.job].add(run)
        elif run.errand is not None:
            self._errands[run.errand.key] = run

    def release_unbegun(self) -> None:
        """Give back the places of runs that never came to begin."""
        for run in [run for runs in self._on_node.values() for run in runs if run.handle is None]:
            self._release(run)

    def give_up(self, run: Run) -> None:
        """Let the task or the errand of a run that is lost have another."""
        self._leave(run)
        run.lost = True

    def begin(self, run: Run, running: Running) -> None:
        """Let a run begin that has its place."""
        run.handle = asyncio.get_running_loop().create_task(running)
        # A callback, as a run that is stopped before its first step never gets to clean up itself.
        run.handle.add_done_callback(lambda handle: self._over(run, handle))

    def _over(self, run: Run, handle: asyncio.Task[Outcome]) -> None:
        self._release(run)
        self._concluded(run, None if handle.cancelled() else _outcome(handle))

    def _release(self, run: Run) -> None:
        self._discard(self._on_node, run.node.key, run)
        if not run.lost:
            self._leave(run)

    def _leave(self, run: Run) -> None:
        if run.task is not None:
            del self._tasks[run.task.key]
            self._discard(self._of_job, run.task.job, run)
        elif run.errand is not None:
            del self._errands[run.errand.key]

    @staticmethod
    def _discard(groups: dict[int, set[Run]], key: int, run: Run) -> None:
        groups[key].discard(run)
        if not groups[key]:
            del groups[key]

    def of_task(self, key: int) -> Run | None:
        """Give the run of a task."""
        return self._tasks.get(key)

    def of_errand(self, key: int) -> Run | None:
        """Give the run of an errand."""
        return self._errands.get(key)

    def of_job(self, key: int) -> set[Run]:
        """Give the runs of a job's tasks."""
        return set(self._of_job.get(key, ()))

    def on_node(self, key: int) -> set[Run]:
        """Give the runs on a node, also of its start task and its errands, and those that are lost with it."""
        return set(self._on_node.get(key, ()))

    def tasks_on(self, key: int) -> Iterator[Task]:
        """Give the tasks on a node, without those that are lost with it."""
        return (run.task for run in self._on_node.get(key, ()) if run.task is not None and not run.lost)

    def load(self, key: int) -> Load:
        """Give how many tasks a node runs, and how many slots they take."""
        slots = [task.slots for task in self.tasks_on(key)]
        return Load(len(slots), sum(slots))

    async def ended(self, run: Run) -> None:
        """Wait until nothing is left of a run."""
        if run.handle is not None:
            await asyncio.wait([run.handle])

    async def stop_all(self) -> None:
        """End all, and wait until nothing is left of them."""
        runs = [run for runs in self._on_node.values() for run in runs]
        for run in runs:
            run.stop()
        for run in runs:
            await self.ended(run)


def _outcome(handle: asyncio.Task[Outcome]) -> Outcome:
    """Give how a run went; that it could not be foreseen is no reason to leave its task hanging."""
    error = handle.exception()
    if error is None:
        return handle.result()
    _log.error("a run failed", exc_info=error)
    return Outcome(None, _BROKEN)
