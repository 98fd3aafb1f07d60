"""The books of a run: whatever happens in whatever order, every input is in exactly one place."""

from collections.abc import Sequence
from copy import copy
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fastbatch.books.facts import (
    Abandoned,
    Action,
    Built,
    Collected,
    Ended,
    Explain,
    Fact,
    Fetch,
    NotStored,
    Prepare,
    Rejected,
    Stored,
    Submit,
    Submitted,
    Tell,
    Unsound,
)
from fastbatch.books.ledger import Ledger
from fastbatch.books.standing import Standing, State
from fastbatch.events import BundleUploaded, InputFailed, TaskDone, TasksSubmitted
from fastbatch.model import Blob, Books, Bundle, Ending, Failure, Item, Kind, Plan, Task

BLOB = Blob("d" * 64, 100)
OTHER_BLOB = Blob("e" * 64, 90)


def item(name: str) -> Item:
    """Give an input of ten bytes."""
    return Item(f"/in/{name}", name, 10, 0)


def plan_of(tars: Sequence[int], cut: Sequence[int] = ()) -> Plan:
    """Plan bundles of so many files each, and files that are cut into so many slices each."""
    bundles: list[Bundle] = []
    items: list[Item] = []
    for files in tars:
        packed = tuple(item(f"file-{len(items)}-{n}") for n in range(files))
        items += packed
        bundles.append(Bundle(f"b{len(bundles) + 1:05}", Kind.TAR if files > 1 else Kind.WHOLE, packed))
    for slices in cut:
        whole = item(f"cut-{len(items)}")
        items.append(whole)
        for n in range(slices):
            bundles.append(Bundle(f"b{len(bundles) + 1:05}", Kind.SLICE, (whole,), n, n + 1))
    return Plan(tuple(items), tuple(bundles), 1 << 20)


def ended(task: Task, *, exit_code: int | None = 0, code: str | None = None) -> Ended:
    """Say that a task is completed."""
    return Ended(Ending(task, succeeded=exit_code == 0 and code is None, exit_code=exit_code, code=code))


def events(actions: Sequence[Action]) -> list[Any]:
    """Give what observers are told."""
    return [action.event for action in actions if isinstance(action, Tell)]


def asked(actions: Sequence[Action]) -> list[Any]:
    """Give what the world is asked to do."""
    return [action for action in actions if isinstance(action, (Prepare, Submit, Fetch))]


def began(plan: Plan, retries: int = 2) -> Ledger:
    """Give books in which the first bundle's task is with the service."""
    ledger = Ledger(plan, retries=retries, retry_wait=2.0)
    ledger.begin()
    for fact in (Built("b00001", BLOB), Stored("b00001", reused=False), Submitted((Task("b00001"),))):
        ledger.apply(fact)
    return ledger


