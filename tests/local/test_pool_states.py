"""The lives of pools and their nodes, as pure functions tell them."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fastbatch.local import bodies, wire
from fastbatch.local.errors import Refused
from fastbatch.local.records import Node, Pool
from fastbatch.local.states import nodes, pools
from fastbatch.local.states.outcomes import Failure, Outcome

NOW = 1_000 * wire.SECOND
LATER = NOW + wire.SECOND
TIMEOUT = 15 * 60 * wire.SECOND
STAYING = ("creating", "waitingforstarttask", "starttaskfailed", "idle", "running", "unusable")
SUCCESS, FAILURE = Outcome(0), Outcome(3)
UNPREPARED = Outcome(None, Failure("BlobNotFound", "It is not there"))

Move = Callable[[Pool], Pool]


def body(**more: Any) -> dict[str, Any]:
    """Give the checked body of a pool."""
    machine = {"imageReference": {}, "nodeAgentSKUId": "batch.node.ubuntu 22.04"}
    return bodies.POOL({"id": "pool", "vmSize": "A1", "virtualMachineConfiguration": machine, **more})


def new(**more: Any) -> Pool:
    """Give a pool that was just made."""
    return pools.new(body(**more), json.dumps(body(**more)), NOW)


def steady(dedicated: int = 0, low_priority: int = 0) -> Pool:
    """Give a pool that has come to its targets."""
    return replace(new(), allocation="steady", dedicated=dedicated, low_priority=low_priority, resize_deadline=None)


def resize(pool: Pool, now: int = LATER, **properties: Any) -> Pool:
    """Resize a pool."""
    return pools.resized(pool, bodies.RESIZE(properties), now)


def node(key: int = 1, state: str = "idle", *, dedicated: bool = True, **more: Any) -> Node:
    """Give a node in some state."""
    return replace(nodes.new(new(), f"node{key}", NOW, dedicated=dedicated), key=key, state=state, **more)


def refusal(move: Move, pool: Pool) -> str | None:
    """Give the code with which a move is refused, if it is."""
    try:
        move(pool)
    except Refused as refused:
        return refused.code
    return None


MOVES: Mapping[str, Move] = {
    "resize": lambda pool: resize(pool, targetDedicatedNodes=1),
    "remove": lambda pool: pools.without(pool, [], bodies.REMOVE_NODES({"nodeList": []}), LATER),
    "stop": lambda pool: pools.stopping(pool, LATER),
    "delete": lambda pool: pools.deleting(pool, LATER),
}


def test_a_new_pool_is_on_its_way_to_its_targets() -> None:
    """It is resizing before its first node is there, for a quarter of an hour at most."""
    pool = new(targetDedicatedNodes=2, targetLowPriorityNodes=1)
    assert (pool.state, pool.allocation, pool.dedicated, pool.low_priority) == ("active", "resizing", 2, 1)
    assert pool.resize_deadline == NOW + TIMEOUT


@pytest.mark.parametrize("allocation", ["resizing", "stopping"])
@pytest.mark.parametrize("move", ["resize", "remove"])
def test_a_pool_is_resized_one_time_after_the_other(move: str, allocation: str) -> None:
    """While its nodes come and go, no others may."""
    assert refusal(MOVES[move], replace(new(), allocation=allocation)) == "PoolBeingResized"
    assert refusal(MOVES[move], steady()) is None


@pytest.mark.parametrize("allocation", ["steady", "stopping"])
def test_only_a_resize_can_be_stopped(allocation: str) -> None:
    """There is nothing to stop in a pool that is steady, or about to be."""
    assert refusal(MOVES["stop"], replace(new(), allocation=allocation)) == "OperationInvalidForCurrentState"
    assert pools.stopping(new(), LATER).allocation == "stopping"


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("allocation", ["resizing", "stopping", "steady"])
def test_nothing_can_be_done_to_a_pool_that_goes_away(move: str, allocation: str) -> None:
    """It can't be deleted twice either, whatever its nodes do."""
    gone = replace(pools.deleting(new(), LATER), allocation=allocation)
    assert refusal(MOVES[move], gone) == "PoolBeingDeleted"


