"""What was measured and fitted, as a picture."""

import dataclasses
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from fastbatch.tuning.findings import Findings
from fastbatch.tuning.picture import _named, png, svg
from tests.cli.tuning import FINDINGS, NOTHING, ROWS

ALONE = dataclasses.replace(FINDINGS, rows=ROWS[:1], curve=None)
EMPTY = dataclasses.replace(NOTHING, rows=())
STRANGE = dataclasses.replace(
    FINDINGS, measurements=dataclasses.replace(FINDINGS.measurements, vm_size="$\\frac{1$ \x1b <&> \u202e")
)


@pytest.mark.parametrize(
    "findings", [FINDINGS, ALONE, NOTHING, EMPTY, STRANGE], ids=["all", "one count", "failed", "none", "strange"]
)
def test_whatever_was_found_there_is_a_picture(findings: Findings) -> None:
    """Which is sound XML."""
    root = ET.fromstring(svg(findings))  # noqa: S314, it is our own

    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_picture_changes_with_what_was_found() -> None:
    """With the price, and with the advice."""
    others = [
        dataclasses.replace(FINDINGS, price=None),
        dataclasses.replace(FINDINGS, knee=FINDINGS.fastest),
    ]

    assert len({svg(findings) for findings in (FINDINGS, *others)}) == 3


def test_there_is_one_of_dots_too() -> None:
    """For where SVG can't be shown."""
    assert png(FINDINGS).startswith(b"\x89PNG")


def test_the_same_findings_give_the_same_picture_and_nothing_else_is_drawn_otherwise() -> None:
    """Byte by byte, and without a date; no pyplot is there, and no setting of others is changed."""
    code = """
import sys, matplotlib
before = {name: matplotlib.rcParams._get(name) for name in matplotlib.rcParams}
from fastbatch.tuning.picture import svg
from tests.cli.tuning import FINDINGS
sys.stdout.buffer.write(svg(FINDINGS))
assert {name: matplotlib.rcParams._get(name) for name in matplotlib.rcParams} == before
assert "matplotlib.pyplot" not in sys.modules
"""
    drawn = svg(FINDINGS)

    assert subprocess.check_output([sys.executable, "-c", code]) == drawn
    assert b"<dc:date>" not in drawn


def test_counts_are_named_where_there_is_room() -> None:
    """The recommended one and the last always."""
    counts = [*range(1, 17), 100]

    assert sorted(_named(counts, None)) == [1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15, 100]
    assert {16, 100} <= {*_named(counts, 16)}
    assert _named([1, 2, 4], 2) == [2, 4, 1]
    assert _named([7], None) == [7]
    assert _named([], None) == []
