"""Two commits are compared by what both measured."""

from __future__ import annotations

from typing import Any

from bench.comparison import Comparison, Measured, measured
from bench.contests import Spread


def test_benchmarks_and_figures_are_read() -> None:
    """By the names that they have in both commits."""
    told = {
        "benchmarks": [
            benchmark("bench/bench_node.py::bench_count", 1.5),
            benchmark("bench/bench_client.py::bench_wheel", 2.0, figure("the wheel", 500.0, "bytes")),
        ]
    }

    assert measured(told) == {
        "bench_node.py::bench_count": Measured(1.5),
        "bench_client.py::bench_wheel": Measured(2.0),
        "the wheel": Measured(500.0, "bytes"),
    }


def test_commits_are_compared_round_by_round() -> None:
    """So that a machine that slows down says nothing of either."""
    first = [{"count": Measured(1.0)}, {"count": Measured(4.0)}, {"count": Measured(2.0)}]
    second = [{"count": Measured(0.5)}, {"count": Measured(2.0)}, {"count": Measured(1.5)}]

    assert Comparison(first, second).ratio("count") == Spread(median=0.5, least=0.5, most=0.75)


def test_the_table_names_what_only_one_has() -> None:
    """Nothing is left out in silence."""
    first = [{"count": Measured(1.0), "old": Measured(1.0), "idle": Measured(0.0)}]
    second = [{"count": Measured(0.05), "new": Measured(1.0), "idle": Measured(1.0)}]

    assert Comparison(first, second).shown().splitlines() == [
        "FIRST  SECOND  SECOND / FIRST  WHAT",
        "1s     50ms    0.05            count",
        "0ms    1s                      idle",
        "only the first has: old",
        "only the second has: new",
    ]


def test_what_was_never_measured_in_the_same_round_is_not_compared() -> None:
    """As where one failed in each round."""
    first = [{"count": Measured(1.0)}, {}]
    second: list[dict[str, Measured]] = [{}, {"count": Measured(1.0)}]

    found = Comparison(first, second)

    assert found.names == []
    assert (found.only_first, found.only_second) == (["count"], ["count"])


def benchmark(name: str, median: float, *figures: dict[str, Any]) -> dict[str, Any]:
    """Give what pytest-benchmark writes of a benchmark."""
    return {"fullname": name, "stats": {"median": median}, "extra_info": {"figures": list(figures)}}


def figure(what: str, median: float, unit: str) -> dict[str, Any]:
    """Give what is written of a figure."""
    return {"what": what, "median": median, "unit": unit}
