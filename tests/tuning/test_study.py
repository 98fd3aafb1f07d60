"""Measurements are studied: everything that a report shows is in what is found."""

import dataclasses
import json
import math

import pytest

from fastbatch.tuning.conditions import Conditions
from fastbatch.tuning.findings import Findings
from fastbatch.tuning.measured import Boot, Measurements, Point, RunTimes, Work
from fastbatch.tuning.scaling import Law
from fastbatch.tuning.study import study
from tests.tuning.made import at_once, measured, run

TASKS = at_once(64, 15)
CLOSINGS = (2.0, 2.1, 1.9)  # three runs that differ a little


def runs(nodes: int) -> list[RunTimes]:
    """Run tasks on so many nodes, three times."""
    return [run(TASKS, nodes, opening=1, closing=closing, merge=1) for closing in CLOSINGS]


def measurements(*nodes: int, boots: tuple[Boot, ...] = (), whole: Work | None = None) -> Measurements:
    """Have three runs on each of so many nodes."""
    return measured({count: runs(count) for count in nodes}, boots=boots, whole=whole)


FOUR = measurements(1, 2, 4, 8, boots=(Boot(1, 90.0), Boot(4, 120.0), Boot(2, 100.0)))


def test_a_row_tells_what_was_measured_and_what_curve_and_simulation_say() -> None:
    """For each number of nodes."""
    rows = study(FOUR, price=0.5).rows

    assert [row.nodes for row in rows] == [1, 2, 4, 8]
    for row in rows:
        seconds = 64 * 15 / row.nodes + 3
        assert row.seconds == pytest.approx((seconds, seconds + 0.1, seconds - 0.1))
        assert row.fitted
        assert row.fitted.value == pytest.approx(seconds, rel=0.01)
        assert row.simulated == pytest.approx(seconds, rel=0.01)
        assert row.stages
        assert row.stages.compute == pytest.approx(12)
        assert row.speedup == pytest.approx(963 / seconds)
        assert row.node_hours == pytest.approx(row.nodes * seconds / 3600)
        assert row.cost == pytest.approx(0.5 * row.nodes * seconds / 3600)
        assert row.cold == pytest.approx(seconds + 119)  # it opens meanwhile


def test_what_is_not_known_is_not_told() -> None:
    """No boot, no price."""
    findings = study(measurements(2, 4), simulate=[8])
    first, second = findings.rows

    assert first.cold is first.cost is None
    assert first.speedup == 1
    assert second.speedup == pytest.approx(483 / 243)
    assert findings.forecasts[0].cold is findings.forecasts[0].cost is None
    assert findings.knee
    assert findings.knee.cost is None


def test_nearly_perfect_scaling_is_recommended_to_the_end() -> None:
    """The cheapest is another, as the beginning and the end of a run are paid for by all nodes."""
    findings = study(FOUR)

    assert findings.curve
    assert findings.curve.law is Law.SCALABILITY
    assert findings.curve.contention.value < 0.01
    assert findings.curve.r_squared > 0.999
    assert findings.knee
    assert findings.fastest
    assert findings.cheapest
    assert (findings.fastest.nodes, findings.knee.nodes, findings.cheapest.nodes) == (8, 8, 1)
    assert findings.warnings == ()


def test_two_cores_are_found_behind_four_nodes() -> None:
    """Compute-bound tasks on a machine with two cores, where each task gets its part of them."""
    shared = {nodes: [run(at_once(30, 0.6 * max(1.0, nodes / 2)), nodes, closing=0.2)] * 3 for nodes in (1, 2, 3, 4)}
    findings = study(measured(shared, local=True))

    assert findings.knee
    assert (findings.knee.nodes, [row.nodes for row in findings.rows]) == (2, [1, 2, 3, 4])
    for row in findings.rows:
        assert row.simulated == pytest.approx(row.seconds[0], rel=0.2)
    assert any("cores of this machine" in warning for warning in findings.warnings)


def test_a_point_that_failed_has_its_row() -> None:
    """With why; what the others say of it, too."""
    failed = Point(3, (), ("the pool got no nodes",))
    findings = study(dataclasses.replace(FOUR, points=(failed, *FOUR.points)))
    row = findings.rows[2]

    assert (row.nodes, row.seconds, row.failures) == (3, (), ("the pool got no nodes",))
    assert row.fitted
    assert row.fitted.value == pytest.approx(323, rel=0.01)
    assert row.simulated == pytest.approx(333, rel=0.01)
    assert (row.stages, row.speedup, row.node_hours, row.cold) == (None,) * 4
    assert findings.warnings == ("Not everything was measured: on 3 nodes, 1 run failed.",)


def test_points_are_told_by_their_number_of_nodes() -> None:
    """In whatever order they were measured."""
    mixed = dataclasses.replace(FOUR, points=(FOUR.points[2], FOUR.points[0], FOUR.points[3], FOUR.points[1]))

    assert study(mixed).rows == study(FOUR).rows


