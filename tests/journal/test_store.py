"""What is written into the journal is what is read from it."""

import dataclasses
import os
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch import Account, state
from fastbatch.books.standing import Cause, Standing, State
from fastbatch.errors import JournalFailed, UsageError
from fastbatch.journal.records import Attempt, Changes, Outcome, Phase, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Blob, Books, Item, Kind, Plan, Task
from fastbatch.names import new_run
from fastbatch.place import Place
from tests.journal import drawn, made
from tests.journal.made import MADE, RUN, standing_changes, stored


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Have an empty journal."""
    with Journal.opened(tmp_path / "journal.db") as found:
        yield found


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    """Have a journal of ever more runs, none of which has to do with another."""
    with Journal.opened(tmp_path_factory.mktemp("crowded") / "journal.db") as found:
        yield found


@pytest.fixture
def begun(journal: Journal) -> Journal:
    """Have a journal of one run."""
    journal.begin(made.record(), made.whole_files("a", "b", "c"))
    return journal


def untouched(record: RunRecord) -> RunRecord:
    """Give a run without when it was touched."""
    return dataclasses.replace(record, touched=None)


# The laws


@settings(max_examples=50)
@given(plan=drawn.plans())
def test_a_plan_is_read_as_it_was_written(crowded: Journal, plan: Plan) -> None:
    """Whatever bytes are in names and paths."""
    run = new_run(None)
    crowded.begin(made.record(run), plan)

    assert crowded.plan(run) == plan
    assert crowded.standings(run) == {bundle.id: Standing() for bundle in plan.bundles}
    assert crowded.attempts(run) == []


@settings(max_examples=50)
@given(data=st.data(), plan=drawn.plans())
def test_the_last_that_was_written_is_what_is_read(crowded: Journal, data: st.DataObject, plan: Plan) -> None:
    """In whatever groups standings and attempts were written."""
    standings = {bundle.id: Standing() for bundle in plan.bundles}
    attempts: dict[Task, Attempt] = {}
    run = new_run(None)
    crowded.begin(made.record(run), plan)
    for _ in range(data.draw(st.integers(1, 4))):
        changed = data.draw(st.lists(st.sampled_from(plan.bundles), unique=True))
        news = {bundle.id: data.draw(drawn.standings(bundle)) for bundle in changed}
        tried = data.draw(st.lists(drawn.attempts(plan.bundles), max_size=4))
        crowded.write(run, Changes(news, tried))
        standings |= news
        attempts |= {attempt.task: attempt for attempt in tried}

    assert crowded.standings(run) == standings
    assert crowded.attempts(run) == sorted(attempts.values(), key=lambda one: (one.task.bundle, one.task.attempt))
    assert crowded.plan(run) == plan


@settings(max_examples=50)
@given(record=drawn.records())
def test_a_run_is_read_as_it_was_written(crowded: Journal, record: RunRecord) -> None:
    """With any settings, place and summary; moments are in UTC."""
    crowded.begin(record, made.whole_files("a"))
    found = crowded.record(record.id)

    assert untouched(found) == record
    assert found.made.utcoffset() == timedelta(0)


# What each call does


def test_relative_paths_become_absolute(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As who goes on may be in another folder; what is a link on the way stays one."""
    monkeypatch.chdir(tmp_path)
    plan = made.whole_files("a")
    relative = Item("up/../a", "a", 10, 0)
    journal.begin(made.record(), dataclasses.replace(plan, items=(relative,)))

    assert journal.plan(RUN).items[0].path == os.path.join(tmp_path, "up/../a")


def test_a_bundle_that_is_not_in_its_place_is_an_error_of_ours(journal: Journal) -> None:
    """As its number is its place; nothing of the run is noted then."""
    plan = made.whole_files("a", "b")
    with pytest.raises(ValueError, match="b00002"):
        journal.begin(made.record(), dataclasses.replace(plan, bundles=plan.bundles[::-1]))

    assert journal.runs() == []


def test_a_bundle_of_no_plan_is_an_error_of_ours(begun: Journal) -> None:
    """Nothing is noted then."""
    with pytest.raises(ValueError, match="1 of the bundles"):
        begun.write(RUN, standing_changes(b00001=stored("aa"), b00009=stored("bb")))

    assert begun.standings(RUN)["b00001"] == Standing()


def test_a_standing_of_every_part_is_read_as_it_was_written(begun: Journal) -> None:
    """What the ledger knows of a bundle is all there."""
    task, uploaded = Task("b00002", 2), True
    standing = Standing(
        State.FAILED,
        Blob("ab" * 32, 7),
        b"1234",
        uploaded,
        2,
        {"b": "it is gone"},
        task,
        Cause("no", task, passing=True),
    )
    begun.write(RUN, standing_changes(b00002=standing))

    assert begun.standings(RUN) == {"b00001": Standing(), "b00002": standing, "b00003": Standing()}


def test_runs_are_given_newest_first(journal: Journal) -> None:
    """By when they were made, then by when they were noted."""
    for run, minutes in (("a-aaaaaaaa", 1), ("b-bbbbbbbb", 2), ("c-cccccccc", 0), ("d-dddddddd", 0)):
        journal.begin(made.record(run, made=MADE + timedelta(minutes=minutes)), made.whole_files("a"))

    assert [record.id for record in journal.runs()] == ["b-bbbbbbbb", "a-aaaaaaaa", "d-dddddddd", "c-cccccccc"]