class World(RuleBasedStateMachine):
    """Storage, Batch and nodes that do well or badly, in any order, and say some things twice or late."""

    @initialize(
        tars=st.lists(st.integers(1, 3), min_size=1, max_size=3),
        cut=st.lists(st.integers(2, 3), max_size=2),
        retries=st.integers(0, 2),
    )
    def plan_a_run(self, tars: list[int], cut: list[int], retries: int) -> None:
        """Begin."""
        self.plan = plan_of(tars, cut)
        self.retries = retries
        self.ledger = Ledger(self.plan, retries=retries, retry_wait=1.0)
        self.prepares: list[Prepare] = []
        self.built: list[str] = []
        self.submits: list[Submit] = []
        self.untold: list[Task] = []  # taken by the service, which did not say so yet
        self.running: list[Task] = []
        self.fetches: list[Fetch] = []
        self.history: list[Fact] = []
        self.closed: set[str] = set()
        self.done_by: dict[str, str] = {}
        self.failed: list[str] = []
        self.inputs_done = 0
        self.attempts: set[Task] = set()
        self.take(self.ledger.begin())

    def say(self, fact: Fact) -> None:
        """Tell the ledger a fact, and see what it makes of it."""
        self.history.append(fact)
        closes = self.closes(fact)
        self.take(self.ledger.apply(fact))
        if closes:
            self.closed.add(closes)

    def closes(self, fact: Fact) -> str | None:
        """Give the bundle that a fact is the end of, unless a result of it is on its way."""
        match fact:
            case NotStored(bundle=bundle) | Built(bundle=bundle, blob=None):
                found = bundle
            case Rejected(task=task) if task.attempt == max(
                each.attempt for each in self.attempts if each.bundle == task.bundle
            ):
                found = task.bundle
            case _:
                return None
        return None if any(fetch.bundle.id == found for fetch in self.fetches) else found

    def take(self, actions: Sequence[Action]) -> None:
        """Take what is to be done."""
        for action in actions:
            match action:
                case Prepare() | Submit() | Fetch():
                    assert action.bundle.id not in self.closed, "something is asked for a bundle that is final"
                    self.queue(action)
                case Explain():
                    if not action.retried:
                        self.closed.add(action.ending.task.bundle)
                case Tell(event=InputFailed(name=name)):
                    self.failed.append(name)
                case Tell(event=TaskDone(task=task, inputs=inputs)):
                    bundle = Task.of(task).bundle
                    assert bundle not in self.closed, "a bundle is final twice"
                    self.closed.add(bundle)
                    self.done_by[bundle] = task
                    self.inputs_done += inputs
                case _:
                    pass

    def queue(self, action: Prepare | Submit | Fetch) -> None:
        """Put off what is to be done."""
        match action:
            case Prepare():
                self.prepares.append(action)
            case Submit():
                assert action.task not in self.attempts, "an attempt is made twice"
                assert action.task.attempt <= self.retries
                self.attempts.add(action.task)
                self.submits.append(action)
            case Fetch():
                self.fetches.append(action)

    @precondition(lambda self: self.prepares)
    @rule(data=st.data(), lost=st.sampled_from(["none", "none", "first", "all"]))
    def build(self, data: st.DataObject, lost: str) -> None:
        """Build a bundle, perhaps without some of its inputs."""
        action = data.draw(st.sampled_from(self.prepares))
        self.prepares.remove(action)
        items = action.bundle.items
        missing = {"none": (), "first": items[:1], "all": items}[lost]
        failures = tuple(Failure(each.name, "it is gone") for each in missing)
        blob = BLOB if len(missing) < len(items) else None
        if blob:
            self.built.append(action.bundle.id)
        self.say(Built(action.bundle.id, blob, failures))

    @precondition(lambda self: self.built)
    @rule(data=st.data(), well=st.sampled_from([True, True, True, False]), reused=st.booleans())
    def store(self, data: st.DataObject, *, well: bool, reused: bool) -> None:
        """Store a bundle, or do not."""
        bundle = data.draw(st.sampled_from(self.built))
        self.built.remove(bundle)
        self.say(Stored(bundle, reused) if well else NotStored(bundle, "refused"))

    @precondition(lambda self: self.submits)
    @rule(data=st.data(), answer=st.sampled_from(["taken", "taken", "no answer", "rejected"]))
    def submit(self, data: st.DataObject, answer: str) -> None:
        """Take a task and say so, or take it and say nothing yet, or refuse it."""
        action = data.draw(st.sampled_from(self.submits))
        self.submits.remove(action)
        if answer == "rejected":
            self.say(Rejected(action.task, "no"))
            return
        self.running.append(action.task)
        if answer == "taken":
            self.say(Submitted((action.task,)))
        else:
            self.untold.append(action.task)

    @precondition(lambda self: self.untold)
    @rule()
    def answer_late(self) -> None:
        """Say what was taken, all at once."""
        tasks, self.untold = tuple(self.untold), []
        self.say(Submitted(tasks))

    @precondition(lambda self: self.running)
    @rule(data=st.data(), exit_code=st.sampled_from([0, 0, 0, 1, 5, 7, 137, None]))
    def end(self, data: st.DataObject, exit_code: int | None) -> None:
        """End a task."""
        task = data.draw(st.sampled_from(self.running))
        self.running.remove(task)
        self.say(ended(task, exit_code=exit_code, code="NodeUnavailable" if exit_code is None else None))

    @precondition(lambda self: self.fetches)
    @rule(data=st.data(), sound=st.sampled_from([True, True, False]))
    def fetch(self, data: st.DataObject, *, sound: bool) -> None:
        """Bring a result, sound or not."""
        action = data.draw(st.sampled_from(self.fetches))
        self.fetches.remove(action)
        self.say(Collected(action.task) if sound else Unsound(action.task, "cut off"))

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Say again what was said before; what is of a bundle that is final asks for nothing."""
        fact = data.draw(st.sampled_from(self.history))
        if not isinstance(fact, (Built, NotStored, Rejected)):
            self.take(self.ledger.apply(fact))

    @invariant()
    def every_input_is_in_one_place(self) -> None:
        """Planned is done, failed and open together; what was told adds up to the same."""
        books = self.ledger.books
        assert books.planned == len(self.plan.items)
        assert (books.done, books.failed) == (self.inputs_done, len(self.failed))
        assert books.open >= 0
        assert len(set(self.failed)) == len(self.failed)
        assert sorted(failure.name for failure in self.ledger.failures) == sorted(self.failed)

    @invariant()
    def it_is_settled_when_every_bundle_is_final(self) -> None:
        """Neither sooner nor later."""
        assert self.ledger.settled == (len(self.closed) == len(self.plan.bundles))
        assert self.ledger.on_service >= 0
        assert not (self.ledger.settled and self.ledger.on_service)

    @invariant()
    def results_are_those_that_count(self) -> None:
        """One task for each bundle that is done, and none of a file of which a slice is not."""
        counting = {bundle.id: task.id for bundle, task in self.ledger.results()}
        cut = {bundle.id: bundle.items[0].name for bundle in self.plan.bundles if bundle.kind is Kind.SLICE}
        partial = {name for bundle, name in cut.items() if bundle not in self.done_by}
        assert counting == {b: task for b, task in self.done_by.items() if cut.get(b) not in partial}

    @invariant()
    def the_books_balance(self) -> None:
        """Count anew, by the inputs' names."""
        self.ledger.check()

    def teardown(self) -> None:
        """Let all go well from now on: then it comes to an end."""
        while hasattr(self, "plan") and (self.prepares or self.built or self.submits or self.running or self.fetches):
            for action in self.prepares:
                self.built.append(action.bundle.id)
                self.say(Built(action.bundle.id, BLOB))
            for bundle in self.built:
                self.say(Stored(bundle, reused=False))
            self.prepares, self.built = [], []
            self.running += [action.task for action in self.submits]
            self.submits = []
            tasks, self.running = self.running, []
            for task in tasks:
                self.say(ended(task))
            fetches, self.fetches = self.fetches, []
            for fetch in fetches:
                self.say(Collected(fetch.task))
        if hasattr(self, "plan"):
            assert self.ledger.settled
            assert self.ledger.books.open == 0


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=100, stateful_step_count=40)


