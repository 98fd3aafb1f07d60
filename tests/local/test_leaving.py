"""What is on its way to another state and takes its time, as the test holds what has to end before."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fastbatch.local import bodies, wire
from fastbatch.local.errors import Refused
from fastbatch.local.fields import Object
from fastbatch.local.operations import jobs, nodes, pools, tasks
from fastbatch.local.operations.call import Answer, Call
from fastbatch.local.service.limits import Limits
from fastbatch.local.states.outcomes import Outcome
from tests.local.instances import pool_body
from tests.local.play import Play, PlayAgent

MINUTE = 60 * wire.SECOND
LONG_BOOT = Limits(node_boot_seconds=3600)

Operation = Callable[[Call], Answer]
Step = tuple[Operation, Object | None, dict[str, Any] | None]

POOL = pool_body("pool", targetDedicatedNodes=2)
JOB = {"id": "job", "poolInfo": {"poolId": "pool"}}
RESIZE: Step = (pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 1})
DELETE_POOL: Step = (pools.delete, None, None)
TERMINATE: Step = (jobs.terminate, bodies.JOB_TERMINATE, {})
DELETE_JOB: Step = (jobs.delete, None, None)
CHANGES_OF_A_JOB: list[Step] = [
    (jobs.create, bodies.JOB, JOB),
    (jobs.create, bodies.JOB, {**JOB, "id": "JOB"}),
    (jobs.patch, bodies.JOB_PATCH, {"priority": 1}),
    (jobs.disable, bodies.JOB_DISABLE, {"disableTasks": "wait"}),
    (jobs.enable, None, None),
    TERMINATE,
    (tasks.create, bodies.TASK, {"id": "b", "commandLine": "true"}),
]


def answer(play: Play, step: Step) -> int | str:
    """Give the status of the answer to what is asked, or the code of the refusal."""
    operation, check, body = step
    try:
        given = play.ask(operation, check, body, pool="pool", job="job")
    except Refused as refused:
        return refused.code
    assert given is not None
    return given.status


def shown(play: Play, operation: Operation) -> dict[str, Any]:
    """Give what an operation shows."""
    given = play.ask(operation, pool="pool", job="job", task="a")
    assert given is not None
    return dict(given.body or {})


def node_states(play: Play) -> list[str]:
    """Give the states of the pool's nodes."""
    return [node["state"] for node in shown(play, nodes.list_all)["value"]]


def resize_errors(play: Play) -> list[str]:
    """Give the codes of what went wrong with the last resize."""
    return [error["code"] for error in shown(play, pools.get).get("resizeErrors", [])]


@pytest.fixture
def play() -> Iterator[Play]:
    """Have a service with a pool of two nodes, on which a task runs that does not end before it is let go."""
    service = Play(Path(":memory:"))
    service.ask(pools.create, bodies.POOL, POOL)
    service.ask(jobs.create, bodies.JOB, JOB)
    service.ask(tasks.create, bodies.TASK, {"id": "a", "commandLine": "true"}, job="job")
    assert sorted(node_states(service)) == ["idle", "running"]
    yield service
    service.close()


def let_go(play: Play) -> None:
    """Let the task end that was stopped."""
    (playing,) = play.agent.playing
    assert playing.stopped
    playing.gone.set_result(None)
    play.settle()


# --- jobs ---


@pytest.mark.parametrize("step", [*CHANGES_OF_A_JOB, DELETE_JOB])
def test_a_job_that_is_being_deleted_refuses_all_changes(play: Play, step: Step) -> None:
    """It can still be seen, and no other can be made in its place, until its tasks have ended."""
    assert answer(play, DELETE_JOB) == 202
    assert answer(play, step) == "JobBeingDeleted"
    assert shown(play, jobs.get)["state"] == "deleting"
    let_go(play)
    assert answer(play, (jobs.get, None, None)) == "JobNotFound"
    assert answer(play, (jobs.create, bodies.JOB, JOB)) == 201


