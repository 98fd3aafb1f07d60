"""Runs of a file that is so large that it is sent in blocks."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastbatch.local.testing import LocalBatch
from tests.breaking.trial import Trial, texts, trial_at
from tests.local.instances import Instance, new_name
from tests.proxy import Rule

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]

LARGE = "large.txt"
BLOCK, COMMIT = "comp=block&", "comp=blocklist"


@pytest.fixture
def trial(local: LocalBatch, breakable: Instance, tmp_path: Path) -> Iterator[Trial]:
    """Have a run of a large text and some small ones, on services with nothing in them."""
    del local
    large = " ".join([new_name(), *(f"word{n % 1000}" for n in range(2_200_000))]).encode()
    with trial_at(breakable, tmp_path, {**texts(3), LARGE: large}) as found:
        found.command += ["--files-per-task", "1"]
        yield found


@pytest.mark.parametrize(
    ("what", "number", "answered"),
    [(BLOCK, 0, False), (BLOCK, 1, True), (BLOCK, 2, True), (COMMIT, 0, False), (COMMIT, 0, True)],
)
def test_a_client_that_is_killed_while_it_sends_blocks_loses_nothing(
    trial: Trial, what: str, number: int, *, answered: bool
) -> None:
    """What was sent of them is sent again, if nothing was made of it."""

    def kill() -> None:
        run.send(signal.SIGKILL)

    def kill_when_it_is_done(content: bytes) -> bytes:
        kill()
        return content

    trial.storage.rules.append(Rule("PUT", what, times=number))
    struck = Rule("PUT", what, edit=kill_when_it_is_done) if answered else Rule("PUT", what, then=kill, drop="before")
    trial.storage.rules.append(struck)
    with trial.running() as run:
        assert run.end().code == -signal.SIGKILL
    trial.resumed()
    trial.assert_whole()


@pytest.mark.parametrize("what", [BLOCK, COMMIT])
def test_a_file_that_changes_while_its_blocks_are_sent_is_counted_as_it_was_or_fails(trial: Trial, what: str) -> None:
    """As all of it was read by then, or was not; the others are done in any case."""

    def befall() -> None:
        with (trial.inputs / LARGE).open("r+b") as file:
            file.write(b"CHANGED ")

    trial.storage.rules.append(Rule("PUT", what, then=befall))
    done = trial.run()

    assert done.code in {0, 1}
    trial.assert_counted(without=[LARGE] if done.code else [])


def test_a_large_blob_that_is_gone_before_a_resume_must_be_what_it_was(trial: Trial) -> None:
    """It is known by its digest."""
    trial.kill_when_uploaded(4)
    with trial.runner.services.blobs() as service:
        service.delete_container("fastbatch-input")
    path = trial.inputs / LARGE
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"CHANGED ")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = trial.runner.resume("last", "--json")

    assert done.code == 1
    trial.assert_counted(without=[LARGE])
