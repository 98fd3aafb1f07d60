"""Cancelling ends what runs of a run, and of no other; what it was told before stays."""

from collections.abc import Iterator

import pytest

from fastbatch import Account, patience
from fastbatch.azure.services import Services
from fastbatch.errors import NotOurs
from fastbatch.events import Noticed
from fastbatch.journal.records import Phase
from fastbatch.journal.store import Journal
from fastbatch.running.cancelling import Cancelled, cancel
from fastbatch.running.holding import held
from fastbatch.stages.describe import CANCELLED
from tests.counted import Seen, account_of
from tests.local.instances import Instance
from tests.proxy import Rule, proxy
from tests.recorded import Stored, journal_in
from tests.seam import using


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Have the user's journal."""
    with journal_in() as found:
        yield found


def cancelled(run: Stored, account: Account, journal: Journal, seen: Seen | None = None) -> Cancelled:
    """Cancel a run."""

    async def scene(connected: Services) -> Cancelled:
        return await cancel(run.id, connected.batch, journal, seen if seen is not None else Seen())

    return using(account, scene)


def test_all_jobs_that_run_are_ended_at_once(services: Instance, account: Account, journal: Journal) -> None:
    """Whatever their number; it is said by whom, and the journal has it."""
    run = Stored(services, account, b"1", b"2", job=1)
    jobs = [run.make_job(number) for number in (0, 1)]
    for job in jobs:
        run.begin_task("b00001", "sleep 1000", job)
    done = cancelled(run, account, journal)

    assert done.ended == tuple(jobs)
    assert done.driver is None
    assert done.record.phase is Phase.CANCELLED
    assert [run.job_state(number) for number in (0, 1)] == ["completed", "completed"]
    with services.client() as client:
        assert client.get_job(run.id).execution_info.termination_reason == CANCELLED


def test_what_is_cancelled_already_is_left_as_it_is(services: Instance, account: Account, journal: Journal) -> None:
    """Also where the first answer was lost."""
    run = Stored(services, account, b"1")
    run.make_job()
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("POST", "/terminate", drop="after"))
        done = cancelled(run, account_of(services, batch_endpoint=batch.url), journal)
    again = cancelled(run, account, journal)

    assert done.ended == (run.id,)
    assert again.ended == ()
    assert again.record.phase is Phase.CANCELLED


@pytest.mark.parametrize("phase", [Phase.OVER, Phase.DETACHED, Phase.GOING])
def test_a_run_of_which_nothing_runs_stays_what_it_is(
    services: Instance, account: Account, journal: Journal, phase: Phase
) -> None:
    """There is nothing to cancel in it."""
    run = Stored(services, account, b"1", phase=phase)

    assert cancelled(run, account, journal).ended == ()
    assert journal.record(run.id).phase is phase


def test_a_job_that_was_left_to_a_run_that_is_over_is_ended(
    services: Instance, account: Account, journal: Journal
) -> None:
    """The run is over all the same."""
    run = Stored(services, account, b"1", phase=Phase.OVER)
    run.make_job()

    assert cancelled(run, account, journal).ended == (run.id,)
    assert journal.record(run.id).phase is Phase.OVER


def test_nothing_is_done_where_a_job_is_not_ours(services: Instance, account: Account, journal: Journal) -> None:
    """Whoever made it, it is told."""
    run = Stored(services, account, b"1", job=1)
    run.make_job(0)
    run.make_job(1, uid="another run")

    with pytest.raises(NotOurs, match=f"job {run.id}-a1 that run {run.id} did not make"):
        cancelled(run, account, journal)
    assert [run.job_state(number) for number in (0, 1)] == ["active", "active"]
    assert journal.record(run.id).phase is Phase.GOING


def test_a_job_that_is_just_being_made_is_waited_for(
    services: Instance, account: Account, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as somebody drives the run, who is about to make it; else nothing would end it."""
    monkeypatch.setattr(patience, "LOOK_AGAIN", 0.01)
    run, seen = Stored(services, account, b"1"), Seen()
    with proxy(services.endpoint) as batch, held(run.id):
        batch.rules.append(Rule("GET", f"/jobs/{run.id}", times=2))
        batch.rules.append(Rule("GET", f"/jobs/{run.id}", then=run.make_job))
        done = cancelled(run, account_of(services, batch_endpoint=batch.url), journal, seen)

    assert done.ended == (run.id,)
    assert done.driver is not None
    assert [event.text.partition(" is just being made")[0] for event in seen.of(Noticed)] == [
        f"The job of run {run.id}"
    ]
    assert run.job_state() == "completed"


def test_a_job_that_comes_meanwhile_is_ended_too(services: Instance, account: Account, journal: Journal) -> None:
    """As by a run that makes another one when the first takes no more."""
    run = Stored(services, account, b"1")
    run.make_job(0)

    def go_on() -> None:
        journal.note_job(run.id, 1, None)
        run.make_job(1)

    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("POST", "/terminate", then=go_on))
        done = cancelled(run, account_of(services, batch_endpoint=batch.url), journal)

    assert done.ended == (run.id, f"{run.id}-a1")
    assert run.job_state(1) == "completed"


def test_who_drives_a_run_does_not_make_it_anything_but_cancelled(
    services: Instance, account: Account, journal: Journal
) -> None:
    """Its summary is kept; only going on with it makes it go."""
    run = Stored(services, account, b"1")
    journal.enter(run.id, Phase.CANCELLED)
    journal.enter(run.id, Phase.OVER, {"done": 1}, unless=Phase.CANCELLED)
    record = journal.record(run.id)

    assert (record.phase, record.summary) == (Phase.CANCELLED, {"done": 1})
    journal.enter(run.id, Phase.GOING)
    journal.enter(run.id, Phase.OVER, unless=Phase.CANCELLED)
    assert journal.record(run.id).phase is Phase.OVER
