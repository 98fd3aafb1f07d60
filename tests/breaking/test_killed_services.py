"""Runs whose services are killed on the way, and started again."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastbatch.local.instance import lifecycle
from fastbatch.local.instance.home import Home
from fastbatch.local.service.limits import Limits
from tests.breaking.trial import Trial, trial_at
from tests.local import instances
from tests.local.instances import eventually

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[Trial]:
    """Have a trial with services of its own."""
    (tmp_path / "user").mkdir()
    with (
        instances.lasting_as_long_as_we(tmp_path / "services") as services,
        trial_at(services, tmp_path / "user") as found,
    ):
        found.without_proxies()
        yield found


def killed(home: Home, name: str, seconds: float) -> None:
    """Kill a service, and start it again some seconds later, where it was."""
    process = home.process(name)
    assert process
    os.kill(process.identity.pid, signal.SIGKILL)
    eventually(lambda: process.runs, lambda runs: not runs)
    time.sleep(seconds)
    lifecycle.up(home, lifecycle.Ports(), Limits(), lambda _text: None)


IN_SHORT = ("storage", "tasks.submitted", 1)


@pytest.mark.parametrize(
    ("service", "event", "seconds"),
    [
        pytest.param(service, event, seconds, marks=[] if (service, event, seconds) == IN_SHORT else [pytest.mark.slow])
        for service in ("batch", "storage")
        for event in ("run.planned", "pool.found", "bundle.uploaded", "tasks.submitted", "task.done")
        for seconds in (1, 5)
    ],
)
def test_a_service_may_be_killed_and_come_back(fragile: Trial, service: str, event: str, seconds: float) -> None:
    """The run waits for it; what the service forgot when it was killed is done again."""
    with fragile.running("--task-retries", "8") as run:
        run.until(event)
        killed(Home(fragile.runner.services.home), service, seconds)
        done = run.end(120)
    fragile.ends(done)
    fragile.assert_whole()
