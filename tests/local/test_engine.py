"""Whatever is asked of the service, in any order: no task runs twice at once, no slot is taken twice, none is lost."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fastbatch.local import bodies
from fastbatch.local.faults.checking import Plans
from fastbatch.local.operations import jobs, mishaps, nodes, pools, tasks
from fastbatch.local.operations.call import Operation
from fastbatch.local.records import Errand, Job, Node, Pool, Task
from fastbatch.local.service.limits import Limits
from fastbatch.local.states.outcomes import Failure, Outcome
from fastbatch.local.store import Store
from fastbatch.local.wire import SECOND
from tests.local.play import JOB, POOL, TASK, Doing, Play, Playing, add, playing, pool_body, refusing

POOLS = st.sampled_from(["red", "blue"])
JOBS = st.sampled_from(["one", "two", "three"])
NODES = st.integers(0, 5)
READY_NODES = "pool = ? AND state IN ('idle', 'running') AND scheduling = 'enabled'"
MINUTE = 60 * SECOND
MISFORTUNES = st.fixed_dictionaries(
    {
        "operation": st.just("node.run_task"),
        "fault": st.sampled_from(["slow", "loseNode", "preemptNode"]),
        "seconds": st.sampled_from([0, 30, 100]),
        "probability": st.sampled_from([0.5, 1]),
    },
    optional={"count": st.integers(1, 3)},
)
WAITING = {"jobPreparationTask": {"commandLine": "c", "constraints": {"maxTaskRetryCount": 1}}}
BESIDE = {"jobPreparationTask": {"commandLine": "c", "waitForSuccess": False, "constraints": {"retentionTime": "PT1M"}}}
RELEASE = {"jobReleaseTask": {"commandLine": "c", "retentionTime": "PT1M"}}
OF_OTHERS = [
    *(("errands", "job", "jobs"), ("tasks", "job", "jobs"), ("specifications", "task", "tasks")),
    *((table, "job", "jobs") for table in ("satisfied", "satisfied_runs", "awaited_ids", "awaited_ranges")),
    *((table, "task", "tasks") for table in ("awaited_ids", "awaited_ranges")),
]
OUTCOMES = st.sampled_from(
    [Outcome(0), Outcome(0), Outcome(1), Outcome(None, Failure("BlobNotFound", "it is not there"))]
)


class Service(RuleBasedStateMachine):
    """Asks and answers at random."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(Path(":memory:"))
        self.ask = self.play.tries
        self.expected: dict[str, set[str]] = {}  # the tasks of each job that nobody has deleted
        self.number = 0
        self.is_slow = False  # a task that is running may not have begun to
        self.spared: set[tuple[int, int]] = set()  # jobs and nodes that were away as the jobs ended

    @initialize()
    def begin(self) -> None:
        """Have something to work with."""
        self.ask(pools.create, POOL, pool_body("red", 2, 2, "Spread"))
        self.new_job("one", "red", 0, -1, {})
        self.new_job("two", "red", 0, -1, WAITING | RELEASE)

    @rule(name=POOLS, count=st.integers(0, 3), slots=st.integers(1, 4), fill=st.sampled_from(["Spread", "Pack"]))
    def new_pool(self, name: str, count: int, slots: int, fill: str) -> None:
        """Make a pool; that of an even number of nodes has a start task."""
        start = {} if count % 2 else {"startTask": {"commandLine": "c"}}
        body = {**pool_body(name, count, slots, fill), "targetLowPriorityNodes": count // 2, **start}
        self.ask(pools.create, POOL, body)

    @rule(
        name=POOLS,
        count=st.integers(0, 3),
        how=st.sampled_from(["requeue", "terminate", "taskcompletion", "retaineddata"]),
    )
    def resize(self, name: str, count: int, how: str) -> None:
        """Resize a pool."""
        body = {"targetDedicatedNodes": count, "targetLowPriorityNodes": count // 2, "nodeDeallocationOption": how}
        self.ask(pools.resize, bodies.RESIZE, body, pool=name)

    @rule(name=POOLS)
    def stop_resize(self, name: str) -> None:
        """Stop a resize."""
        self.ask(pools.stop_resize, pool=name)

    @rule(name=POOLS)
    def delete_pool(self, name: str) -> None:
        """Delete a pool."""
        self.ask(pools.delete, pool=name)

    @rule(node=NODES, how=st.sampled_from(["requeue", "terminate", "taskcompletion"]))
    def remove_node(self, node: int, how: str) -> None:
        """Remove a node."""
        for ids in self.node(node):
            body = {"nodeList": [ids["node"]], "nodeDeallocationOption": how}
            self.ask(pools.remove_nodes, bodies.REMOVE_NODES, body, pool=ids["pool"])

    @rule(node=NODES, how=st.sampled_from(["requeue", "terminate", "taskcompletion", "retaineddata"]))
    def reboot(self, node: int, how: str) -> None:
        """Reboot a node."""
        for ids in self.node(node):
            self.ask(nodes.reboot, bodies.REBOOT, {"nodeRebootOption": how}, **ids)

    @rule(node=NODES, how=st.sampled_from(["requeue", "terminate", "taskcompletion", "retaineddata"]))
    def reimage(self, node: int, how: str) -> None:
        """Reimage a node."""
        for ids in self.node(node):
            self.ask(nodes.reimage, bodies.REIMAGE, {"nodeReimageOption": how}, **ids)

    @rule(node=NODES, how=st.sampled_from(["requeue", "terminate", "taskcompletion"]))
    def disable_scheduling(self, node: int, how: str) -> None:
        """Let a node take no more tasks."""
        for ids in self.node(node):
            self.ask(nodes.disable_scheduling, bodies.DISABLE_SCHEDULING, {"nodeDisableSchedulingOption": how}, **ids)

    @rule(node=NODES)
    def enable_scheduling(self, node: int) -> None:
        """Let a node take tasks again."""
        for ids in self.node(node):
            self.ask(nodes.enable_scheduling, **ids)

    @rule(node=NODES, what=st.sampled_from([mishaps.lose, mishaps.lose, mishaps.preempt]))
    def suffer(self, node: int, what: Operation) -> None:
        """Lose a node, or have it taken away."""
        for ids in self.node(node):
            self.ask(what, **ids)

    @rule(node=NODES)
    def bring_back(self, node: int) -> None:
        """Have a node again."""
        for ids in self.node(node):
            self.ask(mishaps.bring_back, **ids)

    @rule(rules=st.lists(MISFORTUNES, max_size=3), seed=st.integers(0, 9))
    def order_faults(self, rules: list[dict[str, Any]], seed: int) -> None:
        """Let things go wrong on nodes from now on."""
        self.play.core.faults.replace(seed, Plans([]).whole({"rules": rules})["rules"])
        self.is_slow |= any(rule["fault"] == "slow" for rule in rules)

    def node(self, number: int) -> list[dict[str, Any]]:
        """Name a node, if there is any."""
        there = list(self.play.store.select(Node, order="key"))
        return [self.named(there[number % len(there)])] if there else []

    def named(self, node: Node) -> dict[str, Any]:
        """Give the names by which operations know a node."""
        pool = self.play.store.get(Pool, node.pool)
        assert pool
        return {"pool": pool.id, "node": node.id}

    @rule(
        name=JOBS,
        pool=POOLS,
        priority=st.integers(-1, 1),
        most=st.sampled_from([-1, -1, 1, 2]),
        errands=st.sampled_from([{}, WAITING, WAITING | RELEASE, BESIDE | RELEASE]),
    )
    def new_job(self, name: str, pool: str, priority: int, most: int, errands: dict[str, Any]) -> None:
        """Make a job."""
        body = {"id": name, "poolInfo": {"poolId": pool}, "priority": priority, "maxParallelTasks": most, **errands}
        body["usesTaskDependencies"] = name == "three"
        if self.ask(jobs.create, JOB, body):
            self.expected[name] = set()

    @rule(name=JOBS, count=st.integers(1, 5), slots=st.integers(1, 3), retries=st.sampled_from([0, 1, -1]))
    def add_tasks(self, name: str, count: int, slots: int, retries: int) -> None:
        """Add tasks to a job."""
        for _ in range(count):
            self.number += 1
            task = {"id": f"t{self.number}", "commandLine": "c", "requiredSlots": slots}
            task["constraints"] = {"maxTaskRetryCount": retries, "retentionTime": "PT10M"}
            if name == "three" and f"t{self.number - 1}" in self.expected.get(name, ()):
                task["dependsOn"] = {"taskIds": [f"t{self.number - 1}"]}
            if self.ask(tasks.create, TASK, task, job=name):
                self.expected[name].add(f"t{self.number}")

    @precondition(lambda self: self.held())
    @rule(data=st.data(), outcome=OUTCOMES, just_now=st.booleans())
    def end_run(self, data: st.DataObject, outcome: Outcome, *, just_now: bool) -> None:
        """Let a task or an errand end, or what was stopped be gone; or let it have ended as the next thing happens."""
        data.draw(st.sampled_from(self.held())).end(outcome)
        if not just_now:
            self.play.settle()

    def held(self) -> list[Playing | Doing]:
        """Give all that has processes."""
        held: list[Playing | Doing] = [*self.play.agent.playing, *self.play.agent.doing]
        return [each for each in held if not each.is_over]

    @rule(data=st.data(), what=st.sampled_from([tasks.terminate, tasks.reactivate]))
    def move_task(self, data: st.DataObject, what: Any) -> None:
        """Terminate or reactivate a task."""
        there = [(job, task) for job, names in self.expected.items() for task in sorted(names)]
        if there:
            job, task = data.draw(st.sampled_from(there))
            self.ask(what, job=job, task=task)

    @rule(data=st.data())
    def delete_task(self, data: st.DataObject) -> None:
        """Delete a task; it goes when its processes are gone."""
        there = [(job, task) for job, names in self.expected.items() for task in sorted(names)]
        if there:
            job, task = data.draw(st.sampled_from(there))
            if self.ask(tasks.delete, job=job, task=task):
                self.expected[job].discard(task)

    @rule(name=JOBS, how=st.sampled_from(["requeue", "terminate", "wait"]))
    def disable(self, name: str, how: str) -> None:
        """Disable a job."""
        self.ask(jobs.disable, bodies.JOB_DISABLE, {"disableTasks": how}, job=name)

    @rule(name=JOBS)
    def enable(self, name: str) -> None:
        """Enable a job."""
        self.ask(jobs.enable, job=name)

    @rule(name=JOBS)
    def finish_job(self, name: str) -> None:
        """Let a job end with its last task."""
        self.ask(jobs.patch, bodies.JOB_PATCH, {"onAllTasksComplete": "terminatejob"}, job=name)

    @rule(name=JOBS)
    def terminate_job(self, name: str) -> None:
        """Terminate a job."""
        self.ask(jobs.terminate, bodies.JOB_TERMINATE, {}, job=name)

    @rule(name=JOBS)
    def delete_job(self, name: str) -> None:
        """Delete a job."""
        if self.ask(jobs.delete, job=name):
            self.expected[name] = set()

    @rule(minutes=st.sampled_from([1, 16]))
    def wait(self, minutes: int) -> None:
        """Let time pass."""
        self.play.wait(minutes * MINUTE)

    @rule()
    def restart(self) -> None:
        """Start the service anew."""
        self.play.restart()
        self.is_slow = False

    @invariant()
    def no_task_is_lost(self) -> None:
        """See that those that were added and not deleted are there, each once."""
        for name, expected in self.expected.items():
            job = self.play.store.find(Job, name)
            if job is not None and job.state != "deleting":
                there = [task.id for task in self.play.store.select(Task, "job = ?", [job.key])]
                assert len(there) == len(set(there))
                assert expected <= set(there)

    @invariant()
    def what_runs_is_what_the_store_says(self) -> None:
        """See that a task that is running has a run on its node, and no other, but for those that are lost."""
        agent = self.play.agent
        runs = {play.assigned.task.key: play for play in agent.playing if not agent.is_lost(play)}
        for task in self.play.store.select(Task, "state = 'running'"):
            run = self.play.core.runs.of_task(task.key)
            assert run
            assert run.node.id == task.node_id
            assert self.is_slow or runs[task.key].assigned.node.id == task.node_id
        for task in self.play.store.select(Task, "state = 'preparing'"):
            assert task.key not in runs
            run = self.play.core.runs.of_task(task.key)
            assert run
            assert run.node.id == task.node_id

    @invariant()
    def a_task_waits_only_for_what_goes_on(self) -> None:
        """See that a preparation is under way wherever tasks wait for it, and is over wherever they run."""
        agent = self.play.agent
        for given in (play.assigned for play in agent.playing if not (play.stopped or agent.is_lost(play))):
            if '"waitForSuccess": true' in given.job.body:
                assert self.preparation_of(given.job.key, given.node.id) in {"success", "due"}
        for task in self.play.store.select(Task, "state = 'preparing'"):
            assert self.preparation_of(task.job, str(task.node_id)) == "running"

    def preparation_of(self, job: int, node_id: str) -> str:
        """Tell how a preparation goes, or how it went."""
        values = [job, node_id]
        found = list(self.play.store.select(Errand, "job = ? AND node_id = ? AND kind = 'preparation'", values))
        if not found or (found[0].is_due and self.play.core.runs.of_errand(found[0].key) is None):
            return "due"  # the node was started anew meanwhile
        info = json.loads(found[0].info)
        return "running" if self.play.core.runs.of_errand(found[0].key) else str(info["result"])

    @invariant()
    def what_bars_a_node_is_over(self) -> None:
        """See that a preparation that is to be done again keeps no task from its node."""
        assert not self.play.store.any(Errand, "bars AND is_due", [])

    @invariant()
    def nothing_is_left_of_what_is_gone(self) -> None:
        """See that the store has nothing of jobs and tasks that it has no more."""
        database = self.play.store._database  # noqa: SLF001 - the store itself never wants this
        for table, column, of in OF_OTHERS:
            orphans = f"SELECT * FROM {table} WHERE {column} NOT IN (SELECT key FROM {of})"  # noqa: S608 - all names are ours
            assert database.execute(orphans).fetchall() == [], table

    @invariant()
    def what_is_over_is_released(self) -> None:
        """See that nothing goes on for a completed job, and that its release was done once wherever it had to be."""
        agent = self.play.agent
        doing = {doing.duty.job.key for doing in agent.doing if not agent.is_lost(doing)}
        for job in self.play.store.select(Job, "state = 'completed'"):
            assert job.key not in doing
            if "jobReleaseTask" in json.loads(job.body):
                found = list(self.play.store.select(Errand, "job = ?", [job.key]))
                released = {errand.node for errand in found if errand.kind == "release" and not errand.is_due}
                prepared = {errand.node for errand in found if errand.kind == "preparation"}
                away = self.play.store.select(Node, "state IN ('leavingpool', 'unknown', 'preempted')")
                self.spared |= {(job.key, node.key) for node in away}
                there = {node.key for node in self.play.store.select(Node, "state IN ('idle', 'running')")}
                assert all((job.key, node) in self.spared for node in prepared & there - released)

    @invariant()
    def no_room_is_left_while_tasks_wait(self) -> None:
        """See that a task that could run does."""
        for pool in self.play.store.select(Pool, "state = 'active'"):
            ready = list(self.play.store.select(Node, READY_NODES, [pool.key]))
            free = {node.key: pool.slots - self.play.core.runs.load(node.key).slots for node in ready}
            for task in self.waiting(pool):
                barred = {errand.node for errand in self.play.store.select(Errand, "job = ? AND bars", [task.job])}
                assert max((free[node] for node in free.keys() - barred), default=0) < task.slots
                free = {node: slots for node, slots in free.items() if node in barred}  # others wait behind it

    @invariant()
    def a_node_is_running_when_it_has_tasks(self) -> None:
        """See that its state says what it does."""
        for node in self.play.store.select(Node, "state IN ('idle', 'offline', 'running')"):
            assert (node.state == "running") == any(self.play.core.runs.tasks_on(node.key)), node
            assert (node.state == "offline") <= (node.scheduling == "disabled"), node
            assert (node.state == "idle") <= (node.scheduling == "enabled"), node

    def waiting(self, pool: Pool) -> list[Task]:
        """Give the tasks that a pool could run, the next one first."""
        found: list[Task] = []
        for job in self.play.store.select(Job, "state = 'active' AND pool_id = ?", [pool.id], "priority DESC, key"):
            runs = len(self.play.core.runs.of_job(job.key))
            if job.most_parallel < 0 or runs < job.most_parallel:
                found += self.play.store.select(
                    Task, "job = ? AND state = 'active' AND NOT blocked AND slots <= ?", [job.key, pool.slots], "key"
                )
        return [task for task in found if self.play.core.runs.of_task(task.key) is None]

    def teardown(self) -> None:
        """Let all run to its end: what can complete does."""
        try:
            self.complete()
        finally:
            self.play.close()

    def complete(self) -> None:
        """Give every active job a pool with room and fresh nodes, and end what runs as long as anything does."""
        self.play.core.faults.clear()
        for name in ("one", "two", "three"):
            self.ask(jobs.enable, job=name)
        for _ in range(400):
            if not self.could_go_on():
                break
            for node in list(self.play.store.select(Node)):
                self.ask(mishaps.bring_back, **self.named(node))
                self.ask(nodes.enable_scheduling, **self.named(node))
                if self.play.store.any(Errand, "node = ? AND bars", [node.key]):
                    self.ask(nodes.reimage, bodies.REIMAGE, {"nodeReimageOption": "requeue"}, **self.named(node))
            for name in ("red", "blue"):
                self.ask(pools.create, POOL, pool_body(name, 2, 4, "Pack"))
                self.ask(pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 2}, pool=name)
            for held in self.held():
                held.end(Outcome(0))
            self.play.wait(MINUTE)  # a node may go down only when the time of its files is over
        assert not self.could_go_on()

    def could_go_on(self) -> bool:
        """Tell whether there is a task of an active job that its pool, if it had nodes, could take."""
        store = self.play.store
        for job in list(store.select(Job, "state = 'active'")):
            pool = store.find(Pool, job.pool_id)
            unfinished = "job = ? AND state <> 'completed' AND NOT blocked AND slots <= ?"
            if job.most_parallel and store.any(Task, unfinished, [job.key, pool.slots if pool else 4]):
                return True
        return bool(self.held()) or store.any(Job, "state IN ('terminating', 'deleting')", [])


TestService = pytest.mark.timeout(300)(Service.TestCase)
TestService.settings = settings(max_examples=150, stateful_step_count=40)


@pytest.fixture
def play() -> Iterator[Play]:
    """Have a service with a pool of one node with two slots, and a job."""
    service = Play(Path(":memory:"))
    service.ask(pools.create, POOL, pool_body("pool", 1, 2, "Spread"))
    service.ask(jobs.create, JOB, {"id": "job", "poolInfo": {"poolId": "pool"}})
    yield service
    service.close()


def test_a_task_that_is_reactivated_waits_until_its_old_processes_are_gone(play: Play) -> None:
    """Though there is a free slot."""
    add(play, "a")
    play.ask(tasks.terminate, job="job", task="a")
    play.ask(tasks.reactivate, job="job", task="a")

    (old,) = play.agent.playing
    assert old.stopped
    old.gone.set_result(None)
    play.settle()

    (new,) = play.agent.playing
    assert not new.stopped


def test_what_waits_for_its_old_processes_does_not_keep_others_waiting(play: Play) -> None:
    """Even if it is first."""
    play.ask(jobs.patch, bodies.JOB_PATCH, {"maxParallelTasks": 2}, job="job")
    add(play, "a")
    play.ask(tasks.terminate, job="job", task="a")
    play.ask(tasks.reactivate, job="job", task="a")
    add(play, "b")

    assert playing(play) == ["a", "b"]


def test_a_large_task_is_not_starved_by_small_ones(play: Play) -> None:
    """Those behind it wait until it has had its turn."""
    add(play, "small")
    add(play, "large", requiredSlots=2)
    add(play, "behind")
    assert playing(play) == ["small"]

    play.agent.playing[0].outcome.set_result(Outcome(0))
    play.settle()
    assert playing(play) == ["large"]


def test_a_task_that_fits_on_no_node_keeps_nobody_waiting(play: Play) -> None:
    """It waits for a pool with more slots."""
    add(play, "never", requiredSlots=3)
    add(play, "behind")

    assert playing(play) == ["behind"]


def test_a_node_goes_only_when_nothing_of_its_tasks_is_left(play: Play) -> None:
    """And its task waits as long as that."""
    add(play, "a")
    play.ask(pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 0}, pool="pool")

    assert [node.state for node in play.store.select(Node)] == ["leavingpool"]
    assert [task.state for task in play.store.select(Task)] == ["running"]
    play.agent.playing[0].gone.set_result(None)
    play.settle()
    assert list(play.store.select(Node)) == []
    assert [(task.state, task.requeues) for task in play.store.select(Task)] == [("active", 1)]


