"""What a run left on the services can be looked at when it is done, before it is deleted."""

from collections.abc import Iterable
from pathlib import Path

import anyio
import pytest

from fastbatch import Account, Settings, api
from fastbatch.errors import ServiceError
from fastbatch.events import Left, RunStarted
from fastbatch.journal.records import Phase
from fastbatch.model import Bundle, Summary, Task
from fastbatch.running.manners import Inspect, Manners
from fastbatch.running.runs import carry_out
from fastbatch.stages.site import Site
from fastbatch.stopwatch import Stopwatch
from tests.counted import POOL, Seen, texts, write
from tests.local.instances import Instance
from tests.recorded import journal_in

Results = Iterable[tuple[Bundle, Task]]


async def agreed(question: str, *, expected: bool) -> bool:
    """Agree to what is expected."""
    del question
    return expected


def inspected(account: Account, folder: Path, inspect: Inspect, seen: Seen, *, timed: bool = False) -> Summary:
    """Run a few files, three a task."""
    settings = Settings(pool=POOL, files_per_task=3)
    plan = api.prepare([str(write(folder, texts(6)))], settings)
    manners = Manners(seen, agreed, Stopwatch(), inspect=inspect, timed=timed)
    return anyio.run(carry_out, plan, settings, account, manners)


@pytest.mark.parametrize("timed", [False, True])
def test_tasks_and_books_are_there_to_be_looked_at(account: Account, tmp_path: Path, *, timed: bool) -> None:
    """And gone afterwards. Programs print their times only if that is asked for."""
    looked: list[Summary] = []

    async def inspect(site: Site, results: Results, summary: Summary) -> None:
        assert [(bundle.id, task.id) for bundle, task in results] == [(name, name) for name in ("b00001", "b00002")]
        printed = await site.services.batch.task_file(site.jobs.id, "b00002", "stdout.txt", range(100))
        assert (b"ended" in printed) is timed
        with journal_in() as journal:
            assert journal.record(summary.run).phase is Phase.OVER
        looked.append(summary)

    summary = inspected(account, tmp_path, inspect, Seen(), timed=timed)

    assert [each.books for each in looked] == [summary.books]
    assert list(looked[0].left) != list(summary.left) == [f"pool {POOL}"]


def test_an_error_of_who_looks_leaves_all_there(services: Instance, account: Account, tmp_path: Path) -> None:
    """The run is over, and what is left of it is named; its job holds no quota."""

    async def inspect(site: Site, results: Results, summary: Summary) -> None:
        del site, results, summary
        raise ServiceError("it can't be seen")

    seen = Seen()
    with pytest.raises(ServiceError, match="it can't be seen"):
        inspected(account, tmp_path, inspect, seen)

    (run,) = (event.run for event in seen.of(RunStarted))
    assert [event.what[0] for event in seen.of(Left)] == [f"job {run}"]
    with services.client() as client:
        assert client.get_job(run).all_tasks_complete_mode == "terminatejob"
    with journal_in() as journal:
        assert journal.record(run).phase is Phase.OVER
