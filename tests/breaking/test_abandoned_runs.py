"""Runs whose client was killed, and of which something is taken away while nobody looks after them."""

from collections.abc import Callable
from typing import Any

import pytest

from fastbatch.local.testing import LocalBatch
from tests.breaking.trial import Trial
from tests.local.instances import eventually

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]

HOUR = 3600


def _pool(trial: Trial, client: Any) -> None:
    del trial
    client.begin_delete_pool("fastbatch", polling_interval=HOUR)


def _jobs(trial: Trial, client: Any) -> None:
    del trial
    for job in client.list_jobs():
        client.begin_delete_job(job.id, polling_interval=HOUR)


def _containers(trial: Trial, client: Any) -> None:
    del client
    with trial.runner.services.blobs() as service:
        for container in service.list_containers("fastbatch-"):
            service.delete_container(container.name)


def _everything(trial: Trial, client: Any) -> None:
    for each in (_pool, _jobs, _containers):
        each(trial, client)


def _fetched_results(trial: Trial, client: Any) -> None:
    del client
    for path in (trial.runner.state / "fastbatch" / "runs").glob("*/*"):
        path.write_bytes(path.read_bytes()[:-10])


GONE = [_pool, _jobs, _containers, _everything, _fetched_results]


@pytest.mark.parametrize("gone", GONE)
@pytest.mark.parametrize("event", ["pool.found", "bundle.uploaded", "tasks.submitted", "task.done"])
def test_what_is_gone_when_it_goes_on_is_made_anew(
    trial: Trial, event: str, gone: Callable[[Trial, Any], None]
) -> None:
    """Whatever the journal says that there was."""
    with trial.running() as run:
        run.until(event)
        run.process.kill()
        run.end()
    with trial.runner.services.client() as client:
        gone(trial, client)
        eventually(lambda: [job.state for job in client.list_jobs()], lambda states: "deleting" not in states)

    trial.resumed()
    trial.assert_whole()


@pytest.mark.parametrize("seed", range(10), ids="seed-{}".format)
def test_tasks_that_go_on_meanwhile_are_taken_as_they_are(trial: Trial, local: LocalBatch, seed: int) -> None:
    """Some have ended when the run goes on, some run, some wait, and some failed."""
    rules = [
        {"operation": "node.run_task", "fault": "fail", "exitCode": 137, "probability": 0.3, "count": 4},
        {"operation": "node.run_task", "fault": "slow", "seconds": 2, "probability": 0.5},
        {"operation": "node.run_task", "fault": "loseNode", "returnsAfter": 1, "probability": 0.2, "count": 2},
    ]
    local.faults.plan(rules, seed=seed)
    with trial.running("--nodes", "3") as run:
        run.until("tasks.submitted")
        run.process.kill()
        run.end()
    trial.resumed()
    trial.assert_whole()


@pytest.mark.parametrize("seed", range(5), ids="seed-{}".format)
def test_it_may_be_killed_and_go_on_while_all_requests_fail_now_and_then(
    trial: Trial, local: LocalBatch, seed: int
) -> None:
    """Several times."""
    rules: list[dict[str, Any]] = [
        {"operation": of, "fault": fault, "probability": 0.05, **more}
        for of in ("[!sn]*", "storage.*")
        for fault, more in (("refuse", {"status": 503}), ("dropBefore", {}), ("dropAfter", {}))
    ]
    local.faults.plan(rules, seed=seed)
    trial.without_proxies()
    trial.runner.environment |= local.environment
    for number, verb in ((5 + seed, "run"), (3, "resume"), (6, "resume")):
        with trial.running(verb=verb) as run:
            run.after(number)
            run.process.kill()
            run.end()
    trial.resumed()
    local.faults.clear()
    trial.assert_whole()
