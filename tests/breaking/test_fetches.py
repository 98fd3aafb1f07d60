"""Outputs that a fetch might write over: by another process, or of what is gone since."""

import threading

import pytest

from tests.breaking.trial import Trial
from tests.cli import FASTBATCH
from tests.proxy import Rule

pytestmark = pytest.mark.timeout(120)

# The tasks of a job, whatever their state: who begins to look at a run asks for them.
_ALL_TASKS = r"/tasks\?(?!.*filter)"


def test_a_fetch_writes_nothing_over_what_the_process_that_drives_the_run_wrote(trial: Trial) -> None:
    """It began earlier and has less, and what is done is deleted from storage by then."""
    begun, over = threading.Event(), threading.Event()

    def wait_until_all_is_over() -> None:
        begun.set()
        over.wait(60)

    def wait_until_it_is_begun() -> None:
        begun.wait(60)

    trial.storage.rules.append(Rule("GET", "/result", then=wait_until_it_is_begun))
    trial.batch.rules.append(Rule("GET", _ALL_TASKS, then=wait_until_all_is_over))
    with trial.running() as run:
        run.until("tasks.submitted")
        with trial.runner.running("last", "--json", verb="fetch") as fetch:
            assert run.end().code == 0
            over.set()
            brought = fetch.end()

    assert brought.code == 1
    assert "Another process drives run" in brought.err
    trial.assert_whole()


@pytest.mark.slow
def test_a_fetch_of_what_is_gone_leaves_the_outputs_as_they_are(trial: Trial) -> None:
    """They are all that there is; whoever asks again gets the same."""
    assert trial.run("--keep-data").code == 0
    with trial.runner.services.blobs() as service:
        for container in service.list_containers("fastbatch-out-"):
            service.delete_container(container.name)

    for _ in range(2):
        brought = trial.runner.call(*FASTBATCH, "fetch", "last", "--json")
        assert brought.code == 1
        assert "24 inputs were done, but only 0 are still there" in brought.err
        trial.assert_counted()