@pytest.mark.parametrize("allocation", ["resizing", "stopping", "steady"])
def test_a_pool_that_goes_away_loses_all_nodes(allocation: str) -> None:
    """It is resizing to nothing, and takes all the time that needs."""
    pool = pools.deleting(replace(new(targetDedicatedNodes=3), allocation=allocation), LATER)
    assert (pool.state, pool.allocation, pool.dedicated, pool.low_priority) == ("deleting", "resizing", 0, 0)
    assert not pools.late(pool, LATER + 1000 * wire.DAY)


def test_a_pool_that_goes_away_waits_for_no_task() -> None:
    """Nodes that were to leave when their tasks have ended leave at once, each asked one time only."""
    patient = node(1, "leavingpool", deallocation="taskcompletion")
    leaving = node(2, "leavingpool", deallocation="requeue")
    booting = node(3, "creating")
    plan = pools.allocation(pools.deleting(new(), LATER), [patient, leaving, booting], 100)
    assert (plan.make, plan.let_go) == ((), [patient, booting])


def test_a_resize_changes_the_targets_that_it_names() -> None:
    """The other target stays, and what went wrong the last time is forgotten."""
    pool = replace(steady(2, 3), resize_errors='[{"code": "ResizeStopped"}]')
    resized = resize(pool, targetLowPriorityNodes=1, nodeDeallocationOption="terminate", resizeTimeout="PT6M")
    assert (resized.dedicated, resized.low_priority, resized.resize_errors) == (2, 1, "[]")
    assert (resized.deallocation, resized.resize_deadline) == ("terminate", LATER + 360 * wire.SECOND)
    assert json.loads(resized.body)["resizeTimeout"] == "PT6M"


def test_a_resize_without_targets_is_none() -> None:
    """At least one must be named."""
    assert refusal(resize, steady(1)) == "MissingRequiredProperty"


def test_nodes_that_are_removed_are_not_replaced() -> None:
    """The targets go down by the nodes of each kind."""
    leaving = [node(1), node(2), node(3, dedicated=False)]
    pool = pools.without(steady(5, 5), leaving, bodies.REMOVE_NODES({"nodeList": []}), LATER)
    assert (pool.dedicated, pool.low_priority) == (3, 4)


def test_targets_that_were_never_reached_do_not_become_negative() -> None:
    """More nodes may be there than are wanted, as after a resize that was stopped."""
    pool = pools.without(steady(0), [node(1)], bodies.REMOVE_NODES({"nodeList": []}), LATER)
    assert pool.dedicated == 0


there = some.lists(some.tuples(some.sampled_from([*STAYING, "leavingpool"]), some.booleans()), max_size=12).map(
    lambda kinds: [node(key, state, dedicated=kind) for key, (state, kind) in enumerate(kinds)]
)
targets = some.tuples(some.integers(0, 8), some.integers(0, 8))


def after(plan: pools.Allocation, before: list[Node]) -> list[Node]:
    """Give the nodes when a plan was followed."""
    made = [node(100 + key, "creating", dedicated=kind) for key, kind in enumerate(plan.make)]
    return [each for each in before if each not in plan.let_go] + made


def staying(found: list[Node]) -> tuple[int, int]:
    """Count the nodes that stay, by kind."""
    counts = Counter(each.dedicated for each in found if each.state != "leavingpool")
    return counts[True], counts[False]


@given(there, targets)
def test_what_allocation_asks_for_reaches_the_targets(before: list[Node], target: tuple[int, int]) -> None:
    """Where there is room, one plan leads to exactly the nodes that are wanted, and then nothing is left to plan."""
    pool = replace(new(), dedicated=target[0], low_priority=target[1])
    found = after(pools.allocation(pool, before, 100), before)
    assert staying(found) == target
    assert not any(pools.allocation(pool, found, 100).make)
    assert pools.allocation(pool, found, 100).let_go == []


