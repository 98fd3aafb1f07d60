"""What the journal and the services know of a run is put together."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fastbatch.books.standing import Cause, Standing, State
from fastbatch.journal.records import Attempt, Outcome, Phase
from fastbatch.model import Blob, Books, Plan, Task
from fastbatch.place import Place
from fastbatch.telling.reporting import JobSeen, Recorded, Report, Seen, Step, report
from fastbatch.telling.speeds import Completion
from tests.recorded import planned, record_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLACE = Place("mine", "https://mine.eu.batch.azure.com", "stuff", "https://stuff.blob.core.windows.net")
BLOB = Blob("d" * 64, 10)


def known(plan: Plan, standings: Mapping[str, Standing], *, driver: int | None = None, **more: Any) -> Recorded:
    """Say what the journal knows."""
    attempts = more.pop("attempts", ())
    said = {"made": NOW - timedelta(minutes=10), "touched": NOW, **more}
    return Recorded(record_of(plan, PLACE, **said), plan, standings, attempts, driver)


def seen(waiting: int = 0, running: int = 0, *, every: float | None = None) -> Seen:
    """Say what the services show; tasks were completed every so many seconds."""
    ends = [NOW - timedelta(seconds=n * every) for n in range(11)] if every else []
    completions = [Completion(at, Task(f"b{n:05}")) for n, at in enumerate(ends, 1)]
    return Seen(NOW, [JobSeen("run", "active", waiting, running, 0, 0)], pool="active", completions=completions)


def done(bundle: str, **more: Any) -> Standing:
    """Give where a bundle stands that is done."""
    return Standing(State.DONE, BLOB, b"", uploaded=True, done_by=Task(bundle), **more)


def steps(found: Report) -> list[Step]:
    """Give what may be done."""
    return list(found.steps)


def test_inputs_and_bundles_are_counted_by_where_they_stand() -> None:
    """An input that was lost from a bundle failed, and the others of it are done; what is not noted is prepared."""
    standings = {
        "b00001": done("b00001"),
        "b00002": done("b00002", lost={"text-2-1": "it is gone"}),
        "b00003": Standing(State.WAITING, BLOB, uploaded=True),
        "b00004": Standing(State.FAILED, BLOB, cause=Cause("no", Task("b00004"))),
    }
    found = report(known(planned(5), standings), None)

    assert found.books == Books(planned=10, done=3, failed=3)
    assert found.bytes_done == 30
    assert found.bundles == {State.DONE: 2, State.WAITING: 1, State.FAILED: 1, State.PREPARING: 1}


def test_failures_are_grouped_by_cause_with_what_would_try_them_again() -> None:
    """The most frequent one first, with a few names."""
    standings = {
        f"b{n:05}": Standing(State.FAILED, BLOB, cause=Cause("the node was lost", passing=True)) for n in (2, 3, 4)
    }
    standings["b00001"] = Standing(State.FAILED, BLOB, cause=Cause("exit code 9"))
    first, second = report(known(planned(4), standings), None).failures

    assert (first.reason, first.passing, first.inputs) == ("the node was lost", True, 6)
    assert first.names == ["text-2-0", "text-2-1", "text-3-0", "text-3-1", "text-4-0"]
    assert (second.reason, second.passing, second.inputs) == ("exit code 9", False, 2)


def test_the_speed_is_that_of_late_where_the_service_tells_it() -> None:
    """Else that of all the time of the run."""
    standings = {"b00001": done("b00001")}
    late = report(known(planned(20), standings, driver=7), seen(5, 5, every=2)).speed
    whole = report(known(planned(20), standings, driver=7), None).speed

    assert late
    assert (late.tasks, late.inputs, late.seconds) == (0.5, 1.0, 20)
    assert whole
    assert (whole.tasks, whole.inputs, whole.seconds) == (None, 2 / 600, 600)


def test_the_time_that_is_left_is_that_of_the_tasks_that_are_to_be_completed() -> None:
    """With those that are still to be submitted, while somebody does."""
    standings = {f"b{n:05}": Standing(State.WAITING, BLOB) for n in range(1, 11)}
    going = report(known(planned(20), standings, driver=7), seen(6, 4, every=2))
    detached = report(known(planned(10), standings, phase=Phase.DETACHED), seen(6, 4, every=2))

    assert going.left == (10 + 10) / 0.5
    assert detached.left == 10 / 0.5


@pytest.mark.parametrize(
    "found",
    [
        report(known(planned(20), {}), seen(6, 4, every=2)),
        report(known(planned(20), {}, driver=7), seen(6, 0, every=2)),
        report(known(planned(20), {}, driver=7), seen(6, 4)),
        report(known(planned(20), {}, driver=7), None),
    ],
    ids=["nobody submits the rest", "nothing runs", "nothing was completed", "nobody was asked"],
)
def test_no_time_is_guessed(found: Report) -> None:
    """Where there is nothing to tell it from, or something else must happen first."""
    assert found.left is None


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"driver": 7}, [Step.WATCH]),
        ({}, [Step.RESUME]),
        ({"phase": Phase.DETACHED}, [Step.WATCH, Step.FETCH]),
        ({"phase": Phase.CANCELLED}, [Step.FETCH, Step.RESUME, Step.CLEAN]),
        ({"phase": Phase.OVER}, [Step.RESUME]),
    ],
    ids=["going", "broken off", "detached", "cancelled", "over"],
)
def test_what_may_be_done_next_is_told_by_how_it_was_left(more: dict[str, Any], expected: list[Step]) -> None:
    """While inputs are open."""
    assert steps(report(known(planned(2), {}, **more), None)) == expected


def test_a_complete_run_is_cleaned_if_it_left_anything() -> None:
    """As the service shows, or else as its summary said."""
    standings = {"b00001": done("b00001")}
    bare = known(planned(1), standings, phase=Phase.OVER, summary={"left": []})
    left = known(planned(1), standings, phase=Phase.OVER, summary={"left": ["job run"]})

    assert steps(report(bare, None)) == []
    assert steps(report(bare, Seen(NOW, gone=["run"]))) == []
    assert steps(report(bare, seen())) == [Step.CLEAN]
    assert steps(report(left, None)) == [Step.CLEAN]
    assert steps(report(left, Seen(NOW, gone=["run"]))) == []


def test_failures_are_resumed_as_their_causes_allow() -> None:
    """And what failed tasks wrote is worth a look."""
    standings = {"b00001": Standing(State.FAILED, BLOB, cause=Cause("no", Task("b00001")))}
    attempts = [Attempt(Task("b00001"), outcome=Outcome.FAILED, exit_code=9, reason="no")]
    final = known(planned(1), standings, phase=Phase.OVER, attempts=attempts)
    passing = known(planned(1), {"b00001": Standing(State.FAILED, cause=Cause("no", passing=True))}, phase=Phase.OVER)

    assert steps(report(final, None)) == [Step.RESUME_FAILED, Step.LOGS]
    assert report(final, None).tasks == {Outcome.FAILED: 1}
    assert steps(report(passing, None)) == [Step.RESUME]


def test_a_cleaned_run_is_told_from_its_record_and_its_summary() -> None:
    """Nothing else of it is left, and nothing is to be done."""
    plan = planned(2)
    told = [{"name": "?", "name_b64": "/w==", "reason": "no", "task": None, "passing": False}]
    record = record_of(
        plan, PLACE, books=Books(4, 3, 1), cleaned=True, phase=Phase.OVER, summary={"bytes": 30, "failures": told}
    )
    found = report(Recorded(record, None, {}, (), None), None)

    assert found.state == "1 failed, cleaned"
    assert (found.books, found.bytes_done, found.bundles) == (Books(4, 3, 1), 30, {})
    assert [(group.reason, list(group.names)) for group in found.failures] == [("no", ["\udcff"])]
    assert steps(found) == []


def test_json_has_it_all() -> None:
    """In plain values, with the words that do what may be done."""
    plan = planned(2)
    standings = {"b00001": done("b00001"), "b00002": Standing(State.FAILED, cause=Cause("no", passing=True))}
    found = report(known(plan, standings, phase=Phase.OVER), seen(1, 1, every=2))
    told = json.loads(json.dumps(found.json()))

    assert told["inputs"] == {"planned": 4, "done": 2, "failed": 2, "open": 0}
    assert told["bytes"] == {"planned": 40, "done": 20}
    assert told["bundles"] == {
        "preparing": 0, "submitting": 0, "waiting": 0, "fetching": 0, "done": 1, "failed": 1
    }  # fmt: skip
    assert told["failures"][0]["inputs"] == 2
    assert told["failures"][0]["passing"] is True
    assert told["service"]["jobs"][0]["running"] == 1
    assert told["next"][0] == f"fastbatch resume {found.record.id}"
    assert (told["state"], told["driver"]) == ("2 failed", None)


def test_a_hundred_inputs_that_failed_in_many_ways_are_grouped() -> None:
    """By their causes."""
    plan = planned(100, inputs=1)
    causes = [Cause(f"cause {n}") for n in range(50)]
    standings = {
        bundle.id: done(bundle.id) if n % 2 else Standing(State.FAILED, BLOB, cause=causes[n % 50])
        for n, bundle in enumerate(plan.bundles)
    }
    attempts = [Attempt(Task(bundle.id)) for bundle in plan.bundles]
    whole = dataclasses.replace(known(plan, standings), attempts=attempts)
    found = report(whole, seen(5, 5, every=2))

    assert found.books == Books(100, 50, 50)
    assert len(found.failures) == 25
