"""Every task that is handed over is accounted for, whatever the service answers."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch import Account, Settings, limits
from fastbatch.azure.services import Services
from fastbatch.books.facts import Fact, Rejected, Submit, Submitted
from fastbatch.chunks import BODY_BYTES, Described
from fastbatch.errors import Refused
from fastbatch.journal.notes import Notes
from fastbatch.model import Blob, Bundle, Kind, Plan, Task
from fastbatch.order import Order
from fastbatch.pools.obtaining import Pool
from fastbatch.stages import submit
from fastbatch.stages.describe import CANCELLED
from fastbatch.stages.ground import Ground
from fastbatch.stages.jobs import Jobs
from fastbatch.stages.submit import Submitter, judge
from fastbatch.workload import Counting
from tests.counted import account_of
from tests.local import instances
from tests.local.instances import Instance
from tests.proxy import Proxy, Rule, proxy
from tests.recorded import Stored, journal_in
from tests.seam import using
from tests.stages.one_job import OneJob

ADD = "/addtaskcollection"


def described(number: int, size: int = 0) -> Described:
    """Describe a task, in so many bytes if it is that large."""
    content = json.dumps({"id": f"b{number:05}", "commandLine": "/bin/true"}).encode()
    return Described(Task(f"b{number:05}"), content[:-1] + b" " * (size - len(content)) + b"}")


def answer(task: str, status: str, code: str = "", message: str = "") -> dict[str, Any]:
    """Give what a service says of a task."""
    error = {"code": code, "message": {"value": message}} if code else None
    return {"taskId": task, "status": status, **({"error": error} if error else {})}


_STATUSES = st.sampled_from(["success", "clienterror", "servererror"])
_CASES = st.sampled_from([str.lower, str.upper, str.title])


@given(st.lists(st.tuples(st.one_of(st.none(), _STATUSES), _CASES, _CASES), max_size=20), st.randoms())
def test_each_task_gets_one_verdict(said: list[tuple[str | None, Any, Any]], random: Any) -> None:
    """In any order and any letter case, and also when nothing is said of it."""
    sent = [described(n) for n in range(len(said))]
    answers = [
        answer(id_case(task.task.id), status_case(status), "Trouble")
        for task, (status, status_case, id_case) in zip(sent, said, strict=True)
        if status
    ]
    random.shuffle(answers)
    verdicts = judge(sent, answers)

    expected: dict[str | None, list[Described]] = {}
    for task, (status, _, _) in zip(sent, said, strict=True):
        expected.setdefault(status, []).append(task)
    assert verdicts.taken == expected.get("success", [])
    assert [task for task, _ in verdicts.refused] == expected.get("clienterror", [])
    unclear = {task.task for task in expected.get("servererror", []) + expected.get(None, [])}
    assert {task.task for task, _ in verdicts.open} == unclear


@pytest.mark.parametrize("status", ["clienterror", "ClientError", "servererror"])
def test_a_task_that_exists_is_ours(status: str) -> None:
    """As the job is, and an answer may have been lost."""
    assert judge([described(1)], [answer("b00001", status, "TaskExists")]).taken == [described(1)]


def test_what_the_service_says_is_the_reason() -> None:
    """Its code and the first line of its message."""
    refused = judge([described(1)], [answer("b00001", "clienterror", "InvalidX", "It is wrong.\nRequestId:1")]).refused
    assert refused == [(described(1), "InvalidX: It is wrong.")]
    assert judge([described(1)], [{"status": "success"}]).open[0][1] == "it was not in the service's answer"


@pytest.fixture(scope="module")
def pool(services: Instance) -> Iterator[str]:
    """Have a pool that never runs anything."""
    with services.client() as client:
        name = instances.new_name("submit")
        client.create_pool(instances.pool_body(name, targetDedicatedNodes=0))
        yield name
        client.begin_delete_pool(name, polling_interval=3600)


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submit, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(submit, "_LONGEST_WAIT", 0.5)


class Handed:
    """What came of tasks that were handed over."""

    def __init__(self, facts: list[Fact], there: set[str], behind: Proxy) -> None:
        self.taken = [task.id for fact in facts if isinstance(fact, Submitted) for task in fact.tasks]
        self.rejected = {fact.task.id: fact.reason for fact in facts if isinstance(fact, Rejected)}
        self.passing = {fact.task.id for fact in facts if isinstance(fact, Rejected) and fact.passing}
        self.there = there
        self.requests = behind.count("POST", ADD)

    def all_are_accounted_for(self, tasks: int) -> bool:
        """Tell whether each task has one verdict, which is that of the service."""
        every = [f"b{n:05}" for n in range(tasks)]
        return sorted([*self.taken, *self.rejected]) == every and self.there == set(self.taken)


def hand_over(
    services: Instance,
    pool: str,
    tasks: int,
    rules: list[Rule],
    describe: Callable[[Submit], Described] | None = None,
) -> Handed:
    """Hand tasks over by a proxy with rules."""
    facts: list[Fact] = []

    async def scene(connected: Services, job: str) -> None:
        submitter = Submitter(connected.batch, OneJob(job, describe or number), facts.append)
        into, out = anyio.create_memory_object_stream[Submit](tasks)
        with out:
            async with anyio.create_task_group() as group:
                for n in range(tasks):
                    into.send_nowait(to_submit(n))
                into.close()
                for _ in range(4):
                    group.start_soon(submitter.work, out)

    with proxy(services.endpoint) as batch, services.client() as client, instances.job(client, pool) as job:
        batch.rules += rules
        using(account_of(services, batch_endpoint=batch.url), lambda connected: scene(connected, job))
        there = {task.id for task in client.list_tasks(job)}
    return Handed(facts, there, batch)


def to_submit(n: int) -> Submit:
    """Give a task to submit."""
    return Submit(Task(f"b{n:05}"), Bundle(f"b{n:05}", Kind.TAR, ()), Blob("d", 1))


def number(action: Submit) -> Described:
    """Describe it in few bytes."""
    return described(int(action.task.bundle[1:]))


def test_tasks_go_in_as_few_requests_as_they_can(services: Instance, pool: str) -> None:
    """A hundred at a time."""
    handed = hand_over(services, pool, 250, [])
    assert handed.all_are_accounted_for(250)
    assert handed.rejected == {}
    assert handed.requests == 3


def without_last(body: bytes) -> bytes:
    """Leave out half of what the service said."""
    value = json.loads(body)["value"]
    return json.dumps({"value": value[: len(value) // 2]}).encode()


def in_other_words(body: bytes) -> bytes:
    """Say the same as the real service does at other times."""
    return body.replace(b'"success"', b'"Success"').replace(b'"clienterror"', b'"ClientError"')


def server_errors(body: bytes) -> bytes:
    """Say of all that it is the service's fault."""
    error = {"code": "ServerBusy", "message": {"value": "busy"}}
    return json.dumps(
        {
            "value": [
                {"taskId": each["taskId"], "status": "ServerError", "error": error}
                for each in json.loads(body)["value"]
            ]
        }
    ).encode()


