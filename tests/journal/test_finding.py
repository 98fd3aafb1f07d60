"""A run is meant by its id, how that begins, its name, or as the last one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.errors import UsageError
from fastbatch.journal.finding import find

RUNS = ["nightly-cccccccc", "run-bbbbbbbb", "nightly-aaaaaaaa", "nightly-big-aaaaaaaa", "run-baaaaaaa"]  # newest first


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("run-baaaaaaa", "run-baaaaaaa"),
        ("last", "nightly-cccccccc"),
        ("nightly", "nightly-cccccccc"),
        ("run", "run-bbbbbbbb"),
        ("nightly-a", "nightly-aaaaaaaa"),
        ("run-ba", "run-baaaaaaa"),
        ("nightly-big", "nightly-big-aaaaaaaa"),
    ],
)
def test_what_is_meant(text: str, run: str) -> None:
    """By an id, `last`, a name's newest run, or the only one that begins so."""
    assert find(text, RUNS) == run


def test_a_name_wins_over_the_beginning_of_an_id() -> None:
    """As it is what the user called them."""
    assert find("big", ["big-data-cccccccc", "big-bbbbbbbb"]) == "big-bbbbbbbb"


def test_an_id_wins_over_a_name() -> None:
    """Though it may be what newer runs are called."""
    assert find("a-bbbbbbbb", ["a-bbbbbbbb-cccccccc", "a-bbbbbbbb"]) == "a-bbbbbbbb"


def test_last_is_the_newest_also_if_others_are_called_so() -> None:
    """Those are found by their ids."""
    assert find("last", ["run-bbbbbbbb", "last-aaaaaaaa"]) == "run-bbbbbbbb"
    assert find("last-", ["run-bbbbbbbb", "last-aaaaaaaa"]) == "last-aaaaaaaa"


@pytest.mark.parametrize(
    ("text", "runs", "said"),
    [
        ("nightly-", RUNS, "nightly- may be any of nightly-cccccccc, nightly-aaaaaaaa, nightly-big-aaaaaaaa. Say more"),
        ("nihgtly-aaaaaaa", RUNS, "There is no run nihgtly-aaaaaaa. There are nightly-aaaaaaaa, "),
        ("x", RUNS[:2], "There is no run x. There are nightly-cccccccc, run-bbbbbbbb. See them all"),
        ("x", [f"run-{n:08}" for n in range(9)], "run-00000004 and 4 more. See them all with: fastbatch ls"),
        ("", RUNS, "There is no run ''. There are "),
        ("last", [], "There is no run last: none was ever made here. Make one with: fastbatch run"),
        ("\x1b[2J\udcff", RUNS, r"There is no run \x1b[2J\xff. There are "),
    ],
)
def test_what_may_be_several_or_is_none_is_told(text: str, runs: list[str], said: str) -> None:
    """With a few that may be meant, and where to see all; what was said does not steer the terminal."""
    with pytest.raises(UsageError) as caught:
        find(text, runs)

    assert said in str(caught.value)


@given(st.text(max_size=5), st.lists(st.from_regex(r"[ab]{1,2}-[ab]{1,2}", fullmatch=True), unique=True))
def test_what_is_found_is_a_run_that_begins_so(text: str, runs: list[str]) -> None:
    """Or nothing is found; each run is found by its id."""
    assert [find(run, runs) for run in runs] == runs
    try:
        found = find(text, runs)
    except UsageError:
        assert text not in runs
    else:
        assert found in runs
        assert found.startswith(text) or text == "last"