def test_what_becomes_of_a_run_is_noted(begun: Journal) -> None:
    """Each piece by itself; each says when it was touched."""
    before = begun.record(RUN)
    until = MADE + timedelta(days=1)
    begun.note_job(RUN, 2, until)
    begun.note_pool_made(RUN)
    begun.write(RUN, Changes(books=Books(3, 2, 1)))
    begun.enter(RUN, Phase.OVER, {"run": RUN})
    begun.enter(RUN, Phase.GOING)
    after = begun.record(RUN)

    assert after == dataclasses.replace(
        before,
        job=2,
        signed_until=until,
        made_pool=True,
        books=Books(3, 2, 1),
        phase=Phase.GOING,
        summary={"run": RUN},
        touched=after.touched,
    )
    assert before.touched
    assert after.touched
    assert after.touched > before.touched


@pytest.mark.parametrize(
    "call",
    [
        lambda journal: journal.record("run-x"),
        lambda journal: journal.plan("run-x"),
        lambda journal: journal.standings("run-x"),
        lambda journal: journal.attempts("run-x"),
        lambda journal: journal.only_ours("run-x"),
        lambda journal: journal.write("run-x", Changes()),
        lambda journal: journal.enter("run-x", Phase.OVER),
        lambda journal: journal.note_job("run-x", 1, None),
        lambda journal: journal.note_pool_made("run-x"),
        lambda journal: journal.clean("run-x"),
        lambda journal: journal.forget_blobs("run-x", []),
    ],
)
def test_an_unknown_run_is_told(begun: Journal, call: object) -> None:
    """Whatever is asked of it."""
    assert callable(call)
    with pytest.raises(UsageError, match=r"no run run-x\..*fastbatch ls"):
        call(begun)


def test_of_a_cleaned_run_the_record_stays(begun: Journal) -> None:
    """All else of it is gone, and nothing of others."""
    other = "run-zzzzzzzz"
    plan = made.whole_files("a", "b")
    begun.begin(made.record(other), plan)
    lost = Standing(State.FAILED, lost={"a": "gone"})
    changes = Changes({"b00001": lost}, [Attempt(Task("b00001"), outcome=Outcome.FAILED, node="n")])
    for run in (RUN, other):
        begun.write(run, changes)
    begun.clean(RUN)

    assert begun.record(RUN).cleaned
    for gone in (begun.plan, begun.standings, begun.attempts):
        with pytest.raises(UsageError, match=f"Run {RUN} is cleaned"):
            gone(RUN)
    with pytest.raises(UsageError, match=f"Run {RUN} is cleaned"):
        begun.write(RUN, changes)
    assert begun.plan(other) == plan
    assert begun.standings(other)["b00001"] == lost
    assert len(begun.attempts(other)) == 1


def test_threads_may_share_it(begun: Journal) -> None:
    """Each call is one by itself."""

    def write(attempt: int) -> None:
        begun.write(RUN, Changes({"b00001": Standing(attempt=attempt)}, [Attempt(Task("b00001", attempt))]))
        assert len(begun.standings(RUN)) == 3

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(50)))

    assert [tried.task.attempt for tried in begun.attempts(RUN)] == list(range(50))


def test_slices_share_their_input(journal: Journal) -> None:
    """Which is no bundle's own."""
    whole = Item("/in/big", "big", 300, 5)
    plan = made.whole_files("a")
    slices = tuple(
        dataclasses.replace(plan.bundles[0], id=f"b0000{n}", kind=Kind.SLICE, items=(whole,), start=n, end=n + 1)
        for n in (1, 2)
    )
    cut = Plan((whole,), slices, 64)
    journal.begin(made.record(), cut)

    assert journal.plan(RUN) == cut


def test_a_journal_that_is_closed_is_an_error_of_ours(journal: Journal) -> None:
    """And not one of the file."""
    journal.close()
    with pytest.raises(sqlite3.ProgrammingError):
        journal.runs()


def test_a_run_is_begun_once(begun: Journal) -> None:
    """What is there is not written over."""
    with pytest.raises(JournalFailed, match=f"has a run {RUN} already"):
        begun.begin(made.record(), made.whole_files("other"))
    assert begun.plan(RUN) == made.whole_files("a", "b", "c")


def test_nothing_is_written_if_a_part_cannot_be(begun: Journal) -> None:
    """As each call is one transaction."""
    with pytest.raises(ValueError, match="not the id of a bundle"):
        begun.write(RUN, Changes({"b00001": stored("aa")}, [Attempt(Task("b1"))]))
    assert begun.standings(RUN)["b00001"] == Standing()
    begun.write(RUN, standing_changes(b00001=stored("aa")))


# Where it is


def test_the_journal_is_in_the_state_folder_and_for_its_owner_only() -> None:
    """The folder is made if it is not there."""
    with Journal.opened() as journal:
        journal.begin(made.record(), made.whole_files("a"))
        folder = state.folder()

        assert journal.path == folder / "journal.db"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        assert {path.name for path in folder.iterdir()} == {"journal.db", "journal.db-wal", "journal.db-shm"}


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    """By another process, or later."""
    path = tmp_path / "journal.db"
    with Journal.opened(path) as first:
        first.begin(made.record(), made.whole_files("a"))
        with Journal.opened(path) as second:
            assert second.runs() == first.runs()
    with Journal.opened(path) as third:
        assert [record.id for record in third.runs()] == [RUN]


def test_no_key_is_in_the_journal(journal: Journal) -> None:
    """Neither in the place of a run nor anywhere else."""
    account = Account(
        batch_account="mine",
        batch_endpoint="https://mine.eu.batch.azure.com",
        storage_account="mine",
        storage_endpoint="https://mine.blob.core.windows.net",
        batch_key="SecretOfBatch",
        storage_key="SecretOfStorage",
    )
    journal.begin(made.record(place=Place.of(account)), made.whole_files("a"))
    journal.close()

    assert b"mine.eu.batch.azure.com" in journal.path.read_bytes()
    assert b"SecretOf" not in journal.path.read_bytes()