@pytest.mark.parametrize(
    ("rule", "requests"),
    [
        (Rule("POST", ADD, edit=without_last), 2),
        (Rule("POST", ADD, times=9, edit=in_other_words), 1),
        (Rule("POST", ADD, edit=server_errors), 2),
        (Rule("POST", ADD, edit=lambda _: b'{"value":[]}'), 2),
        (Rule("POST", ADD, edit=lambda _: b"{}"), 2),
        (Rule("POST", ADD, drop="after"), 2),
        (Rule("POST", ADD, drop="before"), 2),
        (Rule("POST", ADD, refuse=(413, {}, b'{"code":"RequestBodyTooLarge","message":{"value":"x"}}')), 3),
        (Rule("POST", ADD, refuse=(429, {"Retry-After": "0"}, b'{"code":"TooManyRequests"}')), 2),
    ],
    ids=["short answer", "Pascal case", "ServerError", "no answers", "nothing", "lost answer", "lost", "413", "429"],
)
def test_nothing_is_lost_and_nothing_counts_twice(services: Instance, pool: str, rule: Rule, requests: int) -> None:
    """Whatever happens to the first request or its answer."""
    rule = Rule(rule.method, rule.path, rule.times, rule.refuse, rule.drop, rule.edit)
    handed = hand_over(services, pool, 60, [rule])
    assert handed.all_are_accounted_for(60)
    assert handed.rejected == {}
    assert handed.requests == requests


