"""Runs whose client is killed, or interrupted, at any moment from the scan to the clean-up."""

import os
import signal

import pytest

from tests.breaking.moments import Span, broken_off, drawn, measured
from tests.breaking.trial import Trial, trial_at
from tests.cli.running import unread
from tests.local.instances import Instance, eventually

pytestmark = pytest.mark.timeout(120)

PARTS = 30
IN_SHORT = {14}
CODES = {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}

seeded = pytest.mark.parametrize(
    "seed",
    [seed if seed in IN_SHORT else pytest.param(seed, marks=pytest.mark.slow) for seed in range(PARTS)],
    ids="seed-{}".format,
)
seeded_slowly = pytest.mark.parametrize("seed", range(PARTS), ids="seed-{}".format)


@pytest.fixture(scope="session")
def span(breakable: Instance, tmp_path_factory: pytest.TempPathFactory) -> Span:
    """Measure a run that nothing befalls."""
    with trial_at(breakable, tmp_path_factory.mktemp("measured")) as trial:
        return measured(trial)


@seeded
def test_a_client_that_is_killed_at_any_moment_loses_nothing(trial: Trial, span: Span, seed: int) -> None:
    """Resume goes on from whatever was reached."""
    done = broken_off(trial, drawn(seed, PARTS, span), signal.SIGKILL)
    assert done.code in {0, -9}

    trial.resumed()
    trial.assert_whole()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@seeded_slowly
def test_a_client_that_is_interrupted_at_any_moment_loses_nothing(
    trial: Trial, span: Span, seed: int, number: signal.Signals
) -> None:
    """It ends cleanly, and says how to go on."""
    done = broken_off(trial, drawn(seed, PARTS, span), number)
    assert done.code in {0, CODES[number]}

    trial.resumed()
    trial.assert_whole()


@pytest.mark.slow
@seeded_slowly
def test_a_resume_that_is_killed_at_any_moment_loses_nothing(trial: Trial, span: Span, seed: int) -> None:
    """Nor one that goes on from there, and is killed."""
    broken_off(trial, drawn(seed, PARTS, span), signal.SIGKILL)
    for later in (seed + 7, seed + 17):
        broken_off(trial, drawn(later % PARTS, 2 * PARTS, span), signal.SIGKILL, "resume")

    trial.resumed()
    trial.assert_whole()


@pytest.mark.slow
def test_a_client_that_is_killed_before_it_knows_its_inputs_leaves_nothing(trial: Trial) -> None:
    """There is no run to go on with, and it can be begun again."""
    reader, writer = os.pipe()
    with trial.runner.running("-", stdin=reader) as run:
        os.write(writer, b"in")
        eventually(lambda: unread(reader), lambda number: number == 0)
        run.send(signal.SIGKILL)
        run.end()
    os.close(reader)
    os.close(writer)
    assert trial.runner.left_here() == []
    assert trial.runner.resume("last").code == 2
    assert trial.run().code == 0
    trial.assert_whole()


def test_a_run_that_is_over_can_be_resumed_and_nothing_happens(trial: Trial) -> None:
    """Its results stay as they are."""
    assert trial.run().code == 0
    before = (trial.output / "counts.tsv").stat().st_mtime_ns
    asked = trial.requests
    assert trial.runner.resume("last").code == 0
    assert trial.requests == asked
    assert (trial.output / "counts.tsv").stat().st_mtime_ns == before
    trial.assert_whole()