@pytest.mark.parametrize("step", CHANGES_OF_A_JOB[2:])
def test_a_job_that_is_being_terminated_refuses_changes(play: Play, step: Step) -> None:
    """It is complete when its tasks have ended, and gives its reason then."""
    assert answer(play, TERMINATE) == 202
    assert answer(play, step) == "JobBeingTerminated"
    assert answer(play, (jobs.create, bodies.JOB, JOB)) == "JobExists"
    assert "terminateReason" not in shown(play, jobs.get)["executionInfo"]
    let_go(play)
    assert shown(play, jobs.get)["state"] == "completed"
    assert shown(play, jobs.get)["executionInfo"]["terminateReason"] == "UserTerminate"


@pytest.mark.parametrize("how", ["requeue", "terminate"])
@pytest.mark.parametrize("end", [TERMINATE, DELETE_JOB])
def test_a_job_can_be_ended_while_its_tasks_are_stopped(play: Play, how: str, end: Step) -> None:
    """What it waits for is the same."""
    assert answer(play, (jobs.disable, bodies.JOB_DISABLE, {"disableTasks": how})) == 202
    assert shown(play, jobs.get)["state"] == "disabling"
    assert answer(play, end) == 202
    let_go(play)
    assert answer(play, end) == ("JobCompleted" if end is TERMINATE else "JobNotFound")
    assert not play.agent.playing


def test_a_job_that_is_enabled_while_its_tasks_are_stopped_runs_them_again(play: Play) -> None:
    """Each begins anew when nothing is left of its last run."""
    answer(play, (jobs.disable, bodies.JOB_DISABLE, {"disableTasks": "requeue"}))
    assert answer(play, (jobs.enable, None, None)) == 202
    assert shown(play, jobs.get)["state"] == "active"
    let_go(play)
    (again,) = play.agent.playing
    assert not again.stopped
    assert again.assigned.task.requeues == 1


# --- pools ---


@pytest.mark.parametrize(
    "step",
    [
        (pools.create, bodies.POOL, POOL),
        (pools.create, bodies.POOL, {**POOL, "id": "POOL"}),
        (pools.patch, bodies.POOL_PATCH, {"metadata": []}),
        RESIZE,
        (pools.stop_resize, None, None),
        (pools.remove_nodes, bodies.REMOVE_NODES, {"nodeList": []}),
        DELETE_POOL,
    ],
)
def test_a_pool_that_is_being_deleted_refuses_all_changes(play: Play, step: Step) -> None:
    """It can still be seen, and no other can be made in its place, until its nodes have gone."""
    assert answer(play, DELETE_POOL) == 202
    assert answer(play, step) == "PoolBeingDeleted"
    assert (shown(play, pools.get)["state"], node_states(play)) == ("deleting", ["leavingpool"])
    let_go(play)
    assert answer(play, (pools.get, None, None)) == "PoolNotFound"


@pytest.mark.parametrize("option", ["taskcompletion", "retaineddata"])
def test_a_pool_that_is_deleted_waits_for_no_task(play: Play, option: str) -> None:
    """Not even for those that a resize before has let finish: they wait for another pool of that name."""
    patient = {"targetDedicatedNodes": 0, "nodeDeallocationOption": option}
    assert answer(play, (pools.resize, bodies.RESIZE, patient)) == 202
    assert not play.agent.playing[0].stopped
    assert answer(play, DELETE_POOL) == 202
    let_go(play)
    assert answer(play, (pools.get, None, None)) == "PoolNotFound"
    assert shown(play, tasks.get)["state"] == "active"
    play.ask(pools.create, bodies.POOL, POOL)
    assert [each.assigned.task.requeues for each in play.agent.playing] == [1]


def test_a_resize_that_is_under_way_refuses_another(play: Play) -> None:
    """It can be stopped, one time; then the node that was to leave stays, and works when its task is gone."""
    none = {"targetDedicatedNodes": 0}
    assert answer(play, (pools.resize, bodies.RESIZE, none)) == 202
    assert answer(play, RESIZE) == "PoolBeingResized"
    assert answer(play, (pools.remove_nodes, bodies.REMOVE_NODES, {"nodeList": []})) == "PoolBeingResized"
    assert answer(play, (pools.stop_resize, None, None)) == 202
    assert (shown(play, pools.get)["allocationState"], node_states(play)) == ("steady", ["running"])
    assert resize_errors(play) == ["ResizeStopped"]
    assert answer(play, (pools.stop_resize, None, None)) == "OperationInvalidForCurrentState"
    let_go(play)
    assert [each.stopped for each in play.agent.playing] == [False]
    assert answer(play, RESIZE) == 202
    assert (shown(play, pools.get)["allocationState"], node_states(play)) == ("steady", ["running"])
    assert resize_errors(play) == []


