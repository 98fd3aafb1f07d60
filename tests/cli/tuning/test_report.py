"""What measurements say, for people."""

import dataclasses

import pytest

from fastbatch.cli.tuning.report import report
from fastbatch.tuning.measured import Work
from fastbatch.tuning.scaling import fitted
from tests.cli.tuning import FINDINGS, MEASUREMENTS, NOTHING


def section(text: str, beginning: str) -> list[str]:
    """Give the lines of the part that begins so."""
    (found,) = (part for part in text.split("\n\n") if part.startswith(beginning))
    return found.splitlines()


def test_it_begins_with_what_was_measured() -> None:
    """And where."""
    assert report(FINDINGS, 100).splitlines()[:2] == [
        "2,000 inputs (19.5MiB) in 32 tasks",
        "on pool fastbatch (standard_d2s_v3, 2 slots a node), measured 2026-11-22T01:02:03Z",
    ]


def test_of_a_sample_it_says_what_it_is_a_sample_of() -> None:
    """By its bytes; and of local services that they are."""
    measurements = dataclasses.replace(MEASUREMENTS, whole=Work(20_000, 204_800_000, 320), local=True, slots=1)
    first, second, *_ = report(dataclasses.replace(FINDINGS, measurements=measurements), 100).splitlines()

    assert first == "2,000 inputs (19.5MiB) in 32 tasks: 10 % of 20,000 inputs (195MiB) in 320 tasks"
    assert "(local, 1 slot a node)" in second


def test_every_number_of_nodes_has_a_line_and_failures_have_reasons() -> None:
    """Nothing of what they say steers the terminal."""
    assert section(report(FINDINGS, 100), "NODES") == [
        "NODES  TIME                           FITTED               SIMULATED  SPEED-UP     COST   COLD",
        "    1  42.3s (41.9s-43s)              42.7s (41s-44.4s)        40.2s      1.00  0.00113   2m2s",
        "    2  21.9s (21.5s-22.4s), 1 failed  22.1s (21.2s-23s)        20.8s      1.93  0.00117  1m42s",
        "    4  12.3s (12.1s-12.9s)            12.4s (11.9s-12.9s)      11.7s      3.44  0.00131  1m32s",
        "    8  9.1s (8.8s-9.4s)               9.19s (8.83s-9.55s)      8.64s      4.65  0.00194  1m29s",
        "   16  failed                         11s (8s-14s)              7.7s         -        -      -",
        r"2 nodes failed: Batch gave no answer when asked to add tasks: \x1b[31mtimeout",
        "16 nodes failed 2 times: no quota",
    ]


def test_without_a_price_node_hours_are_shown() -> None:
    """In its place."""
    without = dataclasses.replace(FINDINGS, price=None)
    lines = section(report(without, 100), "NODES")

    assert "NODE-HOURS" in lines[0]
    assert lines[1].split()[-2] == "0.0118"


def test_it_says_where_the_time_goes() -> None:
    """By stage, and the idle slots as a share."""
    _, head, first, *_ = section(report(FINDINGS, 100), "Where the time goes")

    assert head.split() == ["NODES", "WAITING", "STAGE-IN", "COMPUTE", "STAGE-OUT", "SUBMIT", "TAIL", "IDLE"]
    assert first.split() == ["1", "12.1s", "0.4s", "2.1s", "0.2s", "1.5s", "1.1s", "4.3", "%"]


def test_it_says_which_law_the_times_follow() -> None:
    """With intervals, and how well it fits."""
    assert " ".join(section(report(FINDINGS, 100), "The curve")) == (
        "The curve is the universal scalability law: contention 1.2 % (0-4 %), crosstalk 1.1 % (0.79-1.3 %), "
        "one node takes 42.4s (41.3s-43.3s). R squared is 1.000, and the median that is farthest from it is off by "
        "0.92 %."
    )


@pytest.mark.parametrize("width", range(40, 101))
def test_no_share_is_parted_from_its_sign(width: int) -> None:
    """However long lines are."""
    assert not [line for line in report(FINDINGS, width).splitlines() if line.lstrip().startswith("%")]


def test_a_curve_of_few_counts_has_no_crosstalk() -> None:
    """None is made up."""
    serial = fitted({1: (20.0,), 2: (10.31,), 4: (5.465,)})
    text = " ".join(section(report(dataclasses.replace(FINDINGS, curve=serial), 100), "The curve"))

    assert text.startswith("The curve is a fixed serial fraction: contention 3.1 %")
    assert "crosstalk" not in text


def test_what_is_foretold_far_from_all_that_was_measured_is_marked() -> None:
    """And the mark is explained."""
    lines = section(report(FINDINGS, 100), "What a simulation says")

    assert [line.split() for line in lines[1:5]] == [
        ["NODES", "WARM", "COLD", "NODE-HOURS", "COST"],
        ["8", "9s", "1m35s", "0.0200", "0.00192"],
        ["16", "7.7s", "1m33s", "0.0342", "0.00329"],
        ["1,000", "6.5s", "-", "1.81", "0.173", "*"],
    ]
    assert lines[6:] == [
        "Simulated as measured, but tasks start 2s-5s late, with all bundles uploaded.",
        "Of these, take 16 nodes. 1000 nodes gain only 16 % over 16.",
    ]
    assert lines[5].startswith("* more than twice as many nodes as were measured")


def test_it_ends_with_what_to_take_and_with_warnings() -> None:
    """Each with time, cost and reason."""
    *_, advice, warning = report(FINDINGS, 1000).split("\n\n")

    assert [line.split(":")[0] for line in advice.splitlines() if line[0] != " "] == [
        "recommended  4 nodes",
        "fastest      8 nodes",
        "cheapest     1 node",
    ]
    assert " ".join(advice.split()).startswith(
        "recommended 4 nodes: 12.3s (12.1s-12.9s), 0.0137 node-hours, cost 0.00131. 8 nodes would gain less than 10 %."
    )
    assert warning == "Warning: 16 nodes failed in all of 2 runs."


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_longer_than_a_hundred_columns_or_what_there_is_for_words(width: int) -> None:
    """Tables have the same width everywhere."""
    widest = max(map(len, report(FINDINGS, width).splitlines()))

    assert widest <= 100
    for part in ("recommended", "The curve", "Warning"):
        assert max(map(len, section(report(FINDINGS, width), part))) <= min(width, 100)


def test_where_nothing_went_well_only_failures_are_shown() -> None:
    """There is no curve, no plot, no advice."""
    parts = report(NOTHING, 100).split("\n\n")

    assert len(parts) == 2
    assert parts[1].splitlines()[1].split()[:2] == ["16", "failed"]


def test_colors_change_nothing_but_titles_and_warnings() -> None:
    """Without them there is no escape."""
    assert "\x1b" not in report(FINDINGS, 100)
    assert "\x1b[33mWarning" in report(FINDINGS, 100, color=True)
