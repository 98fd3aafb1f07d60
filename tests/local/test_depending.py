"""Tasks that depend on others run after them, and run at all: whatever is asked of the service, and in any order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fastbatch.local import bodies
from fastbatch.local.operations import jobs, pools, tasks
from fastbatch.local.records import Job, Task
from fastbatch.local.states.outcomes import Failure, Outcome
from tests.local.play import JOB, POOL, TASK, Play, playing, pool_body

NAMES = ["1", "2", "3", "4", "5", "03", "a", "b", "c"]
NAME = st.sampled_from(NAMES)
RANGE = st.tuples(st.integers(1, 5), st.integers(0, 4)).map(lambda pair: (pair[0], pair[0] + pair[1]))
SATISFY = {"default": {"dependencyAction": "satisfy"}}
BLOCK = {"exitCodes": [{"code": 0, "exitOptions": {"dependencyAction": "block"}}]}
OUTCOMES = st.sampled_from([Outcome(0), Outcome(0), Outcome(0), Outcome(1), Outcome(None, Failure("BlobNotFound", ""))])


@dataclass
class Given:
    """What was said of a task."""

    ids: list[str]
    ranges: list[tuple[int, int]]
    conditions: dict[str, Any]

    def body(self, name: str, retries: int) -> dict[str, Any]:
        """Give the body of the task."""
        ranges = [{"start": first, "end": last} for first, last in self.ranges]
        return {
            "id": name,
            "commandLine": "c",
            "constraints": {"maxTaskRetryCount": retries},
            "exitConditions": self.conditions,
            "dependsOn": {"taskIds": self.ids, "taskIdRanges": ranges},
        }

    def is_met(self, satisfied: set[str]) -> bool:
        """Tell whether all that the task depends on is satisfied."""
        numbers = {int(name) for name in satisfied if name.isdecimal()}
        return set(self.ids) <= satisfied and all(
            number in numbers for first, last in self.ranges for number in range(first, last + 1)
        )


class Dependents(RuleBasedStateMachine):
    """Adds, ends, terminates, reactivates and deletes tasks at random; remembers in the plainest way who satisfied."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(Path(":memory:"))
        self.ask = self.play.tries
        self.given: dict[str, Given] = {}
        self.satisfied: set[str] = set()

    @initialize()
    def begin(self) -> None:
        """Have a pool with three slots, and a job."""
        self.ask(pools.create, POOL, pool_body("pool", 1, 3, "Spread"))
        self.new_job()

    def new_job(self) -> None:
        """Make the job."""
        self.ask(jobs.create, JOB, {"id": "job", "poolInfo": {"poolId": "pool"}, "usesTaskDependencies": True})
        self.given, self.satisfied = {}, set()

    @rule(
        name=NAME,
        ids=st.lists(NAME, max_size=2),
        ranges=st.lists(RANGE, max_size=1),
        conditions=st.sampled_from([{}, {}, SATISFY, BLOCK]),
        retries=st.sampled_from([0, 0, 1]),
    )
    def add(
        self, name: str, ids: list[str], ranges: list[tuple[int, int]], conditions: dict[str, Any], retries: int
    ) -> None:
        """Add a task, which may depend on those that are there, on those that come, and on itself."""
        given = Given(ids, ranges, conditions)
        if self.ask(tasks.create, TASK, given.body(name, retries), job="job"):
            self.given[name] = given

    @precondition(lambda self: self.play.agent.playing)
    @rule(data=st.data(), outcome=OUTCOMES)
    def end_run(self, data: st.DataObject, outcome: Outcome) -> None:
        """Let a task end, or what was stopped be gone."""
        data.draw(st.sampled_from(self.play.agent.playing)).end(outcome)
        self.play.settle()

    @rule(name=NAME, what=st.sampled_from([tasks.terminate, tasks.reactivate]))
    def move(self, name: str, what: Any) -> None:
        """Terminate or reactivate a task."""
        self.ask(what, job="job", task=name)

    @rule(name=NAME)
    def delete(self, name: str) -> None:
        """Delete a task, which ends first, as a user has ended it; what it satisfied stays satisfied."""
        before = {task.id: task for task in self.tasks()}.get(name)
        if before is not None:
            self.ask(tasks.delete, job="job", task=name)
            if before.state != "completed" and self.given[name].conditions == SATISFY:
                self.satisfied.add(name)

    @rule()
    def disable_and_enable(self) -> None:
        """Let all that runs wait again."""
        self.ask(jobs.disable, bodies.JOB_DISABLE, {"disableTasks": "requeue"}, job="job")
        self.ask(jobs.enable, job="job")

    @rule()
    def restart(self) -> None:
        """Start the service anew."""
        self.play.restart()

    @rule()
    def replace_job(self) -> None:
        """Delete the job, and make another of its name, which knows nothing of the old one."""
        self.ask(jobs.delete, job="job")
        while self.play.agent.playing:
            self.play.agent.playing[0].gone.set_result(None)
            self.play.settle()
        self.new_job()

    def tasks(self) -> list[Task]:
        """Give the tasks that are there."""
        return list(self.play.store.select(Task, order="key"))

    @invariant()
    def what_waits_is_what_depends_on_something(self) -> None:
        """See that a task waits exactly as long as something is missing, and none runs before that."""
        there = self.tasks()
        for task in there:
            if task.state == "completed" and self.satisfies(task):
                self.satisfied.add(task.id)
        for task in there:
            met = self.given[task.id].is_met(self.satisfied)
            assert task.blocked != met, task
            assert task.state != "running" or met, task

    def satisfies(self, task: Task) -> bool:
        """Tell whether a completed task lets its dependents run, by what was said of it."""
        conditions = self.given[task.id].conditions
        return conditions == SATISFY if task.result == "failure" else conditions != BLOCK

    @invariant()
    def what_can_run_does(self) -> None:
        """See that a slot is free only if nothing could use it."""
        waiting = [task for task in self.tasks() if task.state == "active" and not task.blocked]
        idle = [task for task in waiting if self.play.core.runs.of_task(task.key) is None]
        job = self.play.store.find(Job, "job")
        if job is not None and job.state == "active" and idle:
            assert len(self.play.agent.playing) == 3

    def teardown(self) -> None:
        """Let all that runs succeed: in the end everything has run whose dependencies were satisfied."""
        try:
            for _ in range(50):
                for play in list(self.play.agent.playing):
                    play.end(Outcome(0))
                self.play.settle()
                self.what_waits_is_what_depends_on_something()
            left = [task for task in self.tasks() if task.state != "completed"]
            assert not any(self.given[task.id].is_met(self.satisfied) for task in left)
        finally:
            self.play.close()


