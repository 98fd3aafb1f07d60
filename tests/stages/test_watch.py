"""One poller: it asks seldom and little, notices soon, and tells each ending once."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from fastbatch import Account
from fastbatch.azure.services import Services
from fastbatch.books.facts import Built, Ended, Fact, Stored, Submitted
from fastbatch.books.ledger import Ledger
from fastbatch.events import Event, TasksCounted
from fastbatch.model import Blob, Bundle, Item, Kind, Plan, Task
from fastbatch.stages.watch import LONGEST, SHORTEST, Watcher, Watermark, moment, next_interval, read
from tests.counted import account_of
from tests.local import instances
from tests.local.instances import Instance
from tests.proxy import Rule, proxy
from tests.seam import using
from tests.virtual_time import play

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
JSON_HEADERS = {"Content-Type": "application/json"}

_INTERVALS = st.floats(SHORTEST, LONGEST)
_TASKS = st.integers(0, 100_000)


@given(_INTERVALS, _TASKS, _TASKS, st.floats(0, 20))
def test_an_interval_is_bounded_and_leaves_the_service_in_peace(
    interval: float, found: int, waiting: int, took: float
) -> None:
    """A poll takes a fifth of the time at most, unless the longest interval is too short for that."""
    following = next_interval(interval, found=found, waiting=waiting, took=took)
    assert SHORTEST <= following <= LONGEST
    assert following >= min(LONGEST, took / 0.2)


@given(_INTERVALS, _TASKS, _TASKS)
def test_the_more_is_found_the_sooner_the_next_poll(interval: float, found: int, waiting: int) -> None:
    """It shrinks with progress and grows in a quiet stretch."""
    quiet = next_interval(interval, found=0, waiting=waiting, took=0)
    some = next_interval(interval, found=found, waiting=waiting, took=0)
    more = next_interval(interval, found=found + 1, waiting=waiting, took=0)
    assert quiet == LONGEST or quiet >= interval * 1.6
    assert more <= some <= quiet
    assert next_interval(interval, found=400, waiting=waiting, took=0) == max(SHORTEST, interval / 8)


def test_the_last_tasks_are_noticed_one_by_one() -> None:
    """When a few are waited for, each is worth a poll."""
    assert next_interval(1.0, found=2, waiting=3, took=0) < 1.0
    assert next_interval(1.0, found=1, waiting=3, took=0) == 1.0


@given(st.lists(st.lists(st.integers(0, 10**9).map(lambda us: NOON + timedelta(microseconds=us)))))
def test_a_watermark_never_falls(listings: list[list[datetime]]) -> None:
    """It is the latest moment seen; empty listings change nothing."""
    watermark, seen = Watermark(), list[datetime]()
    for moments in listings:
        watermark.rise(moments)
        seen += moments
        assert watermark.at == (max(seen) if seen else None)


def test_thirty_seconds_are_asked_for_again() -> None:
    """As the clocks of the service's machines differ; before anything is known, all is asked for."""
    assert Watermark().where() == "state eq 'completed'"
    where = Watermark(NOON + timedelta(microseconds=5)).where()
    assert where == "state eq 'completed' and stateTransitionTime ge DateTime'2026-11-20T11:59:30.000005Z'"


@pytest.mark.parametrize("digits", range(8))
def test_times_have_up_to_seven_digits_of_a_second(digits: int) -> None:
    """What is beyond a microsecond is cut off."""
    fraction = f".{'1234567'[:digits]}" if digits else ""
    micro = int("1234567"[: min(digits, 6)].ljust(6, "0")) if digits else 0
    assert moment(f"2026-11-20T12:00:00{fraction}Z") == NOON.replace(microsecond=micro)


def test_an_ending_is_read_with_all_that_explains_it() -> None:
    """Its code, its message with the details, and the node; what may be secret in a URL is not."""
    info = {
        "exitCode": 137,
        "result": "Failure",
        "failureInfo": {
            "code": "TaskEnded",
            "message": "It was ended",
            "details": [{"name": "Message", "value": "why https://a.blob/c?sig=secret"}],
        },
    }
    ending = read({"id": "b00001-r2", "executionInfo": info, "nodeInfo": {"nodeId": "n1"}})
    assert (ending.task, ending.succeeded, ending.exit_code) == (Task("b00001", 2), False, 137)
    assert (ending.code, ending.message, ending.node) == ("TaskEnded", "It was ended: why https://a.blob/c", "n1")


def test_an_ending_without_details_is_read_too() -> None:
    """What is not known did not go well."""
    assert not read({"id": "b00001"}).succeeded
    assert read({"id": "b00001", "executionInfo": {"result": "Success", "exitCode": 0}}).succeeded


def books(tasks: int) -> Ledger:
    """Give books in which the service has so many tasks."""
    items = [Item(f"/{n}", str(n), 1, 0) for n in range(tasks)]
    bundles = [Bundle(f"b{n + 1:05}", Kind.WHOLE, (item,)) for n, item in enumerate(items)]
    ledger = Ledger(Plan(tuple(items), tuple(bundles), 1), retries=0, retry_wait=1)
    for bundle in bundles:
        ledger.apply(Built(bundle.id, Blob("d", 1)))
        ledger.apply(Stored(bundle.id, reused=True))
        ledger.apply(Submitted((Task(bundle.id),)))
    return ledger


