"""`fastbatch status` and `fastbatch logs` of runs that `fastbatch run` made."""

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from fastbatch.local.instance import asking
from fastbatch.local.instance.home import Home
from tests.cli.running import Runner
from tests.counted import texts, write
from tests.local.instances import Instance

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def one_task_fails(local_services: Instance) -> Iterator[None]:
    """Let the next task fail as if it could not read its bundle."""
    control = asking.control(Home(local_services.home))
    rule = {"operation": "node.run_task", "fault": "fail", "exitCode": 3, "count": 1}
    control.ask("PUT", "/local/faults", {"rules": [rule]})
    yield
    control.ask("DELETE", "/local/faults")


def told(runner: Runner, name: str) -> Any:
    """Ask how a run stands."""
    done = runner.ask("status", name, "--json")
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def test_a_run_that_went_well_is_done(runner: Runner) -> None:
    """And what its tasks wrote, which is nothing, is there for as long as its job."""
    write(runner.folder / "in", texts(2))
    done = runner.run("in", "--keep-data", "--name", "well", "-q")
    found = told(runner, "well")
    logs = runner.ask("logs", "well")

    assert done.code == logs.code == 0
    assert (found["state"], found["inputs"]["done"], found["missing"]) == ("done", 2, [])
    assert found["bundles"]["done"] == found["service"]["jobs"][0]["succeeded"] == found["tasks"]["succeeded"] == 1
    assert found["next"] == [f"fastbatch clean {found['run']}"]
    assert [line.split()[1:3] for line in logs.out.splitlines()] == [["b00001", "stdout.txt"], ["b00001", "stderr.txt"]]


@pytest.mark.usefixtures("one_task_fails")
def test_a_task_that_failed_is_told_with_what_it_wrote(runner: Runner) -> None:
    """Also when its job is gone, as that lies beside the results."""
    write(runner.folder / "in", texts(3))
    done = runner.run("in", "--files-per-task", "1", "--name", "failing", "-q")
    found = told(runner, "failing")
    logs = runner.ask("logs", "failing", "--failed", "--stderr")
    with runner.services.client() as client:
        client.begin_delete_job(found["run"], polling_interval=3600)
    kept = runner.ask("logs", "failing", "--failed", "--stderr")

    assert done.code == 1
    assert (found["state"], found["tasks"]["failed"], found["tasks"]["succeeded"]) == ("1 failed", 1, 2)
    (group,) = found["failures"]
    assert (group["reason"], group["passing"], group["inputs"]) == ("the node could not read its bundle", False, 1)
    assert [step.split()[1] for step in found["next"]] == ["resume", "logs", "clean"]
    assert (logs.code, logs.out.splitlines()[1:]) == (0, ["The fault plan has this command fail."])
    assert "failed with exit code 3" in logs.out.splitlines()[0]
    assert (kept.code, kept.out.splitlines()[1:]) == (0, ["The fault plan has this command fail."])


def test_a_run_that_was_killed_is_broken_off(runner: Runner) -> None:
    """Until then it goes on, and it is known which process drives it."""
    write(runner.folder / "in", texts(40))
    with runner.running("in", "--files-per-task", "1", "--name", "killed", "--json") as run:
        run.until("tasks.submitted")
        before = told(runner, "killed")
        run.send(signal.SIGKILL)
        run.process.wait()
        after = told(runner, "killed")

    assert (before["state"], before["driver"]) == ("going", run.process.pid)
    assert before["next"] == [f"fastbatch watch {before['run']}"]
    assert (after["state"], after["driver"]) == ("broken off", None)
    assert after["next"] == [f"fastbatch resume {after['run']}"]
    assert sum(after["bundles"].values()) == after["inputs"]["planned"] == 40
