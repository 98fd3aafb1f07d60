"""An imbalance of the books is found, whatever it is, and names what does not fit."""

from collections.abc import Collection

import pytest

from fastbatch.books.balance import check, check_bytes
from fastbatch.books.facts import Built, Collected, Stored, Submitted
from fastbatch.books.ledger import Ledger
from fastbatch.books.standing import Standing, State
from fastbatch.errors import Imbalance
from fastbatch.model import Books, Plan, Task
from tests.books.test_ledger import BLOB, ended, item, plan_of

# Three files, and one that is cut in two.
PLAN = plan_of([2, 1], [2])
FIRST, SECOND, PART, OTHER_PART = (bundle.id for bundle in PLAN.bundles)


def standings(**states: State) -> dict[str, Standing]:
    """Give where bundles stand; those that are not named are prepared."""
    return {bundle.id: Standing(states.get(bundle.id, State.PREPARING)) for bundle in PLAN.bundles}


def balances(found: dict[str, Standing], books: Books, failed: Collection[str] = (), plan: Plan = PLAN) -> bool:
    """Tell whether books balance."""
    try:
        check(plan, found, failed, books)
    except Imbalance:
        return False
    return True


def test_books_balance_from_beginning_to_end() -> None:
    """Nothing done, some of it, all of it, or failed; a cut file is done with its last part."""
    assert balances(standings(), Books(4, 0, 0))
    assert balances(standings(b00001=State.DONE, b00003=State.DONE), Books(4, 2, 0))
    assert balances({bundle.id: Standing(State.DONE) for bundle in PLAN.bundles}, Books(4, 4, 0))
    assert balances(standings(b00002=State.FAILED), Books(4, 0, 1), ["file-2-0"])
    assert balances(standings(b00003=State.DONE, b00004=State.FAILED), Books(4, 0, 1), ["cut-3"])


@pytest.mark.parametrize(
    ("books", "failed"),
    [
        (Books(4, 1, 0), []),
        (Books(4, 3, 0), []),
        (Books(3, 2, 0), []),
        (Books(5, 2, 0), []),
        (Books(4, 2, 1), []),
        (Books(4, 2, 0), ["file-2-0"]),
        (Books(4, 2, 1), ["file-0-0"]),
    ],
    ids=[
        "too few",
        "too many",
        "planned less",
        "planned more",
        "failed unnamed",
        "failed uncounted",
        "done and failed",
    ],
)
def test_what_was_counted_otherwise_than_it_is_does_not_balance(books: Books, failed: list[str]) -> None:
    """Two inputs are done here, and the others open."""
    assert balances(standings(b00001=State.DONE), Books(4, 2, 0))
    assert not balances(standings(b00001=State.DONE), books, failed)


def test_an_input_that_is_nowhere_is_named() -> None:
    """Its bundle failed, but it did not."""
    with pytest.raises(Imbalance, match=r"4 planned, 0 done, 0 failed, 4 open by counting on.*Nowhere: file-2-0\."):
        check(PLAN, standings(b00002=State.FAILED), [], Books(4, 0, 0))


def test_an_input_that_is_lost_of_a_bundle_and_did_not_fail_is_named() -> None:
    """The other one of it is where it is."""
    found = standings(b00001=State.DONE)
    found[FIRST].lost["file-0-1"] = "it is gone"
    with pytest.raises(Imbalance, match=r"Nowhere: file-0-1\."):
        check(PLAN, found, [], Books(4, 2, 0))
    assert balances(found, Books(4, 1, 1), ["file-0-1"])


def test_an_input_in_no_bundle_is_named() -> None:
    """As it would never be done."""
    plan = Plan((*PLAN.items, item("left out")), PLAN.bundles, None)
    with pytest.raises(Imbalance, match=r"Nowhere: left out\."):
        check(plan, standings(), [], Books(5, 0, 0))


def test_an_input_that_failed_though_nobody_planned_it_is_named() -> None:
    """Counts alone would not tell."""
    with pytest.raises(Imbalance, match=r"Nowhere: strange\."):
        check(PLAN, standings(b00002=State.FAILED), ["file-2-0", "strange"], Books(4, 0, 2))


def test_thousands_that_do_not_fit_are_not_all_named() -> None:
    """Twenty tell enough; a name of any bytes can be shown."""
    plan = plan_of([1] * 300)
    with pytest.raises(Imbalance) as caught:
        check(plan, {bundle.id: Standing(State.FAILED) for bundle in plan.bundles}, [], Books(300, 0, 0))
    assert str(caught.value).count("file-") == 20

    odd = Plan((item("\udcff\n"),), (), None)
    with pytest.raises(Imbalance) as caught:
        check(odd, {}, [], Books(1, 0, 0))
    str(caught.value).encode()


def test_bytes_that_were_not_counted_or_twice_are_told() -> None:
    """As one and the same result may not count for two."""
    check_bytes(10, 10)
    for counted in (0, 9, 11, 20):
        with pytest.raises(Imbalance, match=f"have 10 bytes; {counted} were counted"):
            check_bytes(10, counted)


def test_a_ledger_checks_the_bytes_of_what_is_done() -> None:
    """Not of what is open, nor of what is lost."""
    ledger, task = Ledger(PLAN, retries=0, retry_wait=0), Task(FIRST)
    for fact in (Built(FIRST, BLOB), Stored(FIRST, reused=False), Submitted((task,)), ended(task), Collected(task)):
        ledger.apply(fact)

    ledger.check_bytes(20)
    with pytest.raises(Imbalance):
        ledger.check_bytes(30)
