"""Runs whose client is killed while it cleans up: what was to go goes when the run is resumed, and nothing else."""

import signal

import pytest

from tests.breaking.trial import Trial
from tests.proxy import Proxy, Rule

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]


def service_of(trial: Trial, path: str) -> Proxy:
    """Give the service that is asked for it."""
    return trial.storage if path.startswith("restype") else trial.batch


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("path", ["/jobs/", "restype=container", "/pools/"])
def test_a_pool_that_is_to_go_and_all_else_goes_by_resume(trial: Trial, path: str, drop: str) -> None:
    """Whether the request was heard, and only its answer was not, or not."""
    killed_at(trial, path, drop, "--delete-pool")
    assert trial.runner.resume("last").code == 0
    trial.assert_whole()
    assert "pool fastbatch" not in trial.runner.left_there()


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("path", ["/jobs/", "restype=container"])
def test_what_is_to_stay_stays(trial: Trial, path: str, drop: str) -> None:
    """The pool, here."""
    killed_at(trial, path, drop)
    assert trial.runner.resume("last").code == 0
    trial.assert_whole()
    assert "pool fastbatch" in trial.runner.left_there()


def killed_at(trial: Trial, path: str, drop: str, *options: str) -> None:
    """Kill a run when it deletes something; all of its results are written by then."""

    def kill() -> None:
        run.send(signal.SIGKILL)

    def kill_afterwards(content: bytes) -> bytes:
        kill()
        return content

    rule = (
        Rule("DELETE", path, then=kill, drop=drop) if drop == "before" else Rule("DELETE", path, edit=kill_afterwards)
    )
    service_of(trial, path).rules.append(rule)
    with trial.running(*options) as run:
        assert run.end().code == -signal.SIGKILL
    trial.assert_counted()
