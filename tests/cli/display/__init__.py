"""Tests of how a run is shown, by its events."""

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from fastbatch.events import (
    BundleUploaded,
    Event,
    InputFailed,
    NodesCounted,
    Noticed,
    PoolFound,
    RequestRetried,
    RunCompleted,
    RunPlanned,
    RunStarted,
    TaskDone,
    TaskFailed,
    TasksCounted,
    TasksSubmitted,
)
from fastbatch.model import Books, Failure, Summary, Totals

MIB = 1 << 20
NOW = datetime(2026, 11, 21, 15, 36, 53, 123456, UTC)
HARMFUL = ["\x1b[2J", "\x9b31m", "\u202e", "\r", "\n", "\x07", "\u2028", "\udcff"]
ODD = "[red]x[/red] :smile: \x1b[2J\x9b31m\u202eexe\r\nnext\x07\u2028\udcff"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """Give the seconds."""
        return self.seconds

    def now(self) -> datetime:
        """Give the time of day."""
        return NOW + timedelta(seconds=self.seconds - 100)


SUMMARY = Summary(
    run="words-abcd1234",
    books=Books(planned=4, done=3, failed=1),
    totals=Totals(bytes=3 * MIB, words=1234567, distinct=890, top=(("the", 12345), ("of", 9))),
    bundles=4,
    tasks=5,
    uploaded=3,
    uploaded_bytes=2 * MIB,
    reused=1,
    failures=(Failure("late.txt", "exit code 3", "b3"),),
    seconds={"scan": 0.25, "upload": 12.34, "watch": 185.0},
    requests={"batch": {"add": 3, "list": 4}, "storage": {"put": 1040}},
    pool="fastbatch",
    output="/there/out  put",
    left=("job words-abcd1234", "container fastbatch-out-words-abcd1234"),
)

RUN: tuple[Event, ...] = (
    RunStarted("words-abcd1234", "fastbatch"),
    RunPlanned(inputs=4, bytes=4 * MIB, bundles=4, bundle_size=MIB),
    PoolFound("fastbatch", made=True, nodes=2, slots=3),
    NodesCounted({"idle": 1, "starting": 1}),
    BundleUploaded("b0", inputs=1, bytes=MIB, reused=True),
    BundleUploaded("b1", inputs=1, bytes=MIB, reused=False),
    RequestRetried("batch", "503 ServerBusy", 1.5),
    TasksSubmitted(2),
    BundleUploaded("b2", inputs=1, bytes=MIB, reused=False),
    BundleUploaded("b3", inputs=1, bytes=MIB, reused=False),
    TasksSubmitted(2),
    TasksCounted(waiting=1, running=3, completed=0),
    TaskDone("b0", inputs=1, bytes=MIB),
    TaskFailed("b1", "NodeLost", retried=True, node="tvm-7"),
    TasksSubmitted(1),
    Noticed("The pool is slow."),
    TaskDone("b2", inputs=1, bytes=MIB),
    TaskDone("b1-r1", inputs=1, bytes=MIB),
    TaskFailed("b3", "the program failed", retried=False, exit_code=3, node="tvm-8", stderr="Traceback\n  boom\n"),
    InputFailed("late.txt", "exit code 3", "b3"),
    RunCompleted(SUMMARY),
)

ODD_RUN: tuple[Event, ...] = (
    RunStarted(ODD, ODD),
    RunPlanned(inputs=4, bytes=4, bundles=4, bundle_size=1),
    PoolFound(ODD, made=False, nodes=1, slots=1),
    NodesCounted({ODD: 1}),
    InputFailed(ODD, ODD, ODD),
    TaskFailed(ODD, ODD, retried=False, exit_code=3, node=ODD, stderr=ODD),
    RequestRetried(ODD, ODD, 1.0),
    Noticed(ODD),
    RunCompleted(
        dataclasses.replace(
            SUMMARY,
            run=ODD,
            totals=Totals(top=((ODD, 3),)),
            failures=(Failure(ODD, ODD),),
            seconds={ODD: 1.0},
            requests={ODD: {ODD: 1}},
            pool=ODD,
            output=ODD,
            left=(ODD,),
        )
    ),
)


def failing(number: int) -> Iterable[InputFailed]:
    """Give many failures."""
    return (InputFailed(f"file-{index}.txt", "exit code 4") for index in range(number))
