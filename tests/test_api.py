"""fastbatch as a library: the names that it gives, and what it leaves alone."""

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

import fastbatch
from fastbatch import Account, Settings, Summary, state
from fastbatch.errors import UsageError
from fastbatch.events import BundleUploaded, Event, RunCompleted, RunResumed, RunStarted, TasksSubmitted
from fastbatch.local.instance import asking
from fastbatch.local.instance.home import Home
from tests.counted import POOL, Seen, account_of, counted, counts, reference, texts, write
from tests.local.instances import Instance, eventually, new_name
from tests.proxy import Rule, proxy

SCRIPT = """
import asyncio, json, logging, signal, sys
import fastbatch

def seen():
    handlers = {number.name: id(signal.getsignal(number)) for number in signal.Signals}
    own = logging.getLogger("fastbatch")
    root = logging.getLogger()
    return {
        "signals": handlers,
        "root": [root.level, [str(handler) for handler in root.handlers]],
        "own": [own.level, [str(handler) for handler in own.handlers], own.propagate],
        "hooks": [sys.excepthook is sys.__excepthook__, sys.stdout is sys.__stdout__],
    }

folder, result, pieces = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
account = fastbatch.Account(**pieces)
settings = fastbatch.Settings(pool="runs", output=folder + "-out")

async def main():
    states = [seen()]  # with what asyncio itself does to Ctrl-C
    await fastbatch.run([folder], settings, account=account, observe=lambda event: states.append(seen()))
    return [*states, seen()]

states = asyncio.run(main())
around = [seen(), fastbatch.run_sync([folder], settings, account=account).complete and seen()]
with open(result, "w") as file:
    json.dump([states, around], file)
"""


class Cancelled:
    """An observer that cancels a scope at an event of a kind."""

    def __init__(self, kind: type[Event]) -> None:
        self.scope = anyio.CancelScope()
        self._kind = kind

    def __call__(self, event: Event) -> None:
        """Cancel."""
        if isinstance(event, self._kind):
            self.scope.cancel()


def kept() -> list[Path]:
    """Give what runs have kept in the state folder, which is another for each test, beside journal and results."""
    return [path for path in state.folder().rglob("*") if path.is_file() and not _is_to_be_kept(path)]


def _is_to_be_kept(path: Path) -> bool:
    return path.name.startswith("journal.db") or path.suffix in {".result", ".lock"}


def chosen(tmp_path: Path, **more: Any) -> Settings:
    """Give settings for a run."""
    return Settings(**{"pool": POOL, "output": str(tmp_path / "out"), **more})


# --- names ------------------------------------------------------------------------------------------------------------


def test_all_that_is_named_can_be_imported() -> None:
    """And a star imports just that."""
    code = "names = {}; exec('from fastbatch import *', names); del names['__builtins__']; print(sorted(names))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == str(sorted(fastbatch.__all__))
    assert len(set(fastbatch.__all__)) == len(fastbatch.__all__)
    assert {"run", "run_sync", "resume", "plan", "Settings", "Account", "errors", "events"} <= set(fastbatch.__all__)


def test_what_is_not_there_is_told_as_of_any_module() -> None:
    """So that hasattr works."""
    assert not hasattr(fastbatch, "nothing")
    with pytest.raises(AttributeError, match="module 'fastbatch' has no attribute 'nothing'"):
        fastbatch.nothing  # noqa: B018 -- what is asked for is the error


def test_names_are_listed() -> None:
    """For who explores it."""
    assert set(fastbatch.__all__) <= set(dir(fastbatch))


def test_the_import_takes_no_time() -> None:
    """What is needed for a run is imported by a run."""
    code = "import sys, fastbatch; print(sorted({'aiohttp', 'anyio', 'azure', 'click', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


# --- runs -------------------------------------------------------------------------------------------------------------


def test_a_run_can_be_awaited(account: Account, tmp_path: Path) -> None:
    """Its observer is told of all, from the start to the summary that is given."""
    corpus = texts(6)
    folder, seen = write(tmp_path / "in", corpus), Seen()

    async def program() -> Summary:
        return await fastbatch.run([str(folder)], chosen(tmp_path), account=account, observe=seen)

    summary = anyio.run(program)

    assert summary.complete
    assert isinstance(seen[0], RunStarted)
    assert seen[-1] == RunCompleted(summary)
    assert counts(tmp_path / "out") == dict(reference(list(corpus.values())))
    assert kept() == []