def test_a_task_that_is_never_answered_for_is_given_up(services: Instance, pool: str) -> None:
    """With the reason, and how often it was tried; another time it may be taken."""
    handed = hand_over(services, pool, 2, [Rule("POST", ADD, times=99, edit=server_errors)])
    assert handed.taken == []
    assert handed.rejected == dict.fromkeys(("b00000", "b00001"), "ServerBusy: busy (8 times)")
    assert handed.passing == handed.rejected.keys()


def test_a_task_that_is_too_large_is_one_refusal(services: Instance, pool: str) -> None:
    """It is not sent, and holds up no other."""
    sizes = {3: BODY_BYTES, 7: BODY_BYTES + 5}
    handed = hand_over(
        services,
        pool,
        10,
        [],
        lambda action: described(int(action.task.bundle[1:]), sizes.get(int(action.task.bundle[1:]), 0)),
    )
    assert handed.all_are_accounted_for(10)
    assert sorted(handed.rejected) == ["b00003", "b00007"]
    assert handed.requests == 1


def test_large_tasks_are_divided_among_requests_by_their_bytes(services: Instance, pool: str) -> None:
    """Each as full as it gets."""
    handed = hand_over(services, pool, 7, [], lambda action: described(int(action.task.bundle[1:]), 300_000))
    assert handed.all_are_accounted_for(7)
    assert handed.requests == 3


def test_a_task_that_the_service_will_not_take_is_one_refusal(services: Instance, pool: str) -> None:
    """The others of its request are taken."""

    def describe(action: Submit) -> Described:
        content = b'{"id":"b00001"}' if action.task.bundle == "b00001" else number(action).content
        return Described(action.task, content)

    handed = hand_over(services, pool, 3, [], describe)
    assert handed.all_are_accounted_for(3)
    assert list(handed.rejected) == ["b00001"]


def test_a_single_task_that_is_refused_as_too_large_is_one_refusal(services: Instance, pool: str) -> None:
    """By whatever limit the service has."""
    too_large: tuple[int, dict[str, str], bytes] = (413, {}, b'{"code":"RequestBodyTooLarge","message":{"value":"x"}}')
    handed = hand_over(services, pool, 1, [Rule("POST", ADD, refuse=too_large)])
    assert "RequestBodyTooLarge" in handed.rejected["b00000"]
    assert handed.passing == set()


def test_tasks_whose_job_was_ended_may_go_well_another_time(services: Instance, pool: str) -> None:
    """Who ended it had a reason; the run comes to its end with what is done, and can be resumed."""
    over: tuple[int, dict[str, str], bytes] = (409, {}, b'{"code":"JobBeingTerminated","message":{"value":"over"}}')
    handed = hand_over(services, pool, 3, [Rule("POST", ADD, times=9, refuse=over)])

    assert handed.taken == []
    assert sorted(handed.rejected) == ["b00000", "b00001", "b00002"]
    assert all(reason.endswith(" is over") for reason in handed.rejected.values())
    assert handed.passing == set(handed.rejected)