TestDependents = pytest.mark.timeout(300)(Dependents.TestCase)
TestDependents.settings = settings(max_examples=60, stateful_step_count=30)


@pytest.fixture
def play() -> Iterator[Play]:
    """Have a service with a pool of one node with two slots, and a job whose tasks may depend on each other."""
    service = Play(Path(":memory:"))
    service.ask(pools.create, POOL, pool_body("pool", 1, 2, "Spread"))
    new_job(service)
    yield service
    service.close()


def new_job(play: Play, **more: Any) -> None:
    """Make the job."""
    body = {"id": "job", "poolInfo": {"poolId": "pool"}, "usesTaskDependencies": True, **more}
    play.ask(jobs.create, JOB, body)


def add(play: Play, name: str, *after: str, **more: Any) -> None:
    """Add a task that depends on others."""
    body = {"id": name, "commandLine": "c", "dependsOn": {"taskIds": list(after)}, **more}
    play.ask(tasks.create, TASK, body, job="job")


def end(play: Play, name: str, outcome: Outcome = Outcome(0)) -> None:  # noqa: B008 - it is frozen
    """Let a task end."""
    next(each for each in play.agent.playing if each.assigned.task.id == name).outcome.set_result(outcome)
    play.settle()


def test_those_that_wait_for_others_keep_nobody_waiting(play: Play) -> None:
    """Even if they came first."""
    add(play, "b", "a")
    add(play, "c", "b")
    add(play, "d")
    add(play, "a")
    assert playing(play) == ["d", "a"]
    end(play, "a")
    assert playing(play) == ["d", "b"]


def test_a_task_that_comes_after_what_it_depends_on_has_ended_runs_at_once(play: Play) -> None:
    """Also when that was deleted in between: an id satisfies for good."""
    add(play, "a")
    end(play, "a")
    play.ask(tasks.delete, job="job", task="a")
    add(play, "b", "A")
    assert playing(play) == ["b"]


def test_a_new_task_of_an_old_name_is_not_waited_for(play: Play) -> None:
    """As the real service does it: the old one has satisfied those that depend on this id."""
    add(play, "a")
    end(play, "a")
    play.ask(tasks.delete, job="job", task="a")
    add(play, "a")
    add(play, "b", "a")
    assert playing(play) == ["a", "b"]


def test_a_new_job_of_an_old_name_knows_nothing_of_the_old_one(play: Play) -> None:
    """What depends on an id waits for a task of the new job."""
    add(play, "a")
    end(play, "a")
    play.ask(jobs.delete, job="job")
    new_job(play)
    add(play, "b", "a")
    assert playing(play) == []


def test_a_task_that_is_retried_has_not_failed_yet(play: Play) -> None:
    """Those that depend on it wait for the run that counts."""
    add(play, "a", constraints={"maxTaskRetryCount": 1})
    add(play, "b", "a")
    end(play, "a", Outcome(1))
    assert playing(play) == ["a"]
    end(play, "a")
    assert playing(play) == ["b"]


def test_a_failed_task_that_succeeds_when_it_is_reactivated_lets_others_run(play: Play) -> None:
    """They have waited for it all the while."""
    add(play, "a")
    add(play, "b", "a")
    end(play, "a", Outcome(1))
    assert playing(play) == []
    play.ask(tasks.reactivate, job="job", task="a")
    end(play, "a")
    assert playing(play) == ["b"]


