"""`fastbatch status`."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fastbatch.books.standing import Cause, Standing, State
from fastbatch.journal.records import Attempt, Outcome, Phase
from fastbatch.model import Blob, Task
from fastbatch.place import Place
from fastbatch.running.holding import held
from tests.cli import FASTBATCH
from tests.cli.running import Runner
from tests.counted import account_of
from tests.local import instances
from tests.local.instances import eventually
from tests.proxy import Rule, proxy
from tests.recorded import Recorded, planned

pytestmark = pytest.mark.timeout(120)

BLOB = Blob("d" * 64, 10)


@pytest.fixture(scope="module")
def pool(client: Any) -> Iterator[str]:
    """Have a pool with a node of two slots."""
    with instances.pool(client) as name:
        yield name


@pytest.fixture
def run(runner: Runner, pool: str) -> Recorded:
    """Have a run in the user's journal."""
    return Recorded(runner.services, planned(8), runner.state, pool=pool)


def told(runner: Runner, text: str = "last") -> dict[str, Any]:
    """Ask how a run stands, as a program does, and as another process; nothing else is said."""
    done = runner.call(*FASTBATCH, "status", text, "--json")
    assert (done.code, done.err) == (0, "")
    (found,) = done.records()
    return found


def test_a_run_is_told_from_its_journal_and_the_services(runner: Runner, run: Recorded) -> None:
    """For people, on stdout, with what may be done in the last line."""
    run.make_job()
    run.run_task("b00001", "true")
    run.run_task("b00002", "false")
    run.note(
        {
            "b00001": Standing(State.DONE, BLOB, uploaded=True, done_by=Task("b00001")),
            "b00002": Standing(State.FAILED, BLOB, uploaded=True, cause=Cause("exit code 1", Task("b00002"))),
        },
        [Attempt(Task("b00001"), 0, Outcome.SUCCEEDED, 0), Attempt(Task("b00002"), 0, Outcome.FAILED, 1)],
    )
    done = runner.ask("status", run.id)
    lines = done.out.splitlines()

    assert (done.code, done.err) == (0, "")
    assert lines[0].startswith(f"run       {run.id} on pool {run.record.settings.pool}, broken off, made ")
    assert lines[1] == "inputs    16 planned, 2 done, 2 failed, 12 open, 20B of 160B"
    assert lines[2] == "bundles   6 preparing, 1 done, 1 failed"
    assert f"job       {run.id} active, 0 tasks waiting, 0 running, 2 completed, 1 of them failed" in lines
    assert "nodes     1 idle" in lines
    assert "2 inputs failed: exit code 1" in lines
    assert "  (only resume --failed tries again)" in lines
    assert lines[-1] == f"To go on with it: fastbatch resume {run.id}"