def test_what_is_simulated_is_the_whole_under_conditions() -> None:
    """Four times as much as was run, cold where a boot is known or told."""
    sampled = measurements(1, 2, whole=Work(2560, 4 * FOUR.measured.bytes, 256))
    near, far = study(sampled, price=2, simulate=[2, 8], conditions=Conditions(boot=60)).forecasts

    assert (near.nodes, far.nodes, near.beyond, far.beyond) == (2, 8, False, True)
    assert near.warm == pytest.approx(256 * 15 / 2 + 6, rel=0.01)
    assert near.cold == pytest.approx(60 + 256 * 15 / 2 + 5, rel=0.01)
    assert far.node_hours == pytest.approx(8 * far.warm / 3600)
    assert far.cost == pytest.approx(2 * far.node_hours)

    slow = study(sampled, simulate=[2], conditions=Conditions(latency=(5, 5))).forecasts[0]
    assert slow.warm == pytest.approx(256 * 20 / 2 + 6, rel=0.01)


def test_conditions_are_told_and_how_many_nodes_are_enough_under_them() -> None:
    """Of steps that are large enough to gain something."""
    conditions = Conditions(latency=(2, 2), requests=5)
    findings = study(measurements(1, 2), price=2, simulate=range(1, 129), conditions=conditions)

    assert findings.conditions == conditions
    assert findings.json()["conditions"] == {"latency": [2, 2], "boot": None, "requests": 5}
    assert findings.enough
    assert findings.enough.nodes == 64
    assert findings.enough.reason == "128 nodes gain nothing over 64, and cost 100 % more node-hours."
    assert study(FOUR, simulate=[8]).enough is study(FOUR).enough is None


def test_far_forecasts_come_with_a_warning() -> None:
    """And near ones without."""
    assert study(FOUR, simulate=range(1, 17)).warnings == ()
    assert len(study(FOUR, simulate=range(1, 18)).warnings) == 1


def test_one_count_has_no_curve_and_is_the_choice() -> None:
    """It is said that nothing is known of others."""
    findings = study(measurements(2))

    assert findings.curve is None
    assert findings.rows[0].fitted is None
    assert findings.knee
    assert findings.knee.nodes == 2
    assert any("nothing is known of others" in warning for warning in findings.warnings)


@pytest.mark.parametrize("points", [(), (Point(1, (), ("no", "no")), Point(2, (), ("no",)))], ids=["none", "failed"])
def test_where_nothing_was_measured_nothing_is_chosen(points: tuple[Point, ...]) -> None:
    """Rows have what failed."""
    findings = study(dataclasses.replace(FOUR, points=points), price=1, simulate=[1, 2])

    assert [row.failures for row in findings.rows] == [point.failures for point in points]
    assert (findings.fastest, findings.cheapest, findings.knee, findings.curve) == (None,) * 4
    assert findings.forecasts == ()
    assert findings.warnings[0] == "No run was measured, so nothing can be said of any number of nodes."


def test_runs_without_times_of_tasks_still_have_a_curve() -> None:
    """But no stages, and no simulation."""
    points = tuple(
        Point(point.nodes, tuple(dataclasses.replace(each, tasks=()) for each in point.runs)) for point in FOUR.points
    )
    findings = study(dataclasses.replace(FOUR, points=points), simulate=[16])

    assert {(row.stages, row.simulated, row.cold) for row in findings.rows} == {(None, None, None)}
    assert findings.curve
    assert findings.forecasts == ()
    assert findings.warnings == ("Nothing is simulated, as it is not known of any run what its tasks took.",)


def test_findings_have_a_json_form() -> None:
    """All but what each task took, with plain names and values."""
    found = json.loads(json.dumps(study(FOUR, price=0.5, simulate=[16, 32]).json(), allow_nan=False))

    assert list(found) == ["measurements", *(field.name for field in dataclasses.fields(Findings)[1:])]
    assert found["measurements"]["measured"] == {"inputs": 640, "bytes": 64 << 10, "bundles": 64}
    assert found["measurements"]["share"] == 1
    assert found["measurements"]["boots"][0] == {"nodes": 1, "seconds": 90}
    assert "points" not in found["measurements"]
    assert found["curve"]["law"] == "universal scalability law"
    assert found["rows"][3]["nodes"] == 8
    assert found["rows"][3]["stages"]["compute"] == pytest.approx(12)
    assert set(found["knee"]) == {"nodes", "seconds", "node_hours", "cost", "reason"}
    assert [forecast["beyond"] for forecast in found["forecasts"]] == [False, True]
    assert found["warnings"] == list(study(FOUR, simulate=[32]).warnings)


def test_json_has_no_number_that_is_none() -> None:
    """What is not finite is not known."""
    for price in (math.inf, math.nan):
        found = study(FOUR, price=price).json()
        json.dumps(found, allow_nan=False)
        assert found["price"] is None
