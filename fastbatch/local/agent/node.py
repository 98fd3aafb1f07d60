"""The agent: prepares nodes, runs tasks on them, and removes what they leave."""

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
from fastbatch.local.records import Job, Node, Pool, Task
from fastbatch.local.removal import remove
from fastbatch.local.states.tasks import Failure, Outcome

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task and the node that it is to run on; `body` is what was asked of it."""

    pool: Pool
    node: Node
    job: Job
    task: Task
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
        try:
            folder = self.place(assigned.node).task(assigned.job.id, assigned.task.id)
        except Unsafe as error:  # another task has put a link there
            return Outcome(None, Failure("ResourceDirectoryCreateFailed", str(error)))
        return await running.run(self._work(assigned, folder, note), self._storage, self._clock)

    def _work(self, assigned: Assignment, folder: folders.Task, note: Note) -> running.Work:
        task, body = assigned.task, assigned.body
        common = json.loads(assigned.job.body).get("commonEnvironmentSettings", ())
        elevation = body["userIdentity"].get("autoUser", {}).get("elevationLevel", "nonadmin")
        longest = body["constraints"]["maxWallClockTime"]
        return running.Work(
            node=self.place(assigned.node),
            folder=folder,
            command_line=body["commandLine"],
            environment=environment.complete(
                self._environment(assigned.pool, assigned.node, folder)
                | environment.of_task(assigned.job.id, task.id, elevation),
                common,
                body.get("environmentSettings", ()),
            ),
            resource_files=body.get("resourceFiles", ()),
            output_files=body.get("outputFiles", ()),
            deadline=None if longest == wire.FOREVER else wire.later(task.started or 0, longest),
            daemons_stay=False,
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
        """Remove a node's files, and end what its start task left running."""
        await self._end(node)
        await _remove(self.place(node).root)

    async def restart(self, node: Node) -> None:
        """End what a node's start task left running; of its files only the volatile ones go."""
        await self._end(node)
        await _remove(self.place(node).volatile)

    async def _end(self, node: Node) -> None:
        recorded = [Identity.parse(node.process)] if node.process else []
        await ending.end_leftovers(Mark(environment.NODE_MARK, self.place(node).root), *recorded)

    async def remove_everything(self) -> None:
        """Remove the files of all nodes, and end what start tasks left running."""
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
