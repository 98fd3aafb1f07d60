"""
Watching: what it takes to see tasks complete in a large job, ours beside the tutorial's way.

As a program of its own, this is what runs ours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import aiohttp
import anyio
import pytest

from fastbatch import Settings
from fastbatch.azure import connections
from fastbatch.azure.services import connected
from fastbatch.books.facts import Submitted
from fastbatch.configuration import resolve
from fastbatch.events import nobody
from fastbatch.model import Task
from fastbatch.stages.watch import LONGEST, Watcher, moment
from tests.local import instances
from tests.local.instances import new_name

from .bench_local import add, send
from .books import Books, name
from .programs import ROOT, Program, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .accounts import Accounts
    from .scale import Scale

pytestmark = pytest.mark.submit

TUTORIAL = Path(__file__).with_name("peers") / "tutorial_watch.py"
TASKS = 10_000
COMMAND = "/bin/sleep 0.18"  # so that two slots complete about ten a second
ROUNDS = 2
STARTING = 2.0  # what completes before a watcher runs is no news
AMOUNTS = (
    ("requests", "requests", "under 10 %"),
    ("bytes of bodies", "bytes", "under 1 %"),
    ("bytes of headers", "header_bytes", None),
    ("seconds of CPU", "cpu", None),
)
DELAY_ASKED = "under 3 s"


@dataclass(frozen=True)
class Watched:
    """What a watcher used in its time, and how late it was."""

    requests: int
    bytes: int
    header_bytes: int
    cpu: float
    delays: list[float]


@dataclass(frozen=True)
class Job:
    """A job whose tasks complete."""

    services: Accounts
    client: Any
    id: str
    tasks: int

    def watched(self, name: str, command: list[str], seconds: float) -> Watched:
        """Let a program watch for a while; it has to see all that completes, but at the end, and nothing else."""
        environment = {**self.services.environment, "PYTHONPATH": str(ROOT)}
        arguments = [self.id, "--until", str(self.tasks), "--seconds", str(seconds)]
        begin = time.time()
        told = json.loads(run(Program(name, [sys.executable, *command, *arguments], environment)).output)
        end = begin + told["seconds"]
        completed = self.completed()
        noticed = told["noticed"]
        late = min(LONGEST + 1, seconds / 2)
        news = {task for task, at in completed.items() if begin + min(STARTING, seconds / 5) < at < end - late}
        assert news
        assert news <= noticed.keys() <= completed.keys()
        delays = [noticed[task] - completed[task] for task in news]
        return Watched(told["requests"], told["bytes"], told["header_bytes"], told["cpu_seconds"], delays)

    def completed(self) -> dict[str, float]:
        """Tell when each task was completed, by the service's clock, which is ours."""
        params = {"$filter": "state eq 'completed'", "$select": "id,stateTransitionTime"}
        page = send(self.client, "GET", f"/jobs/{self.id}/tasks", params).json()
        tasks = page["value"]
        assert "odata.nextLink" not in page
        return {task["id"]: moment(task["stateTransitionTime"]).timestamp() for task in tasks}


@contextmanager
def busy_job(services: Accounts, pool: str, tasks: int) -> Iterator[Job]:
    """Have a job in which tasks complete; in the end it stays as it is, as deleting it would take time of others."""
    with services.instance.client() as client:
        job = new_name("job")
        client.create_job({"id": job, "poolInfo": {"poolId": pool}})
        add(client, job, [{"id": Task(name(number)).id, "commandLine": COMMAND} for number in range(tasks)])
        instances.eventually(lambda: client.get_job_task_counts(job).task_counts.succeeded, bool)
        yield Job(services, client, job, tasks)
        client.begin_disable_job(job, {"disableTasks": "terminate"}, polling_interval=0.1).result()


def bench_watch_a_large_job(benchmark: Any, services: Accounts, scale: Scale, figure: Callable[..., None]) -> None:
    """Ten tasks of ten thousand complete each second."""
    tasks, seconds = (TASKS // 20, 5.0) if scale.quick else (TASKS, 30.0)
    ours: list[Watched] = []
    theirs: list[Watched] = []

    def watch_in_turn() -> None:
        with services.pool(nodes=1) as pool, busy_job(services, pool, tasks) as job:
            theirs.append(job.watched("the tutorial's way", [str(TUTORIAL)], seconds))
            ours.append(job.watched("fastbatch", ["-m", "bench.bench_watch"], seconds))

    benchmark.pedantic(watch_in_turn, rounds=1 if scale.quick else ROUNDS)
    for what, field, asked in AMOUNTS:
        amounts = [(getattr(own, field), getattr(their, field)) for own, their in zip(ours, theirs, strict=True)]
        benchmark.extra_info[what] = amounts
        middle = " against ".join(f"{statistics.median(side):,.6g}" for side in zip(*amounts, strict=True))
        shares = [100 * own / their for own, their in amounts]
        figure(f"watching, share of the tutorial's {what} ({middle})", shares, "%", asked=asked)
    figure("watching, median delay", [statistics.median(own.delays) for own in ours], "s", asked=DELAY_ASKED)
    figure("watching, the tutorial's median delay", [statistics.median(their.delays) for their in theirs], "s")


# Ours, as a program


class Traffic:
    """Counts requests and the bytes of their answers, bodies as they came over the wire and headers by themselves."""

    def __init__(self) -> None:
        self.requests = 0
        self.bytes = 0
        self.header_bytes = 0

    def session(self, endpoint: str, read_seconds: float) -> aiohttp.ClientSession:
        """Open a session that is counted."""
        session = connections.session(endpoint, read_seconds)
        counting = aiohttp.TraceConfig()
        counting.on_request_end.append(self._answered)
        counting.on_response_chunk_received.append(self._received)
        counting.freeze()
        session.trace_configs.append(counting)
        return session

    async def _answered(self, _session: object, _context: object, ended: aiohttp.TraceRequestEndParams) -> None:
        self.requests += 1
        self.header_bytes += sum(len(f"{name}: {value}\r\n") for name, value in ended.response.headers.items())

    async def _received(
        self, _session: object, _context: object, received: aiohttp.TraceResponseChunkReceivedParams
    ) -> None:
        self.bytes += len(received.chunk)


def main() -> None:
    """Watch, and print what was seen and what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job")
    parser.add_argument("--until", type=int, required=True, help="how many tasks there are")
    parser.add_argument("--seconds", type=float, required=True, help="when to stop")
    arguments = parser.parse_args()
    told = anyio.run(watch, arguments.job, arguments.until, arguments.seconds)
    sys.stdout.write(f"{told}\n")


async def watch(job: str, tasks: int, seconds: float) -> str:
    """Watch for a while."""
    account = resolve({}, environ=os.environ, cwd=ROOT).account
    assert account
    books, traffic = Books(tasks), Traffic()
    books.note(Submitted(tuple(submit.task for submit in books.todo)))
    with patch("fastbatch.azure.requests.session", traffic.session):
        async with connected(account, Settings(), nobody) as services:
            start, cpu = time.perf_counter(), time.process_time()
            with anyio.move_on_after(seconds):
                await Watcher(services.batch, job, books.ledger, note=books.note, observe=nobody).work()
            spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    return json.dumps({**vars(traffic), **spent, "noticed": books.noticed})


if __name__ == "__main__":
    main()
