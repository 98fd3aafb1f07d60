"""Runs that are broken off at any moment and go on: the books balance, and no input is counted twice or lost."""

import hashlib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fastbatch.books.facts import (
    Abandoned,
    Action,
    Built,
    Collected,
    Ended,
    Fetch,
    NotStored,
    Prepare,
    Rejected,
    Stored,
    Submit,
    Submitted,
    Unsound,
)
from fastbatch.books.ledger import Ledger
from fastbatch.books.recovery import Again, Known, Recovery, Sighting, recover
from fastbatch.books.standing import Standing
from fastbatch.model import Blob, Bundle, Ending, Failure, Kind, Plan, Task
from tests.books.test_ledger import plan_of

Content = tuple[str, ...]  # the inputs that are in a blob or a result, by name


@dataclass
class Services:
    """What is there whether the run goes on or not."""

    blobs: dict[Blob, Content] = field(default_factory=dict)
    tasks: dict[Task, Sighting] = field(default_factory=dict)
    given: dict[Task, Blob] = field(default_factory=dict)  # what each task works on
    results: dict[Task, Content] = field(default_factory=dict)
    job: int = 0
    ended_jobs: set[int] = field(default_factory=set)

    def take(self, submit: Submit) -> None:
        """Take a task; one that is there stays as it is."""
        if submit.task not in self.tasks:
            self.tasks[submit.task] = Sighting(submit.task, self.job)
            self.given[submit.task] = submit.blob

    def open(self) -> list[Task]:
        """Give the tasks that are to end."""
        return [task for task, sighting in self.tasks.items() if sighting.ending is None]

    def end(self, task: Task, exit_code: int | None, code: str | None = None) -> Ending:
        """End a task; one that ends well has a result."""
        blob = self.given[task]
        if exit_code == 0 and blob not in self.blobs:
            exit_code, code = None, "BlobNotFound"
        job = self.tasks[task].job
        ending = Ending(task, exit_code == 0, exit_code, code, job=job)
        self.tasks[task] = Sighting(task, job, ending=ending)
        if ending.succeeded:
            self.results[task] = self.blobs[blob]
        return ending

    def end_job(self) -> None:
        """End the job with all its tasks."""
        self.ended_jobs.add(self.job)
        for task in self.open():
            self.end(task, None, "TaskEnded")


def content_of(bundle: Bundle, lost: frozenset[str]) -> Content:
    """Give what is to be in a bundle without some of its inputs."""
    part = f":{bundle.start}" if bundle.kind is Kind.SLICE else ""
    return tuple(f"{item.name}{part}" for item in bundle.items if item.name not in lost)


def blob_of(content: Content) -> Blob:
    """Give the blob of a content."""
    return Blob(hashlib.sha256(repr(content).encode()).hexdigest(), len(content))