class Watched:
    """A watcher, and what it notices."""

    def __init__(self, batch: Any, job: str, ledger: Ledger) -> None:
        self.ledger = ledger
        self.noticed: list[tuple[float, str]] = []
        self.observed: list[Event] = []
        self.all, self.twelve_hundred = anyio.Event(), anyio.Event()
        self.watcher = Watcher(batch, job, ledger, note=self.note, observe=self.observed.append)

    def note(self, fact: Fact) -> None:
        """Enter what happened into the books."""
        assert isinstance(fact, Ended)
        self.noticed.append((anyio.current_time(), fact.ending.task.id))
        self.ledger.apply(fact)
        if len(self.noticed) == 1200:
            self.twelve_hundred.set()
        if not self.ledger.on_service:
            self.all.set()

    async def until_all_ended(self, then: float = 0.0) -> None:
        """Watch until nothing is on the service, and a while longer."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.watcher.work)
            await self.all.wait()
            await anyio.sleep(then)
            group.cancel_scope.cancel()


class Completing:
    """A service whose tasks complete at a steady pace, in virtual time; lists and counts take 50 ms."""

    def __init__(self, tasks: int, each_second: float) -> None:
        self.completed = {f"b{n + 1:05}": (n + 1) / each_second for n in range(tasks)}
        self.requests = self.rows = 0

    async def task_pages(self, _job: str, *, where: str, select: str) -> AsyncIterator[list[dict[str, Any]]]:
        """List what is completed by now, in pages."""
        assert select == "id,stateTransitionTime,executionInfo"
        found = re.search(r"DateTime'(.*)'", where)
        since = (moment(found[1]) - NOON).total_seconds() if found else -1000.0
        now = anyio.current_time()
        rows = [(name, at) for name, at in self.completed.items() if since <= at <= now]
        for start in range(0, max(1, len(rows)), 1000):
            await self._answer()
            page = rows[start : start + 1000]
            self.rows += len(page)
            yield [self._row(name, at) for name, at in page]

    async def task_counts(self, _job: str) -> dict[str, int]:
        """Count them."""
        await self._answer()
        return {"active": 1, "running": 2, "completed": 3}

    async def _answer(self) -> None:
        self.requests += 1
        await anyio.sleep(0.05)

    def _row(self, name: str, at: float) -> dict[str, Any]:
        text = (NOON + timedelta(seconds=at)).isoformat().replace("+00:00", "Z")
        return {"id": name, "stateTransitionTime": text, "executionInfo": {"result": "success", "exitCode": 0}}


def test_watching_ten_thousand_tasks_costs_little_and_notices_soon() -> None:
    """Ten complete each second; the tutorial would ask ten times in ten seconds, for ten thousand rows each time."""
    service = Completing(10_000, 10)

    async def scene() -> Watched:
        watched = Watched(service, "job", books(10_000))
        await watched.until_all_ended()
        return watched

    watched = play(scene)
    delays = [at - service.completed[name] for at, name in watched.noticed]
    seconds = max(service.completed.values())
    figures = {
        "requests a second": service.requests / seconds,
        "rows a second": service.rows / seconds,
        "median delay": median(delays),
        "longest delay": max(delays),
    }
    print(figures)  # noqa: T201, shown when it fails, and with -s
    assert len(watched.noticed) == 10_000
    assert figures["requests a second"] < 0.4
    assert figures["rows a second"] < 100
    assert figures["median delay"] < 3
    assert figures["longest delay"] < 6


def test_a_service_that_has_nothing_of_ours_is_not_asked() -> None:
    """Neither before the first task nor after the last one; then not for hours."""
    service = Completing(1, 1)

    async def scene() -> tuple[int, int, int]:
        watched = Watched(service, "job", Ledger(Plan((), (), 1), retries=0, retry_wait=1))
        async with anyio.create_task_group() as group:
            group.start_soon(watched.watcher.work)
            await anyio.sleep(10_000)
            before = service.requests
            watched.ledger = watched.watcher._ledger = books(1)  # noqa: SLF001, from now on it has a task
            watched.watcher.submitted.set()
            await watched.all.wait()
            await anyio.sleep(1)
            ended = service.requests
            await anyio.sleep(10_000)
            group.cancel_scope.cancel()
        return before, ended, service.requests

    before, ended, after = play(scene)
    assert before == 0
    assert ended == after


def test_what_one_answer_lacks_is_found_in_a_quiet_stretch() -> None:
    """A completion that shows up only when the watermark is past it is listed within two minutes."""
    service = Completing(3, 1)
    service.completed["b00003"] = 1000.0

    async def scene() -> Watched:
        watched = Watched(service, "job", books(3))
        async with anyio.create_task_group() as group:
            group.start_soon(watched.watcher.work)
            await anyio.sleep(150)
            service.completed["b00003"] = -60.0  # long before what was seen last
            await watched.all.wait()
            group.cancel_scope.cancel()
        return watched

    watched = play(scene)
    assert watched.noticed[-1][1] == "b00003"
    assert watched.noticed[-1][0] < 150 + 60 + 2 * LONGEST
    assert {type(event) for event in watched.observed} == {TasksCounted}


def test_who_asks_for_a_listing_gets_one_that_begins_then() -> None:
    """At once, not when the next one is due; and nothing once no task is waited for."""
    service = Completing(2, 0.0001)

    async def scene() -> tuple[list[float], Watched]:
        watched = Watched(service, "job", books(2))
        ends: list[float] = []
        async with anyio.create_task_group() as group:
            group.start_soon(watched.watcher.work)
            await anyio.sleep(100)
            for _ in range(2):
                service.completed["b00001"] = 0.0
                await watched.watcher.listed()
                ends.append(anyio.current_time() - 100)
            service.completed["b00002"] = 0.0
            await watched.watcher.listed()
            await watched.watcher.listed()
            group.cancel_scope.cancel()
        return ends, watched

    (first, second), watched = play(scene)
    assert first < second < LONGEST / 4
    assert sorted(name for _, name in watched.noticed) == ["b00001", "b00002"]


@pytest.fixture(scope="module")
def job(services: Instance) -> Any:
    """Have a job on a pool with room for many tasks at once."""
    with (
        services.client() as client,
        instances.pool(client, nodes=2, slots=4) as pool,
        instances.job(client, pool) as name,
    ):
        yield name


async def add(services: Services, job: str, first: int, last: int) -> None:
    """Add tasks that end at once."""
    for start in range(first, last + 1, 100):
        ids = [f"b{n:05}" for n in range(start, min(last + 1, start + 100))]
        tasks = ",".join(f'{{"id":"{each}","commandLine":"/bin/true"}}' for each in ids)
        await services.batch.add_tasks(job, f'{{"value":[{tasks}]}}'.encode())


async def completed(services: Services, job: str, tasks: int) -> None:
    """Wait until so many tasks are completed."""
    while (await services.batch.task_counts(job))["completed"] < tasks:  # noqa: ASYNC110, the service tells no other way
        await anyio.sleep(0.1)


@pytest.mark.slow
def test_more_tasks_than_a_page_holds_are_all_noticed_once(services: Instance, job: str) -> None:
    """Page by page; the next poll asks only for what is new, and thirty seconds."""
    with proxy(services.endpoint) as batch:

        async def scene(connected: Services) -> Watched:
            await add(connected, job, 1, 1200)
            await completed(connected, job, 1200)
            watched = Watched(connected.batch, job, books(1201))
            async with anyio.create_task_group() as group:
                group.start_soon(watched.watcher.work)
                await watched.twelve_hundred.wait()
                await add(connected, job, 1201, 1201)
                await watched.all.wait()
                group.cancel_scope.cancel()
            return watched

        watched = using(account_of(services, batch_endpoint=batch.url), scene)
        polls = [path for method, path in batch.requests if method == "GET" and "/tasks?" in path]

    names = [name for _, name in watched.noticed]
    assert sorted(names) == [f"b{n:05}" for n in range(1, 1202)]
    assert "stateTransitionTime" not in polls[0].partition("$select")[0].partition("%24select")[0]
    assert "skiptoken" in polls[1]
    assert any("stateTransitionTime%20ge" in path or "stateTransitionTime+ge" in path for path in polls[2:])


def test_a_page_that_fails_is_asked_for_again(services: Instance, job: str) -> None:
    """Nothing is lost, and nothing is told twice."""
    busy: tuple[int, dict[str, str], bytes] = (503, JSON_HEADERS, b'{"code":"ServerBusy","message":{"value":"busy"}}')
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "skiptoken", refuse=busy))

        async def scene(connected: Services) -> Watched:
            await add(connected, job, 1, 1200)
            await completed(connected, job, 1200)
            watched = Watched(connected.batch, job, books(1200))
            await watched.until_all_ended()
            return watched

        watched = using(account_of(services, batch_endpoint=batch.url), scene)
        assert batch.rules[0].times == 0
    assert len({name for _, name in watched.noticed}) == len(watched.noticed) == 1200


def test_tasks_of_others_in_our_job_are_none_of_ours(services: Instance, account: Account) -> None:
    """Whatever they are called, they end nothing of ours and break nothing."""

    async def scene(connected: Services) -> Watched:
        with services.client() as client, instances.pool(client) as pool, instances.job(client, pool) as own:
            for name in ("b00001", "my-report", "b00001-r", "b99999-r1"):
                await connected.batch.add_tasks(own, f'{{"value":[{{"id":"{name}","commandLine":"true"}}]}}'.encode())
            await completed(connected, own, 4)
            watched = Watched(connected.batch, own, books(1))
            await watched.until_all_ended()
            await checkpoint()
            return watched

    assert [name for _, name in using(account, scene).noticed] == ["b00001"]
