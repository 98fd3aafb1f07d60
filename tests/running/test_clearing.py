"""Clearing a run away: all that it made goes, and nothing of others, whatever comes between."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from fastbatch import Account, state
from fastbatch.azure.services import Services
from fastbatch.errors import Refused, ServiceError
from fastbatch.journal.store import Journal
from fastbatch.running import clearing
from fastbatch.running.clearing import Cleared, clear, look_at_remains
from tests.counted import account_of
from tests.local.instances import Instance, new_name
from tests.proxy import Rule, proxy
from tests.recorded import Stored, journal_in
from tests.seam import using

FORBIDDEN: tuple[int, dict[str, str], bytes] = (403, {"x-ms-error-code": "AuthorizationFailure"}, b"")


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Have the user's journal."""
    with journal_in() as found:
        yield found


def made(services: Instance, account: Account, *contents: bytes, job: int = 0) -> Stored:
    """Have a run that has made all that a run makes."""
    run = Stored(services, account, *contents, job=job)
    for number in range(job + 1):
        run.make_job(number)
    run.make_data()
    return run


def cleared(run: Stored, account: Account, journal: Journal) -> Cleared:
    """Clear a run away."""

    async def scene(connected: Services) -> Cleared:
        remains = await look_at_remains(run.id, connected, journal)
        return await clear(remains, connected, journal)

    return using(account, scene)


def own(number: int) -> list[bytes]:
    """Give contents that no other run has."""
    return [new_name().encode() for _ in range(number)]


def test_all_that_a_run_made_is_deleted(services: Instance, account: Account, journal: Journal) -> None:
    """On the services and on this machine; that it was is all that is kept."""
    run = made(services, account, *own(40), job=1)
    done = cleared(run, account, journal)

    assert done == Cleared(jobs=2, blobs=40, kept=0)
    assert [run.job_state(number) for number in (0, 1)] == [None, None]
    assert not run.has_results()
    assert run.stored() == []
    assert not state.folder_of(run.id).exists()
    assert journal.record(run.id).cleaned
    assert journal.only_ours(run.id) == []


def test_bundles_that_another_run_has_are_left_to_it(services: Instance, account: Account, journal: Journal) -> None:
    """They go with the last run that has them; so does nothing else of the other."""
    shared, mine, theirs = own(3)
    run = made(services, account, shared, mine)
    other = made(services, account, shared, theirs)

    assert cleared(run, account, journal) == Cleared(jobs=1, blobs=1, kept=0)
    assert other.stored() == [shared, theirs]
    assert other.job_state() == "active"
    assert other.has_results()
    assert cleared(other, account, journal) == Cleared(jobs=1, blobs=2, kept=0)
    assert other.stored() == []


def test_bundles_that_another_run_has_by_now_are_left_to_it(
    services: Instance, account: Account, journal: Journal
) -> None:
    """It may have begun while somebody thought about whether to delete what there was; it counts as kept."""
    shared, mine = own(2)
    run = made(services, account, shared, mine)

    async def scene(connected: Services) -> Cleared:
        remains = await look_at_remains(run.id, connected, journal)
        Stored(services, account, shared)
        return await clear(remains, connected, journal)

    assert using(account, scene) == Cleared(jobs=1, blobs=1, kept=1)
    assert run.stored() == [shared]


def test_bundles_that_others_have_used_since_stay(
    services: Instance, account: Account, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are renewed by who uses them, so they are younger than this run says; they are counted."""
    run = made(services, account, *own(3))
    monkeypatch.setattr(clearing, "_A_LITTLE", timedelta(minutes=-1))  # as if it had stored them a minute before

    assert cleared(run, account, journal) == Cleared(jobs=1, blobs=0, kept=3)
    assert len(run.stored()) == 3
    assert journal.record(run.id).cleaned


def test_a_job_that_is_not_ours_stays(services: Instance, account: Account, journal: Journal) -> None:
    """Whatever it is called."""
    run = Stored(services, account, *own(1), job=1)
    run.make_job(0)
    run.make_job(1, uid="another run")
    run.make_data()

    assert cleared(run, account, journal).jobs == 1
    assert [run.job_state(number) for number in (0, 1)] == [None, "active"]


def test_what_is_gone_already_is_no_trouble(services: Instance, account: Account, journal: Journal) -> None:
    """As after a run that cleaned up after itself."""
    run = Stored(services, account, *own(2))

    assert cleared(run, account, journal) == Cleared(jobs=0, blobs=2, kept=0)
    assert journal.record(run.id).cleaned


@pytest.mark.parametrize(("path", "stored"), [("restype=container", 3), ("fastbatch-input/", None)])
def test_what_was_interrupted_is_done_again(
    services: Instance, account: Account, journal: Journal, path: str, stored: int | None
) -> None:
    """As long as results or jobs may be there, no bundle is deleted; nothing is forgotten."""
    run = made(services, account, *own(3))
    with proxy(account.storage_endpoint) as storage:
        storage.rules.append(Rule("DELETE", path, refuse=FORBIDDEN))
        with pytest.raises(ServiceError):
            cleared(run, account_of(services, storage_endpoint=storage.url), journal)
    assert not journal.record(run.id).cleaned
    assert stored is None or len(run.stored()) == stored

    assert cleared(run, account, journal).blobs == 3
    assert run.stored() == []
    assert journal.record(run.id).cleaned


def test_no_bundle_is_deleted_while_a_job_may_read_it(services: Instance, account: Account, journal: Journal) -> None:
    """If the job can't be deleted, all stays."""
    run = made(services, account, *own(2))
    refused: tuple[int, dict[str, str], bytes] = (409, {}, b'{"code":"JobLocked","message":{"value":"no"}}')
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("DELETE", "/jobs/", refuse=refused))
        with pytest.raises(Refused, match="JobLocked"):
            cleared(run, account_of(services, batch_endpoint=batch.url), journal)

    assert len(run.stored()) == 2
    assert run.has_results()
    assert state.folder_of(run.id).exists()