def test_a_run_that_breaks_unforeseen_fails_its_task(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    """The task says so, the log says how, and its slot is free again."""
    add(play, "a")
    play.agent.playing[0].outcome.set_exception(ZeroDivisionError("oh"))
    play.settle()

    (task,) = play.store.select(Task)
    assert (task.state, json.loads(task.failure or "{}")["category"]) == ("completed", "ServerError")
    assert "ZeroDivisionError" in caplog.text
    add(play, "b")
    assert playing(play) == ["b"]


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Play]:
    """Have a service with a pool of one node with two slots, and a job, whose state is in a file."""
    service = Play(tmp_path / "batch.db")
    service.ask(pools.create, POOL, pool_body("pool", 1, 2, "Spread"))
    service.ask(jobs.create, JOB, {"id": "job", "poolInfo": {"poolId": "pool"}})
    yield service
    service.close()


def committed(folder: Path) -> list[tuple[str, str]]:
    """Give the tasks and their states as somebody else sees them, who sees no transaction that is not done."""
    with closing(Store(folder / "batch.db")) as store:
        return [(task.id, task.state) for task in store.select(Task)]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_two_versions_are_of_one_time_though_the_clock_stands_still(play: Play, number: int) -> None:
    """As the time is what tells them apart; nor after another start."""
    seen: list[int] = []
    for _ in range(3):
        for _ in range(number):
            play.ask(jobs.patch, bodies.JOB_PATCH, {"priority": 1}, job="job")
            seen += [job.modified for job in play.store.select(Job)]
        play.restart()

    assert seen == sorted(set(seen))


