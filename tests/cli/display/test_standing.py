"""How a run stands, for people."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fastbatch import Settings
from fastbatch.books.standing import Cause, Standing, State
from fastbatch.cli.display.standing import standing_text
from fastbatch.journal.records import Attempt, Outcome, Phase
from fastbatch.model import Blob, Task
from fastbatch.place import Place
from fastbatch.telling.reporting import JobSeen, Recorded, Seen, report
from fastbatch.telling.speeds import Completion
from tests.cli.display import HARMFUL
from tests.recorded import planned, record_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = planned(20)
BLOB = Blob("d" * 64, 10)
STANDINGS = {
    **{f"b{n:05}": Standing(State.DONE, BLOB, uploaded=True, done_by=Task(f"b{n:05}")) for n in range(1, 12)},
    "b00012": Standing(State.FAILED, BLOB, cause=Cause("the node was lost", Task("b00012", 3), passing=True)),
    "b00013": Standing(State.FAILED, BLOB, cause=Cause("exit code 9", Task("b00013"))),
    "b00014": Standing(State.WAITING, BLOB, uploaded=True),
}
SEEN = Seen(
    NOW,
    [JobSeen("words-abcd1234-a1", "active", waiting=3, running=2, succeeded=11, failed=2)],
    gone=["words-abcd1234"],
    pool="active",
    nodes={"running": 1, "idle": 1},
    completions=[Completion(NOW - timedelta(seconds=2 * n), Task(f"b{n:05}")) for n in range(1, 12)],
)


def text(seen: Seen | None = None, *, driver: int | None = None, width: int = 1000, **more: Any) -> str:
    """Tell how a run stands."""
    said = {"id": "words-abcd1234", "made": NOW - timedelta(seconds=185), "touched": NOW - timedelta(seconds=2), **more}
    record = record_of(PLAN, Place("mine", "", "stuff", ""), said.pop("pool", "fastbatch"), **said)
    attempts = [Attempt(Task("b00012"), 0, Outcome.FAILED), Attempt(Task("b00014"), 0, Outcome.OPEN)]
    known = Recorded(record, PLAN, STANDINGS, attempts, driver)
    return standing_text(report(known, seen), NOW, width, color=False)


def test_a_run_that_goes_on_is_told_with_what_the_services_show() -> None:
    """What there is, how fast it goes, what failed, and what may be done."""
    assert (
        text(SEEN, driver=7)
        == """\
run       words-abcd1234 on pool fastbatch, going, driven by process 7, made 3m5s ago, last written 2s ago
inputs    40 planned, 22 done, 4 failed, 14 open, 220B of 400B
bundles   6 preparing, 1 waiting, 11 done, 2 failed
job       words-abcd1234-a1 active, 3 tasks waiting, 2 running, 13 completed, 2 of them failed
gone      job words-abcd1234
nodes     1 idle, 1 running
speed     0.9 inputs/s, 9B/s, by the tasks of the last 22s
left      about 24s until all tasks are completed, at that speed
2 inputs failed: the node was lost
  (resume tries again)
  text-12-0
  text-12-1
2 inputs failed: exit code 9
  (only resume --failed tries again)
  text-13-0
  text-13-1
To watch it until it is over: fastbatch watch words-abcd1234"""
    )


def test_without_the_services_the_journal_says_what_it_knows() -> None:
    """And that it may be of yesterday."""
    lines = text().splitlines()

    assert lines[0].startswith("run       words-abcd1234 on pool fastbatch, broken off, made")
    assert "tasks     1 open, 1 failed by the journal" in lines
    assert "speed     0.1 inputs/s, 1B/s, over 3m3s, from when it was made on" in lines
    assert not any(line.startswith("left") for line in lines)
    assert lines[-1] == "To go on with it: fastbatch resume words-abcd1234"


def test_what_is_not_there_is_said() -> None:
    """The pool, and jobs of others that have the names of ours."""
    lines = text(Seen(NOW, strange=["words-abcd1234"])).splitlines()

    assert "strange   words-abcd1234 is a job that this run did not make" in lines
    assert "pool      fastbatch is not there" in lines


def test_a_pool_that_is_not_active_is_told_so() -> None:
    """Beside its nodes."""
    assert "nodes     none, the pool is deleting" in text(Seen(NOW, pool="deleting")).splitlines()


def test_many_jobs_that_are_gone_are_counted() -> None:
    """Some are named."""
    gone = [f"job-{n}" for n in range(9)]
    (line,) = [line for line in text(Seen(NOW, gone=gone)).splitlines() if line.startswith("gone")]

    assert line == "gone      job job-0, job job-1, job job-2, job job-3, job job-4, 4 more"


def test_how_it_was_left_is_said_as_in_the_list_of_runs() -> None:
    """And who drives it, if anybody does."""
    said = [text(phase=phase, driver=0).splitlines()[0].split(", ")[1:-2] for phase in Phase]

    assert said == [["going", "driven by another process"], ["detached"], ["4 failed", "14 open"], ["cancelled"]]


@given(st.sampled_from(HARMFUL), st.integers(1, 60))
def test_nothing_from_outside_does_harm(harmful: str, width: int) -> None:
    """Whatever the service calls things."""
    seen = Seen(NOW, [JobSeen(harmful, harmful, 0, 0, 0, 0)], [harmful], [harmful], harmful, {harmful: 1})
    shown = text(seen, width=width, settings=Settings(pool=harmful))

    assert all(line.isprintable() for line in shown.split("\n"))
