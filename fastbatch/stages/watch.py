"""
One poller for all tasks of a run.

It asks for what was completed since shortly before the last that it knows of, with no more fields than it needs, and
the less often the less happens. What a moment's answer lacks, a later one has: the service's clocks may differ, so
thirty seconds are asked for again each time, and in a quiet stretch everything now and then.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import anyio

from fastbatch import names
from fastbatch.azure.batch import Batch
from fastbatch.books.facts import Ended, Fact
from fastbatch.books.ledger import Ledger
from fastbatch.events import Observer, TasksCounted
from fastbatch.masking import masked
from fastbatch.model import Ending, Task

SHORTEST, LONGEST = 0.1, 5.0
FIELDS = "id,stateTransitionTime,executionInfo"
FIELDS_AND_NODES = f"{FIELDS},nodeInfo"
_OVERLAP = timedelta(seconds=30)
_QUIET_SECONDS = 60.0
_COUNTED_EVERY = 2.0
_POLLS_A_COUNT = 4
# A poll that takes long is not made more often than that it takes this part of the time.
_SHARE = 0.2
_NOTHING = 0.6
_LARGEST_STEP = 8.0
_WORTH_A_POLL = 48


def next_interval(interval: float, *, found: int, waiting: int, took: float) -> float:
    """
    Tell how long to wait for the next poll.

    A sixteenth of what is waited for, and at most 48 tasks, is worth a poll: the interval becomes the one in which as
    many will be found if all goes on as it did, though by steps. Nothing counts as a little less than one task.
    """
    worth = max(1, min(_WORTH_A_POLL, waiting // 16))
    step = worth / max(found, _NOTHING)
    interval *= min(_LARGEST_STEP, max(1 / _LARGEST_STEP, step))
    return min(LONGEST, max(SHORTEST, took / _SHARE, interval))


@dataclass(slots=True)
class Watermark:
    """The latest moment at which a task is known to have been completed, by the service's time."""

    at: datetime | None = None

    def where(self) -> str:
        """Give the filter for what may be news."""
        if self.at is None:
            return "state eq 'completed'"
        since = (self.at - _OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return f"state eq 'completed' and stateTransitionTime ge DateTime'{since}'"

    def rise(self, moments: list[datetime]) -> None:
        """Note the moments of a listing that was read to its end."""
        self.at = max(moments, default=self.at) if self.at is None else max([self.at, *moments])


class Watcher:
    """Watches the tasks of a run, in all of its jobs that have some."""

    def __init__(
        self, batch: Batch, run: str, ledger: Ledger, *, note: Callable[[Fact], None], observe: Observer
    ) -> None:
        self._batch = batch
        self._run = run
        self._ledger = ledger
        self._select = FIELDS
        self._note = note
        self._observe = observe
        self._watermarks: defaultdict[int, Watermark] = defaultdict(Watermark)
        self._listed_whole = self._count_at = 0.0
        self._begun = self._ended = 0  # polls
        self._hurried = anyio.Event()
        self._polled = anyio.Event()
        self.submitted = anyio.Event()

    def want_nodes(self) -> None:
        """Ask where tasks ran, too; it doubles what an answer takes."""
        self._select = FIELDS_AND_NODES

    def knows(self, job: int, until: datetime | None) -> None:
        """Take it that what was completed in a job until then is known."""
        self._watermarks[job] = Watermark(until)
        self._listed_whole = anyio.current_time()

    async def work(self) -> None:
        """Poll for as long as it is not cancelled; while the service has no task of ours, it is not asked."""
        interval = SHORTEST
        while True:
            if not self._ledger.on_service:
                self.submitted = anyio.Event()
                await self.submitted.wait()
                interval = SHORTEST
            with anyio.move_on_after(interval):
                await self._hurried.wait()
            self._hurried = anyio.Event()
            began = anyio.current_time()
            found = await self._poll()
            await self._count(interval)
            now = anyio.current_time()
            interval = next_interval(interval, found=found, waiting=self._ledger.on_service, took=now - began)

    async def listed(self) -> None:
        """Wait for a poll that begins from now on, at once, to end; or until no task is waited for."""
        next_one = self._begun + 1
        while self._ended < next_one and self._ledger.on_service:
            self._hurried.set()
            await self._polled.wait()

    async def _poll(self) -> int:
        """Look for completed tasks once; tell how many are news."""
        self._begun += 1
        found = await self._look()
        self._ended = self._begun
        self._polled.set()
        self._polled = anyio.Event()
        return found

    async def _look(self) -> int:
        now = anyio.current_time()
        whole = now - self._listed_whole > _QUIET_SECONDS
        found = sum([await self._poll_job(job, whole=whole) for job in self._ledger.jobs])
        if whole or found:  # what is found starts a new quiet stretch
            self._listed_whole = now
        return found

    async def _poll_job(self, job: int, *, whole: bool) -> int:
        watermark = self._watermarks[job]
        where = (Watermark() if whole else watermark).where()
        moments: list[datetime] = []
        found = 0
        async for page in self._batch.task_pages(names.job(self._run, job), where=where, select=self._select):
            for task in page:
                moments.append(moment(task["stateTransitionTime"]))
                ending = read(task, job)
                if self._ledger.expects(ending.task):
                    found += 1
                    self._note(Ended(ending))
        watermark.rise(moments)
        return found

    async def _count(self, interval: float) -> None:
        now = anyio.current_time()
        if now < self._count_at or not self._ledger.on_service:
            return
        self._count_at = now + max(_COUNTED_EVERY, _POLLS_A_COUNT * interval)
        counts = Counter[str]()
        for job in self._ledger.jobs:
            counts.update(await self._batch.task_counts(names.job(self._run, job)))
        self._observe(TasksCounted(counts["active"], counts["running"], counts["completed"]))


def read(task: dict[str, Any], job: int = 0) -> Ending:
    """Read how a task ended."""
    info = task.get("executionInfo") or {}
    failure = info.get("failureInfo") or {}
    details = "; ".join(str(detail.get("value")) for detail in failure.get("details") or ())
    message = ": ".join(part for part in (failure.get("message", ""), details) if part)
    return Ending(
        Task.of(task["id"]),
        succeeded=str(info.get("result", "")).lower() == "success",
        exit_code=info.get("exitCode"),
        code=failure.get("code"),
        message=masked(message),
        node=(task.get("nodeInfo") or {}).get("nodeId"),
        job=job,
    )


def moment(text: str) -> datetime:
    """Read a time of the service, which has up to seven digits of a second."""
    head, dot, fraction = text.rstrip("Zz").partition(".")
    return datetime.fromisoformat(f"{head}{dot}{fraction[:6]}+00:00")
