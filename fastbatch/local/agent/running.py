"""
One run of a program on a node: its folders, the files that it needs, its process, the files that it leaves.

What goes wrong is an Outcome. However a run ends, by being cancelled too, nothing of its processes is left.
"""

import asyncio
import errno
import os
import shlex
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastbatch.local import ending, spawning
from fastbatch.local.agent import downloads, environment, folders, uploads
from fastbatch.local.agent.blobs import Storage
from fastbatch.local.agent.failures import Failed
from fastbatch.local.clock import Clock
from fastbatch.local.processes import Mark
from fastbatch.local.removal import remove
from fastbatch.local.spawning import Running, Unprepared
from fastbatch.local.states.outcomes import OUT_OF_TIME, Failure, Outcome

_NOT_THERE = Failure("CommandProgramNotFound", "The specified command program is not found")


@dataclass(frozen=True, slots=True)
class Work:
    """What is to run, and where; `deadline` is None where it may take as long as it likes."""

    node: folders.Node
    folder: folders.Task
    command_line: str
    environment: Mapping[str, str]
    resource_files: Sequence[Mapping[str, Any]]
    output_files: Sequence[Mapping[str, Any]]
    deadline: int | None
    daemons_stay: bool  # what it started may go on after it, until the node goes
    note_process: Callable[[str], None]


async def run(work: Work, storage: Storage, clock: Clock) -> Outcome:
    """Run it once, to its end or until its time is over."""
    try:
        outcome = await _prepare_and_execute(work, storage, clock)
    except Failed as failed:
        return Outcome(None, _failure(failed))
    try:
        if outcome.exit_code is not None or outcome.failure is OUT_OF_TIME:
            await _upload(work, storage, succeeded=outcome.exit_code == 0)
    except Failed as failed:
        return Outcome(outcome.exit_code, outcome.failure or _failure(failed))
    return outcome


def _failure(failed: Failed) -> Failure:
    return Failure(failed.code, failed.message, failed.category, failed.details)


async def _prepare_and_execute(work: Work, storage: Storage, clock: Clock) -> Outcome:
    try:
        async with _until(work.deadline, clock):
            await _prepare(work.folder)
            await downloads.bring(storage, work.resource_files, work.folder.working)
            return await _execute(work)
    except TimeoutError:
        return Outcome(None, OUT_OF_TIME)


@asynccontextmanager
async def _until(deadline: int | None, clock: Clock) -> AsyncIterator[None]:
    """Raise TimeoutError once a clock, which is not the event loop's, is at a time."""
    async with asyncio.timeout(None) as limit:
        timer = None if deadline is None else clock.call_at(deadline, lambda: limit.reschedule(0))
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()


async def _prepare(folder: folders.Task) -> None:
    """Make the folders; nothing is in them that an earlier run has left."""
    try:
        if _is_there(folder.path):
            await _in_any_case(asyncio.to_thread(remove, folder.path))
        folder.create()
    except OSError as error:
        code = "DiskFull" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "ResourceDirectoryCreateFailed"
        raise Failed(code, f"The task's folders can't be made: {error.strerror}") from error


def _is_there(path: str) -> bool:
    return os.path.lexists(path)


async def _execute(work: Work) -> Outcome:
    try:
        running = spawning.spawn(
            shlex.split(work.command_line),
            cwd=work.folder.working,
            env=work.environment,
            stdout=work.folder.stdout,
            stderr=work.folder.stderr,
        )
    except FileNotFoundError:
        return Outcome(None, _NOT_THERE)
    except (OSError, ValueError, Unprepared) as error:
        details = {"Message": str(error)}
        return Outcome(None, Failure("CommandLaunchFailed", "The command could not be launched", details=details))
    return await _follow(work, running)


async def _follow(work: Work, running: Running) -> Outcome:
    stay = False
    try:
        work.note_process(str(running.identity))
        exit_code = await running.wait()
        stay = work.daemons_stay
    finally:
        if not stay:
            mark = Mark(environment.TASK_MARK, work.folder.path)
            await _in_any_case(ending.end(running.identity, mark=mark))
    return Outcome(exit_code)


async def _in_any_case(work: Coroutine[Any, Any, None]) -> None:
    """Do some work to its end, even if whoever waits for it is cancelled, and be it twice."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError


async def _upload(work: Work, storage: Storage, *, succeeded: bool) -> None:
    due = uploads.due(work.output_files, 0 if succeeded else 1)
    await uploads.send(storage, due, uploads.Origin(work.folder, work.node.root, work.environment))
