"""`fastbatch run --dry-run`."""

import json

import pytest

from tests.cli import FASTBATCH
from tests.cli.running import Runner
from tests.counted import texts, write
from tests.local.instances import new_name

pytestmark = pytest.mark.timeout(120)


def corpus(runner: Runner, number: int = 12) -> dict[str, bytes]:
    """Write some texts below the user's folder `in`."""
    found = texts(number)
    write(runner.folder / "in", found)
    return found


def test_a_dry_run_shows_the_plan_and_makes_nothing(runner: Runner) -> None:
    """For people, and on stdout."""
    found = corpus(runner)
    before = runner.left_there()
    pool = new_name("missing")
    done = runner.run("in", "--dry-run", "--files-per-task", "5", "--pool", pool, "--nodes", "3", "--output", "out")

    assert (done.code, done.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert lines["inputs"].startswith(f"{len(found)} files, ")
    assert lines["bundles"].startswith("3,")
    assert "3 to upload" in lines["requests"]
    assert lines["pool"].startswith(f"{pool} would be made: 3 nodes")
    assert lines["output"] == "out"
    assert runner.left_there() == before
    assert not (runner.folder / "out").exists()
    assert runner.left_here() == []


def test_a_dry_run_for_programs_is_one_object(runner: Runner) -> None:
    """With the same in it."""
    found = corpus(runner)
    before = runner.left_there()
    done = runner.run("in", "--dry-run", "--json", "--files-per-task", "5", "--pool", new_name("missing"))
    plan = json.loads(done.out)

    assert (done.code, done.err) == (0, "")
    assert len(done.out.splitlines()) == 1
    assert (plan["inputs"], plan["bytes"]) == (len(found), sum(map(len, found.values())))
    assert (plan["bundles"], plan["tasks"]) == (3, 3)
    assert set(plan["requests"]) == {"upload", "submit", "fetch", "other"}
    assert "would be made" in plan["pool"]["intent"]
    assert runner.left_there() == before


@pytest.mark.slow
def test_a_dry_run_says_what_would_happen_to_a_pool_that_is_there(runner: Runner) -> None:
    """Nothing, unless another number of nodes is asked for."""
    corpus(runner)
    pool = new_name("there")
    assert runner.run("in", "--pool", pool, "--nodes", "1").code == 0
    before = runner.left_there()

    assert f"{pool} is there and would be used as it is: 1 nodes" in runner.run("in", "--pool", pool, "--dry-run").out
    resized = runner.run("in", "--pool", pool, "--dry-run", "--nodes", "2").out
    assert f"{pool} is there; would be resized from 1 to 2 nodes" in resized
    assert runner.left_there() == before


def test_the_requests_of_a_run_are_at_most_those_that_its_plan_names(runner: Runner) -> None:
    """Beside polling, which nobody can know."""
    corpus(runner)
    arguments = ["in", "--files-per-task", "4", "--json"]
    planned = json.loads(runner.run(*arguments, "--dry-run").out)["requests"]
    last = runner.run(*arguments).records()[-1]

    assert sum(last["requests"]["storage"].values()) <= planned["upload"] + planned["fetch"] + planned["other"]


def test_a_dry_run_starts_no_local_services(runner: Runner) -> None:
    """It says what a run would do on new ones."""
    corpus(runner)
    runner.forget_account()
    done = runner.run("in", "--local", "--dry-run")
    started = runner.state.exists()
    if started:
        runner.call(*FASTBATCH, "local", "down")

    assert (done.code, done.err, started) == (0, "", False)
    assert "would be made: 2 nodes" in done.out


def test_a_dry_run_on_local_services_that_run_looks_at_them(runner: Runner) -> None:
    """As at any."""
    corpus(runner)
    runner.with_local_services()
    assert runner.run("in", "--local", "-q").code == 0
    done = runner.run("in", "--local", "--dry-run")

    assert (done.code, done.err) == (0, "")
    assert "is there and would be used as it is" in done.out


def test_a_dry_run_tells_problems_as_a_run_does(runner: Runner) -> None:
    """With the same code."""
    done = runner.run("nowhere", "--top", "0", "--dry-run")

    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 2
