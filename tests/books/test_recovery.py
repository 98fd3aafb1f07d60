"""Where a run goes on: whatever the journal has, and whatever the service has of its tasks."""

from copy import deepcopy
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch.books.recovery import Again, Known, Recovery, Sighting, has_work, is_tried_again, recover
from fastbatch.books.standing import Cause, Standing, State
from fastbatch.model import Blob, Bundle, Ending, Kind, Task
from tests.books.test_ledger import BLOB, plan_of

BUNDLE = "b00001"
LIVE = 1


@dataclass(frozen=True)
class Case:
    """What is known of a run when it goes on."""

    bundles: tuple[Bundle, ...]
    standings: dict[str, Standing]
    known: Known
    again: Again
    returned: frozenset[str]

    def recovered(self) -> Recovery:
        """Recover it, which changes nothing of what is known."""
        before = deepcopy(self)
        found = recover(self.bundles, self.standings, self.known, self.again, self.returned)
        assert self == before
        return found

    def standing(self, bundle: str) -> Standing:
        """Give where a bundle stood."""
        return self.standings.get(bundle, Standing())

    def sightings(self, bundle: str) -> list[Sighting]:
        """Give what the service has of a bundle."""
        return [one for one in self.known.sightings if one.task.bundle == bundle]

    def is_built_anew(self, bundle: str) -> bool:
        """Tell whether inputs of a bundle that were lost are to be in it again."""
        return self.again is Again.ALL and not self.returned.isdisjoint(self.standing(bundle).lost)

    def is_left(self, bundle: str) -> bool:
        """Tell whether a bundle failed for good, as far as is asked."""
        standing = self.standing(bundle)
        is_final = standing.state is State.FAILED and not is_tried_again(standing, self.again)
        return is_final and not self.is_built_anew(bundle)


def ended(task: Task, outcome: str, job: int) -> Ending | None:
    """Give how a task ended, or None if it did not."""
    codes = {"well": 0, "says no": 3, "passing": 7}
    return Ending(task, outcome == "well", codes[outcome], job=job) if outcome in codes else None


@st.composite
def standings(draw: st.DrawFn, bundle: Bundle, attempts: int) -> Standing:
    """Draw where a bundle stands that had so many attempts."""
    state = draw(st.sampled_from(State))
    task = Task(bundle.id, draw(st.integers(0, max(0, attempts - 1))))
    names = st.sampled_from([item.name for item in bundle.items])
    lost = dict.fromkeys(draw(st.sets(names)), "it is gone")
    cause = draw(st.none() | st.builds(Cause, st.just("why"), st.just(task), st.booleans()))
    return Standing(
        state=state,
        blob=BLOB,
        uploaded=draw(st.booleans()),
        attempt=draw(st.integers(task.attempt, attempts)),
        lost=lost,
        done_by=task if state is State.DONE else None,
        cause=cause if state is State.FAILED else None,
    )