def test_everything_is_prepared_first() -> None:
    """Each bundle once, in the order of the plan."""
    plan = plan_of([2, 1], [2])
    assert Ledger(plan, retries=0, retry_wait=1).begin() == [Prepare(bundle) for bundle in plan.bundles]


def test_a_bundle_that_goes_well_is_stored_submitted_fetched_and_done() -> None:
    """Each step follows from the one before."""
    plan = plan_of([2])
    ledger, task = Ledger(plan, retries=0, retry_wait=1), Task("b00001")

    assert ledger.apply(Built("b00001", BLOB)) == []
    stored = ledger.apply(Stored("b00001", reused=True))
    assert stored == [Tell(BundleUploaded("b00001", 2, 100, reused=True)), Submit(task, plan.bundles[0], BLOB)]
    assert ledger.apply(Submitted((task,))) == [Tell(TasksSubmitted(1))]
    assert ledger.apply(ended(task)) == [Fetch(task, plan.bundles[0], frozenset())]
    assert ledger.apply(Collected(task)) == [Tell(TaskDone("b00001", 2, 20))]
    assert ledger.settled
    assert list(ledger.results()) == [(plan.bundles[0], task)]
    assert (ledger.tasks, ledger.uploaded, ledger.reused, ledger.uploaded_bytes) == (1, 0, 1, 0)


def test_inputs_that_are_gone_fail_and_the_rest_of_their_bundle_goes_on() -> None:
    """Who verifies the result is told which are not in it."""
    ledger = Ledger(plan_of([3]), retries=0, retry_wait=1)
    failure = Failure("file-0-1", "it is gone")

    assert events(ledger.apply(Built("b00001", BLOB, (failure,)))) == [InputFailed("file-0-1", "it is gone")]
    ledger.apply(Stored("b00001", reused=False))
    (fetch,) = ledger.apply(ended(Task("b00001")))
    assert isinstance(fetch, Fetch)
    assert fetch.lost == {"file-0-1"}
    ledger.apply(Collected(Task("b00001")))
    assert (ledger.books.done, ledger.books.failed) == (2, 1)