@given(there, targets, some.integers(-3, 8))
def test_allocation_never_takes_more_room_than_there_is(before: list[Node], target: tuple[int, int], room: int) -> None:
    """However many are wanted, at most so many are made; none is made and let go of one kind at once."""
    pool = replace(new(), dedicated=target[0], low_priority=target[1])
    plan = pools.allocation(pool, before, room)
    assert len(plan.make) <= max(0, room)
    assert not set(plan.make) & {each.dedicated for each in plan.let_go}
    assert all(each.state != "leavingpool" for each in plan.let_go)


def test_nodes_of_little_use_leave_first() -> None:
    """Those that boot or have failed go before those that wait, and those before busy ones; young ones first."""
    found = [node(key, state) for key, state in enumerate(["running", "idle", "idle", "starttaskfailed", "creating"])]
    plan = pools.allocation(replace(new(), dedicated=1), found, 100)
    assert [each.key for each in plan.let_go] == [4, 3, 2, 1]


@pytest.mark.parametrize("under_way", ["creating", "leavingpool"])
@pytest.mark.parametrize("allocation", ["resizing", "stopping"])
def test_a_pool_is_not_steady_while_nodes_come_or_go(allocation: str, under_way: str) -> None:
    """Not even when its time is over: what is going is still to be gone."""
    pool = replace(new(targetDedicatedNodes=1), allocation=allocation)
    assert pools.settled(pool, [node(1, under_way)], NOW + TIMEOUT).allocation == allocation


@pytest.mark.parametrize("state", [state for state in STAYING if state != "creating"])
def test_a_pool_at_its_targets_is_steady(state: str) -> None:
    """A node counts as soon as it has booted, whether its start task has done well or not."""
    pool = pools.settled(new(targetDedicatedNodes=1), [node(1, state)], LATER)
    assert (pool.allocation, pool.allocation_time) == ("steady", LATER)
    assert (pool.resize_errors, pool.resize_deadline) == ("[]", None)


@pytest.mark.parametrize(
    ("allocation", "moment", "code"),
    [
        ("resizing", LATER, "AccountCoreQuotaReached"),
        ("stopping", LATER, "ResizeStopped"),
        ("resizing", NOW + TIMEOUT, "AllocationTimedOut"),
    ],
)
def test_a_pool_says_why_it_is_not_at_its_targets(allocation: str, moment: int, code: str) -> None:
    """Each kind of node that is not there as wanted is an error of its own, with the numbers."""
    pool = replace(new(targetDedicatedNodes=2, targetLowPriorityNodes=1), allocation=allocation)
    settled = pools.settled(pool, [node(1), node(2, dedicated=False)], moment)
    (error,) = json.loads(settled.resize_errors)
    assert (settled.allocation, error["code"]) == ("steady", code)
    assert error["values"] == [{"name": "Wanted", "value": "2"}, {"name": "There", "value": "1"}]
    assert "dedicated" in error["message"]


def test_a_steady_pool_stays_as_it_is() -> None:
    """Nodes that are missing are no business of a pool that nobody resizes."""
    assert pools.settled(steady(3), [], LATER) == steady(3)


# --- nodes ---


def booted(**start_task: Any) -> Node:
    """Give a node that is up, with a start task if one is given."""
    pool = new(startTask={"commandLine": "x", **start_task}) if start_task else new()
    return nodes.booted(node(1, "creating"), pool, NOW)


def info(of: Node) -> dict[str, Any]:
    """Give what a node says of its start task."""
    return dict(json.loads(of.start_info or "{}"))


def test_a_node_without_start_task_is_idle_when_it_is_up() -> None:
    """It can take tasks from then on."""
    found = booted()
    assert (found.state, found.booted, found.start_task, found.start_info) == ("idle", NOW, None, None)


def test_a_node_waits_for_its_start_task_if_it_is_to() -> None:
    """If it is not, it takes tasks while its start task runs."""
    assert booted(waitForSuccess=True).state == "waitingforstarttask"
    assert booted(waitForSuccess=False).state == "idle"
    assert info(booted(waitForSuccess=False)) == {"state": "running", "startTime": NOW, "retryCount": 0}


