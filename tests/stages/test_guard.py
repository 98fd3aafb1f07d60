"""Looking after a job, in virtual time: what was completed before it ended counts, however late that is seen."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from fastbatch.books.facts import Abandoned, Built, Fact, Fetch, Stored, Submitted
from fastbatch.books.ledger import Ledger
from fastbatch.events import nobody
from fastbatch.model import Blob, Task
from fastbatch.stages.guard import Guard, Guarded
from fastbatch.stages.watch import Watcher
from tests.books.test_ledger import plan_of
from tests.virtual_time import play

TASKS = 3
STALLED = 60.0
POOL = {"state": "active", "allocationState": "steady", "targetDedicatedNodes": 1, "currentDedicatedNodes": 1}


@dataclass
class Newest:
    """The only job."""

    number: int = 0
    id: str = "job"


class Over:
    """A service whose job is over, some of its tasks completed; a listing takes a minute."""

    def __init__(self, completed: int, reason: str) -> None:
        self._completed = completed
        self._reason = reason

    async def job(self, _job: str) -> dict[str, Any]:
        """Tell how it is."""
        return {"state": "completed", "executionInfo": {"terminateReason": self._reason}}

    async def pool(self, _pool: str) -> dict[str, Any]:
        """Tell how its pool is."""
        return POOL

    async def node_counts(self, _pool: str) -> dict[str, int]:
        """Count its nodes."""
        return {"idle": 1}

    async def task_pages(self, _job: str, *, where: str, select: str) -> AsyncIterator[list[dict[str, Any]]]:
        """List the completed tasks, in the end."""
        assert where
        assert select
        await anyio.sleep(STALLED)
        ended = {"stateTransitionTime": "2026-11-20T12:00:00Z", "executionInfo": {"result": "success", "exitCode": 0}}
        yield [{"id": f"b{n + 1:05}", **ended} for n in range(self._completed)]

    async def task_counts(self, _job: str) -> dict[str, int]:
        """Count them."""
        return {"completed": self._completed}


def looked_after(completed: int, reason: str) -> tuple[Ledger, list[Fact], list[str]]:
    """Look after a job that is over, for some minutes; give the books, what was noted, and what is fetched."""
    service: Any = Over(completed, reason)
    ledger = Ledger(plan_of([1] * TASKS), retries=0, retry_wait=1)
    noted, fetched = list[Fact](), list[str]()
    for n in range(TASKS):
        name = f"b{n + 1:05}"
        for fact in (Built(name, Blob("d" * 64, 10)), Stored(name, reused=False), Submitted((Task(name),))):
            ledger.apply(fact)

    def note(fact: Fact) -> None:
        noted.append(fact)
        fetched.extend(action.task.id for action in ledger.apply(fact) if isinstance(action, Fetch))

    async def scene() -> None:
        watcher = Watcher(service, "job", ledger, note=note, observe=nobody)
        guard = Guard(service, Guarded("pool", Newest(), watcher.listed), ledger, note=note, observe=nobody)
        async with anyio.create_task_group() as group:
            group.start_soon(watcher.work)
            group.start_soon(guard.work)
            await anyio.sleep(10 * STALLED)
            group.cancel_scope.cancel()

    play(scene)
    return ledger, noted, fetched


@pytest.mark.parametrize("reason", ["AllTasksComplete", "UserTerminate"])
def test_tasks_that_were_completed_when_their_job_ended_count_though_listings_stall(reason: str) -> None:
    """Their results are fetched; none fails."""
    ledger, _, fetched = looked_after(TASKS, reason)

    assert sorted(fetched) == [f"b{n + 1:05}" for n in range(TASKS)]
    assert ledger.books.failed == 0


def test_tasks_that_never_complete_are_given_up_when_they_were_listed_anew() -> None:
    """And may be tried again later, as nothing is wrong with them."""
    ledger, noted, fetched = looked_after(1, "UserTerminate")

    assert fetched == ["b00001"]
    assert [fact.reason for fact in noted if isinstance(fact, Abandoned)][:1] == [
        "the job is completed (UserTerminate)"
    ]
    assert [failure.passing for failure in ledger.failures] == [True, True]
