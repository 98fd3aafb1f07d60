"""What a run came to, for people."""

import dataclasses

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from fastbatch.cli.display import failures_text, summary_text
from fastbatch.events import RunCompleted
from fastbatch.model import Failure, Summary, Totals
from tests.cli.display import HARMFUL, ODD_RUN, SUMMARY


def topped(*top: tuple[str, int]) -> Summary:
    """Give a summary with these words."""
    return dataclasses.replace(SUMMARY, totals=Totals(top=top))


def test_it_says_what_a_run_came_to() -> None:
    """The words first, then a line for each other thing."""
    assert (
        summary_text(SUMMARY, 100, color=False)
        == """\
 count  word
12,345  the
     9  of

run       words-abcd1234 on pool fastbatch, 5 tasks
inputs    3 done, 1 failed, 0 open
words     1,234,567, 890 distinct, in 3MiB
uploaded  3 bundles (2MiB), 1 reused
time      scan 0.25s, upload 12.3s, watch 3m5s
requests  batch 7, storage 1,040
output    /there/out  put
left      job words-abcd1234, container fastbatch-out-words-abcd1234
1 input failed: exit code 3
  late.txt"""
    )


def test_what_there_is_not_is_not_said() -> None:
    """No empty lines, no labels without anything."""
    bare = dataclasses.replace(
        SUMMARY, totals=Totals(), failures=(), seconds={}, requests={}, output=None, left=(), reused=0
    )
    assert summary_text(bare, 100, color=False).splitlines() == [
        "run       words-abcd1234 on pool fastbatch, 5 tasks",
        "inputs    3 done, 1 failed, 0 open",
        "words     0, 0 distinct, in 0B",
        "uploaded  3 bundles (2MiB), 0 reused",
    ]


def test_what_is_too_wide_goes_on_in_the_next_line() -> None:
    """Divided between things, never within one, as paths and names are to be copied."""
    lines = summary_text(SUMMARY, 40, color=False).splitlines()
    at = lines.index("left      job words-abcd1234,")
    assert lines[at + 1] == "          container fastbatch-out-words-abcd1234"
    assert "output    /there/out  put" in lines


@given(st.lists(st.tuples(st.text(min_size=1, max_size=200), st.integers(1, 10**9)), min_size=1), st.integers(30, 120))
def test_no_word_is_wider_than_the_screen(top: list[tuple[str, int]], width: int) -> None:
    """In columns, of which some characters take two; and each word has one line."""
    text = summary_text(topped(*top), width, color=False)
    table = text[: text.index("\n\nrun")].split("\n")
    assert len(table) == len(top) + 1
    assert max(cell_len(line) for line in table) <= width


def test_a_word_that_just_fits_is_not_cut() -> None:
    """One more character is."""
    width = 40
    fits = "a" * (width - len("count  "))
    assert fits in summary_text(topped((fits, 1)), width, color=False)
    assert f"{fits[:-3]}...\n" in summary_text(topped((f"{fits}a", 1)), width, color=False)


def test_a_word_as_long_as_a_file_costs_no_more_than_it_shows() -> None:
    """It is cut before anything else is done with it."""
    assert len(summary_text(topped(("\x00" * 50_000_000, 1)), 80, color=False)) < 1000


def test_failures_are_grouped_by_reason_with_a_few_names_each() -> None:
    """The most frequent reason first."""
    failures = [Failure("one", "rare"), *(Failure(f"f{index}", "frequent") for index in range(1007))]
    assert failures_text(failures, color=False).splitlines() == [
        "1,007 inputs failed: frequent",
        *(f"  f{index}" for index in range(5)),
        "  and 1,002 more",
        "1 input failed: rare",
        "  one",
    ]


def test_reasons_without_number_do_not_flood_the_screen() -> None:
    """The rest is counted."""
    lines = failures_text([Failure(f"f{index}", f"reason {index}") for index in range(1000)], color=False).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 990 inputs for 990 other reasons"


def test_color_changes_nothing_but_the_color() -> None:
    """Without it, there is nothing a terminal obeys."""
    colored, plain = summary_text(SUMMARY, 100, color=True), summary_text(SUMMARY, 100, color=False)
    assert click.unstyle(colored) == plain
    assert colored != plain
    assert "\x1b" not in plain


@pytest.mark.parametrize("harmful", HARMFUL, ids=ascii)
def test_names_from_outside_come_out_harmless(harmful: str) -> None:
    """Wherever they are shown."""
    summary = next(event.summary for event in ODD_RUN if isinstance(event, RunCompleted))
    text = summary_text(summary, 1000, color=False)
    assert not any(harmful in line for line in text.split("\n"))
    assert text.count("[red]x[/red] :smile:") == 9
    assert len(text.split("\n")) == 13