@pytest.mark.parametrize(("outcome", "state"), [(SUCCESS, "idle"), (FAILURE, "starttaskfailed")])
def test_a_node_is_what_its_start_task_makes_of_it(outcome: Outcome, state: str) -> None:
    """It takes tasks after a success, and none after a failure."""
    assert nodes.started(booted(waitForSuccess=True), outcome, LATER)[0].state == state
    assert nodes.started(booted(waitForSuccess=False), outcome, LATER)[0].state == "idle"


def test_a_start_task_that_fails_says_how() -> None:
    """Its exit code alone is a failure, by the name that it has for tasks."""
    after_failure, again = nodes.started(booted(waitForSuccess=True), FAILURE, LATER)
    found = info(after_failure)
    assert not again
    assert (found["state"], found["result"], found["exitCode"], found["endTime"]) == ("completed", "failure", 3, LATER)
    assert found["failureInfo"]["code"] == "FailureExitCode"


def test_a_start_task_that_could_not_run_has_no_exit_code() -> None:
    """It says what was missing instead, and is not tried again."""
    after_failure, again = nodes.started(booted(maxTaskRetryCount=5), UNPREPARED, LATER)
    assert not again
    assert "exitCode" not in info(after_failure)
    assert info(after_failure)["failureInfo"]["code"] == "BlobNotFound"
    assert after_failure.state == "starttaskfailed"


@given(some.integers(0, 5))
def test_a_start_task_runs_once_more_than_it_is_retried(retries: int) -> None:
    """After each failure but the last it runs again, and says so; the node waits all the while."""
    found, runs, again = booted(maxTaskRetryCount=retries), 0, True
    while again:
        assert found.state == "waitingforstarttask"
        assert info(found)["retryCount"] == runs
        assert info(found)["state"] == "running"
        found, again = nodes.started(found, FAILURE, LATER + runs)
        runs += 1
    assert (runs, info(found)["retryCount"], found.state) == (retries + 1, retries, "starttaskfailed")


@given(some.integers(0, 50))
def test_a_start_task_may_be_retried_for_ever(retries: int) -> None:
    """A count of -1 is no limit."""
    found = booted(maxTaskRetryCount=-1)
    for _ in range(retries + 1):
        found, again = nodes.started(found, FAILURE, LATER)
        assert again


def test_a_start_task_that_succeeds_at_last_shows_no_failure() -> None:
    """What an earlier run came to is not told of the last."""
    found, _ = nodes.started(booted(maxTaskRetryCount=1), FAILURE, LATER)
    found, again = nodes.started(found, SUCCESS, LATER + 1)
    assert not again
    assert found.state == "idle"
    assert info(found) == {
        "state": "completed",
        "startTime": LATER,
        "endTime": LATER + 1,
        "retryCount": 1,
        "lastRetryTime": LATER,
        "result": "success",
        "exitCode": 0,
    }


def test_a_start_task_that_ends_does_not_disturb_a_node_that_works() -> None:
    """Where it isn't waited for, the node runs tasks whatever comes of it."""
    working = nodes.occupied(booted(waitForSuccess=False), 1, LATER)
    assert nodes.started(working, FAILURE, LATER)[0].state == "running"


def test_a_node_counts_its_tasks() -> None:
    """It runs from its first task until the last has ended."""
    busy = nodes.occupied(nodes.occupied(booted(), 1, NOW), 2, NOW)
    less_busy = nodes.relieved(busy, 1, LATER, succeeded=True, empty=False)
    free = nodes.relieved(less_busy, 2, LATER, succeeded=False, empty=True)
    assert [busy.state, less_busy.state, free.state] == ["running", "running", "idle"]
    assert (free.tasks_run, free.tasks_succeeded) == (2, 1)