def test_a_node_that_waits_for_files_goes_when_the_job_goes(play: Play) -> None:
    """No files of its tasks are left then."""
    patient = {"targetDedicatedNodes": 0, "nodeDeallocationOption": "retaineddata"}
    play.agent.playing[0].outcome.set_result(Outcome(0))
    play.settle()
    assert answer(play, (pools.resize, bodies.RESIZE, patient)) == 202
    assert node_states(play) == ["leavingpool"]
    assert answer(play, DELETE_JOB) == 202
    assert (node_states(play), shown(play, pools.get)["allocationState"]) == ([], "steady")


def test_a_node_that_waits_for_files_goes_when_their_time_is_over(play: Play) -> None:
    """A task's files are kept for a week, if it does not say otherwise."""
    patient = {"targetDedicatedNodes": 0, "nodeDeallocationOption": "retaineddata", "resizeTimeout": "P30D"}
    play.agent.playing[0].outcome.set_result(Outcome(0))
    play.settle()
    answer(play, (pools.resize, bodies.RESIZE, patient))
    play.wait(6 * wire.DAY)
    assert node_states(play) == ["leavingpool"]
    play.wait(wire.DAY)
    assert (node_states(play), shown(play, pools.get)["allocationState"]) == ([], "steady")


def test_a_resize_takes_no_more_time_than_it_is_given(play: Play) -> None:
    """Then the nodes that are still there stay, and the pool says that it is not as was wanted."""
    patient = {"targetDedicatedNodes": 0, "nodeDeallocationOption": "taskcompletion", "resizeTimeout": "PT6M"}
    answer(play, (pools.resize, bodies.RESIZE, patient))
    play.wait(5 * MINUTE)
    assert (shown(play, pools.get)["allocationState"], node_states(play)) == ("resizing", ["leavingpool"])
    play.wait(MINUTE)
    found = shown(play, pools.get)
    assert (found["allocationState"], node_states(play)) == ("steady", ["running"])
    assert (found["currentDedicatedNodes"], found["targetDedicatedNodes"]) == (1, 0)
    assert found["resizeTimeout"] == "PT6M"
    assert resize_errors(play) == ["AllocationTimedOut"]


def test_nodes_that_boot_for_too_long_are_given_up() -> None:
    """A pool that is not told otherwise waits for a quarter of an hour."""
    play = Play(Path(":memory:"), LONG_BOOT)
    play.ask(pools.create, bodies.POOL, POOL)
    play.wait(14 * MINUTE)
    assert (shown(play, pools.get)["allocationState"], node_states(play)) == ("resizing", ["creating"] * 2)
    play.wait(MINUTE)
    assert (shown(play, pools.get)["allocationState"], node_states(play)) == ("steady", [])
    assert resize_errors(play) == ["AllocationTimedOut"]
    play.wait(60 * MINUTE)
    assert node_states(play) == []
    play.close()


def test_nodes_boot_when_their_time_has_come() -> None:
    """All that is given to them is waited for."""
    play = Play(Path(":memory:"), LONG_BOOT)
    play.ask(pools.create, bodies.POOL, {**POOL, "resizeTimeout": "PT2H"})
    play.wait(59 * MINUTE)
    assert node_states(play) == ["creating"] * 2
    play.wait(MINUTE)
    assert (shown(play, pools.get)["allocationState"], node_states(play)) == ("steady", ["idle"] * 2)
    play.close()


# --- start tasks ---