def test_settings_need_not_be_given(account: Account, tmp_path: Path) -> None:
    """There is a default for each; without an output folder the totals are in the summary."""
    corpus = texts(2)
    summary = fastbatch.run_sync([str(write(tmp_path / "in", corpus))], account=account)

    assert summary.complete
    assert summary.pool == "fastbatch"
    assert dict(summary.totals.top).items() <= reference(list(corpus.values())).items()
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_account_need_not_be_given(services: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is the one that the command uses, too."""
    for name, value in asking.environment(Home(services.home)).items():
        monkeypatch.setenv(name, value)

    assert fastbatch.run_sync([str(write(tmp_path / "in", texts(2)))], chosen(tmp_path)).complete


def test_no_account_anywhere_is_told_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is missing."""
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    seen = Seen()
    with pytest.raises(UsageError, match="AZURE_BATCH_ACCOUNT"):
        fastbatch.run_sync([str(write(tmp_path / "in", texts(2)))], chosen(tmp_path), observe=seen)

    assert seen == []
    assert kept() == []


def test_runs_go_side_by_side(account: Account, tmp_path: Path) -> None:
    """In one event loop; each has its own result."""
    corpora = [texts(4), {"other.txt": b"another corpus"}]
    summaries = dict[int, Summary]()

    async def one(number: int) -> None:
        folder = write(tmp_path / f"in{number}", corpora[number])
        settings = chosen(tmp_path, output=str(tmp_path / f"out{number}"))
        summaries[number] = await fastbatch.run([str(folder)], settings, account=account)

    async def program() -> None:
        async with anyio.create_task_group() as group:
            for number in range(2):
                group.start_soon(one, number)

    anyio.run(program)

    assert summaries[0].run != summaries[1].run
    for number, corpus in enumerate(corpora):
        assert counts(tmp_path / f"out{number}") == dict(reference(list(corpus.values())))


def test_the_answer_to_a_question_is_the_programs(account: Account, tmp_path: Path) -> None:
    """Who says no keeps job and results."""
    questions = []

    async def no(question: str, *, expected: bool) -> bool:
        questions.append((question, expected))
        return False

    async def program() -> Summary:
        folder = write(tmp_path / "in", texts(2))
        settings = chosen(tmp_path, keep_pool=True)
        return await fastbatch.run([str(folder)], settings, account=account, confirm=no)

    summary = anyio.run(program)

    assert questions == [(f"Delete job {summary.run} and container fastbatch-out-{summary.run}?", True)]
    assert f"job {summary.run}" in summary.left


def test_a_synchronous_run_in_a_loop_is_a_clear_error(account: Account, tmp_path: Path) -> None:
    """It says what to do; nothing is begun."""

    async def program() -> None:
        fastbatch.run_sync([str(tmp_path)], account=account)

    with pytest.raises(RuntimeError, match=r"inside a running event loop; await fastbatch\.run"):
        anyio.run(program)
    assert kept() == []


def test_an_observer_that_raises_ends_the_run_with_its_error(account: Account, tmp_path: Path) -> None:
    """As it is, not in a group; nothing is left in the loop or on this machine."""

    def raising(event: Event) -> None:
        if isinstance(event, BundleUploaded):
            raise ZeroDivisionError("mine")

    left: list[object] = []

    async def program() -> None:
        try:
            folder = write(tmp_path / "in", texts(3))
            await fastbatch.run([str(folder)], chosen(tmp_path), account=account, observe=raising)
        finally:
            left.extend(asyncio.all_tasks() - {asyncio.current_task()})

    with pytest.raises(ZeroDivisionError, match="mine"):
        anyio.run(program)
    assert left == []
    assert kept() == []


# --- plans ------------------------------------------------------------------------------------------------------------


def test_a_plan_says_what_a_run_does(account: Account, tmp_path: Path) -> None:
    """It is the same every time."""
    corpus = texts(10)
    inputs, settings = [str(write(tmp_path / "in", corpus))], chosen(tmp_path, files_per_task=3)
    plan = anyio.run(fastbatch.plan, inputs, settings)
    summary = fastbatch.run_sync(inputs, settings, account=account)

    assert isinstance(plan, fastbatch.Plan)
    assert plan == anyio.run(fastbatch.plan, inputs, settings)
    assert len(plan.items) == len(corpus)
    assert plan.bytes == sum(map(len, corpus.values()))
    assert len(plan.bundles) == summary.bundles == 4


def test_a_plan_that_can_not_be_is_told_with_all_problems(tmp_path: Path) -> None:
    """Of inputs and settings."""
    with pytest.raises(UsageError) as caught:
        anyio.run(fastbatch.plan, [str(tmp_path / "nowhere")], Settings(top=0, pool="a b"))

    assert len(caught.value.problems) == 3


# --- cancelling -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RunStarted, BundleUploaded, TasksSubmitted])
def test_a_run_that_is_cancelled_leaves_nothing_behind_and_can_go_on(
    services: Instance, tmp_path: Path, kind: type[Event]
) -> None:
    """No task of the loop, no file; a later run finds what was uploaded, and completes."""
    corpus = {**texts(6), "own.txt": new_name().encode()}
    folder = write(tmp_path / "in", corpus)

    async def program(account: Account) -> set[Any]:
        cancelled = Cancelled(kind)
        with cancelled.scope:
            await fastbatch.run([str(folder)], chosen(tmp_path), account=account, observe=cancelled)
        assert cancelled.scope.cancelled_caught
        return asyncio.all_tasks() - {asyncio.current_task()}

    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/tasks\\?", times=1000, edit=lambda _: b'{"value":[]}'))
        assert anyio.run(program, account_of(services, batch_endpoint=batch.url)) == set()

    assert kept() == []
    assert not (tmp_path / "out").exists()
    eventually(
        lambda: [thread.name for thread in threading.enumerate() if "AnyIO" in thread.name], lambda names: not names
    )
    summary, _ = counted(account_of(services), folder, tmp_path / "out")
    assert summary.complete
    assert summary.reused == (summary.bundles if kind is TasksSubmitted else summary.reused)
    assert counts(tmp_path / "out") == dict(reference(list(corpus.values())))


def test_a_task_of_asyncio_can_be_cancelled(services: Instance, tmp_path: Path) -> None:
    """By programs that know nothing of scopes."""
    folder = write(tmp_path / "in", texts(3))

    async def program(account: Account) -> set[Any]:
        submitted = asyncio.Event()

        def observe(event: Event) -> None:
            if isinstance(event, TasksSubmitted):
                submitted.set()

        task = asyncio.create_task(fastbatch.run([str(folder)], chosen(tmp_path), account=account, observe=observe))
        await submitted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.all_tasks() - {asyncio.current_task()}

    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/tasks\\?", times=1000, edit=lambda _: b'{"value":[]}'))
        assert asyncio.run(program(account_of(services, batch_endpoint=batch.url))) == set()
    assert kept() == []


# --- what is left alone -----------------------------------------------------------------------------------------------


def test_signals_logging_and_the_terminal_are_the_programs(services: Instance, tmp_path: Path) -> None:
    """Before, during and after a run; nothing is printed."""
    folder, result = write(tmp_path / "in", texts(3)), tmp_path / "result.json"
    pieces = json.dumps(dataclasses.asdict(account_of(services)))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, folder, result, pieces], capture_output=True, text=True, check=True
    )
    states, around = json.loads(result.read_text())

    assert (done.stdout, done.stderr) == ("", "")
    assert len(states) > 5
    assert all(state == states[0] for state in states)
    assert around[0] == around[1]