def test_a_task_that_a_user_ends_blocks_those_that_depend_on_it(play: Play) -> None:
    """Whether it runs or waits, unless its exit conditions let them run by default."""
    add(play, "a")
    add(play, "b", "a")
    play.ask(tasks.terminate, job="job", task="a")
    play.agent.playing[0].gone.set_result(None)
    play.settle()
    assert playing(play) == []
    add(play, "c", "b", exitConditions=SATISFY)
    add(play, "d", "c")
    play.ask(tasks.terminate, job="job", task="c")
    assert playing(play) == ["d"]


def test_a_task_that_waits_when_it_is_ended_still_waits_when_it_is_reactivated(play: Play) -> None:
    """What it depends on may be satisfied in between."""
    add(play, "a")
    for name in ("b", "c"):
        add(play, name, "a")
        play.ask(tasks.terminate, job="job", task=name)
    play.ask(tasks.reactivate, job="job", task="b")
    assert playing(play) == ["a"]
    end(play, "a")
    play.ask(tasks.reactivate, job="job", task="c")
    assert playing(play) == ["b", "c"]


def test_a_task_that_depends_on_itself_waits(play: Play) -> None:
    """As those do that depend on each other in a circle; the job does not end by itself meanwhile."""
    add(play, "a", "a")
    add(play, "b", "c")
    add(play, "c", "b")
    play.ask(jobs.patch, bodies.JOB_PATCH, {"onAllTasksComplete": "terminatejob"}, job="job")
    assert playing(play) == []
    assert [job.state for job in play.store.select(Job)] == ["active"]


def test_a_blocked_task_counts_as_active(play: Play) -> None:
    """There is no other state for it."""
    add(play, "a")
    add(play, "b", "a")
    end(play, "a", Outcome(1))
    answer = play.ask(jobs.task_counts, job="job")
    assert answer
    assert answer.body
    assert answer.body["taskCounts"] == {"active": 1, "running": 0, "completed": 1, "succeeded": 0, "failed": 1}


def test_what_is_blocked_keeps_a_job_from_ending_until_it_is_deleted(play: Play) -> None:
    """A job ends when all its tasks are completed, and a blocked one never is."""
    play.ask(jobs.delete, job="job")
    new_job(play)
    add(play, "a")
    add(play, "b", "a")
    play.ask(jobs.patch, bodies.JOB_PATCH, {"onAllTasksComplete": "terminatejob"}, job="job")
    end(play, "a", Outcome(1))
    assert [job.state for job in play.store.select(Job)] == ["active"]
    play.ask(tasks.delete, job="job", task="b")
    assert [job.state for job in play.store.select(Job)] == ["completed"]


def test_dependencies_outlive_the_service(tmp_path: Path) -> None:
    """What was satisfied and what waits is found again."""
    service = Play(tmp_path / "batch.db")
    service.ask(pools.create, POOL, pool_body("pool", 1, 2, "Spread"))
    new_job(service)
    add(service, "1")
    add(service, "2")
    add(service, "b", dependsOn={"taskIdRanges": [{"start": 1, "end": 2}]})
    end(service, "1")
    service.restart()
    assert playing(service) == ["2"]
    end(service, "2")
    service.restart()
    assert playing(service) == ["b"]
    service.close()


def test_a_job_that_ends_with_a_failure_begins_none_of_those_that_the_failure_satisfies(play: Play) -> None:
    """What the task says of its job goes before what it says of its dependents."""
    play.ask(jobs.delete, job="job")
    new_job(play, onTaskFailure="performexitoptionsjobaction")
    add(play, "a", exitConditions={"default": {"dependencyAction": "satisfy", "jobAction": "terminate"}})
    add(play, "b", "a")
    end(play, "a", Outcome(1))
    assert playing(play) == []
    assert [(job.state, job.terminate_reason) for job in play.store.select(Job)] == [("completed", "TaskFailed")]


def work(play: Play, do: Callable[[], None]) -> int:
    """Count what the database does for something, in units of ten of its instructions."""
    units = 0

    def count() -> int:
        nonlocal units
        units += 1
        return 0

    database = play.store._database  # noqa: SLF001 - how much it does is nothing that the store tells
    database.set_progress_handler(count, 10)
    do()
    database.set_progress_handler(None, 10)
    return units


@pytest.mark.parametrize(
    "depends_on",
    [
        lambda number: {"taskIds": [str(number - 1)]},
        lambda number: {"taskIdRanges": [{"start": 0, "end": number - 1}]},
        lambda _: {"taskIds": ["never"]},
        lambda _: {"taskIdRanges": [{"start": 1, "end": 2**31 - 1}]},
    ],
    ids=["a chain", "all before", "one that is not there", "a wide range"],
)
def test_what_waits_makes_no_step_longer(depends_on: Callable[[int], dict[str, Any]]) -> None:
    """When a task ends, the database does as much for three waiting tasks as for many."""
    done = []
    for many in (3, 400):
        play = Play(Path(":memory:"))
        play.ask(pools.create, POOL, pool_body("pool", 1, 2, "Spread"))
        new_job(play)
        add(play, "0")
        for number in range(1, many + 1):
            add(play, str(number), dependsOn=depends_on(number))
        done.append(work(play, partial(end, play, "0")))
        play.close()
    assert done[1] <= 1.1 * done[0]
