"""The stages of tasks, from what the service lists and what programs printed."""

import math
from collections.abc import Iterable
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch import Account, Settings, api
from fastbatch.errors import ServiceError
from fastbatch.events import Noticed
from fastbatch.model import Bundle, Summary, Task
from fastbatch.running import pipeline
from fastbatch.running.manners import Manners
from fastbatch.running.runs import carry_out
from fastbatch.stages.site import Site
from fastbatch.stopwatch import Stopwatch
from fastbatch.tuning.measured import TaskTimes
from fastbatch.tuning.tasktimes import at_work, read, task_times
from tests.counted import POOL, Seen, account_of, texts, write
from tests.local.instances import Instance
from tests.proxy import Rule, proxy

SECONDS = st.floats(-1e6, 1e6)


@given(st.tuples(SECONDS, SECONDS).map(sorted), st.none() | st.tuples(SECONDS, SECONDS).map(sorted))
def test_a_program_is_at_work_while_its_task_has_a_slot(slot: list[float], printed: list[float] | None) -> None:
    """For as long as it printed if that fits, whatever its clock shows; nowhere else if it was within."""
    started, ended = slot
    computing, computed = at_work(started, ended, None if printed is None else (printed[0], printed[1]))

    assert started <= computing <= computed <= ended
    if printed is not None:
        assert math.isclose(computed - computing, min(printed[1] - printed[0], ended - started), abs_tol=1e-6)
        if started <= printed[0] and printed[1] <= ended:
            assert (computing, computed) == pytest.approx(tuple(printed), abs=1e-6)


@pytest.mark.parametrize(
    "printed",
    [
        *(b"", b"hello", b"\xff", b"7", b"[1, 2]", b"[" * 256),
        *(b'{"began": 1}', b'{"began": 2, "ended": 1}', b'{"began": null, "ended": 1}', b'{"began": NaN, "ended": 1}'),
        *(b'{"began": 1, "ended": Infinity}', b'{"began": 1, "ended": 1%s}' % (b"0" * 400)),
        b'{"began": 1, "ended": 2}\nmore',
    ],
)
def test_what_is_no_time_of_a_program_is_not_taken_for_one(printed: bytes) -> None:
    """Whatever it is."""
    with pytest.raises(ValueError, match="print"):
        read(printed)


def timed(account: Account, folder: Path, seen: Seen) -> tuple[tuple[TaskTimes, ...], Summary]:
    """Run four files of different sizes, and look at the times of their tasks."""
    contents = {name: text * (n + 1) for n, (name, text) in enumerate(texts(4).items())}
    settings = Settings(pool=POOL, files_per_task=1)
    plan = api.prepare([str(write(folder, contents))], settings)
    found: list[tuple[TaskTimes, ...]] = []

    async def inspect(site: Site, results: Iterable[tuple[Bundle, Task]], summary: Summary) -> None:
        del summary
        found.append(await task_times(site, results, seen))

    async def agreed(question: str, *, expected: bool) -> bool:
        del question
        return expected

    manners = Manners(seen, agreed, Stopwatch(), inspect=inspect, timed=True)
    summary = anyio.run(carry_out, plan, settings, account, manners)
    return found[0], summary


def test_each_task_has_its_times(account: Account, tmp_path: Path) -> None:
    """One stage after the other, from when the first was created."""
    times, summary = timed(account, tmp_path, Seen())

    assert [task.task for task in times] == ["b00001", "b00002", "b00003", "b00004"]
    assert sum(task.bytes for task in times) == summary.totals.bytes
    assert min(task.created for task in times) == 0
    for task in times:
        assert 0 <= task.created <= task.started < task.computing < task.computed < task.ended < 60
        assert math.isclose(task.service, task.stage_in + task.compute + task.stage_out)
        assert task.node


def test_of_retries_the_one_that_counts_is_taken(
    services: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its wait is its own."""
    monkeypatch.setattr(pipeline, "RETRY_WAIT", 0.05)
    with proxy(account_of(services).storage_endpoint) as storage:
        storage.rules.append(Rule("GET", "b00002/result", refuse=(404, {"x-ms-error-code": "BlobNotFound"}, b"")))
        times, _ = timed(account_of(services, storage_endpoint=storage.url), tmp_path, Seen())

    assert [task.task for task in times] == ["b00001", "b00002-r1", "b00003", "b00004"]
    assert times[1].created > times[0].created


def test_a_program_that_can_not_be_asked_is_taken_to_work_all_the_time(services: Instance, tmp_path: Path) -> None:
    """It is told, once, of how many."""
    gone: tuple[int, dict[str, str], bytes] = (409, {}, b'{"code":"TaskFilesCleanedup","message":{"value":"gone"}}')
    seen = Seen()
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "b00003/files/stdout.txt", refuse=gone))
        batch.rules.append(Rule("GET", "b00004/files/stdout.txt", edit=lambda _: b"hello"))
        times, _ = timed(account_of(services, batch_endpoint=batch.url), tmp_path, seen)

    assert [task.compute == task.service for task in times] == [False, False, True, True]
    (said,) = (event.text for event in seen.of(Noticed) if "programs" in event.text)
    assert "2 of 4 tasks" in said


def test_tasks_that_are_not_there_any_more_are_missed(services: Instance, tmp_path: Path) -> None:
    """A run of which some times are missing is not measured."""
    with proxy(services.endpoint) as batch:
        listing = r"/tasks\?.*creationTime"
        batch.rules.append(Rule("GET", listing, edit=lambda _: b'{"value":[]}'))
        with pytest.raises(ServiceError, match="when 4 tasks ran, first b00001"):
            timed(account_of(services, batch_endpoint=batch.url), tmp_path, Seen())
