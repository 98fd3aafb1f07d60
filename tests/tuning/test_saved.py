"""Measurements in files."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from fastbatch.errors import OutputFailed, UsageError
from fastbatch.tuning.measured import Measurements, Point
from fastbatch.tuning.saved import load, save
from tests.cli.tuning import MEASUREMENTS

OLDER = dataclasses.replace(MEASUREMENTS, began="2026-11-01T00:00:00Z", pool="older")

A_RUN = {"seconds": 1e-200, "opening": 0, "merge": 0, "uploaded": 0, "tasks": []}


def benchmarks(**measured: Measurements) -> dict[str, Any]:
    """Give what pytest-benchmark writes, with one benchmark that measures no runs."""
    taken = [{"name": name, "extra_info": {"measurements": each.json()}} for name, each in measured.items()]
    return {"machine_info": {}, "benchmarks": [{"name": "bench_split", "extra_info": {"files": 3}}, *taken]}


def write(path: Path, value: object) -> str:
    """Write JSON, or whatever text is given."""
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


def edited(**different: Any) -> dict[str, Any]:
    """Give the JSON of measurements with something else in it."""
    return {**json.loads(json.dumps(MEASUREMENTS.json())), **different}


def why(path: str) -> str:
    """Give the reason for which a file can't be read, and see that it is said what can."""
    with pytest.raises(UsageError) as caught:
        load(path)
    (problem,) = caught.value.problems
    before, _, reason = problem.partition(" can't be read as measurements: ")
    assert before == path.rpartition("::")[0] or before == path
    reason, _, advice = reason.partition(". Name a measurements.json that fastbatch tune wrote")
    assert advice
    return reason


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    """All of it, on one line that ends."""
    path = tmp_path / "measurements.json"
    save(str(path), MEASUREMENTS)

    assert load(str(path)) == MEASUREMENTS
    assert path.read_text().count("\n") == 1


def test_measurements_of_a_benchmark_are_read(tmp_path: Path) -> None:
    """Without a word if there is no choice."""
    said: list[str] = []

    assert load(write(tmp_path / "b.json", benchmarks(scale=OLDER)), said.append) == OLDER
    assert said == []


def test_of_several_benchmarks_the_newest_is_taken_and_that_is_told(tmp_path: Path) -> None:
    """With the names of all, and how to take another."""
    path = write(tmp_path / "b.json", benchmarks(a=OLDER, b=MEASUREMENTS))
    said: list[str] = []

    assert load(path, said.append) == MEASUREMENTS
    assert said == [f"{path} has measurements of a, b; the newest is taken. To take another: --from {path}::NAME"]
    assert load(f"{path}::a") == OLDER
    assert why(f"{path}::c") == "it has no benchmark c, but a, b"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is no JSON"),
        ("[]", "it holds something else"),
        ("{}", "'format' is missing"),
        ('{"format": 2}', "format 2 is not 1, which this version reads"),
        (edited(slots="2"), "'2' stands where there should be a whole number"),
        (edited(local=1), "1 stands where there should be true or false"),
        (edited(boots=[{"nodes": 1, "seconds": None}]), "None stands where there should be a number"),
        (edited(points=[{"nodes": 0, "runs": [], "failures": []}]), "there are no runs on 0 nodes"),
        (
            edited(points=2 * [{"nodes": 2, "runs": [], "failures": []}]),
            "of the numbers of nodes [2, 2], one is there twice",
        ),
        (
            edited(points=[{"nodes": 2, "runs": [A_RUN], "failures": []}]),
            "1e-200 stands where there should be a number from 1e-06 to 1,000,000,000",
        ),
        (json.dumps(edited(boots=[{"nodes": 1, "seconds": float("nan")}])), "it is no JSON"),
        (benchmarks(), "none of its benchmarks measured runs by node count; pytest bench -m scale does"),
        ({"benchmarks": 3}, "none of its benchmarks measured runs by node count; pytest bench -m scale does"),
        ("[" * 100_000, "maximum recursion depth exceeded while decoding a JSON array from a unicode string"),
    ],
    ids=str,
)
def test_what_holds_no_measurements_is_refused(content: object, reason: str, tmp_path: Path) -> None:
    """With the reason, and what can be read."""
    assert why(write(tmp_path / "file.json", content)) == reason


@pytest.mark.parametrize("change", [{"points": None}, {"points": [3]}, {"measured": []}, {"more": 1}, {"boots": "ab"}])
def test_what_is_of_another_shape_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    """Whatever Python says of it."""
    assert why(write(tmp_path / "file.json", edited(**change)))


@pytest.mark.parametrize(
    ("change", "number", "bounds"),
    [
        ({"slots": 0}, "0", "a whole number from 1 to 256"),
        ({"slots": 10**400}, f"1{'0' * 59}", "a whole number from 1 to 256"),
        ({"boots": [{"nodes": 1, "seconds": 1e300}]}, "1e+300", "a number from 0 to 1,000,000,000"),
        ({"whole": {"inputs": 1, "bytes": 1, "bundles": 0}}, "0", "a whole number from 1 to 1,000,000"),
        ({"whole": {"inputs": 1, "bytes": 1, "bundles": 10**9}}, f"{10**9}", "a whole number from 1 to 1,000,000"),
        ({"whole": {"inputs": -1, "bytes": 1, "bundles": 1}}, "-1", f"a whole number from 0 to {10**18:,}"),
        ({"points": [{"nodes": 10**30, "runs": [], "failures": []}]}, f"{10**30}", "a whole number from 1 to 100,000"),
        ({"points": [{"nodes": 2, "runs": [A_RUN], "failures": []}]}, "1e-200", "a number from 1e-06 to 1,000,000,000"),
    ],
    ids=str,
)
def test_a_number_that_nobody_measured_is_refused(
    change: dict[str, Any], number: str, bounds: str, tmp_path: Path
) -> None:
    """As reckoning with it would take all memory, or come to no number."""
    path = write(tmp_path / "file.json", edited(**change))

    assert why(path) == f"{number} stands where there should be {bounds}"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """As the system says it."""
    assert why(str(tmp_path / "none.json")) == "No such file or directory"
    assert why(str(tmp_path)) == "Is a directory"


def test_a_number_that_is_none_is_never_written(tmp_path: Path) -> None:
    """As it could not be read again; what was there stays."""
    path = tmp_path / "measurements.json"
    save(str(path), MEASUREMENTS)
    run = dataclasses.replace(MEASUREMENTS.points[0].runs[0], seconds=float("inf"))
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(str(path), dataclasses.replace(MEASUREMENTS, points=(Point(1, (run,)),)))

    assert load(str(path)) == MEASUREMENTS
    assert [each.name for each in tmp_path.iterdir()] == ["measurements.json"]


def test_what_cant_be_written_is_told(tmp_path: Path) -> None:
    """As with other outputs."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFailed):
        save(str(tmp_path / "file" / "measurements.json"), MEASUREMENTS)
