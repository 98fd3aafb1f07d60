"""A service that is full: what our submitter and watcher get out of it, and how many requests that takes."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from fastbatch import Account, Settings
from fastbatch.azure.services import Services, connected
from fastbatch.books.facts import Fact, Submit, Submitted
from fastbatch.chunks import Described
from fastbatch.events import Event, RequestRetried
from fastbatch.stages.submit import Submitter
from fastbatch.stages.watch import Watcher
from tests.counted import account_of
from tests.local import speaking
from tests.local.instances import new_name
from tests.local.speaking import at
from tests.stages.one_job import OneJob

from . import accounts
from .books import Books

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .accounts import Accounts
    from .scale import Scale

pytestmark = pytest.mark.submit

TASKS = 100_000  # in a thousand collections
ALLOWED = 50  # requests a second
COMMAND = "/bin/sleep 0.18"  # so that two slots complete about ten a second, and polling goes on
AT_MOST = 1.3  # times the requests that are needed
ASKED = ("over 80 %", f"under {AT_MOST}")


@dataclass(frozen=True)
class Spent:
    """What it took to submit all tasks, while they were watched."""

    seconds: float
    requests: int
    refused: int
    polls: int

    @property
    def used(self) -> float:
        """Tell which percentage of what is allowed was used, and answered well."""
        return 100 * (self.requests - self.refused) / self.seconds / ALLOWED

    @property
    def times_the_least(self) -> float:
        """Tell how many times as many requests were made as were needed."""
        return self.requests / (self.requests - self.refused)


class Submission:
    """Tasks, submitted while those that were submitted before are watched."""

    def __init__(self, tasks: int) -> None:
        self._books = Books(tasks)
        self._left = tasks
        self._refused = 0
        self._all = anyio.Event()

    async def go(self, account: Account, job: str) -> Spent:
        """Do it."""
        async with connected(account, Settings(), self._observe) as services:
            began = anyio.current_time()
            async with anyio.create_task_group() as group:
                self._watcher = Watcher(
                    services.batch, job, self._books.ledger, note=self._note, observe=lambda _event: None
                )
                group.start_soon(self._watcher.work)
                group.start_soon(self._submit, services, job)
                await self._all.wait()
                seconds = anyio.current_time() - began
                group.cancel_scope.cancel()
            counts = services.batch.line.counts
            return Spent(seconds, counts.total(), self._refused, counts["list tasks"] + counts["count the tasks"])

    async def _submit(self, services: Services, job: str) -> None:
        submitter = Submitter(services.batch, OneJob(job, _described), self._note)
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
            self._watcher.submitted.set()
            self._left -= len(fact.tasks)
            if not self._left:
                self._all.set()

    def _observe(self, event: Event) -> None:
        if isinstance(event, RequestRetried):
            assert "TooManyRequests" in event.reason
            self._refused += 1


def _described(action: Submit) -> Described:
    return Described(action.task, json.dumps({"id": action.task.id, "commandLine": COMMAND}).encode())


@pytest.fixture
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """Have accounts that nobody else has, as so many tasks would be in the way."""
    with accounts.lasting_as_long_as_we(tmp_path_factory.mktemp("accounts")) as found:
        yield found


@dataclass(frozen=True)
class Limit:
    """What is taken at once if nothing was for a while, and whether a refusal says when to come again."""

    burst: int
    retry_after: int | None = None
    asked: tuple[str, str] | tuple[None, None] = (None, None)  # of the share that is used, and of the requests it takes

    def __str__(self) -> str:
        return f"burst of {self.burst}, {'with' if self.retry_after else 'without'} Retry-After"

    def set(self, on: Accounts) -> None:
        """Let a service keep to it."""
        rule = {"operation": "*", "fault": "limitRate", "perSecond": ALLOWED, "burst": self.burst}
        more = {} if self.retry_after is None else {"retryAfter": self.retry_after}
        assert "rules" in speaking.ask(on.instance, "PUT", at("/local/faults"), {"rules": [rule | more]}).json


LIMITS = [
    Limit(10, asked=ASKED),
    Limit(10, 1, asked=ASKED),
    *(Limit(burst, retry_after) for burst in (5, 1) for retry_after in (None, 1)),
]


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def bench_submit_to_a_full_service(
    benchmark: Any, apart: Accounts, scale: Scale, figure: Callable[..., None], limit: Limit
) -> None:
    """Submit a hundred thousand tasks where fifty requests a second are allowed."""
    if scale.quick and limit not in LIMITS[:2]:
        pytest.skip("two show that it works")
    spent: list[Spent] = []

    def submit() -> None:
        with apart.pool(nodes=1) as pool, apart.instance.client() as client:
            job = new_name("job")
            client.create_job({"id": job, "poolInfo": {"poolId": pool}})
            limit.set(apart)
            submission = Submission(scale.some(TASKS))
            spent.append(anyio.run(partial(submission.go, account_of(apart.instance), job)))
            speaking.ask(apart.instance, "DELETE", at("/local/faults"))

    benchmark.pedantic(submit, rounds=1)
    (seen,) = spent
    benchmark.extra_info |= vars(seen)
    used, times = limit.asked
    figure(f"full service, {limit}: share of what is allowed ({seen.seconds:.1f} s)", [seen.used], "%", asked=used)
    told = f"{seen.requests} requests, {seen.polls} of them polls, {seen.refused} refused"
    figure(f"... times the requests that are needed ({told})", [seen.times_the_least], asked=times)
    assert seen.times_the_least < AT_MOST
