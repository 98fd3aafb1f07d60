"""The agent: makes nodes ready, runs tasks and errands on them, and removes what they leave."""

import asyncio
import contextlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastbatch.local import ending, wire
from fastbatch.local.agent import environment, folders, running
from fastbatch.local.agent.blobs import Storage
from fastbatch.local.agent.environment import Place
from fastbatch.local.agent.folders import Unsafe
from fastbatch.local.clock import Clock
from fastbatch.local.processes import Identity, Mark
from fastbatch.local.records import Errand, Job, Node, Pool, Task
from fastbatch.local.removal import remove
from fastbatch.local.states import errands, executions
from fastbatch.local.states.errands import PREPARATION
from fastbatch.local.states.outcomes import Failure, Outcome

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task and the node that it is to run on; `body` is what was asked of it."""

    pool: Pool
    node: Node
    job: Job
    task: Task
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Duty:
    """An errand and the node that is to run it; `body` is what was asked of it, in the form of a task."""

    pool: Pool
    node: Node
    job: Job
    errand: Errand
    body: Mapping[str, Any]


class Agent:
    """Serves all nodes; each has a folder below `home`, an absolute path without links."""

    def __init__(self, home: str, account: str, url: str, storage: Storage, clock: Clock) -> None:
        self._home = home
        self._account = account
        self._url = url
        self._storage = storage
        self._clock = clock

    @staticmethod
    def new_node_id(*, dedicated: bool) -> str:
        """Give a name for a node, in the form of the real ones."""
        return f"tvmps_{secrets.token_hex(32)}_{'d' if dedicated else 'p'}"

    def place(self, node: Node) -> folders.Node:
        """Give a node's folders."""
        return folders.Node(os.path.join(self._home, str(node.key)))

    def prepare(self, node: Node) -> None:
        """Make a node's folders; OSError where that can't be."""
        self.place(node).create()

    async def run_task(self, assigned: Assignment, note: Note) -> Outcome:
        """Run a task."""
        return await self._run(assigned, assigned.task.started or 0, note)

    async def run_errand(self, duty: Duty, note: Note) -> Outcome:
        """Run a preparation, or a release; what a preparation started in the background stays for the job's tasks."""
        return await self._run(duty, executions.started(duty.errand.info), note)

    async def _run(self, given: Assignment | Duty, started: int, note: Note) -> Outcome:
        try:
            folder = self.place(given.node).task(given.job.id, given.body["id"])
        except Unsafe as error:  # another task has put a link there
            return Outcome(None, Failure("ResourceDirectoryCreateFailed", str(error)))
        longest = given.body["constraints"]["maxWallClockTime"]
        deadline = None if longest == wire.FOREVER else wire.later(started, longest)
        return await running.run(self._work(given, folder, deadline, note), self._storage, self._clock)

    def _work(self, given: Assignment | Duty, folder: folders.Task, deadline: int | None, note: Note) -> running.Work:
        body, job_body = given.body, json.loads(given.job.body)
        elevation = body["userIdentity"].get("autoUser", {}).get("elevationLevel", "nonadmin")
        preparation = errands.specification(job_body, PREPARATION)
        prepares = isinstance(given, Duty) and given.errand.kind == PREPARATION
        return running.Work(
            node=self.place(given.node),
            folder=folder,
            command_line=body["commandLine"],
            environment=environment.complete(
                self._environment(given.pool, given.node, folder)
                | environment.of_task(given.job.id, body["id"], elevation)
                | ({} if preparation is None or prepares else environment.of_prepared(folder, preparation["id"])),
                job_body.get("commonEnvironmentSettings", ()),
                body.get("environmentSettings", ()),
            ),
            resource_files=body.get("resourceFiles", ()),
            output_files=body.get("outputFiles", ()),
            deadline=deadline,
            daemons_stay=prepares,
            note_process=note,
        )

    async def run_start_task(self, pool: Pool, node: Node, body: Mapping[str, Any], note: Note) -> Outcome:
        """Run a node's start task; what it started in the background stays."""
        at = self.place(node)
        work = running.Work(
            node=at,
            folder=at.startup,
            command_line=body["commandLine"],
            environment=environment.complete(
                self._environment(pool, node, at.startup), body.get("environmentSettings", ())
            ),
            resource_files=body.get("resourceFiles", ()),
            output_files=(),
            deadline=None,
            daemons_stay=True,
            note_process=note,
        )
        return await running.run(work, self._storage, self._clock)

    def _environment(self, pool: Pool, node: Node, folder: folders.Task) -> dict[str, str]:
        place = Place(self._account, self._url, pool.id, node.id, bool(node.dedicated))
        return environment.of_node(place, self.place(node), folder)

    async def remove(self, node: Node) -> None:
        """Remove a node's files, and end what its start task and preparations left running."""
        await self._end(node)
        await _remove(self.place(node).root)

    async def restart(self, node: Node) -> None:
        """End what a node's start task and preparations left running; of its files only the volatile ones go."""
        await self._end(node)
        await _remove(self.place(node).volatile)

    async def _end(self, node: Node) -> None:
        recorded = [Identity.parse(node.process)] if node.process else []
        await ending.end_leftovers(Mark(environment.NODE_MARK, self.place(node).root), *recorded)

    async def remove_everything(self) -> None:
        """Remove the files of all nodes, and end what start tasks and preparations left running."""
        await ending.end_leftovers(Mark(environment.NODE_MARK, self._home))
        for name in await asyncio.to_thread(_names, self._home):
            await _remove(os.path.join(self._home, name))

    async def remove_job(self, job_id: str) -> None:
        """Remove the files of a job's tasks from all nodes."""
        for name in await asyncio.to_thread(_names, self._home):
            await _remove(os.path.join(folders.Node(os.path.join(self._home, name)).work_items, job_id))

    async def remove_task(self, node: Node, job_id: str, task_id: str) -> None:
        """Remove a task's files; once this has begun, the task may run again."""
        with contextlib.suppress(FileNotFoundError, Unsafe):
            folder = self.place(node).task(job_id, task_id).path
            aside = f"{folder}.{secrets.token_hex(8)}"  # no task has a dot in its id
            os.rename(folder, aside)
            await _remove(aside)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


async def _remove(folder: str) -> None:
    with contextlib.suppress(OSError):
        await asyncio.to_thread(remove, folder)
