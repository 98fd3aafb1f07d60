"""Submitting: tasks into a job, where the service answers at once, late, or says no to some; ours beside the SDK."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from fastbatch.model import Task
from tests.local.instances import new_name

from .books import name
from .contests import Entrant, Lap, Unable
from .programs import PEERS, ROOT, GaveUp, Program, Run, python, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .accounts import Accounts, Hosted
    from .arena import Arena
    from .scale import Scale

pytestmark = pytest.mark.submit

BLOB = f"http://127.0.0.1:10000/account/input/{64 * 'a'}?sv=2025-01-05&se=2026-11-22T00%3A00%3A00Z&sr=b&sp=r&sig="
THREADS = 8
REFUSED = "Too Many Requests"  # the reason for which a peer may give up


@dataclass(frozen=True)
class Condition:
    """How a service answers, and how many tasks it is given."""

    said: str
    tasks: int
    tasks_quick: int
    rule: Mapping[str, Any]  # of the fault, which also counts requests
    too_long: bool = False  # for a request for each task

    @property
    def refuses(self) -> bool:
        """Tell whether somebody may give up."""
        return bool(self.rule["fault"] == "limitRate")

    def __str__(self) -> str:
        return self.said


LIMITED = {"fault": "limitRate", "perSecond": 20, "burst": 5}
CONDITIONS = [
    Condition("answered at once", 10_000, 500, {"fault": "delay", "seconds": 0}),
    Condition("answered 50 ms late", 1000, 50, {"fault": "delay", "seconds": 0.05}),
    Condition("20 requests a second, and 429 to more", 10_000, 1000, LIMITED),
    Condition(
        "20 requests a second, else 429 with Retry-After", 10_000, 1000, {**LIMITED, "retryAfter": 1}, too_long=True
    ),
]


@dataclass(frozen=True)
class Submissions:
    """Submissions of the same tasks, each into a job of its own, whose pool is not there: they wait."""

    services: Accounts
    client: Any
    inputs: Path  # the URL of each task's input by the task's id
    condition: Condition

    def go(self, *command: str | Path) -> Lap:
        """Let a program submit, which tells what it took. Raises Unable."""
        job = new_name("job")
        self.client.create_job({"id": job, "poolInfo": {"poolId": "nowhere"}})
        environment = {**self.services.environment, "PYTHONPATH": str(ROOT)}
        with self.services.misbehaving({"operation": "create_task*", **self.condition.rule}) as rule:
            done = self._run(python("submit", *command, job, self.inputs, environment=environment))
            requests = rule()["seen"]
        told = json.loads(done.output)
        return Lap(told["seconds"], self._in(job), told["cpu_seconds"], done.peak, {"requests": requests})

    def one_each(self) -> Lap:
        """Let the SDK make a request for each task. Raises Unable."""
        if self.condition.too_long:
            raise Unable("as each of the many refusals costs it a second, that would take many minutes")
        return self.go(PEERS / "create_task.py")

    def _run(self, program: Program) -> Run:
        try:
            return run(program)
        except GaveUp as gave_up:
            if not self.condition.refuses or REFUSED not in str(gave_up):
                raise
            raise Unable(str(gave_up)) from gave_up

    def _in(self, job: str) -> dict[str, Any]:
        """Look what is in a job now."""
        tasks = self.client.list_tasks(job, select=["id", "commandLine", "resourceFiles"])
        return {task.id: task.as_dict() for task in tasks}


@pytest.fixture(scope="module")
def crowded(hosted: Hosted) -> Iterator[Accounts]:
    """Have accounts that others have not, as so many tasks would be in their way."""
    with hosted() as found:
        yield found


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def bench_submit(contest: Arena, crowded: Accounts, scale: Scale, tmp_path: Path, condition: Condition) -> None:
    """Tasks of one input each, whose URL carries a signature."""
    tasks = condition.tasks_quick if scale.quick else condition.tasks
    inputs = {Task(name(number)).id: f"{BLOB}{number:044}" for number in range(tasks)}
    path = tmp_path / "inputs.json"
    path.write_text(json.dumps(inputs))
    with crowded.instance.client() as client:
        submissions = Submissions(crowded, client, path, condition)
        helper = partial(submissions.go, PEERS / "create_tasks.py")
        contest(
            f"Submit {tasks:,} tasks; {condition}",
            Entrant("create_task", submissions.one_each),
            Entrant("create_tasks", helper),
            Entrant(f"create_tasks, {THREADS} threads", partial(helper, "--threads", str(THREADS))),
            Entrant("fastbatch", partial(submissions.go, "-m", "bench.ours.submit")),
            rounds=scale.few,
            amount=(tasks, "tasks"),
        )
