"""Ending tasks whole: a process and all that came of it, wherever it has hidden."""

import asyncio
import contextlib
import signal
from collections.abc import Iterable

from fastbatch.local import orphans
from fastbatch.local.processes import Identity, Mark, Process, children, gone, identify, leftovers, look, send


async def end(*tasks: Identity, mark: Mark | None = None, grace: float = 0.0) -> None:
    """
    End tasks with all that came of them, living or not as they may be by now, and return when all that is gone.

    With a grace, in seconds, they are first asked to end (SIGTERM). What a task left behind when it ended is known
    among the orphans that we adopted: by its session, by the mark, or by what started it. An orphan is nobody's if it
    made a session of its own, cleared its environment, and left its folder; orphans() still lists it.
    """
    hunt = _Hunt(tasks, mark)
    if grace:
        hunt.send(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await _all_gone(hunt.reached)
    # Who is stopped can't fork, so that no more come of those who are reached; most often the first round finds all.
    while hunt.send(signal.SIGSTOP):
        for identity in hunt.reached:
            send(identity, signal.SIGKILL)
        await _all_gone(hunt.reached | hunt.unclear)
    orphans.reap()


async def end_leftovers(mark: Mark, *recorded: Identity) -> None:
    """End what an earlier run of this service left running: the tasks that it recorded, and all that bears a mark."""
    await end(*recorded, mark=mark)
    while found := leftovers(mark, halt=True):
        await end(*found, mark=mark)


async def _all_gone(identities: Iterable[Identity]) -> None:
    for identity in identities:
        await gone(identity)


class _Hunt:
    """Finds the processes of tasks from parent to child, and sends each a signal before it looks at its children."""

    def __init__(self, tasks: Iterable[Identity], mark: Mark | None) -> None:
        self.reached: set[Identity] = set()  # by the last signal
        self.unclear: set[Identity] = set()  # orphans that were just ending: what came of them shows when they are gone
        self._tasks = tasks
        self._mark = mark
        # A task leads a session. If its pid has gone to another process, so may have the session's number.
        self._sessions = {task.pid for task in tasks if identify(task.pid) in {None, task}}
        self._seen: set[Identity] = set()

    def send(self, number: signal.Signals) -> bool:
        """Send a signal to all processes of the tasks; tell whether there may be more than it has reached."""
        self.reached, self.unclear = set(), set()
        for task in self._tasks:
            process = look(task.pid)
            if process and process.identity == task:
                self._descend(process, number)
        return self._adopted(number) or bool(self.reached or self.unclear)

    def _adopted(self, number: signal.Signals) -> bool:
        """Go through the adopted orphans; tell whether one is new: also one that has ended may have left a child."""
        before = len(self._seen)
        for orphan in orphans.orphans():
            self._seen.add(orphan.identity)
            if self._knows(orphan):
                self._descend(orphan, number)
            elif orphan.ending:
                self.unclear.add(orphan.identity)
        orphans.reap()  # or a chain of forks would lengthen the list faster than we get through it
        return len(self._seen) > before

    def _knows(self, orphan: Process) -> bool:
        return orphan.session in self._sessions or (self._mark is not None and self._mark.on(orphan))

    def _descend(self, process: Process, number: signal.Signals) -> None:
        pending = [process]
        while pending:
            process = pending.pop()
            if send(process.identity, number):
                self.reached.add(process.identity)
                self._sessions.add(process.session)
            pending += children(process.identity.pid)
