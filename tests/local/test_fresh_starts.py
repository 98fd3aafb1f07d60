"""Forgetting everything in the middle of whatever goes on, and going on from there."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastbatch.local.operations import control, jobs, pools, tasks
from fastbatch.local.records import Job, Node, Pool, Task
from fastbatch.local.states.outcomes import Outcome
from fastbatch.local.wire import DAY
from tests.local.play import JOB, POOL, TASK, Play, playing, pool_body, refusing


@pytest.fixture
def play() -> Iterator[Play]:
    """Have a service with a pool of one node, and a task that runs there."""
    service = Play(Path(":memory:"))
    begin(service, "old")
    yield service
    service.close()


def begin(play: Play, name: str) -> None:
    """Ask for a pool, a job and a task."""
    play.ask(pools.create, POOL, pool_body(name, 1, 1, "Spread"))
    play.ask(jobs.create, JOB, {"id": name, "poolInfo": {"poolId": name}})
    play.ask(tasks.create, TASK, {"id": name, "commandLine": "c"}, job=name)


def ids(play: Play) -> list[str]:
    """Give the ids of all pools, jobs and tasks."""
    store = play.store
    records: list[Pool | Job | Task] = [*store.select(Pool), *store.select(Job), *store.select(Task)]
    return [record.id for record in records]


@pytest.mark.parametrize("removes", [False, True])
def test_what_is_asked_meanwhile_is_done_afterwards(play: Play, *, removes: bool) -> None:
    """Be it that something is to end yet, or that its files are being removed; all is forgotten by then."""
    removed = play.loop.create_future()
    play.agent.remove_everything = lambda: asyncio.wait_for(removed, None)  # type: ignore[method-assign]
    play.wait(365 * DAY)
    play.ask(control.reset)
    assert ids(play) == []

    (old,) = play.agent.playing
    if removes:
        old.gone.set_result(None)
        play.settle()
    begin(play, "new")
    made = next(play.store.select(Pool)).created
    for waited in (removed, old.gone):
        if not waited.done():
            waited.set_result(None)
    play.settle()
    assert ids(play) == ["new"] * 3
    assert playing(play) == ["new"]
    assert [node.state for node in play.store.select(Node)] == ["running"]
    assert made <= play.clock.now()


def test_a_service_that_forgets_twice_at_once_goes_on(play: Play) -> None:
    """The second time finds nothing."""
    play.ask(control.reset)
    play.ask(control.reset)
    play.agent.playing[0].gone.set_result(None)
    play.settle()
    begin(play, "new")

    assert playing(play) == ["new"]


def test_a_service_that_could_not_forget_goes_on_as_before(play: Play) -> None:
    """Who asked was told that it failed."""
    with refusing(play, "DELETE", "tasks"), pytest.raises(sqlite3.Error):
        play.loop.run_until_complete(play.core.start_anew())
    assert ids(play) == ["old"] * 3

    play.agent.playing[0].outcome.set_result(Outcome(0))
    play.settle()
    assert [task.state for task in play.store.select(Task)] == ["completed"]


def test_a_service_that_can_t_remove_all_files_goes_on(play: Play) -> None:
    """Who asked is told; whoever asks for something next has it done."""

    async def fail() -> None:
        raise PermissionError

    play.agent.remove_everything = fail  # type: ignore[method-assign]
    starting = play.loop.create_task(play.core.start_anew())
    play.settle()
    play.agent.playing[0].gone.set_result(None)
    play.settle()
    begin(play, "new")

    assert isinstance(starting.exception(), PermissionError)
    assert playing(play) == ["new"]
