"""What happens in a run is written down: much at once, without delay where somebody waits for it, and all of it."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from anyio.lowlevel import checkpoint

from fastbatch import Account, api
from fastbatch.books.facts import Built, Ended, Fact, Rejected, Stored, Submitted
from fastbatch.books.ledger import Ledger
from fastbatch.books.standing import Standing, State
from fastbatch.errors import JournalFailed
from fastbatch.events import BundleUploaded, Event, InputFailed, RunStarted, TasksSubmitted
from fastbatch.journal.records import Attempt, Changes, Outcome
from fastbatch.journal.store import Journal
from fastbatch.model import Blob, Bundle, Ending, Summary, Task
from fastbatch.running.recorder import Recorder
from fastbatch.settings import Settings
from fastbatch.stages import bundle as bundling
from fastbatch.stages import guard
from fastbatch.stages.bundle import BuiltBundle
from tests.books.test_ledger import BLOB, ended, plan_of
from tests.counted import POOL, Seen, account_of, counts, reference, texts, write
from tests.local.instances import Instance, eventually, new_name
from tests.proxy import Rule, proxy


class Page:
    """Where it is written: each writing is kept, and may fail, or wait."""

    def __init__(self) -> None:
        self.written: list[Changes] = []
        self.broken = False
        self.opened = threading.Event()
        self.opened.set()

    def __call__(self, changes: Changes) -> None:
        """Write."""
        self.opened.wait(20)
        if self.broken:
            raise JournalFailed("the disk is full")
        self.written.append(changes)

    def standings(self) -> dict[str, Standing]:
        """Give where bundles stand, as the last writing says of each."""
        return {bundle: standing for changes in self.written for bundle, standing in changes.standings.items()}

    def attempts(self) -> dict[Task, Attempt]:
        """Give what is known of attempts; what is written last counts."""
        return {attempt.task: attempt for changes in self.written for attempt in changes.attempts}


class Run:
    """The books of a run, and who writes down what is entered into them."""

    def __init__(self, bundles: int) -> None:
        self.page = Page()
        self.ledger = Ledger(plan_of([1] * bundles), retries=1, retry_wait=0)
        self.recorder = Recorder(self.page, self.ledger)

    def say(self, *facts: Fact) -> None:
        """Enter facts, as the pipeline does."""
        for fact in facts:
            self.ledger.apply(fact)
            self.recorder.note(fact)


def recording(bundles: int, scene: Callable[[Run], Any]) -> Run:
    """Have a scene while it is written down."""
    run = Run(bundles)

    async def program() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(run.recorder.work)
            await scene(run)
            group.cancel_scope.cancel()

    anyio.run(program)
    return run


def test_what_happens_at_once_is_written_at_once() -> None:
    """A thousand things are one writing, or two."""

    async def scene(run: Run) -> None:
        run.say(*(Built(f"b{n + 1:05}", BLOB) for n in range(1000)))
        await run.recorder.written()

    run = recording(1000, scene)
    assert len(run.page.written) <= 2
    assert len(run.page.standings()) == 1000


def test_who_waits_goes_on_when_all_that_was_noted_before_is_written() -> None:
    """Also what is noted while something else is being written."""

    async def scene(run: Run) -> None:
        run.page.opened.clear()
        run.say(Built("b00001", BLOB))
        async with anyio.create_task_group() as group:
            group.start_soon(run.recorder.written)
            with anyio.move_on_after(0.3):
                await anyio.sleep_forever()  # it is being written now
            run.say(Built("b00002", BLOB))
            run.page.opened.set()
            await run.recorder.written()
            assert run.page.standings().keys() == {"b00001", "b00002"}

    assert len(recording(2, scene).page.written) == 2


def test_who_waits_for_nothing_does_not_wait() -> None:
    """As all of it is written."""

    async def scene(run: Run) -> None:
        run.say(Built("b00001", BLOB))
        await run.recorder.written()
        run.page.opened.clear()
        with anyio.fail_after(5):
            await run.recorder.written()
        run.page.opened.set()

    assert len(recording(1, scene).page.written) == 1


def test_nothing_is_written_while_nothing_happens() -> None:
    """However long that takes."""

    async def scene(run: Run) -> None:
        for _ in range(10):
            await checkpoint()
        assert run.page.written == []

    recording(1, scene)


def test_what_is_noted_is_written_though_nobody_waits() -> None:
    """Soon."""

    async def scene(run: Run) -> None:
        run.say(Built("b00001", BLOB))
        await to_thread.run_sync(eventually, lambda: run.page.written, bool)

    recording(1, scene)


def test_an_ending_that_is_faster_than_the_answer_to_its_submission_stays() -> None:
    """What the answer says then is no news."""
    run, task = Run(1), Task("b00001")
    run.say(Built("b00001", BLOB), Stored("b00001", reused=False), ended(task), Submitted((task,)))
    anyio.run(run.recorder.flush)

    assert run.page.attempts()[task].outcome is Outcome.SUCCEEDED


def test_a_refusal_that_comes_after_an_ending_changes_nothing() -> None:
    """As when a task was added by a request whose answer was lost, and could not be added again."""
    run, task = Run(1), Task("b00001")
    run.say(Built("b00001", BLOB), Stored("b00001", reused=False), ended(task), Rejected(task, "no"))
    anyio.run(run.recorder.flush)

    assert run.page.attempts()[task].outcome is Outcome.SUCCEEDED


def test_attempts_are_written_with_what_came_of_them() -> None:
    """In which job, on which node, with which code, and why."""
    run, task = Run(2), Task("b00001")
    other = Task("b00002")
    run.say(*(fact for name in ("b00001", "b00002") for fact in (Built(name, BLOB), Stored(name, reused=False))))
    run.say(Submitted((task,), 2), Rejected(other, "no such thing"))
    anyio.run(run.recorder.flush)
    assert run.page.attempts() == {
        task: Attempt(task, 2),
        other: Attempt(other, outcome=Outcome.REJECTED, reason="no such thing"),
    }
    run.say(Ended(Ending(task, succeeded=False, exit_code=9, node="node-7", job=2)))
    anyio.run(run.recorder.flush)

    (attempt,) = run.page.written[-1].attempts
    assert (attempt.outcome, attempt.job, attempt.exit_code, attempt.node) == (Outcome.FAILED, 2, 9, "node-7")
    assert "died" in attempt.reason
    assert run.page.standings()["b00001"].attempt == 1


def test_what_could_not_be_written_is_written_with_the_next() -> None:
    """If the journal works again by then."""
    run, task = Run(1), Task("b00001")
    run.say(Built("b00001", BLOB), Stored("b00001", reused=False), Submitted((task,)))
    run.page.broken = True
    with pytest.raises(JournalFailed):
        anyio.run(run.recorder.flush)
    run.page.broken = False
    run.say(ended(task))
    anyio.run(run.recorder.flush)

    assert run.page.standings()["b00001"].state is State.FETCHING
    assert run.page.standings()["b00001"].blob == BLOB
    assert [attempt.outcome for attempt in run.page.written[-1].attempts] == [Outcome.OPEN, Outcome.SUCCEEDED]


def test_who_writes_has_what_was_so_then() -> None:
    """What happens meanwhile changes nothing of it."""
    run = Run(1)
    run.say(Built("b00001", BLOB))
    anyio.run(run.recorder.flush)
    run.say(Stored("b00001", reused=False))

    assert run.page.written[0].standings["b00001"].state is State.PREPARING


def test_who_waits_is_ended_by_what_ends_the_writing() -> None:
    """It does not wait for ever."""

    async def scene(run: Run) -> None:
        run.page.broken = True
        run.say(Built("b00001", BLOB))
        with anyio.fail_after(10):
            await run.recorder.written()

    with pytest.raises(ExceptionGroup) as caught:
        recording(1, scene)
    assert caught.group_contains(JournalFailed)


# --- in a run ---------------------------------------------------------------------------------------------------------


def gone_about(account: Account, folder: Path, seen: Seen) -> Summary:
    """Run a folder."""
    settings = Settings(pool=POOL, output=str(folder.parent / "out"), files_per_task=2)
    return api.run_sync([str(folder)], settings, account=account, observe=seen)


@pytest.mark.parametrize("moment", [RunStarted, TasksSubmitted], ids=["from the start", "when tasks are submitted"])
def test_a_journal_that_fails_ends_the_run_which_goes_on_when_it_works_again(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: type[Event]
) -> None:
    """Nothing is uploaded that it does not know of."""
    corpus = {**texts(9), "own.txt": new_name().encode()}
    folder, seen, wrote = write(tmp_path / "in", corpus), Seen(), Journal.write

    def failing(journal: Journal, run: str, changes: Changes) -> None:
        if seen.of(moment):
            raise JournalFailed("The journal can't be written: the disk is full")
        wrote(journal, run, changes)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "write", failing)
        with pytest.raises(JournalFailed, match="the disk is full"):
            gone_about(account, folder, seen)
    assert moment is TasksSubmitted or all(event.reused for event in seen.of(BundleUploaded))

    summary = anyio.run(partial(api.resume, "last", account=account))
    assert summary.complete
    assert counts(tmp_path / "out") == dict(reference(list(corpus.values())))


class SlowDisk:
    """A disk that takes nothing from when a task was submitted until the inputs have failed, as the job was ended."""

    def __init__(self, services: Instance, inputs: int) -> None:
        self._services = services
        self._inputs = inputs
        self._submitted, self._busy, self._given_up = (threading.Event() for _ in range(3))
        self._build = bundling.build
        self._run = ""

    def build(self, bundle: Bundle, blob: Blob | None, checks: bytes) -> BuiltBundle:
        """Build the first bundle, and others when something else is being written."""
        if bundle.id != "b00001":
            self._busy.wait(20)
        return self._build(bundle, blob, checks)

    def wait(self) -> None:
        """Wait until the disk takes something."""
        if self._submitted.is_set():
            self._busy.set()
            self._given_up.wait(20)

    def observe(self, event: Event) -> None:
        """End the job as soon as it has a task; let the disk go on when every input has failed."""
        if isinstance(event, RunStarted):
            self._run = event.run
        elif isinstance(event, TasksSubmitted):
            with self._services.client() as client:
                client.begin_terminate_job(self._run, options={"terminateReason": "no more"}, polling_interval=3600)
            self._submitted.set()
        elif isinstance(event, InputFailed):
            self._inputs -= 1
            if not self._inputs:
                self._given_up.set()


def test_a_run_that_is_given_up_ends_though_an_upload_waits_for_what_is_written(
    services: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever."""
    corpus = {"a.txt": b"one", "own.txt": new_name().encode()}
    folder, disk, wrote = write(tmp_path / "in", corpus), SlowDisk(services, len(corpus)), Journal.write

    def slowly(journal: Journal, run: str, changes: Changes) -> None:
        disk.wait()
        wrote(journal, run, changes)

    monkeypatch.setattr(bundling, "build", disk.build)
    monkeypatch.setattr(Journal, "write", slowly)
    monkeypatch.setattr(guard, "LISTED_AGAIN", 0.0)
    monkeypatch.setattr(guard, "LOOK_AGAIN", 0.2)
    settings = Settings(pool=POOL, files_per_task=1)

    async def program(account: Account) -> Summary:
        with anyio.fail_after(30):
            return await api.run([str(folder)], settings, account=account, observe=disk.observe)

    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/tasks\\?", times=1000, edit=lambda _: b'{"value":[]}'))
        summary = anyio.run(program, account_of(services, batch_endpoint=batch.url))

    assert (summary.books.failed, summary.books.open) == (2, 0)
