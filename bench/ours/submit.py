"""Submitting tasks by our submitter, also while those that were submitted before are watched."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from bench.books import Books
from fastbatch import Settings
from fastbatch.azure.services import connected
from fastbatch.books.facts import Fact, Submit, Submitted
from fastbatch.chunks import Described
from fastbatch.configuration import resolve
from fastbatch.events import nobody
from fastbatch.stages.submit import Submitter
from fastbatch.stages.watch import Watcher
from tests.stages.one_job import OneJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastbatch.azure.services import Services

COMMAND = "python3 count.py input.txt"


class Submission:
    """Tasks that are to be submitted to a job."""

    def __init__(self, job: str, tasks: int, describe: Callable[[Submit], Described]) -> None:
        self._job = OneJob(job, describe)
        self._name = job
        self._books = Books(tasks)
        self._left = tasks
        self._all = anyio.Event()
        self._some = anyio.Event()

    async def go(self, services: Services, *, watched: bool = False) -> float:
        """Submit them, and tell how many seconds it took until the last was taken."""
        began = anyio.current_time()
        async with anyio.create_task_group() as group:
            if watched:
                watcher = Watcher(services.batch, self._name, self._books.ledger, note=self._note, observe=nobody)
                self._some = watcher.submitted
                group.start_soon(watcher.work)
            group.start_soon(self._submit, services)
            await self._all.wait()
            seconds = anyio.current_time() - began
            group.cancel_scope.cancel()
        return seconds

    async def _submit(self, services: Services) -> None:
        submitter = Submitter(services.batch, self._job, self._note)
        into, out = anyio.create_memory_object_stream[Submit](math.inf)
        with out:
            with into:
                for action in self._books.todo:
                    into.send_nowait(action)
            async with anyio.create_task_group() as group:
                for _ in range(Settings().batch_requests):
                    group.start_soon(submitter.work, out)

    def _note(self, fact: Fact) -> None:
        self._books.note(fact)
        if isinstance(fact, Submitted):
            self._some.set()
            self._left -= len(fact.tasks)
            if not self._left:
                self._all.set()


def main() -> None:
    """Submit, and print how many and how long."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job")
    parser.add_argument("inputs", type=Path, help="a JSON object: the URL of each task's input by the task's id")
    arguments = parser.parse_args()
    told = anyio.run(submit, arguments.job, json.loads(arguments.inputs.read_bytes()))
    sys.stdout.write(f"{json.dumps(told)}\n")


async def submit(job: str, inputs: dict[str, str]) -> dict[str, float]:
    """Submit a task for each input."""
    account = resolve({}, environ=os.environ, cwd=Path.cwd()).account
    assert account

    def described(action: Submit) -> Described:
        files = [{"httpUrl": inputs[action.task.id], "filePath": "input.txt"}]
        task = {"id": action.task.id, "commandLine": COMMAND, "resourceFiles": files}
        return Described(action.task, json.dumps(task).encode())

    async with connected(account, Settings(), nobody) as services:
        cpu = time.process_time()
        seconds = await Submission(job, len(inputs), described).go(services)
        return {"tasks": len(inputs), "seconds": seconds, "cpu_seconds": time.process_time() - cpu}


if __name__ == "__main__":
    main()
