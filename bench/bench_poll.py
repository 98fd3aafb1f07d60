"""Polling: what it takes to see tasks complete in a large job, ours beside the tutorial's way."""

from __future__ import annotations

import json
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from fastbatch.model import Task
from fastbatch.stages.watch import LONGEST, moment
from tests.local import instances
from tests.local.instances import new_name

from .bench_local import add, send
from .books import name
from .contests import Entrant, Lap
from .programs import PEERS, ROOT, python, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .accounts import Accounts
    from .arena import Arena
    from .scale import Scale

pytestmark = pytest.mark.submit

TASKS = 10_000
COMMAND = "/bin/sleep 0.18"  # so that two slots complete about ten a second
SECONDS, SECONDS_QUICK = 30.0, 5.0
STARTING = 2.0  # what completes before a watcher runs is no news
ASKED = "under 10 % of the requests, under 1 % of the bytes, noticed within 3 s"


@dataclass
class Watches:
    """Watches of a job whose tasks complete, each for so long."""

    services: Accounts
    client: Any
    pool: str
    tasks: int
    seconds: float
    job: str = ""

    def renew(self) -> None:
        """Have a job of which nothing is completed; one before it stays, as deleting it would take time of others."""
        self.leave()
        self.job = new_name("job")
        self.client.create_job({"id": self.job, "poolInfo": {"poolId": self.pool}})
        add(
            self.client,
            self.job,
            [{"id": Task(name(number)).id, "commandLine": COMMAND} for number in range(self.tasks)],
        )
        instances.eventually(lambda: self.client.get_job_task_counts(self.job).task_counts.succeeded, bool)

    def leave(self) -> None:
        """Let nothing more complete."""
        if self.job:
            self.client.begin_disable_job(self.job, {"disableTasks": "terminate"}, polling_interval=0.1).result()

    def watch(self, *command: str | Path) -> Lap:
        """Let a program watch; what counts is how late it notices a completion, in the middle."""
        environment = {**self.services.environment, "PYTHONPATH": str(ROOT)}
        arguments = [self.job, "--until", str(self.tasks), "--seconds", str(self.seconds)]
        begin = time.time()
        done = run(python("watch", *command, *arguments, environment=environment))
        told = json.loads(done.output)
        delays = self._delays(told["noticed"], begin, begin + told["seconds"])
        used = {"requests": told["requests"], "bytes of bodies": told["bytes"], "of headers": told["header_bytes"]}
        return Lap(statistics.median(delays), None, told["cpu_seconds"], done.peak, used)

    def _delays(self, noticed: dict[str, float], begin: float, end: float) -> list[float]:
        """See that all that completed was noticed, but at the end, and nothing else; tell how late."""
        completed = self._completed()
        late = min(LONGEST + 1, self.seconds / 2)
        started = begin + min(STARTING, self.seconds / 5)
        news = {task for task, at in completed.items() if started < at < end - late}
        assert news
        assert news <= noticed.keys() <= completed.keys()
        return [noticed[task] - completed[task] for task in news]

    def _completed(self) -> dict[str, float]:
        """Tell when each task was completed, by the service's clock, which is ours."""
        params = {"$filter": "state eq 'completed'", "$select": "id,stateTransitionTime"}
        page = send(self.client, "GET", f"/jobs/{self.job}/tasks", params).json()
        assert "odata.nextLink" not in page
        return {task["id"]: moment(task["stateTransitionTime"]).timestamp() for task in page["value"]}


@contextmanager
def watches(services: Accounts, tasks: int, seconds: float) -> Iterator[Watches]:
    """Have watches for a while."""
    with services.pool(nodes=1) as pool, services.instance.client() as client:
        found = Watches(services, client, pool, tasks, seconds)
        yield found
        found.leave()


def bench_poll_a_large_job(contest: Arena, services: Accounts, scale: Scale) -> None:
    """Ten tasks of ten thousand complete each second."""
    tasks, seconds = scale.some(TASKS), SECONDS_QUICK if scale.quick else SECONDS
    with watches(services, tasks, seconds) as job:
        contest(
            f"Watch {tasks:,} tasks of which ten complete each second: how late that is noticed",
            Entrant("the tutorial's way", partial(job.watch, PEERS / "tutorial_watch.py"), job.renew),
            Entrant("fastbatch", partial(job.watch, "-m", "bench.ours.watch")),
            rounds=scale.few,
            asked={"fastbatch": ASKED},
            same=False,
        )
