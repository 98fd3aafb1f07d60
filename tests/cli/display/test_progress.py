"""Where a run stands."""

import itertools
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.cli.display.progress import Progress, Stage
from fastbatch.events import (
    BundleUploaded,
    Event,
    InputFailed,
    RunCompleted,
    RunPlanned,
    TaskDone,
    TaskFailed,
    TasksCounted,
    TasksSubmitted,
)
from tests.cli.display import MIB, RUN, SUMMARY, Clock


def after(*events: Event) -> Progress:
    """Give where a run stands after some events."""
    progress = Progress(Clock())
    for event in events:
        progress.take(event)
    return progress


def test_everything_is_counted() -> None:
    """Each thing once."""
    progress = after(*RUN[:-1])
    assert (progress.run, progress.pool, dict(progress.nodes)) == (
        "words-abcd1234",
        "fastbatch",
        {"idle": 1, "starting": 1},
    )
    assert (progress.stored, progress.uploaded, progress.uploaded_bytes, progress.reused) == (4, 3, 3 * MIB, 1)
    assert (progress.submitted, progress.tasks, progress.waiting, progress.running) == (5, 5, 1, 3)
    assert (progress.done, progress.done_bytes, progress.failed) == (3, 3 * MIB, 1)
    assert (progress.tasks_done, progress.tasks_failed, progress.tasks_retried) == (3, 1, 1)
    assert progress.requests_retried == 1


def test_the_stages_come_one_after_the_other() -> None:
    """Each is reached by the event that shows it."""
    progress = Progress(Clock())
    stages = []
    for event in RUN:
        progress.take(event)
        stages.append(progress.stage)
    assert [(stage, RUN[stages.index(stage)].kind) for stage in Stage if stage in stages] == [
        (Stage.STARTING, "run.started"),
        (Stage.PREPARING, "run.planned"),
        (Stage.UPLOADING, "bundle.uploaded"),
        (Stage.RUNNING, "tasks.submitted"),
        (Stage.ENDING, "input.failed"),
        (Stage.OVER, "run.completed"),
    ]
    assert stages == sorted(stages)


@given(st.lists(st.sampled_from(RUN), max_size=60))
def test_no_order_of_events_breaks_it(events: list[Event]) -> None:
    """Stages never go back, and fractions stay fractions."""
    progress = Progress(Clock())
    stages = []
    for event in events:
        progress.take(event)
        stages.append(progress.stage)
        for fraction in (progress.upload_fraction, progress.submit_fraction, progress.done_fraction):
            assert 0 <= fraction <= 1
    assert stages == sorted(stages)


def test_a_run_of_nothing_has_no_fractions() -> None:
    """And divides by nothing."""
    progress = after(RunPlanned(0, 0, 0, MIB))
    assert (progress.upload_fraction, progress.submit_fraction, progress.done_fraction) == (0, 0, 0)


def test_in_the_end_the_books_are_believed() -> None:
    """Whatever was counted here."""
    progress = after(RunPlanned(9, 9, 9, 9), TasksCounted(3, 3, 3), InputFailed("a", "b"), RunCompleted(SUMMARY))
    assert (progress.inputs, progress.done, progress.failed, progress.running) == (4, 3, 1, 0)


def test_a_task_that_is_tried_again_is_one_more() -> None:
    """So that submitting is not over when it is not."""
    progress = after(RunPlanned(2, 2, 2, 1), TasksSubmitted(2), TaskFailed("b0", "NodeLost", retried=True))
    assert (progress.tasks, progress.submit_fraction) == (3, 2 / 3)


def test_what_is_reused_is_not_uploaded() -> None:
    """It does not make the upload look faster."""
    clock = Clock()
    progress = Progress(clock)
    progress.take(BundleUploaded("b0", 1, 10, reused=False))
    for _ in range(10):
        progress.take(BundleUploaded("b1", 1, 10, reused=True))
    clock.seconds += 2
    speed = progress.upload_speed.at(clock())
    assert speed
    assert speed.bytes == 0


def test_before_two_tasks_are_done_nobody_knows_how_long_it_takes() -> None:
    """One says nothing, however long ago it was."""
    clock = Clock()
    progress = Progress(clock)
    progress.take(RunPlanned(4, 4 * MIB, 4, MIB))
    clock.seconds += 50
    assert progress.eta() is None
    progress.take(TaskDone("b0", 1, MIB))
    clock.seconds += 10
    assert progress.eta() is None
    progress.take(TaskDone("b1", 1, MIB))
    assert progress.eta() == pytest.approx(20)


def test_two_tasks_at_the_same_moment_say_nothing_either() -> None:
    """Nothing is divided by no time."""
    progress = after(RunPlanned(4, 4 * MIB, 4, MIB), TaskDone("b0", 1, MIB), TaskDone("b1", 1, MIB))
    assert progress.eta() is None


def test_tasks_of_empty_files_say_nothing_either() -> None:
    """Nothing is divided by no bytes."""
    clock = Clock()
    progress = Progress(clock)
    for event in (RunPlanned(4, 4, 4, 1), TaskDone("b0", 1, 2), TaskDone("b1", 1, 0)):
        progress.take(event)
        clock.seconds += 1
    assert progress.eta() is None


@given(st.lists(st.integers(1, 1 << 40), min_size=3, max_size=30), st.floats(0.01, 1000))
def test_at_a_steady_rate_it_is_right(sizes: list[int], seconds_a_byte: float) -> None:
    """All that is left takes as long as it does."""
    clock = Clock()
    progress = Progress(clock)
    progress.take(RunPlanned(len(sizes), sum(sizes), len(sizes), MIB))
    left = [sum(sizes[index + 1 :]) for index in range(len(sizes))]
    for size, rest in itertools.islice(zip(sizes, left, strict=True), 1, None):
        if not progress.tasks_done:
            progress.take(TaskDone("b", 1, sizes[0]))
        clock.seconds += size * seconds_a_byte
        progress.take(TaskDone("b", 1, size))
        assert progress.eta() == pytest.approx(rest * seconds_a_byte, rel=1e-3, abs=1e-3)


def test_nothing_is_left_when_more_is_done_than_was_planned() -> None:
    """As when a file grew."""
    clock = Clock()
    progress = Progress(clock)
    progress.take(RunPlanned(3, 3, 3, 1))
    for _ in range(2):
        progress.take(TaskDone("b", 1, 100))
        clock.seconds += 1
    assert progress.eta() == 0


def test_counting_needs_no_rich() -> None:
    """So that it costs nothing to import."""
    code = "import fastbatch.cli.display.progress, sys; print('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"False"
