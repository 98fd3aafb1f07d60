"""`fastbatch run` on a terminal."""

import pytest

from tests.cli.running import Runner
from tests.cli.terminals import terminal
from tests.counted import texts, write
from tests.local.instances import new_name

pytestmark = pytest.mark.timeout(120)


def corpus(runner: Runner, number: int = 12) -> dict[str, bytes]:
    """Write some texts below the user's folder `in`."""
    found = texts(number)
    write(runner.folder / "in", found)
    return found


def test_who_says_no_keeps_job_and_results(runner: Runner) -> None:
    """And is asked about the pool, which this run made; Enter keeps it."""
    corpus(runner)
    pool = new_name("mine")
    with terminal() as screen:
        before = screen.attributes()
        with runner.running(
            "in", "--pool", pool, "--nodes", "1", "--json", stdin=screen.theirs, stderr=screen.theirs
        ) as run:
            screen.wait_for("Delete job")
            screen.type("n\n")
            screen.wait_for(f"Delete pool {pool}")
            screen.type("\n")
            done = run.end()
        left = done.records()[-1]["left"]

        assert done.code == 0
        assert [name.split()[0] for name in left] == ["job", "container", "pool"]
        assert set(left) <= runner.left_there()
        assert screen.is_restored
        assert screen.attributes() == before


def test_who_says_yes_deletes_job_and_results_and_pool(runner: Runner) -> None:
    """All that the run made."""
    corpus(runner)
    pool = new_name("mine")
    with terminal() as screen:
        with runner.running(
            "in", "--pool", pool, "--nodes", "1", "--json", stdin=screen.theirs, stderr=screen.theirs
        ) as run:
            screen.wait_for("Delete job")
            screen.type("y\n")
            screen.wait_for(f"Delete pool {pool}")
            screen.type("y\n")
            done = run.end()
        last = done.records()[-1]
        there = runner.left_there()

        assert done.code == 0
        assert last["left"] == []
        assert {f"job {last['run']}", f"container fastbatch-out-{last['run']}"} & there == set()


def test_a_pool_that_was_there_is_no_question(runner: Runner) -> None:
    """Nor is one that is to be kept; the last answer is the one about the job."""
    corpus(runner)
    assert runner.run("in", "-q").code == 0
    with terminal() as screen:
        with runner.running("in", stdin=screen.theirs, stdout=screen.theirs, stderr=screen.theirs) as run:
            screen.wait_for("Delete job")
            screen.type("\n")
            assert run.end().code == 0

        screen.wait_for("left ")
        assert "Delete pool" not in screen.text
        assert screen.is_restored


def test_the_end_of_input_is_no_answer_and_deletes_nothing(runner: Runner) -> None:
    """As Ctrl-D at the question: the results are there, so the run is done."""
    corpus(runner)
    with terminal() as screen:
        with runner.running(
            "in", "--keep-pool", "--json", "--output", "out", stdin=screen.theirs, stderr=screen.theirs
        ) as run:
            screen.wait_for("Delete job")
            screen.type("\x04")
            done = run.end()

        assert done.code == 0
        assert done.records()[-1]["event"] == "run.completed"
        assert [name.split()[0] for name in done.records()[-1]["left"]] == ["job", "container", "pool"]
