"""Which blobs may go with a run: those that runs of here made, and that no other of them has."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fastbatch.books.standing import Standing
from fastbatch.journal.records import Changes
from fastbatch.journal.store import Journal
from fastbatch.model import Blob
from fastbatch.place import Place
from tests.journal import made
from tests.journal.made import PLACE, standing_changes, stored

ONE, TWO, THREE = "run-11111111", "run-22222222", "run-33333333"
A, B = "aa" * 32, "bb" * 32
ELSEWHERE = Place("mine", PLACE.batch_endpoint, "other", "https://other.blob.core.windows.net")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Have a journal of two runs in one place, each of two bundles."""
    with Journal.opened(tmp_path / "journal.db") as found:
        for run in (ONE, TWO):
            found.begin(made.record(run), made.whole_files("a", "b"))
        yield found


def ours(journal: Journal, run: str) -> list[str]:
    """Give the digests of the blobs that may go with a run."""
    return [digest for digest, _ in journal.only_ours(run)]


def test_what_a_run_stored_is_its_own(journal: Journal) -> None:
    """What was there before it is not."""
    before = datetime.now(UTC)
    journal.write(ONE, standing_changes(b00001=stored("aa"), b00002=stored("bb", uploaded=False)))
    ((digest, when),) = journal.only_ours(ONE)

    assert digest == A
    assert before <= when <= datetime.now(UTC)
    assert ours(journal, TWO) == []


def test_what_is_not_known_to_be_stored_is_nobodys(journal: Journal) -> None:
    """Its upload may never have begun."""
    journal.write(ONE, standing_changes(b00001=Standing(blob=Blob(A, 1)), b00002=Standing(uploaded=True)))

    assert ours(journal, ONE) == []


def test_when_it_was_stored_is_when_that_was_first_noted(journal: Journal) -> None:
    """What comes of its bundle later makes it no newer."""
    journal.write(ONE, standing_changes(b00001=stored("aa")))
    first = journal.only_ours(ONE)
    journal.write(ONE, standing_changes(b00001=stored("aa")))

    assert journal.only_ours(ONE) == first


def test_what_another_run_has_stays(journal: Journal) -> None:
    """Until that is cleaned too; then it goes with the last of them, whoever stored it."""
    journal.write(ONE, standing_changes(b00001=stored("aa"), b00002=stored("bb")))
    journal.write(TWO, standing_changes(b00001=stored("aa", uploaded=False)))

    assert (ours(journal, ONE), ours(journal, TWO)) == ([B], [])
    journal.clean(ONE)
    assert ours(journal, TWO) == [A]


def test_runs_elsewhere_do_not_matter(journal: Journal) -> None:
    """A blob of that digest in another account is another blob."""
    journal.begin(made.record(THREE, place=ELSEWHERE), made.whole_files("a"))
    journal.write(ONE, standing_changes(b00001=stored("aa")))
    journal.write(THREE, standing_changes(b00001=stored("aa", uploaded=False)))

    assert ours(journal, ONE) == [A]
    assert ours(journal, THREE) == []
    journal.forget_blobs(THREE, [A])
    assert ours(journal, ONE) == [A]


def test_local_services_are_one_place_wherever_they_listen(journal: Journal) -> None:
    """As they listen elsewhere each time."""
    for port, run in enumerate([THREE, "run-44444444"], 10_000):
        place = Place("batch", f"http://127.0.0.1:{port}", "blobs", f"http://127.0.0.1:{port}/blobs", local=True)
        journal.begin(made.record(run, place=place), made.whole_files("a"))
        journal.write(run, standing_changes(b00001=stored("aa")))

    assert ours(journal, THREE) == []
    journal.clean(THREE)
    assert ours(journal, "run-44444444") == [A]


def test_what_was_deleted_is_forgotten(journal: Journal) -> None:
    """For all runs; who stores it again has it again."""
    for run in (ONE, TWO):
        journal.write(run, standing_changes(b00001=stored("aa")))
    journal.clean(ONE)
    journal.forget_blobs(ONE, [A, B])

    assert ours(journal, TWO) == []
    journal.write(TWO, Changes({"b00002": stored("aa")}))
    assert ours(journal, TWO) == [A]


def test_what_a_bundle_no_longer_is_goes_with_its_run(journal: Journal) -> None:
    """As when its inputs changed and it was built anew."""
    journal.write(ONE, standing_changes(b00001=stored("aa")))
    journal.write(ONE, standing_changes(b00001=stored("bb")))

    assert ours(journal, ONE) == [A, B]


def test_what_a_cleaned_run_left_is_still_known(journal: Journal) -> None:
    """If deleting was refused, say, and is tried again."""
    journal.write(ONE, standing_changes(b00001=stored("aa")))
    journal.clean(ONE)

    assert ours(journal, ONE) == [A]
