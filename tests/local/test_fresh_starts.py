"""Forgetting everything in the middle of whatever goes on: what is asked meanwhile is done whole, or not at all."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastbatch.local.operations import control, jobs, pools, tasks
from fastbatch.local.records import Job, Node, Pool, Task
from fastbatch.local.wire import DAY
from tests.local.play import JOB, POOL, TASK, Play, playing, pool_body


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


def test_what_is_asked_before_everything_has_ended_is_forgotten_too(play: Play) -> None:
    """A service that ends what runs takes calls as ever."""
    play.ask(control.reset)
    begin(play, "new")
    assert playing(play) == ["old"]

    play.agent.playing[0].gone.set_result(None)
    play.settle()
    assert ids(play) == playing(play) == []


def test_what_is_asked_while_files_are_removed_is_done(play: Play) -> None:
    """By then all else is forgotten, the time too."""
    removed = play.loop.create_future()
    play.agent.remove_everything = lambda: asyncio.wait_for(removed, None)  # type: ignore[method-assign]
    play.wait(365 * DAY)
    play.ask(control.reset)
    play.agent.playing[0].gone.set_result(None)
    play.settle()
    begin(play, "new")
    made = next(play.store.select(Pool)).created
    removed.set_result(None)
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