class Breaking(RuleBasedStateMachine):
    """A run on services that lose things, in a process that is ended now and then."""

    @initialize(
        tars=st.lists(st.integers(1, 2), min_size=1, max_size=2),
        cut=st.lists(st.integers(2, 2), max_size=1),
        retries=st.integers(0, 2),
    )
    def begin(self, tars: list[int], cut: list[int], retries: int) -> None:
        """Begin."""
        self.plan: Plan = plan_of(tars, cut)
        self.retries = retries
        self.services = Services()
        self.unreadable: set[str] = set()
        self.journal = dict[str, Standing]()
        self.noted = dict[Task, int]()
        self.drive(Recovery({}, (), {}, (), frozenset()))

    def drive(self, start: Recovery) -> None:
        """Be a process that goes on with the run."""
        self.prepares: list[Prepare] = []
        self.built: list[tuple[Prepare, Content]] = []
        self.submits: list[Submit] = []
        self.fetches: list[Fetch] = []
        self.unsaid: list[Task] = []  # taken, but that answer was not read yet
        self.unnoted: dict[Task, int] = {}
        self.ledger = Ledger(
            self.plan, retries=self.retries, retry_wait=0.0, standings=start.standings, live=start.live
        )
        self.ledger.knows(start.over)
        self.act(self.ledger.begin())
        for ending in start.endings:
            self.hear(ending)

    def act(self, actions: Sequence[Action]) -> None:
        """Put off what is to be done."""
        for action in actions:
            match action:
                case Prepare():
                    self.prepares.append(action)
                case Submit():
                    assert action.task not in self.noted, "an attempt is made twice"
                    self.submits.append(action)
                case Fetch():
                    self.fetches.append(action)
                case _:
                    pass

    def hear(self, ending: Ending) -> None:
        """Learn how a task ended."""
        self.unnoted[ending.task] = ending.job
        self.act(self.ledger.apply(Ended(ending)))

    def write(self) -> None:
        """Write down what changed."""
        self.journal |= deepcopy(self.ledger.changes())
        self.noted |= self.unnoted
        self.unnoted = {}

    # What happens in the process

    @precondition(lambda self: self.prepares)
    @rule()
    def build(self) -> None:
        """Build a bundle of what can be read, unless what it was built as is there."""
        action = self.prepares.pop(0)
        bundle = action.bundle
        if action.blob in self.services.blobs and not action.replace:
            self.act(self.ledger.apply(Stored(bundle.id, reused=True)))
            return
        content = content_of(bundle, frozenset(self.unreadable))
        names = {item.name for item in bundle.items} & self.unreadable
        failures = tuple(Failure(name, "it can't be read") for name in sorted(names))
        self.act(self.ledger.apply(Built(bundle.id, blob_of(content) if content else None, failures)))
        if content:
            self.built.append((action, content))

    @precondition(lambda self: self.built)
    @rule(well=st.sampled_from([True, True, True, False]))
    def store(self, *, well: bool) -> None:
        """Store what was built, when it is written down."""
        action, content = self.built.pop(0)
        self.write()
        if well:
            self.services.blobs[blob_of(content)] = content
        self.act(
            self.ledger.apply(
                Stored(action.bundle.id, reused=False) if well else NotStored(action.bundle.id, "no", passing=True)
            )
        )

    @precondition(lambda self: self.submits)
    @rule(answer=st.sampled_from(["taken", "taken", "lost", "rejected", "rejected for now"]))
    def submit(self, answer: str) -> None:
        """Give a task to the service."""
        action = self.submits.pop(0)
        if answer.startswith("rejected") and action.task not in self.services.tasks:
            self.unnoted[action.task] = self.services.job
            self.act(self.ledger.apply(Rejected(action.task, "no", passing=answer != "rejected")))
            return
        if self.services.job in self.services.ended_jobs:
            self.services.job += 1
        self.services.take(action)
        self.unsaid.append(action.task)
        if answer != "lost":
            self.answer()

    @precondition(lambda self: self.unsaid)
    @rule()
    def answer(self) -> None:
        """Learn what was taken, late."""
        tasks, self.unsaid = tuple(self.unsaid), []
        self.unnoted |= {task: self.services.tasks[task].job for task in tasks if not self.services.tasks[task].ending}
        self.act(self.ledger.apply(Submitted(tasks, self.services.job)))

    @precondition(lambda self: self.fetches)
    @rule()
    def fetch(self) -> None:
        """Bring a result, and see whether it is of all that it is to be of."""
        action = self.fetches.pop(0)
        task = action.task
        sound = self.services.results.get(task) == content_of(action.bundle, action.lost)
        self.act(self.ledger.apply(Collected(task) if sound else Unsound(task, "it is not sound")))

    @rule()
    def write_now(self) -> None:
        """Write down what changed, as happens now and then."""
        self.write()

    # What happens elsewhere

    @precondition(lambda self: self.services.open())
    @rule(data=st.data(), exit_code=st.sampled_from([0, 0, 0, 3, 7]), heard=st.booleans())
    def end(self, data: st.DataObject, exit_code: int, *, heard: bool) -> None:
        """End a task, which may be learnt of or not."""
        task = data.draw(st.sampled_from(self.services.open()))
        ending = self.services.end(task, exit_code)
        if heard:
            self.hear(ending)

    @rule(data=st.data())
    def change_an_input(self, data: st.DataObject) -> None:
        """Have an input unreadable, or readable again."""
        self.unreadable ^= {data.draw(st.sampled_from([item.name for item in self.plan.items]))}

    @precondition(lambda self: self.services.results)
    @rule(data=st.data())
    def lose_a_result(self, data: st.DataObject) -> None:
        """Lose what a task came to."""
        del self.services.results[data.draw(st.sampled_from(sorted(self.services.results, key=str)))]

    @precondition(lambda self: self.services.blobs)
    @rule(data=st.data())
    def lose_a_blob(self, data: st.DataObject) -> None:
        """Lose what was uploaded."""
        del self.services.blobs[data.draw(st.sampled_from(sorted(self.services.blobs, key=str)))]

    @precondition(lambda self: self.services.tasks)
    @rule(told=st.booleans())
    def end_the_job(self, *, told: bool) -> None:
        """End the job, which may be learnt of or not."""
        self.services.end_job()
        if told:
            self.act(self.ledger.apply(Abandoned("the job is over", self.services.job)))

    @rule(again=st.sampled_from(Again), signed=st.sampled_from([True, True, False]))
    def break_off_and_go_on(self, again: Again, *, signed: bool) -> None:
        """End the process, and have another go on by what was written down, and what the services have."""
        live = None if self.services.job in self.services.ended_jobs else self.services.job
        known = Known(tuple(self.services.tasks.values()), dict(self.noted), live, signed)
        lost = {name for standing in self.journal.values() for name in standing.lost}
        recovery = recover(self.plan.bundles, self.journal, known, again, frozenset(lost - self.unreadable))
        for sighting in recovery.stops:
            self.services.end(sighting.task, None, "TaskEnded")
        self.drive(recovery)

    @invariant()
    def the_books_balance(self) -> None:
        """Every input is in exactly one place."""
        self.ledger.check()
        books = self.ledger.books
        assert books.open >= 0
        assert self.ledger.settled <= (books.open == 0)

    @invariant()
    def what_counts_is_counted_once(self) -> None:
        """Each result that counts is of what its bundle has, and no input is in two of them."""
        counted = [part for bundle, _ in self.ledger.results() for part in self.parts(bundle)]
        assert len(set(counted)) == len(counted)
        assert len({part.partition(":")[0] for part in counted}) == self.ledger.books.done

    def parts(self, bundle: Bundle) -> Content:
        """Give what is counted of a bundle."""
        lost = {failure.name for failure in self.ledger.failures}
        return content_of(bundle, frozenset(lost))

    def teardown(self) -> None:
        """Let all go well from now on: it comes to an end, and with everything tried again, to a good one."""
        if not hasattr(self, "ledger"):
            return
        self.go_well()
        assert self.ledger.settled
        self.write()
        self.unreadable.clear()
        self.break_off_and_go_on(Again.ALL, signed=True)
        self.go_well()

        assert self.ledger.books.done == self.ledger.books.planned == len(self.plan.items)
        results = {bundle.id: self.services.results.get(task) for bundle, task in self.ledger.results()}
        assert results == {bundle.id: content_of(bundle, frozenset()) for bundle in self.plan.bundles}

    def go_well(self) -> None:
        """Let all that is to happen happen."""
        for _ in range(200):
            while self.prepares:
                self.build()
            while self.built:
                self.store(well=True)
            while self.submits:
                self.submit("taken")
            for task in self.services.open():
                self.services.end(task, 0)
            self.answer()
            self.listen()
            while self.fetches:
                self.fetch()
            if self.ledger.settled:
                return

    def listen(self) -> None:
        """Learn of all that ended, as who lists a job does."""
        for sighting in self.services.tasks.values():
            if sighting.ending and self.ledger.expects(sighting.task):
                self.hear(sighting.ending)


TestBreaking = Breaking.TestCase
TestBreaking.settings = settings(max_examples=100, stateful_step_count=40)