def test_a_task_whose_end_could_not_be_written_down_is_not_forgotten(written: Play, tmp_path: Path) -> None:
    """It is written down, and the next one runs, when there is room again."""
    for name in ("a", "b", "c"):
        add(written, name)
    with refusing(written, "UPDATE", "nodes"):
        written.agent.playing[0].outcome.set_result(Outcome(0))
        written.settle()
        written.wait(MINUTE)
        assert playing(written) == ["b"]
        assert committed(tmp_path) == [("a", "running"), ("b", "running"), ("c", "active")]

    written.wait(MINUTE)
    assert playing(written) == ["b", "c"]
    assert committed(tmp_path) == [("a", "completed"), ("b", "running"), ("c", "running")]


def test_of_two_tasks_one_of_which_could_not_begin_none_begins_twice(written: Play, tmp_path: Path) -> None:
    """Neither has begun before both could be written down, and no slot is lost."""
    with refusing(written, "UPDATE", "tasks", "NEW.id = 'b'"):
        written.ask(jobs.disable, bodies.JOB_DISABLE, {"disableTasks": "wait"}, job="job")
        add(written, "a")
        add(written, "b")
        written.ask(jobs.enable, job="job")
        written.wait(MINUTE)
        assert playing(written) == []

    written.wait(MINUTE)
    assert playing(written) == ["a", "b"]
    assert committed(tmp_path) == [("a", "running"), ("b", "running")]
    add(written, "c")
    written.agent.playing[0].outcome.set_result(Outcome(0))
    written.settle()
    assert playing(written) == ["b", "c"]