@dataclass
class StartingAgent(PlayAgent):
    """Nodes whose start tasks end, or are gone once stopped, when the test says so."""

    starts: list[asyncio.Future[Outcome]] = field(default_factory=list)
    stopped: list[asyncio.Future[None]] = field(default_factory=list)

    async def run_start_task(self, *_: object) -> Outcome:
        """Play a start task."""
        self.starts.append(asyncio.get_running_loop().create_future())
        try:
            return await self.starts[-1]
        except asyncio.CancelledError:
            self.stopped.append(asyncio.get_running_loop().create_future())
            await self.stopped[-1]
            raise


@pytest.fixture
def agent() -> StartingAgent:
    """Have nodes with start tasks in the hands of the test."""
    return StartingAgent()


@pytest.fixture
def starting(agent: StartingAgent) -> Iterator[Play]:
    """Have a service whose nodes they are."""
    service = Play(Path(":memory:"))
    service.agent = service.core.agent = agent  # type: ignore[assignment] # it does what the engine asks of an agent
    yield service
    for start in agent.starts:
        start.cancel()
    for stopped in agent.stopped:
        if not stopped.done():
            stopped.set_result(None)
    service.close()


def start_pool(play: Play, *, waits: bool) -> None:
    """Make a pool of one node with a start task."""
    start_task = {"commandLine": "x", "waitForSuccess": waits}
    play.ask(pools.create, bodies.POOL, pool_body("pool", targetDedicatedNodes=1, startTask=start_task))


@pytest.mark.parametrize(("waits", "state"), [(True, "waitingforstarttask"), (False, "idle")])
def test_a_start_task_is_begun_again_if_its_node_stays_after_all(
    starting: Play, agent: StartingAgent, waits: bool, state: str
) -> None:
    """It was stopped as the node was to leave; no node is taken for ready whose start task has not run."""
    start_pool(starting, waits=waits)
    assert node_states(starting) == [state]
    answer(starting, (pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 0}))
    assert node_states(starting) == ["leavingpool"]
    answer(starting, (pools.stop_resize, None, None))
    assert node_states(starting) == [state]
    agent.stopped[0].set_result(None)
    starting.settle()
    assert (node_states(starting), len(agent.starts)) == ([state], 2)
    agent.starts[1].set_result(Outcome(0))
    starting.settle()
    assert node_states(starting) == ["idle"]


def test_a_pool_can_be_deleted_while_its_start_task_runs(starting: Play, agent: StartingAgent) -> None:
    """It is gone when the start task is."""
    start_pool(starting, waits=True)
    assert answer(starting, DELETE_POOL) == 202
    assert node_states(starting) == ["leavingpool"]
    agent.stopped[0].set_result(None)
    starting.settle()
    assert answer(starting, (pools.get, None, None)) == "PoolNotFound"


def test_a_node_that_has_run_its_tasks_is_idle_though_its_start_task_goes_on(
    starting: Play, agent: StartingAgent
) -> None:
    """A node is running as long as a job's task is on it."""
    start_pool(starting, waits=False)
    starting.ask(jobs.create, bodies.JOB, JOB)
    starting.ask(tasks.create, bodies.TASK, {"id": "a", "commandLine": "true"}, job="job")
    assert node_states(starting) == ["running"]
    agent.playing[0].outcome.set_result(Outcome(0))
    starting.settle()
    assert node_states(starting) == ["idle"]


# --- the service itself ends and comes back ---


@pytest.mark.parametrize("option", ["requeue", "terminate", "taskcompletion"])
def test_a_node_that_was_leaving_goes_when_the_service_comes_back(play: Play, option: str) -> None:
    """Nothing runs on it any more, however it was to leave."""
    answer(play, (pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 0, "nodeDeallocationOption": option}))
    play.restart()
    assert (shown(play, pools.get)["allocationState"], node_states(play)) == ("steady", [])
    assert shown(play, tasks.get)["state"] == ("completed" if option == "terminate" else "active")


@pytest.mark.parametrize("step", [DELETE_POOL, DELETE_JOB])
def test_what_was_being_deleted_is_gone_when_the_service_comes_back(play: Play, step: Step) -> None:
    """It has nothing more to wait for."""
    answer(play, step)
    play.restart()
    assert answer(play, step) == ("PoolNotFound" if step is DELETE_POOL else "JobNotFound")
