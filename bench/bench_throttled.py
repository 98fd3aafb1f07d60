"""A service that is full: what our submitter and watcher get out of it, and how many requests that takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from fastbatch import Settings
from fastbatch.azure.services import connected
from fastbatch.chunks import Described
from fastbatch.events import Event, RequestRetried
from tests.counted import account_of
from tests.local.instances import new_name

from .ours.submit import Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastbatch.books.facts import Submit

    from .accounts import Accounts, Hosted
    from .scale import Scale

pytestmark = pytest.mark.submit

TASKS = 100_000  # in a thousand collections
ALLOWED = 50  # requests a second
COMMAND = "/bin/sleep 0.18"  # so that two slots complete about ten a second, and polling goes on
ASKED = ("over 80 %", "under 1.3")


@dataclass(frozen=True)
class Limit:
    """What is taken at once if nothing was for a while, and whether a refusal says when to come again."""

    burst: int
    retry_after: int | None = None
    asked: tuple[str, str] | tuple[None, None] = (None, None)  # of the share that is used, and of the requests it takes

    def __str__(self) -> str:
        return f"burst of {self.burst}, {'with' if self.retry_after else 'without'} Retry-After"

    @property
    def rule(self) -> dict[str, Any]:
        """Return how a service keeps to it."""
        more = {} if self.retry_after is None else {"retryAfter": self.retry_after}
        return {"operation": "*", "fault": "limitRate", "perSecond": ALLOWED, "burst": self.burst, **more}


LIMITS = [
    Limit(10, asked=ASKED),
    Limit(10, 1, asked=ASKED),
    *(Limit(burst, retry_after) for burst in (5, 1) for retry_after in (None, 1)),
]


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


async def watched(on: Accounts, job: str, tasks: int) -> Spent:
    """Submit tasks, while those that were submitted before are watched."""
    refused: list[RequestRetried] = []

    def observe(event: Event) -> None:
        if isinstance(event, RequestRetried):
            assert "TooManyRequests" in event.reason
            refused.append(event)

    async with connected(account_of(on.instance), Settings(), observe) as services:
        seconds = await Submission(job, tasks, _described).go(services, watched=True)
        counts = services.batch.line.counts
        return Spent(seconds, counts.total(), len(refused), counts["list tasks"] + counts["count the tasks"])


def _described(action: Submit) -> Described:
    return Described(action.task, json.dumps({"id": action.task.id, "commandLine": COMMAND}).encode())


@pytest.fixture(params=LIMITS, ids=str)
def limit(request: pytest.FixtureRequest, scale: Scale) -> Any:
    """Have a limit."""
    if scale.quick and request.param not in LIMITS[:2]:
        pytest.skip("two show that it works")
    return request.param


@pytest.fixture
def apart(hosted: Hosted) -> Iterator[Accounts]:
    """Have accounts for one limit alone."""
    with hosted() as found:
        yield found


def bench_submit_to_a_full_service(
    benchmark: Any, limit: Limit, apart: Accounts, scale: Scale, figure: Callable[..., None]
) -> None:
    """Submit a hundred thousand tasks where fifty requests a second are allowed."""
    found: list[Spent] = []

    def submit() -> None:
        with apart.pool(nodes=1) as pool, apart.instance.client() as client:
            job = new_name("job")
            client.create_job({"id": job, "poolInfo": {"poolId": pool}})
            with apart.misbehaving(limit.rule):
                found.append(anyio.run(watched, apart, job, scale.some(TASKS)))

    benchmark.pedantic(submit, rounds=1)
    (spent,) = found
    benchmark.extra_info |= vars(spent)
    used, times = limit.asked
    figure(f"full service, {limit}: share used", [spent.used], "%", asked=used)
    figure(f"full service, {limit}: requests, of those needed", [spent.times_the_least], asked=times)
