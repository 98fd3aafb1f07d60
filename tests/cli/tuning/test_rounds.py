"""Where measuring stands, and what is said of it."""

import io
import re

import pytest
from rich.console import Console

from fastbatch.cli.display.screen import Manner
from fastbatch.cli.display.sentences import Tone
from fastbatch.cli.display.streams import Stream
from fastbatch.cli.tuning.rounds import Rounds, Said
from fastbatch.cli.tuning.screens import Lines, Moving
from fastbatch.events import (
    Event,
    NodesCounted,
    Noticed,
    PoolFound,
    PoolLeft,
    PoolReady,
    RequestRetried,
    RoundBegun,
    RoundFailed,
    RoundMeasured,
    RunPlanned,
    RunStarted,
    TaskDone,
    TaskFailed,
)

RETRIED = RequestRetried("batch", "503", 1.0)
EVENTS: list[Event] = [
    PoolFound("p", made=False, nodes=1, slots=1),
    PoolReady("p", 4, 3, 61.0),
    RoundBegun(4, 0, 3),
    RoundMeasured(4, 0, 12.0),
    RoundBegun(4, 2, 3),
    RunStarted("r-1", "p"),
    RunPlanned(8, 800, 4, 200),
    RETRIED,
    Noticed("Pool p is used as it is."),
    TaskFailed("b00001", "exit code 1", retried=False),
    RoundMeasured(4, 2, 11.2),
    RoundBegun(4, 3, 3),
    RoundFailed(4, 3, "no \x1b node"),
    RoundFailed(8, 0, "no quota"),
    PoolLeft("p", 1),
    PoolLeft("p", None),
]
FAILURES = ["Task b00001 failed: exit code 1", r"4 nodes, run 3 of 3 failed: no \x1b node", "8 nodes failed: no quota"]
SAID = [
    "Pool p has 4 nodes, 3 of them new, ready after 1m1s.",
    "4 nodes, a run to warm up: 12s",
    "Pool p is used as it is.",
    FAILURES[0],
    "4 nodes, run 2 of 3: 11.2s",
    *FAILURES[1:],
    "Pool p is left with 1 node, as it was found.",
    "Pool p is deleted, as it was not there before.",
]


def rounds() -> Rounds:
    """Give some that have not begun; no time passes."""
    return Rounds(lambda: 0.0)


def lines(manner: Manner) -> list[str]:
    """Give what is written of all events."""
    file = io.StringIO()
    shown = Lines(Stream(file), rounds(), manner)
    shown.start()
    for event in EVENTS:
        shown.take(event)
    shown.stop()
    return file.getvalue().splitlines()


def test_a_line_is_written_for_each_run_and_step_of_the_pool() -> None:
    """Not for the steps of runs."""
    assert lines(Manner()) == SAID


def test_who_wants_quiet_is_told_of_failures_alone() -> None:
    """As everybody is."""
    assert lines(Manner(quiet=True)) == FAILURES


def test_who_wants_more_is_told_of_requests_that_are_sent_again() -> None:
    """Beside all else."""
    more = lines(Manner(verbose=True))

    assert [line for line in more if line not in SAID] == ["A request to batch is sent again after 1s: 503"]


def test_failures_are_red_where_there_are_colors() -> None:
    """And nothing else is, of what goes well."""
    painted = lines(Manner(color=True))

    assert f"\x1b[31m{FAILURES[0]}\x1b[0m" in painted
    assert SAID[0] in painted


@pytest.mark.parametrize(
    ("events", "heading"),
    [
        ([], "Waiting for the pool's nodes"),
        ([NodesCounted({"idle": 2, "starting": 1})], "Waiting for the pool's nodes: 2 idle, 1 starting"),
        ([RoundBegun(1, 1, 3)], "1 node, run 1 of 3"),
        ([RoundBegun(2, 0, 3)], "2 nodes, a run to warm up"),
        ([RoundBegun(2, 1, 3), RoundMeasured(2, 1, 1.0)], "Waiting for the pool's nodes"),
    ],
)
def test_the_heading_says_what_is_under_way(events: list[Event], heading: str) -> None:
    """A run, or the pool."""
    found = rounds()
    for event in events:
        found.take(event)

    assert found.heading() == heading


def test_each_run_is_counted_anew() -> None:
    """By its own events."""
    found = rounds()
    first: list[Event] = [RoundBegun(1, 1, 2), RunPlanned(4, 400, 2, 200), TaskDone("b00001", 2, 200)]
    for event in first:
        found.take(event)
    assert found.progress.tasks_done == 1

    found.take(RoundBegun(1, 2, 2))

    assert (found.progress.tasks_done, found.progress.tasks) == (0, 0)


def test_whatever_goes_well_is_said_as_a_step() -> None:
    """So that who wants quiet has it."""
    found = rounds()
    said: list[Said | None] = [found.take(event) for event in (RoundBegun(1, 1, 1), RoundMeasured(1, 1, 2.0))]

    assert said == [None, (Tone.STEP, ("1 node, run 1 of 1: 2s",))]


def test_on_a_terminal_a_line_moves_below_what_is_over() -> None:
    """With how much of the run is done."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80, no_color=True, highlight=False)
    shown = Moving(console, rounds(), Manner())
    with console.capture() as captured:
        console.print(shown.picture())
        for event in (*EVENTS[:7], TaskDone("b00001", 2, 200)):
            shown.take(event)
        console.print(shown.picture())

    waiting, *over, bar = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", captured.get()).splitlines()
    assert waiting == "Waiting for the pool's nodes, 0s"
    assert over == SAID[:2]
    assert re.fullmatch(r"4 nodes, run 2 of 3 ━+ +1 of 4 tasks, 0s *", bar)


def test_what_moves_is_erased_when_it_stops() -> None:
    """Also if it never began, and twice; the cursor is there again."""
    file = io.StringIO()
    shown = Moving(Console(file=file, force_terminal=True, width=80), rounds(), Manner())
    for each in (shown.stop, shown.start, shown.start, shown.stop, shown.stop):
        each()
    shown.say("trouble")

    assert file.getvalue().rfind("\x1b[?25l") < file.getvalue().rfind("\x1b[?25h")
    assert file.getvalue().endswith("trouble\x1b[0m\n")
