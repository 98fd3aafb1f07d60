"""Runs whose results can't be written or read."""

import pytest

from tests.breaking.trial import Trial
from tests.cli import FASTBATCH
from tests.proxy import Rule

pytestmark = pytest.mark.timeout(120)


@pytest.mark.slow
def test_an_output_folder_that_is_lost_on_the_way_is_told_and_written_later(trial: Trial) -> None:
    """What was fetched is not fetched again."""

    def befall() -> None:
        trial.output.write_text("somebody else's")

    trial.storage.rules.append(Rule("GET", "/result", then=befall))
    done = trial.run()
    assert done.code == 1
    assert str(trial.output.name) in done.err
    trial.output.unlink()
    fetched = trial.storage.count("GET", "/result")

    trial.resumed()
    assert trial.storage.count("GET", "/result") == fetched == 8
    trial.assert_whole()


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["run", "resume"])
def test_a_reader_who_leaves_loses_the_lines_and_nothing_else(trial: Trial, verb: str) -> None:
    """As `| head -n 1` does."""
    command = ["run", *trial.command]
    if verb == "resume":
        with trial.running() as run:
            run.until("tasks.submitted")
            run.process.kill()
            run.end()
        command = ["resume", "last", "--json"]
    script = 'set -o pipefail; "$@" | head -n 1'
    done = trial.runner.call("bash", "-c", script, "bash", *FASTBATCH, *command)

    assert (done.code, len(done.out.splitlines())) == (0, 1)
    trial.assert_whole()
