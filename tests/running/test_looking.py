"""What there is still of a run that goes on: which job takes its next tasks."""

from pathlib import Path
from typing import Any

import pytest

from fastbatch import Account
from fastbatch.azure.services import Services
from fastbatch.errors import JournalFailed
from fastbatch.events import nobody
from fastbatch.journal.records import Attempt
from fastbatch.model import Task
from fastbatch.running.looking import look
from fastbatch.running.manners import Manners
from fastbatch.running.opening import order_of, site_of
from fastbatch.stopwatch import Stopwatch
from tests.local.instances import Instance
from tests.recorded import Recorded, journal_in, planned
from tests.seam import using


async def _yes(question: str, *, expected: bool) -> bool:
    del question
    return expected


def next_job(run: Recorded, account: Account, folder: Path) -> int:
    """Look at a run, and tell the number of the job that takes its next tasks."""

    async def scene(services: Services) -> Any:
        with journal_in() as journal:
            order = order_of(journal.record(run.id), run.plan, run.record.settings, str(folder))
            site = site_of(order, services, Manners(nobody, _yes, Stopwatch()), journal)
            await look(order, site, journal)
            return site.jobs.number

    return int(using(account, scene))


@pytest.mark.parametrize(("job", "following"), [(0, 1), (1, 2)])
def test_a_job_that_had_tasks_and_is_gone_is_followed_by_another(
    services: Instance, account: Account, tmp_path: Path, job: int, following: int
) -> None:
    """Whatever became of it."""
    run = Recorded(services, planned(1))
    run.note(attempts=[Attempt(Task("b00001", job), job)])
    with run.journal() as journal:
        journal.note_job(run.id, job, None)

    assert next_job(run, account, tmp_path) == following


def test_a_job_that_was_never_made_keeps_its_number(services: Instance, account: Account, tmp_path: Path) -> None:
    """However often that is tried, as at a quota that is reached."""
    run = Recorded(services, planned(1))
    run.note(attempts=[Attempt(Task("b00001"), 0)])
    with run.journal() as journal:
        journal.note_job(run.id, 1, None)

    assert [next_job(run, account, tmp_path) for _ in range(2)] == [1, 1]


def test_a_result_that_can_t_be_read_in_the_journal_is_told(services: Instance) -> None:
    """With what brings it anew."""
    with pytest.raises(JournalFailed, match="fastbatch fetch"):
        Recorded(services, planned(1)).record.result()