@pytest.mark.parametrize(("reason", "goes_on"), [("AllTasksComplete", True), (CANCELLED, False)])
def test_no_other_job_follows_one_whose_run_was_cancelled(
    services: Instance, account: Account, reason: str, *, goes_on: bool
) -> None:
    """It does where one ended by itself, as all its tasks were completed."""
    run = Stored(services, account).id
    plan, workload = Plan((), (), None), Counting(10, ignore_case=False)
    order = Order(run, "uid", 0, made_pool=False, plan=plan, settings=Settings(), workload=workload, folder="")

    async def scene(connected: Services) -> None:
        notes = Notes(journal, run)
        ground = Ground(order, connected, lambda _: None, notes)
        ground.pool = Pool("none", 0, 1, made=False)
        ground.pool_is_there.set()
        jobs = Jobs(order, connected, ground, notes)
        first = await jobs.current()
        await connected.batch.end_job(first.id, reason)
        assert (await jobs.after(first) is not None) == goes_on

    with journal_in() as journal:
        using(account, scene)
        assert journal.record(run).job == int(goes_on)
    with services.client() as client:
        there = {job.id for job in client.list_jobs() if job.id.startswith(run)}
        assert there == ({run, f"{run}-a1"} if goes_on else {run})
        for job in there:
            client.begin_delete_job(job, polling_interval=3600)


def test_a_job_that_takes_no_tasks_breaks_the_run(account: Account) -> None:
    """There is no point in going on."""

    async def scene(connected: Services) -> None:
        into, out = anyio.create_memory_object_stream[Submit](1)
        into.send_nowait(to_submit(1))
        into.close()
        with out:
            await Submitter(connected.batch, OneJob("none", number), lambda _: None).work(out)

    with pytest.raises(Refused, match="JobNotFound"):
        using(account, scene)


class Slow:
    """A service that takes its time, and remembers how many tasks and requests it had at once."""

    def __init__(self, seconds: float, fails: int = 0) -> None:
        self.sizes: list[int] = []
        self.full = self.partial = self.most_full = self.most_partial = 0
        self._seconds = seconds
        self._fails = fails

    async def add_tasks(self, _job: str, content: bytes) -> list[dict[str, Any]]:
        """Take tasks."""
        tasks = json.loads(content)["value"]
        full = len(tasks) == limits.TASKS_PER_COLLECTION
        self.sizes.append(len(tasks))
        self._count(1, full=full)
        await anyio.sleep(self._seconds)
        self._count(-1, full=full)
        self._fails -= 1
        return [answer(task["id"], "servererror" if self._fails >= 0 else "success") for task in tasks]

    def _count(self, by: int, *, full: bool) -> None:
        if full:
            self.full += by
        else:
            self.partial += by
        self.most_full, self.most_partial = max(self.most_full, self.full), max(self.most_partial, self.partial)


def trickled(service: Any, batches: list[int]) -> None:
    """Hand over so many tasks at a time."""

    async def scene() -> None:
        into, out = anyio.create_memory_object_stream[Submit](10_000)
        submitter = Submitter(service, OneJob("job", number), lambda _: None)
        with out:
            async with anyio.create_task_group() as group:
                for _ in range(8):
                    group.start_soon(submitter.work, out)
                n = 0
                for batch in batches:
                    for _ in range(batch):
                        into.send_nowait(to_submit(n))
                        n += 1
                    await anyio.sleep(0.01)
                into.close()

    anyio.run(scene)


def test_what_comes_while_a_small_request_is_on_its_way_goes_together() -> None:
    """One request that is not full at a time."""
    service = Slow(0.1)
    trickled(service, [1] * 10)
    assert service.most_partial == 1
    assert len(service.sizes) <= 4
    assert sum(service.sizes) == 10


def test_full_requests_go_side_by_side() -> None:
    """As many as there are senders."""
    service = Slow(0.1)
    trickled(service, [800])
    assert service.sizes == [100] * 8
    assert service.most_full >= 7


def test_a_small_request_that_is_tried_again_does_not_hold_up_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """They go while it waits."""
    monkeypatch.setattr(submit, "_FIRST_WAIT", 0.5)
    service = Slow(0.0, fails=1)
    trickled(service, [1, 300])
    assert service.sizes == [1, 100, 100, 100, 1]