@st.composite
def sightings(draw: st.DrawFn, task: Task) -> Sighting:
    """Draw what the service has of a task."""
    job = draw(st.sampled_from([0, LIVE]))
    outcome = draw(st.sampled_from(["waits", "runs", "well", "says no", "passing"]))
    return Sighting(task, job, outcome == "runs", ended(task, outcome, job))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw what is known of a run, whether it could ever come to that or not."""
    plan = plan_of(draw(st.lists(st.integers(1, 2), min_size=1, max_size=3)), [2])
    found, seen, noted = dict[str, Standing](), list[Sighting](), dict[Task, int]()
    for bundle in plan.bundles:
        attempts = draw(st.integers(0, 3))
        for task in (Task(bundle.id, attempt) for attempt in range(attempts)):
            if draw(st.booleans()):
                seen.append(draw(sightings(task)))
            if draw(st.booleans()):
                noted[task] = 0
        if draw(st.integers(0, 4)):
            found[bundle.id] = draw(standings(bundle, attempts))
    live = draw(st.sampled_from([None, LIVE]))
    known = Known(tuple(draw(st.permutations(seen))), noted, live, draw(st.booleans()))
    names = st.sampled_from([item.name for item in plan.items])
    return Case(plan.bundles, found, known, draw(st.sampled_from(Again)), frozenset(draw(st.sets(names))))


@settings(max_examples=80)
@given(cases())
def test_each_bundle_fails_or_is_prepared_or_waits_for_one_task(case: Case) -> None:
    """For one that ended, or one that is still to end."""
    recovery = case.recovered()
    waiting = [*(ending.task for ending in recovery.endings), *recovery.live]
    found = {State.FAILED: 0, State.PREPARING: 0, State.WAITING: 0}
    for bundle in case.bundles:
        found[recovery.standings[bundle.id].state] += 1

    assert list(recovery.standings) == [bundle.id for bundle in case.bundles]
    assert sorted(task.bundle for task in waiting) == sorted(
        bundle for bundle, standing in recovery.standings.items() if standing.state is State.WAITING
    )


@settings(max_examples=80)
@given(cases())
def test_a_success_is_taken(case: Case) -> None:
    """Of any attempt in any job, unless the bundle failed for good or is to be another one."""
    recovery = case.recovered()
    taken = {ending.task for ending in recovery.endings if ending.succeeded}
    for bundle in (bundle.id for bundle in case.bundles):
        successes = {one.task for one in case.sightings(bundle) if one.ending and one.ending.succeeded}
        if successes and not case.is_left(bundle) and not case.is_built_anew(bundle):
            assert taken & successes


@settings(max_examples=80)
@given(cases())
def test_no_attempt_is_made_twice(case: Case) -> None:
    """Neither one that the journal knows of, nor one that only the service does."""
    recovery = case.recovered()
    tasks = {*case.known.attempts, *(one.task for one in case.known.sightings)}
    for bundle, standing in recovery.standings.items():
        if standing.state is State.PREPARING:
            tried = [task.attempt for task in tasks if task.bundle == bundle]
            assert standing.attempt == max(tried, default=-1) + 1


@settings(max_examples=80)
@given(cases())
def test_what_was_done_stays_known(case: Case) -> None:
    """By which task, what blob there is, and which inputs are lost; unless it is to be another one, as no slice is."""
    recovery = case.recovered()
    slices = {bundle.id for bundle in case.bundles if bundle.kind is Kind.SLICE}
    for bundle, standing in recovery.standings.items():
        before = case.standing(bundle)
        if case.is_built_anew(bundle):
            left = {name: reason for name, reason in before.lost.items() if name not in case.returned}
            blob = before.blob if bundle in slices else None
            assert standing == Standing(blob=blob, lost=left, attempt=standing.attempt)
        else:
            kept = (standing.done_by, standing.blob, standing.uploaded, standing.lost)
            assert kept == (before.done_by, before.blob, before.uploaded, before.lost)
            assert standing.state is not State.PREPARING or before.done_by is None


@settings(max_examples=80)
@given(cases())
def test_what_failed_is_tried_again_as_it_is_asked_for(case: Case) -> None:
    """Nothing, or what is passing, or all but what is lost; what is not tried again is as it was."""
    recovery = case.recovered()
    for bundle, before in case.standings.items():
        if before.state is not State.FAILED:
            assert recovery.standings[bundle].state is not State.FAILED
            continue
        passing = before.cause is not None and before.cause.passing
        expected = {
            Again.NOTHING: False,
            Again.PASSING: passing,
            Again.ALL: before.cause is not None or not case.returned.isdisjoint(before.lost),
        }[case.again]
        found = recovery.standings[bundle]
        assert (found.state is not State.FAILED) == expected
        assert expected or found == before


@settings(max_examples=80)
@given(cases())
def test_only_what_would_fail_is_stopped(case: Case) -> None:
    """What waits in the job that goes on and may read and write no more; and what is of a bundle as it was."""
    recovery = case.recovered()
    waited_for = {*recovery.live, *(ending.task for ending in recovery.endings)}
    for one in recovery.stops:
        assert one.ending is None
        assert one.job == case.known.live_job
        assert case.is_built_anew(one.task.bundle) or not (one.running or case.known.signed)
        assert one.task not in waited_for
        assert not case.is_left(one.task.bundle)
    for task, job in recovery.live.items():
        (one,) = [one for one in case.known.sightings if one.task == task]
        assert one.ending is None
        assert one.job == job == case.known.live_job
        assert one.running or case.known.signed


@settings(max_examples=80)
@given(cases())
def test_going_on_twice_without_anything_happening_is_going_on_once(case: Case) -> None:
    """As when it is broken off again at once."""
    once = case.recovered()
    twice = replace(case, standings=once.standings, returned=frozenset()).recovered()
    for bundle in (bundle.id for bundle in case.bundles):
        if not case.is_built_anew(bundle):
            assert twice.standings[bundle] == once.standings[bundle]
            assert _of(twice, bundle) == _of(once, bundle)


def _of(recovery: Recovery, bundle: str) -> list[object]:
    return [
        [ending for ending in recovery.endings if ending.task.bundle == bundle],
        [task for task in recovery.live if task.bundle == bundle],
        [stop for stop in recovery.stops if stop.task.bundle == bundle],
    ]


@settings(max_examples=80)
@given(cases())
def test_there_is_work_where_anything_would_be_asked_for(case: Case) -> None:
    """Of a run that was over: what is done is no work."""
    done = {
        bundle.id: replace(standing, state=State.DONE, done_by=Task(bundle.id), cause=None)
        for bundle in case.bundles
        if (standing := case.standing(bundle.id)).state is not State.FAILED
    }
    over = replace(case, standings={**case.standings, **done}, known=Known())
    asked_for = any(standing.state is State.PREPARING for standing in over.recovered().standings.values())

    assert has_work(over.bundles, over.standings, over.again, over.returned) == asked_for


# --- examples ---------------------------------------------------------------------------------------------------------


def one(
    standing: Standing,
    *seen: Sighting,
    again: Again = Again.PASSING,
    live: int | None = LIVE,
    signed: bool = True,
    returned: frozenset[str] = frozenset(),
) -> tuple[Standing, Recovery]:
    """Recover a run of one bundle of two files."""
    noted = {sighting.task: sighting.job for sighting in seen}
    known = Known(seen, noted, live, signed)
    recovery = recover(plan_of([2]).bundles, {BUNDLE: standing}, known, again, returned)
    return recovery.standings[BUNDLE], recovery


def task(attempt: int = 0) -> Task:
    """Give an attempt."""
    return Task(BUNDLE, attempt)


def seen(attempt: int, outcome: str, job: int = LIVE) -> Sighting:
    """Give what the service has of an attempt."""
    return Sighting(task(attempt), job, outcome == "runs", ended(task(attempt), outcome, job))


def at(state: State, attempt: int = 0, **more: object) -> Standing:
    """Give where a bundle stands that is in storage."""
    return replace(Standing(state, BLOB, uploaded=True, attempt=attempt), **more)  # type: ignore[arg-type]


def test_a_run_that_was_broken_off_before_its_first_request_begins() -> None:
    """Each bundle as if it were new."""
    standing, recovery = one(Standing(), live=None)
    assert standing == Standing()
    assert recovery == Recovery({BUNDLE: standing}, (), {}, (), frozenset())


def test_a_task_whose_answer_was_lost_is_found() -> None:
    """The journal knows of no attempt, the service does."""
    known = Known([seen(0, "runs")], {}, LIVE)
    recovery = recover(plan_of([2]).bundles, {BUNDLE: at(State.SUBMITTING)}, known, Again.PASSING)

    assert recovery.standings[BUNDLE].state is State.WAITING
    assert recovery.live == {task(): LIVE}


def test_what_is_done_is_taken_again_though_the_service_forgot_it() -> None:
    """As its result may be here, or in storage; if it is not, there is another attempt."""
    standing, recovery = one(at(State.DONE, done_by=task()), live=None)
    assert (standing.state, standing.done_by) == (State.WAITING, task())
    assert [(ending.task, ending.succeeded) for ending in recovery.endings] == [(task(), True)]


def test_the_result_of_a_later_attempt_is_taken_where_there_are_several() -> None:
    """There was one because the earlier was found to be bad."""
    _, recovery = one(at(State.SUBMITTING, 2), seen(0, "well"), seen(1, "well"))
    assert [ending.task for ending in recovery.endings] == [task(1)]


def test_a_task_in_a_job_that_is_over_will_not_run() -> None:
    """So there is another attempt."""
    standing, _ = one(at(State.WAITING), seen(0, "waits", job=0))
    assert (standing.state, standing.attempt) == (State.PREPARING, 1)


def test_a_task_that_waits_with_a_signature_that_ran_out_is_stopped_and_tried_anew() -> None:
    """One that runs is waited for: its blob is read by now."""
    standing, recovery = one(at(State.WAITING), seen(0, "waits"), signed=False)
    assert (standing.state, standing.attempt) == (State.PREPARING, 1)
    assert recovery.stops == (seen(0, "waits"),)

    standing, recovery = one(at(State.WAITING), seen(0, "runs"), signed=False)
    assert standing.state is State.WAITING
    assert recovery.stops == ()


def test_what_the_program_said_no_to_meanwhile_is_told() -> None:
    """And not tried again unless all is."""
    standing, recovery = one(at(State.WAITING), seen(0, "says no"))
    assert standing.state is State.WAITING
    assert [ending.exit_code for ending in recovery.endings] == [3]

    standing, recovery = one(at(State.WAITING), seen(0, "says no"), again=Again.ALL)
    assert (standing.state, standing.attempt, recovery.endings) == (State.PREPARING, 1, ())


@pytest.mark.parametrize("again", [Again.PASSING, Again.NOTHING])
def test_another_attempt_that_was_decided_on_is_made(again: Again) -> None:
    """Though the run was broken off before the service had it, and the last one ended in a final way."""
    standing, recovery = one(at(State.SUBMITTING, 1), seen(0, "says no"), again=again)
    assert (standing.state, standing.attempt, recovery.endings) == (State.PREPARING, 1, ())


def test_an_earlier_attempt_that_runs_is_not_what_is_waited_for() -> None:
    """If it ended badly, nobody would wait for the later one, of which the service knows nothing."""
    known = Known([seen(0, "runs")], {task(): LIVE, task(1): LIVE}, LIVE)
    recovery = recover(plan_of([2]).bundles, {BUNDLE: at(State.WAITING, 1)}, known, Again.PASSING)

    assert (recovery.standings[BUNDLE].state, recovery.standings[BUNDLE].attempt) == (State.PREPARING, 2)


def test_an_input_that_is_there_again_makes_another_bundle_of_it() -> None:
    """If all is tried again; its result as it was does not count, and the task that may still run is ended."""
    done = at(State.DONE, lost={"file-0-0": "it is gone"}, done_by=task())
    there = frozenset({"file-0-0"})
    standing, recovery = one(done, seen(0, "well"), seen(1, "runs"), again=Again.ALL, returned=there)
    assert standing == Standing(attempt=2)
    assert recovery.stops == (seen(1, "runs"),)

    standing, _ = one(done, seen(0, "well"), returned=there)
    assert standing.lost == done.lost


def test_a_slice_of_a_file_that_is_there_again_must_be_what_it_was() -> None:
    """Other slices are of what the file was then, and two contents of one file are never mixed."""
    bundles = plan_of([], [2]).bundles
    name = bundles[0].items[0].name
    standings = {
        bundles[0].id: Standing(State.DONE, BLOB, uploaded=True, done_by=Task(bundles[0].id)),
        bundles[1].id: Standing(State.FAILED, BLOB, lost={name: "its content changed"}),
    }
    recovery = recover(bundles, standings, Known(), Again.ALL, frozenset({name}))

    assert recovery.standings[bundles[1].id] == Standing(State.PREPARING, BLOB)


def test_what_can_not_be_read_is_not_there_again() -> None:
    """Then nothing is tried, however much it is asked for."""
    lost = Standing(State.FAILED, lost={"file-0-0": "it is gone", "file-0-1": "it is gone"})
    standing, _ = one(lost, again=Again.ALL, live=None)
    assert standing == lost


def test_what_a_bundle_was_built_as_stays() -> None:
    """As it is final."""
    blob = Blob("a" * 64, 7)
    standing, _ = one(at(State.FAILED, blob=blob, checks=b"1234", cause=Cause("why", task(), passing=True)))
    assert (standing.blob, standing.checks, standing.cause) == (blob, b"1234", None)