def test_a_node_that_leaves_stays_leaving_as_its_tasks_end() -> None:
    """It takes no more tasks."""
    leaving = nodes.leaving(nodes.occupied(booted(), 1, NOW), "taskcompletion", NOW)
    assert nodes.relieved(leaving, 1, LATER, succeeded=True, empty=True).state == "leavingpool"


@pytest.mark.parametrize(("empty", "state"), [(True, "idle"), (False, "running")])
def test_a_node_whose_leaving_is_called_off_goes_on(empty: bool, state: str) -> None:
    """It is idle or runs tasks, as before."""
    leaving = nodes.leaving(booted(), "requeue", NOW)
    assert nodes.staying(leaving, LATER, empty=empty).state == state


def test_a_node_that_was_of_no_use_is_of_none_when_it_stays() -> None:
    """One that waits for its start task waits on, and one that can't be used is not taken for a good one."""
    waiting = booted(waitForSuccess=True)
    failed, _ = nodes.started(waiting, FAILURE, NOW)
    broken = nodes.unusable(booted(), "full", NOW)
    for before in (waiting, failed, broken):
        leaving = nodes.leaving(before, "requeue", NOW)
        assert nodes.staying(leaving, LATER, empty=True).state == before.state


@pytest.mark.parametrize(
    ("before", "state"),
    [("running", "idle"), ("idle", "idle"), ("leavingpool", "leavingpool"), ("creating", "creating")],
)
def test_a_node_is_found_again_as_it_can_be_when_the_service_comes_back(before: str, state: str) -> None:
    """No task runs on it then."""
    assert nodes.recovered(node(1, before), LATER).state == state


@pytest.mark.parametrize("waits", [True, False])
def test_a_start_task_that_was_interrupted_runs_again(waits: bool) -> None:
    """Its node starts again, even if it was ready before the start task had ended."""
    assert nodes.recovered(booted(waitForSuccess=waits), LATER).state == "starting"
    ended, _ = nodes.started(booted(waitForSuccess=waits), SUCCESS, NOW)
    assert nodes.recovered(ended, LATER).state == "idle"


@pytest.mark.parametrize("state", ["rebooting", "reimaging", "preempted", "unknown", "starting", "offline", "unusable"])
def test_a_node_that_is_not_at_work_is_found_again_as_it_was(state: str) -> None:
    """What it was lost with has ended."""
    found = nodes.recovered(node(1, state, booted=NOW, lost='["1:1"]'), LATER)
    assert (found.state, found.booted, found.lost) == (state, NOW, "[]")


@pytest.mark.parametrize("before", ["unknown", "starting"])
def test_a_lost_node_whose_start_task_was_interrupted_boots_anew(before: str) -> None:
    """When it returns."""
    assert nodes.recovered(replace(booted(waitForSuccess=True), state=before), LATER).booted is None
    ended, _ = nodes.started(booted(waitForSuccess=True), SUCCESS, NOW)
    assert nodes.recovered(replace(ended, state=before), LATER).booted == NOW


def test_a_lost_node_learns_how_its_start_task_went() -> None:
    """It is as that says when it returns."""
    for outcome, state in ((SUCCESS, "idle"), (FAILURE, "starttaskfailed")):
        lost = nodes.lost(booted(waitForSuccess=True), [], NOW)
        found, _ = nodes.started(lost, outcome, NOW)
        assert found.state == "unknown"
        assert nodes.returned(nodes.returning(found, NOW), LATER).state == state
    waiting = nodes.returning(nodes.lost(booted(waitForSuccess=True), [], NOW), NOW)
    assert nodes.returned(waiting, LATER).state == "waitingforstarttask"


def test_a_node_shows_ten_tasks_the_last_first() -> None:
    """Each once, though it has begun and ended."""
    busy = booted()
    for task in range(12):
        busy = nodes.occupied(busy, task, LATER)
    busy = nodes.relieved(busy, 5, LATER, succeeded=True, empty=False)
    assert json.loads(busy.recent) == [5, 11, 10, 9, 8, 7, 6, 4, 3, 2]