def test_a_run_need_not_be_in_the_main_thread(account: Account, tmp_path: Path) -> None:
    """As it has no need of signals."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    folder, found = write(tmp_path / "in", texts(2)), list[Summary]()
    thread = threading.Thread(
        target=lambda: found.append(fastbatch.run_sync([str(folder)], chosen(tmp_path), account=account))
    )
    thread.start()
    thread.join()

    assert found[0].complete
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


# --- going on ---------------------------------------------------------------------------------------------------------


def broken_off(services: Instance, folder: Path, settings: Settings) -> str:
    """Cancel a run as soon as it has tasks; give its name."""
    seen = Seen()

    async def program(account: Account) -> None:
        cancelled = Cancelled(TasksSubmitted)

        def observe(event: Event) -> None:
            seen(event)
            cancelled(event)

        with cancelled.scope:
            await fastbatch.run([str(folder)], settings, account=account, observe=observe)

    anyio.run(program, account_of(services))
    return str(seen.of(RunStarted)[0].run)


def test_a_run_that_was_broken_off_can_be_gone_on_with(services: Instance, tmp_path: Path) -> None:
    """By any of its names; its observer is told what was reached."""
    corpus, seen = {**texts(6), "own.txt": new_name().encode()}, Seen()
    run = broken_off(services, write(tmp_path / "in", corpus), chosen(tmp_path))

    async def program() -> Summary:
        return await fastbatch.resume("last", account=account_of(services), observe=seen)

    summary = anyio.run(program)

    assert (summary.run, summary.complete) == (run, True)
    assert [event.run for event in seen.of(RunStarted)] == [run]
    assert len(seen.of(RunResumed)) == 1
    assert seen[-1] == RunCompleted(summary)
    assert counts(tmp_path / "out") == dict(reference(list(corpus.values())))
    assert kept() == []


def test_a_run_that_is_not_there_or_elsewhere_can_not_be_gone_on_with(services: Instance, tmp_path: Path) -> None:
    """That is a wrong use, as with the command."""
    with pytest.raises(UsageError, match="There is no run"):
        anyio.run(fastbatch.resume, "last")
    run = broken_off(services, write(tmp_path / "in", texts(2)), chosen(tmp_path))
    other = account_of(services, batch_account="another")

    with pytest.raises(UsageError, match=f"Run {run} is on another account: fastbatchlocal"):
        anyio.run(partial(fastbatch.resume, "last", account=other))