def test_an_ending_may_be_seen_before_the_answer_to_its_submission() -> None:
    """As an answer can be lost, and the task is sent again later."""
    ledger, task = Ledger(plan_of([1]), retries=0, retry_wait=1), Task("b00001")
    ledger.apply(Built("b00001", BLOB))
    ledger.apply(Stored("b00001", reused=False))

    assert isinstance(ledger.apply(ended(task))[0], Fetch)
    assert asked(ledger.apply(Submitted((task,)))) == []
    ledger.apply(Collected(task))
    assert ledger.settled


def test_a_slice_stays_what_it_was_when_its_file_is_lost() -> None:
    """Of many files, what is lost is lost; but what the file was is in other slices, which this one must fit."""
    plan = plan_of([1], [2])
    standing = Standing(State.PREPARING, BLOB)
    ledger = Ledger(plan, retries=0, retry_wait=1, standings={bundle.id: copy(standing) for bundle in plan.bundles})
    for bundle in plan.bundles:
        ledger.apply(Built(bundle.id, None, (Failure(bundle.items[0].name, "its content changed"),)))

    expected = {bundle.id: BLOB if bundle.kind is Kind.SLICE else None for bundle in plan.bundles}
    assert {bundle: standing.blob for bundle, standing in ledger.changes().items()} == expected
    assert ledger.books == Books(2, 0, 2)


def test_a_digest_mismatch_uploads_again_and_replaces_what_is_there() -> None:
    """Then there is another attempt, with what was built anew."""
    plan = plan_of([1])
    ledger = began(plan)

    told, prepare = ledger.apply(ended(Task("b00001"), exit_code=5))
    assert isinstance(told, Explain)
    assert told.retried
    assert prepare == Prepare(plan.bundles[0], replace=True, blob=BLOB)
    ledger.apply(Built("b00001", OTHER_BLOB))
    (submit,) = asked(ledger.apply(Stored("b00001", reused=False)))
    assert (submit.task, submit.blob) == (Task("b00001", 1), OTHER_BLOB)


def test_each_attempt_waits_longer_than_the_one_before() -> None:
    """The first not at all."""
    ledger = began(plan_of([1]), retries=3)
    delays = [
        asked(ledger.apply(ended(Task("b00001", attempt), exit_code=None, code="NodeUnavailable")))[0].delay
        for attempt in range(3)
    ]
    assert delays == [2.0, 6.0, 18.0]


def test_what_the_program_says_no_to_is_not_tried_again() -> None:
    """Its inputs fail, with the task that they failed in."""
    ledger = began(plan_of([2]))
    actions = ledger.apply(ended(Task("b00001"), exit_code=3))

    assert asked(actions) == []
    assert [(event.name, event.task) for event in events(actions)] == [("file-0-0", "b00001"), ("file-0-1", "b00001")]
    assert ledger.settled


@pytest.mark.parametrize(("exit_code", "code", "passing"), [(3, None, False), (137, "TaskEnded", True)])
def test_a_task_that_somebody_ended_fails_in_a_way_that_may_pass(
    exit_code: int, code: str | None, *, passing: bool
) -> None:
    """It is not tried again at once, as what the program says no to; but it is when the run is resumed."""
    ledger = began(plan_of([1]))

    assert asked(ledger.apply(ended(Task("b00001"), exit_code=exit_code, code=code))) == []
    cause = ledger.changes()["b00001"].cause
    assert cause
    assert cause.passing is passing


def test_attempts_have_an_end() -> None:
    """After the last one the inputs fail."""
    ledger = began(plan_of([1]), retries=1)
    ledger.apply(ended(Task("b00001"), exit_code=7))
    ledger.apply(Submitted((Task("b00001", 1),)))
    actions = ledger.apply(ended(Task("b00001", 1), exit_code=7))

    assert [action.retried for action in actions if isinstance(action, Explain)] == [False]
    assert asked(actions) == []
    assert (ledger.books.failed, ledger.settled, ledger.on_service) == (1, True, 0)


