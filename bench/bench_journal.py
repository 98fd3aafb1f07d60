"""The journal: what it takes to note what a run does, to read it again, and of the disk."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fastbatch import Settings
from fastbatch.books.standing import Standing, State
from fastbatch.journal.records import Attempt, Changes, Outcome, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Blob, Books, Bundle, Item, Kind, Plan, Task, bundle_id
from fastbatch.names import new_run
from fastbatch.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .scale import Scale

pytestmark = pytest.mark.submit

MANY = 100_000
GROUP = 1000  # bundles whose changes are written at once
PER_BUNDLE = 100  # files, where they are packed
NODES = 100
ROUNDS = 3
ASKED = {"begin": "about 1 s", "writes": "a few s"}


def bench_journal_of_many_tasks(benchmark: Any, scale: Scale, figure: Callable[..., None], tmp_path: Path) -> None:
    """Note a bundle, a task and what came of it for each of a hundred thousand files; read all of it."""
    count = scale.some(MANY)
    files = _files(count)
    bundles = tuple(Bundle(bundle_id(number), Kind.WHOLE, (item,)) for number, item in enumerate(files, 1))
    plan = Plan(files, bundles, None)
    history = list(_history(count))
    seconds: dict[str, list[float]] = {}

    def note_and_read() -> None:
        run = new_run(None)
        with Journal.opened(tmp_path / f"{run}.db") as journal:
            _timed(seconds, "begin", lambda: journal.begin(_record(run, plan), plan))
            _timed(seconds, "writes", lambda: _write(journal, run, history))
            assert _timed(seconds, "reading the plan", lambda: journal.plan(run)) == plan
            _timed(seconds, "reading where bundles stand", lambda: journal.standings(run))
            tried = _timed(seconds, "reading the tasks", lambda: journal.attempts(run))
            assert len(tried) == count

    benchmark.pedantic(note_and_read, rounds=1 if scale.quick else ROUNDS)
    for what, found in seconds.items():
        figure(f"journal of {count:,} tasks: {what}", found, "s", asked=ASKED.get(what))


def bench_bytes_of_the_journal(benchmark: Any, scale: Scale, figure: Callable[..., None], tmp_path: Path) -> None:
    """Weigh an input, where many are packed together, and a bundle with its task."""
    count = scale.some(MANY)
    sizes: dict[str, float] = {}

    def weigh() -> None:
        files = _files(count)
        packed = tuple(
            Bundle(bundle_id(number), Kind.TAR, files[start : start + PER_BUNDLE])
            for number, start in enumerate(range(0, count, PER_BUNDLE), 1)
        )
        sizes["input"] = _weighed(tmp_path, Plan(files, packed, None), []) / count
        lone = Plan(files, tuple(Bundle(bundle_id(n), Kind.WHOLE, (item,)) for n, item in enumerate(files, 1)), None)
        sizes["task"] = _weighed(tmp_path, lone, list(_history(count))) / count - sizes["input"]

    benchmark.pedantic(weigh, rounds=1)
    path = len(_files(1)[0].path)
    figure(f"journal, for an input with a path of {path} bytes", [sizes["input"]], "bytes")
    figure("journal, for a bundle and its task", [sizes["task"]], "bytes")


def _timed(seconds: dict[str, list[float]], what: str, do: Callable[[], Any]) -> Any:
    begin = time.perf_counter()
    found = do()
    seconds.setdefault(what, []).append(time.perf_counter() - begin)
    return found


def _write(journal: Journal, run: str, history: list[Changes]) -> None:
    for changes in history:
        journal.write(run, changes)


def _weighed(folder: Path, plan: Plan, history: list[Changes]) -> int:
    """Tell how large the journal of a run is."""
    run = new_run(None)
    path = folder / f"{run}.db"
    with Journal.opened(path) as journal:
        journal.begin(_record(run, plan), plan)
        _write(journal, run, history)
    return path.stat().st_size


def _record(run: str, plan: Plan) -> RunRecord:
    place = Place("mine", "https://mine.eu.batch.azure.com", "mine", "https://mine.blob.core.windows.net")
    books = Books(len(plan.items), 0, 0)
    return RunRecord(run, "a" * 32, datetime.now(UTC), place, Settings(), books, plan.bytes, len(plan.bundles))


def _files(count: int) -> tuple[Item, ...]:
    names = (f"corpus/part-{number // GROUP:03}/text-{number:06}.txt" for number in range(count))
    return tuple(Item(f"/home/someone/{name}", name, 10_240, 1_700_000_000_123_456_789) for name in names)


def _history(count: int) -> Iterator[Changes]:
    """Give what is noted of so many bundles: first that their tasks are with the service, then what came of them."""
    for state, outcome in ((State.WAITING, Outcome.OPEN), (State.DONE, Outcome.SUCCEEDED)):
        done = state is State.DONE
        for start in range(1, count + 1, GROUP):
            numbers = range(start, min(start + GROUP, count + 1))
            yield Changes(
                {bundle_id(number): _standing(number, state) for number in numbers},
                [
                    Attempt(
                        Task(bundle_id(number)),
                        outcome=outcome,
                        exit_code=0 if done else None,
                        node=f"tvmps_{number % NODES:064x}_d" if done else None,
                    )
                    for number in numbers
                ],
                Books(count, numbers[-1] if done else 0, 0),
            )


def _standing(number: int, state: State) -> Standing:
    blob = Blob(hashlib.sha256(b"%d" % number).hexdigest(), 10_240)
    return Standing(state, blob, uploaded=True, done_by=Task(bundle_id(number)) if state is State.DONE else None)
