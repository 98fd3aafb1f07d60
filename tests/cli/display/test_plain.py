"""Progress as lines."""

import io

import click
import pytest

from fastbatch.cli.display.plain import Plain
from fastbatch.cli.display.progress import Progress
from fastbatch.cli.display.screen import Manner
from fastbatch.cli.display.streams import Stream
from fastbatch.events import (
    BundleUploaded,
    Event,
    Noticed,
    RequestRetried,
    RunPlanned,
    TaskDone,
    TasksCounted,
    TasksSubmitted,
)
from tests.cli.display import HARMFUL, ODD_RUN, RUN, Clock, failing


class Screen:
    """A plain one, whose lines can be read."""

    def __init__(self, manner: Manner | None = None) -> None:
        self.clock = Clock()
        self.file = io.StringIO()
        self.plain = Plain(Stream(self.file), Progress(self.clock), manner or Manner())

    def after(self, *events: Event) -> list[str]:
        """Give the lines that events bring."""
        before = len(self.file.getvalue())
        for event in events:
            self.plain.take(event)
        return self.file.getvalue()[before:].splitlines()


def test_a_run_is_told_in_lines() -> None:
    """One for each step, notice and failure; none for what is only counted."""
    assert Screen().after(*RUN) == [
        "Run words-abcd1234 on pool fastbatch.",
        "Planned: 4 inputs (4MiB) in 4 bundles of about 1MiB.",
        "Pool fastbatch was made: 2 nodes with 3 slots each.",
        (
            "The upload has begun: uploaded 1 of 4 bundles, 0B sent, 1 reused; submitted 0 of 4 tasks; "
            "done 0 of 4 inputs, 0B of 4MiB; nodes 1 idle, 1 starting."
        ),
        (
            "All is uploaded and submitted: uploaded 4 of 4 bundles, 3MiB sent, 1 reused; submitted 4 of 4 tasks; "
            "done 0 of 4 inputs, 0B of 4MiB; nodes 1 idle, 1 starting; retries 1 request sent again."
        ),
        "Task b1 failed on node tvm-7: NodeLost (tried again)",
        "The pool is slow.",
        "Task b3 failed on node tvm-8 with exit code 3: the program failed",
        "    | Traceback",
        "    |   boom",
        "Failed: late.txt: exit code 3",
        (
            "Every input is done or failed: uploaded 4 of 4 bundles, 3MiB sent, 1 reused; submitted 5 of 5 tasks; "
            "running 3 tasks, 1 waiting; done 3 of 4 inputs, 3MiB of 4MiB; failed 1 input, 1 task, 1 task tried again; "
            "nodes 1 idle, 1 starting; retries 1 request sent again."
        ),
        "The run is over: 3 done, 1 failed, 0 open.",
    ]


def test_who_wants_quiet_is_told_of_errors_only() -> None:
    """A task that is tried again is none."""
    assert Screen(Manner(quiet=True, verbose=True)).after(*RUN) == [
        "Task b3 failed on node tvm-8 with exit code 3: the program failed",
        "    | Traceback",
        "    |   boom",
        "Failed: late.txt: exit code 3",
    ]


def test_who_wants_details_is_told_of_requests_that_are_sent_again() -> None:
    """One line each; others see their number."""
    retry = RequestRetried("batch", "503 ServerBusy", 1.5)
    assert Screen(Manner(verbose=True)).after(retry) == ["A request to batch is sent again after 1.5s: 503 ServerBusy"]
    assert Screen().after(retry) == []


def test_a_line_of_progress_comes_every_ten_seconds_at_most() -> None:
    """With how fast it goes and how long it takes."""
    screen = Screen()
    screen.after(RunPlanned(100, 100 << 20, 100, 1 << 20), BundleUploaded("b", 1, 1 << 20, reused=False))
    written = []
    for _ in range(30):
        screen.clock.seconds += 1
        written.append(screen.after(TaskDone("b", 1, 1 << 20)))
    assert [second for second, lines in enumerate(written, 1) if lines] == [10, 20, 30]
    assert written[19] == [
        (
            "uploaded 1 of 100 bundles, 1MiB sent; submitted 0 of 100 tasks; done 20 of 100 inputs, 20MiB of 100MiB; "
            "1.0 inputs/s, 1MiB/s, uploading 0B/s, about 1m20s left."
        ),
    ]


def test_few_lines_of_progress_come_if_nothing_changed() -> None:
    """One each minute, so that nobody takes it for dead; the next change is told at once."""
    screen = Screen()
    screen.after(TasksSubmitted(2))
    screen.clock.seconds += 10
    assert len(screen.after(TasksCounted(1, 1, 0))) == 1
    for _ in range(5):
        screen.clock.seconds += 50
        assert screen.after(TasksCounted(1, 1, 7), Noticed("Hm.")) == ["Hm."]
        screen.clock.seconds += 10
        assert len(screen.after(TasksCounted(1, 1, 7))) == 1
    screen.clock.seconds += 10
    assert len(screen.after(TasksCounted(0, 2, 0))) == 1


def test_a_stage_is_told_once() -> None:
    """However often its event comes."""
    screen = Screen()
    screen.after(*RUN)
    assert screen.after(*RUN[3:6]) == []


def test_every_failure_is_told() -> None:
    """Here a flood drowns nothing, and a log is to be complete."""
    assert len(Screen().after(*failing(3000))) == 3000


def test_color_changes_nothing_but_the_color() -> None:
    """Failures stand out."""
    plain, colored = Screen(), Screen(Manner(color=True))
    lines = colored.after(*RUN)
    assert [click.unstyle(line) for line in lines] == plain.after(*RUN)
    assert click.style("Failed: late.txt: exit code 3", fg="red") in lines


@pytest.mark.parametrize("harmful", HARMFUL, ids=ascii)
def test_names_from_outside_come_out_harmless(harmful: str) -> None:
    """On the line on which they belong."""
    screen = Screen(Manner(verbose=True))
    screen.after(*ODD_RUN)
    lines = screen.file.getvalue().split("\n")
    assert not any(harmful in line for line in lines)
    assert len(lines) == 12
    assert sum(line.count("[red]x[/red] :smile:") for line in lines) == 12


def test_a_message_of_any_length_is_cut() -> None:
    """And of what a task printed, only the end is shown."""
    screen = Screen()
    assert len(screen.after(Noticed("x" * 100_000))[0]) < 600
