"""What `fastbatch tune` is asked for, read from what was written."""

import pytest

from fastbatch.cli.tuning.wanted import Texts, Wanted, read
from fastbatch.tuning.conditions import Conditions

A_SHARE = "a share of the inputs is more than 0 and at most 1, such as 0.1 or 10%"


def understood(**texts: str) -> Wanted:
    """Give what is understood, without any problem."""
    problems: list[str] = []
    wanted = read(Texts(**texts), problems)
    assert problems == []
    assert wanted is not None
    return wanted


def told(**texts: str) -> list[str]:
    """Give the problems that there are."""
    problems: list[str] = []
    assert read(Texts(**texts), problems) is None
    return problems


def test_without_options_one_two_and_four_nodes_are_measured_three_times() -> None:
    """With all inputs, and without a price."""
    assert understood() == Wanted(
        nodes=(1, 2, 4), share=1.0, repeat=3, price=None, simulate=(), conditions=Conditions()
    )


def test_all_options_are_read() -> None:
    """In the units that people have for them."""
    wanted = understood(
        nodes="8,1",
        sample="10%",
        repeat="5",
        price_per_node_hour="0.096",
        simulate="1..3,9",
        scheduling_latency="2s..5s",
        boot_time="4m",
        request_rate="50",
    )

    assert wanted == Wanted(
        nodes=(1, 8),
        share=0.1,
        repeat=5,
        price=0.096,
        simulate=(1, 2, 3, 9),
        conditions=Conditions(latency=(2.0, 5.0), boot=240.0, requests=50.0),
    )


@pytest.mark.parametrize(("text", "share"), [("0.1", 0.1), ("1", 1.0), ("100%", 1.0), ("12.5 %", 0.125)])
def test_a_share_is_a_number_or_percents(text: str, share: float) -> None:
    """Up to all of it."""
    assert understood(sample=text).share == share


def test_a_latency_may_be_always_the_same() -> None:
    """Then it is no range."""
    assert understood(simulate="1", scheduling_latency="2.5s").conditions.latency == (2.5, 2.5)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ({"nodes": "0"}, "--nodes: a number of nodes must be from 1 to 100,000, not 0."),
        ({"repeat": "0"}, "--repeat: a number of runs must be from 1 to 1,000, not '0'."),
        ({"nodes": ""}, "--nodes: '' is no list of numbers of nodes, such as 1,2,4."),
        ({"repeat": ""}, "--repeat: a number of runs must be from 1 to 1,000, not ''."),
        ({"repeat": "\33[31m"}, "--repeat: a number of runs must be from 1 to 1,000, not '\\x1b[31m'."),
        ({"repeat": "        1999"}, "--repeat: a number of runs must be from 1 to 1,000, not '        1999'."),
        ({"repeat": "9" * 5000}, "--repeat: a number of runs must be from 1 to 1,000, not '" + "9" * 20 + "'."),
        ({"sample": "0"}, f"--sample: {A_SHARE}, not 0."),
        ({"sample": "101%"}, f"--sample: {A_SHARE}, not 101%."),
        ({"sample": "nan"}, "--sample: 'nan' is not a number, such as 0.096."),
        ({"price_per_node_hour": "-1"}, "--price-per-node-hour: a price must not be negative, not -1."),
        ({"price_per_node_hour": "inf"}, "--price-per-node-hour: 'inf' is not a number, such as 0.096."),
        ({"simulate": "0..3"}, "--simulate: a number of nodes must be from 1 to 100,000, not 0."),
        (
            {"simulate": "1", "request_rate": "0"},
            "--request-rate: a number of requests a second must be at least 0.001, not 0.",
        ),
        (
            {"simulate": "1", "scheduling_latency": "5s..2s"},
            "--scheduling-latency: the range 5s..2s ends before it begins.",
        ),
        (
            {"boot_time": "4m"},
            "--scheduling-latency, --boot-time and --request-rate are of simulations: add --simulate.",
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_option(texts: dict[str, str], problem: str) -> None:
    """In a sentence."""
    assert told(**texts) == [problem]


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Not only the first."""
    problems = told(nodes="x", repeat="x", sample="x", price_per_node_hour="x", simulate="x", boot_time="x")

    assert [problem.partition(":")[0] for problem in problems] == [
        "--nodes",
        "--sample",
        "--repeat",
        "--simulate",
        "--price-per-node-hour",
        "--boot-time",
    ]