def test_before_another_attempt_at_a_result_that_is_lost_its_bundle_is_looked_for() -> None:
    """Who lost the one may have lost the other, and the attempt would fail for the want of it."""
    ledger = began(plan_of([1]), retries=1)
    ledger.apply(ended(Task("b00001")))
    (prepare,) = asked(ledger.apply(Unsound(Task("b00001"), "it is not there")))

    assert isinstance(prepare, Prepare)
    assert (prepare.blob, prepare.replace) == (BLOB, False)


def test_a_sound_result_of_an_earlier_attempt_counts() -> None:
    """What a later attempt comes to changes nothing then."""
    ledger = began(plan_of([1]))
    ledger.apply(Unsound(Task("b00001"), "it is not there"))
    ledger.apply(Stored("b00001", reused=True))
    ledger.apply(Submitted((Task("b00001", 1),)))

    assert isinstance(ledger.apply(ended(Task("b00001")))[0], Fetch)
    assert events(ledger.apply(Collected(Task("b00001")))) == [TaskDone("b00001", 1, 10)]
    assert ledger.apply(ended(Task("b00001", 1), exit_code=3)) == []
    assert [task.id for _, task in ledger.results()] == ["b00001"]
    assert ledger.books.done == 1


def test_a_slice_that_fails_fails_its_file_once_and_the_other_slices_count_for_nothing() -> None:
    """Part of a file's words are not its words."""
    ledger = began(plan_of([], [3]))
    actions = ledger.apply(ended(Task("b00001"), exit_code=3))
    assert [event.name for event in events(actions)] == ["cut-0"]
    for bundle in ("b00002", "b00003"):
        ledger.apply(Built(bundle, BLOB))
        ledger.apply(Stored(bundle, reused=False))
    ledger.apply(ended(Task("b00002")))
    assert events(ledger.apply(Collected(Task("b00002")))) == [TaskDone("b00002", 0, 1)]
    assert events(ledger.apply(Rejected(Task("b00003"), "no"))) == []

    assert ledger.settled
    assert list(ledger.results()) == []
    assert (ledger.books.done, ledger.books.failed) == (0, 1)


def test_a_cut_file_is_done_with_its_last_slice() -> None:
    """Not before."""
    ledger = began(plan_of([], [2]))
    ledger.apply(ended(Task("b00001")))
    assert [event.inputs for event in events(ledger.apply(Collected(Task("b00001"))))] == [0]
    ledger.apply(Built("b00002", BLOB))
    ledger.apply(Stored("b00002", reused=False))
    ledger.apply(ended(Task("b00002")))
    assert [event.inputs for event in events(ledger.apply(Collected(Task("b00002"))))] == [1]
    assert len(list(ledger.results())) == 2


def test_endings_of_tasks_that_nobody_asked_for_are_no_news() -> None:
    """Of other bundles, of attempts that were not made yet, and of those that were heard of."""
    ledger = began(plan_of([1]))
    assert ledger.expects(Task("b00001"))
    assert not ledger.expects(Task("b00001", 1))
    assert not ledger.expects(Task("b99999"))
    ledger.apply(ended(Task("b00001"), exit_code=7))
    assert not ledger.expects(Task("b00001"))


@pytest.mark.parametrize("blob", [BLOB, None], ids=["with a blob", "without one"])
def test_a_bundle_that_is_final_is_not_built_again(blob: Blob | None) -> None:
    """What comes too late changes neither the books nor their end."""
    ledger = began(plan_of([1, 1]))
    ledger.apply(ended(Task("b00001")))
    ledger.apply(Collected(Task("b00001")))

    assert ledger.apply(Built("b00001", blob, (Failure("file-0-0", "it is gone"),))) == []
    assert not ledger.settled
    assert (ledger.books.done, ledger.books.failed, ledger.books.open) == (1, 0, 1)


def test_a_task_that_ended_is_not_lost_for_a_late_refusal() -> None:
    """It may be in the job though the answers lacked it each time; then its result counts."""
    ledger, task = Ledger(plan_of([1]), retries=0, retry_wait=1), Task("b00001")
    ledger.apply(Built("b00001", BLOB))
    ledger.apply(Stored("b00001", reused=False))
    ledger.apply(ended(task))

    assert ledger.apply(Rejected(task, "it was not in the service's answer (8 times)")) == []
    ledger.apply(Collected(task))
    assert ledger.books.done == 1


