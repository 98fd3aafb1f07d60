"""Runs whose signatures run out, whose clock is wrong, and whose account may have no more jobs."""

import datetime as dt
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fastbatch.local.testing import LocalBatch
from tests.breaking.trial import Trial
from tests.cli import FASTBATCH
from tests.local.instances import job, pool
from tests.proxy import Rule

pytestmark = pytest.mark.timeout(120)

MINUTE = 60

# Signatures live for as long as the job and an hour, in general.
SHORT = """
import sys
from datetime import timedelta
from fastbatch.cli.main import main
from fastbatch.stages import jobs
jobs._AFTER_JOB = timedelta(seconds=float(sys.argv.pop(1))) - timedelta(days=1)
main()
"""


@contextmanager
def signing_for(trial: Trial, seconds: float) -> Iterator[None]:
    """Let what is signed meanwhile be good for some seconds only."""
    trial.runner.program = [sys.executable, "-c", SHORT, str(seconds)]
    yield
    trial.runner.program = FASTBATCH


@pytest.mark.slow
def test_signatures_that_run_out_before_tasks_start_are_made_anew(trial: Trial) -> None:
    """By resume; what failed for the want of them is tried again."""
    with signing_for(trial, 0):
        assert trial.run("--task-retries", "0").code == 1

    trial.resumed()
    trial.assert_whole()


@pytest.mark.slow
def test_signatures_that_run_out_before_results_are_stored_are_made_anew(trial: Trial, local: LocalBatch) -> None:
    """The work is done again."""
    local.faults.add("storage.put_blob", "delay", seconds=3, after=9)
    trial.runner.environment |= local.environment
    with signing_for(trial, 2):
        trial.run("--task-retries", "0")
    local.faults.clear()

    trial.resumed()
    trial.assert_whole()


@pytest.mark.slow
def test_signatures_that_run_out_while_nodes_boot_are_made_anew(trial: Trial, local: LocalBatch) -> None:
    """However late the nodes are."""
    local.set_limits(node_boot_seconds=3)
    with signing_for(trial, 2):
        assert trial.run("--task-retries", "0").code == 1
    local.set_limits(node_boot_seconds=0)

    trial.resumed()
    trial.assert_whole()


@pytest.mark.parametrize("minutes", [pytest.param(-10, marks=pytest.mark.slow), 10], ids="{:+} minutes".format)
def test_a_clock_that_is_wrong_harms_nothing(trial: Trial, minutes: int) -> None:
    """What matters goes by the clocks of the services."""
    trial.inside(seconds_off=minutes * MINUTE)
    done = trial.run()

    assert done.code == 0
    trial.assert_whole()


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [-10, 10], ids="{:+} minutes".format)
def test_a_clock_that_jumps_between_run_and_resume_harms_nothing(trial: Trial, minutes: int) -> None:
    """The newest run is the one that was begun last."""
    trial.inside(seconds_off=minutes * MINUTE)
    with trial.running() as run:
        run.until("tasks.submitted")
        run.process.kill()
        run.end()
    trial.inside(seconds_off=-minutes * MINUTE)

    trial.resumed()
    trial.assert_whole()


@pytest.mark.slow
def test_a_run_that_the_account_has_no_quota_for_goes_on_when_it_has(trial: Trial, local: LocalBatch) -> None:
    """It says so, and leaves no job behind."""
    local.set_limits(active_job_quota=1)
    with trial.runner.services.client() as client, pool(client, nodes=0) as other, job(client, other):
        done = trial.run()
        assert done.code == 3
        assert "quota" in done.err.lower()

    trial.resumed()
    trial.assert_whole()


@pytest.mark.slow
def test_tasks_that_wait_with_signatures_that_ran_out_are_made_anew(trial: Trial, local: LocalBatch) -> None:
    """The run was killed while no node was there yet; what waits is ended, and does not fail first."""
    local.set_limits(node_boot_seconds=5 * MINUTE)
    with signing_for(trial, 0), trial.running() as run:
        run.until("tasks.submitted")
        run.process.kill()
        run.end()
    with trial.running(verb="resume") as run:
        run.until("tasks.submitted")
        local.clock.advance(dt.timedelta(minutes=5))
        done = run.end()

    assert done.code == 0
    assert all(record["event"] != "task.failed" for record in done.records())
    trial.assert_whole()


@pytest.mark.slow
def test_tasks_that_wait_too_long_are_ended_side_by_side(trial: Trial, local: LocalBatch) -> None:
    """There may be thousands. With the last one their job ends, which was to: what is tried anew has another one."""
    local.set_limits(node_boot_seconds=5 * MINUTE)
    with signing_for(trial, 0):
        assert trial.run("--detach").code == 0
    two = threading.Barrier(2)

    def come_as_two() -> None:
        two.wait(10)

    trial.batch.rules.append(Rule("POST", "/tasks/.*/terminate", times=2, then=come_as_two))
    with trial.running(verb="resume") as run:
        run.until("tasks.submitted")
        local.clock.advance(dt.timedelta(minutes=5))
        done = run.end()

    assert done.code == 0
    assert not two.broken
    assert trial.batch.count("POST", r"/jobs/run-[^/]*-a1/addtaskcollection")
    trial.assert_whole()
