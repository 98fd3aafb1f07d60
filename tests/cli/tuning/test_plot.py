"""Time by number of nodes as a plot of characters."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.cli.tuning.plot import FINE, HEIGHT, NARROWEST, ROUGH, WIDEST, plot, signs_for
from fastbatch.tuning.findings import Findings, Row
from tests.cli.tuning import FINDINGS, ROWS

TIMES = st.lists(st.floats(1e-6, 1e7), min_size=1, max_size=4).map(tuple)


def bare(*rows: Row) -> Findings:
    """Give findings of some rows alone."""
    return dataclasses.replace(FINDINGS, rows=rows, curve=None)


def test_it_shows_points_curve_and_simulation_in_plain_text() -> None:
    """The medians stand where the times are."""
    assert plot(FINDINGS, 60, ROUGH).splitlines() == [
        "  43s | *",
        "      | o..",
        "      |    ..",
        "      |      ..",
        "      |        ...",
        "      |           ...",
        "      |              ...",
        "21.5s |                 .*..",
        "      |                     .....",
        "      |                          ......",
        "      |                                ...*.....",
        "      |                                         ...........*",
        "      |",
        "      |",
        "   0s +-+----------------+----------------+----------------+",
        "        1                2                4                8",
        "time by nodes: * median, : runs, . curve, o simulated",
    ]


def test_with_finer_signs_the_curve_is_of_braille() -> None:
    """Eight dots in a character."""
    text = plot(FINDINGS, 60, FINE)

    assert "●" in text
    assert any("\u2800" < sign < "\u2900" for sign in text)


@pytest.mark.parametrize(("encoding", "signs"), [("utf-8", FINE), ("ascii", ROUGH), ("latin-1", ROUGH), ("?", ROUGH)])
def test_signs_are_those_that_can_be_written(encoding: str, signs: object) -> None:
    """Else plain ones."""
    assert signs_for(encoding) is signs
    plot(FINDINGS, 60, signs_for(encoding)).encode("ascii" if signs is ROUGH else encoding)


def test_repeats_that_differ_much_are_drawn_as_a_line() -> None:
    """From the least to the most."""
    lines = plot(bare(Row(1, (10.0, 90.0, 100.0)), Row(2, (50.0,))), 40, ROUGH).splitlines()
    column = lines[HEIGHT].index("+", lines[HEIGHT].index("+") + 1)

    assert "".join(line[column] for line in lines[:HEIGHT] if len(line) > column) == ":*::::::::::::"


def test_one_point_is_no_plot() -> None:
    """There is nothing to see in it; what failed is in the table."""
    assert plot(bare(ROWS[0], ROWS[-1]), 80, ROUGH) == ""


@given(
    st.lists(st.tuples(st.integers(1, 100_000), TIMES, st.none() | st.floats(0, 1e7)), min_size=2, max_size=12),
    st.integers(0, 300),
    st.booleans(),
)
def test_whatever_was_measured_it_fits(
    found: list[tuple[int, tuple[float, ...], float | None]], width: int, fits: bool
) -> None:
    """Into the width that there is, and its own height."""
    rows = {nodes: Row(nodes, seconds, simulated=simulated) for nodes, seconds, simulated in found}
    findings = bare(*(rows[nodes] for nodes in sorted(rows)))
    lines = plot(dataclasses.replace(findings, curve=FINDINGS.curve if fits else None), width, FINE).splitlines()

    assert len(lines) >= (HEIGHT + 3 if len(rows) > 1 else 0)
    assert all(len(line) <= max(min(width, WIDEST), NARROWEST) for line in lines)