def test_a_task_whose_termination_could_not_be_written_down_runs_on_or_again(play: Play) -> None:
    """Who asked was told that it failed."""
    add(play, "a")
    with refusing(play, "UPDATE", "tasks"), pytest.raises(sqlite3.Error):
        play.ask(tasks.terminate, job="job", task="a")
    play.settle()
    for each in [each for each in play.agent.playing if each.stopped]:
        each.gone.set_result(None)
    play.wait(MINUTE)

    assert playing(play) == ["a"]


def test_a_node_whose_leaving_could_not_be_written_down_leaves_later(play: Play) -> None:
    """Its removal is tried again."""
    with refusing(play, "DELETE", "nodes"):
        play.ask(pools.resize, bodies.RESIZE, {"targetDedicatedNodes": 0}, pool="pool")
        play.wait(MINUTE)
        assert [node.state for node in play.store.select(Node)] == ["leavingpool"]

    play.wait(MINUTE)
    assert list(play.store.select(Node)) == []
    assert [pool.allocation for pool in play.store.select(Pool)] == ["steady"]


def test_a_job_whose_removal_could_not_be_written_down_goes_later(play: Play) -> None:
    """With its tasks."""
    add(play, "a")
    play.agent.playing[0].outcome.set_result(Outcome(0))
    play.settle()
    with refusing(play, "DELETE", "jobs"):
        play.ask(jobs.delete, job="job")
        play.wait(MINUTE)
        assert [task.id for task in play.store.select(Task)] == ["a"]

    play.wait(MINUTE)
    assert list(play.store.select(Job)) == []
    assert list(play.store.select(Task)) == []


def test_a_node_that_could_not_boot_boots_later(tmp_path: Path) -> None:
    """Its time comes again."""
    service = Play(tmp_path / "batch.db", Limits(node_boot_seconds=10))
    service.ask(pools.create, POOL, pool_body("pool", 1, 1, "Spread"))
    with refusing(service, "UPDATE", "nodes"):
        service.wait(MINUTE)
    assert [node.state for node in service.store.select(Node)] == ["creating"]

    service.wait(MINUTE)
    assert [node.state for node in service.store.select(Node)] == ["idle"]
    service.close()