@pytest.mark.slow
def test_a_run_that_is_driven_is_told_to_be_going(
    runner: Runner, client: Any, run: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another terminal; what the service completed of late tells how long it takes."""
    monkeypatch.setenv("XDG_STATE_HOME", str(runner.state))
    run.make_job()
    for bundle in run.plan.bundles[:6]:
        run.begin_task(bundle.id, "sleep 60" if bundle.id == "b00001" else "true")
    with held(run.id):
        found = eventually(lambda: told(runner), lambda found: found["seconds_left"] is not None)
    client.begin_delete_job(run.id, polling_interval=3600)

    assert (found["state"], found["driver"]) == ("going", os.getpid())
    assert found["service"]["jobs"] == [
        {"id": run.id, "state": "active", "waiting": 0, "running": 1, "succeeded": 5, "failed": 0}
    ]
    assert found["speed"]["tasks"] > 0
    assert found["next"] == [f"fastbatch watch {run.id}"]


def test_all_jobs_of_a_run_are_looked_at(runner: Runner, run: Recorded) -> None:
    """Those that are gone, and those that are not its own, are named as such."""
    with run.journal() as journal:
        journal.note_job(run.id, 2, None)
        journal.enter(run.id, Phase.DETACHED)
    run.make_job(1, uid="another")
    run.make_job(2)
    found = told(runner, run.id)

    assert [job["id"] for job in found["service"]["jobs"]] == [f"{run.id}-a2"]
    assert found["service"]["jobs_gone"] == [run.id]
    assert found["service"]["jobs_of_others"] == [f"{run.id}-a1"]
    assert (found["state"], found["bundles"]["preparing"]) == ("detached", 8)


def test_a_pool_that_is_not_there_is_told(runner: Runner, pool: str) -> None:
    """It says why nothing runs."""
    del pool
    gone = Recorded(runner.services, planned(1), runner.state, pool="gone")

    assert told(runner, gone.id)["service"]["pool"] is None
    assert "pool      gone is not there" in runner.ask("status", gone.id).out.splitlines()


def test_without_an_account_the_journal_is_told_and_what_is_missing(runner: Runner, run: Recorded) -> None:
    """It is no failure, as there is something to show."""
    runner.forget_account()
    done = runner.ask("status", run.id)

    assert done.code == 0
    assert "inputs    16 planned, 0 done, 0 failed, 16 open, 0B of 160B" in done.out.splitlines()
    assert f"Run {run.id} is on the Batch account" in done.err
    assert "AZURE_BATCH_ACCOUNT" in done.err
    assert done.err.splitlines()[-1] == "So this is only what the journal knows."
    assert any(run.id in text for text in json.loads(runner.ask("status", run.id, "--json").out)["missing"])


def test_services_that_refuse_are_told_in_the_same_way(runner: Runner, run: Recorded) -> None:
    """As with a key that was changed."""
    runner.environment["AZURE_BATCH_ACCESS_KEY"] = "d3Jvbmc="
    done = runner.ask("status", run.id)

    assert done.code == 0
    assert "does not accept the credentials" in done.err
    assert "16 planned" in done.out


def test_services_that_do_not_answer_are_not_waited_for(
    runner: Runner, run: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For long: who asks wants to know how it stands now."""
    monkeypatch.setattr("fastbatch.cli.status._SECONDS", 0.5)
    with proxy(runner.services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/jobs/", times=1000, drop="before"))
        with run.journal() as journal:
            place = replace(journal.record(run.id).place, batch_endpoint=batch.url)
            journal.begin(replace(run.record, id="run-unreachd", place=place), run.plan)
        runner.reach_batch_at(batch.url)
        done = runner.ask("status", "run-unreachd")

    assert done.code == 0
    assert "16 planned" in done.out
    assert done.err == ("The services gave no answer within 0 seconds. So this is only what the journal knows.\n")


def test_local_services_at_rest_stay_so(runner: Runner) -> None:
    """Nothing is started to look at a run."""
    local = Recorded(runner.services, planned(1), runner.state, place=Place.of(account_of(runner.services), local=True))
    done = runner.ask("status", local.id)

    assert done.code == 0
    assert "fastbatch local up" in done.err
    assert not (runner.state / "fastbatch" / "local").exists()


def test_a_cleaned_run_is_told_from_its_record(runner: Runner, run: Recorded) -> None:
    """Without asking anybody."""
    with run.journal() as journal:
        journal.enter(run.id, Phase.OVER, {"bytes": 160, "failures": [], "left": []})
        journal.clean(run.id)
    runner.forget_account()
    found = told(runner, run.id)

    assert (found["state"], found["bytes"]["done"], found["next"]) == ("16 open, cleaned", 160, [])


def test_nothing_is_written(runner: Runner, run: Recorded) -> None:
    """Neither in the journal, nor on the services."""
    before = runner.left_there()
    with run.journal() as journal:
        touched = journal.record(run.id).touched
    told(runner, run.id)

    with run.journal() as journal:
        assert journal.record(run.id).touched == touched
    assert runner.left_there() == before


@pytest.mark.parametrize("text", ["nobody", "run-\x1b[2J"])
def test_a_run_that_is_not_there_is_wrong_usage(runner: Runner, run: Recorded, text: str) -> None:
    """With those that there are; what was said does no harm."""
    done = runner.ask("status", text)

    assert (done.code, done.out) == (2, "")
    assert run.id in done.err
    assert "\x1b" not in done.err