def test_a_failed_attempt_takes_nothing_from_a_result_that_is_on_its_way() -> None:
    """The first sound result counts, whichever attempt it is of."""
    ledger = began(plan_of([1]), retries=1)
    ledger.apply(Unsound(Task("b00001"), "it is not there"))
    ledger.apply(Stored("b00001", reused=True))
    ledger.apply(Submitted((Task("b00001", 1),)))
    ledger.apply(ended(Task("b00001")))

    assert ledger.apply(ended(Task("b00001", 1), exit_code=3)) == []
    ledger.apply(Collected(Task("b00001")))
    assert ledger.books.done == 1


@pytest.mark.parametrize("retries", [0, 1])
def test_an_earlier_attempt_whose_result_is_unsound_takes_nothing_from_a_later_one(retries: int) -> None:
    """The later one is waited for, though it ended while the other's result was on its way; there is no third."""
    first, second = Task("b00001"), Task("b00001", 1)
    standing = Standing(State.WAITING, BLOB, uploaded=False, attempt=1)
    ledger = Ledger(plan_of([1]), retries=retries, retry_wait=1, standings={"b00001": standing}, live={second: 0})
    ledger.apply(ended(first))
    ledger.apply(ended(second))
    told = ledger.apply(Unsound(first, "it is not there"))

    assert [type(action) for action in told] == [Explain]
    assert ledger.expects(second)
    assert isinstance(ledger.apply(ended(second))[0], Fetch)
    ledger.apply(Collected(second))
    assert (ledger.books.done, ledger.on_service) == (1, 0)


def test_all_that_is_known_of_is_on_the_service() -> None:
    """From when it was submitted until it ended."""
    ledger = Ledger(plan_of([1, 1]), retries=0, retry_wait=1)
    counted = [ledger.on_service]
    for fact in (Built("b00001", BLOB), Stored("b00001", reused=False), Submitted((Task("b00001"),))):
        ledger.apply(fact)
        counted.append(ledger.on_service)
    ledger.apply(ended(Task("b00001")))
    assert [*counted, ledger.on_service] == [0, 0, 0, 1, 0]


def test_no_attempt_waits_for_longer_than_a_minute() -> None:
    """However many there are."""
    ledger = Ledger(plan_of([1]), retries=20, retry_wait=2)
    ledger.apply(Built("b00001", BLOB))
    delays = [action.delay for action in ledger.apply(Stored("b00001", reused=False)) if isinstance(action, Submit)]
    for attempt in range(20):
        ledger.apply(Submitted((Task("b00001", attempt),)))
        actions = ledger.apply(ended(Task("b00001", attempt), exit_code=9))
        delays += [action.delay for action in actions if isinstance(action, Submit)]
    assert len(delays) == 21
    assert delays == sorted(delays)
    assert (delays[0], max(delays)) == (0, 60)


def test_what_is_abandoned_has_failed_but_what_is_on_its_way_counts() -> None:
    """When the job is over, a result may still be fetched."""
    ledger = Ledger(plan_of([1, 2]), retries=2, retry_wait=2)
    for name in ("b00001", "b00002"):
        ledger.apply(Built(name, BLOB))
        ledger.apply(Stored(name, reused=False))
        ledger.apply(Submitted((Task(name),)))
    ledger.apply(ended(Task("b00001")))
    ledger.apply(Abandoned("the job is completed"))
    ledger.apply(Collected(Task("b00001")))

    assert ledger.settled
    assert (ledger.books.done, ledger.books.failed) == (1, 2)
    assert {failure.reason for failure in ledger.failures} == {"the job is completed"}


def test_a_bundle_that_was_there_and_had_to_be_uploaded_anew_is_ours() -> None:
    """So it counts as uploaded, and who cleans up takes it away."""
    ledger, task = Ledger(plan_of([1]), retries=1, retry_wait=1), Task("b00001")
    for fact in (Built("b00001", BLOB), Stored("b00001", reused=True), Submitted((task,))):
        ledger.apply(fact)
    ledger.apply(ended(task, exit_code=None, code="BlobNotFound"))
    ledger.apply(Built("b00001", BLOB))
    ledger.apply(Stored("b00001", reused=False))

    assert (ledger.uploaded, ledger.reused, ledger.uploaded_bytes) == (1, 0, BLOB.length)
    assert ledger.changes()["b00001"].uploaded is True
