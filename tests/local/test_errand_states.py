"""What a node does for a job beside its tasks goes only the ways that it may, and bars only whom it must."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.local.bodies import JOB
from fastbatch.local.errors import Refused
from fastbatch.local.records import Errand, Job, Node, Pool
from fastbatch.local.states import errands, jobs, nodes
from fastbatch.local.states.errands import PREPARATION, RELEASE
from fastbatch.local.states.outcomes import OUT_OF_TIME, Failure, Outcome

COMMAND = {"commandLine": "x"}
FAILED = Outcome(3)
NOT_STARTED = Outcome(None, Failure("BlobNotFound", "there is none"))
OUTCOMES = st.sampled_from([Outcome(0), FAILED, NOT_STARTED, Outcome(None, OUT_OF_TIME)])


def a_job(preparation: Mapping[str, Any] | None = None, release: Mapping[str, Any] | None = None) -> Job:
    """Make a job with a preparation and a release."""
    body = {"jobPreparationTask": {**COMMAND, **(preparation or {})}, "jobReleaseTask": {**COMMAND, **(release or {})}}
    checked = JOB({"id": "j", "poolInfo": {"poolId": "p"}, **body})
    return jobs.new(checked, json.dumps(checked), 0)


def a_node(key: int = 1, state: str = "idle") -> Node:
    """Make a node."""
    return replace(nodes.new(a_pool(), f"n{key}", 0, dedicated=True), key=key, state=state)


def a_pool() -> Pool:
    """Make a pool."""
    return Pool(1, "p", "{}", 1, 0, 0, "active", 0, "steady", 0)


def begun(job: Job, kind: str = PREPARATION) -> Errand:
    """Give an errand that has begun."""
    return errands.new(job, a_pool(), a_node(), kind, 10)


def ended(job: Job, outcome: Outcome, kind: str = PREPARATION) -> Errand:
    """Give an errand after its only run."""
    return errands.ended(begun(job, kind), outcome, errands.asked(job, kind), 20)[0]


def refused(body: Mapping[str, Any]) -> tuple[str, str]:
    """Expect that a job is refused; give the code and the property that is named."""
    checked = JOB({"id": "j", "poolInfo": {"poolId": "p"}, **body})
    with pytest.raises(Refused) as caught:
        jobs.new(checked, "", 0)
    return caught.value.code, caught.value.values["PropertyName"]


# --- what may be asked ---


def test_a_release_needs_a_preparation() -> None:
    """It is there to undo that."""
    assert refused({"jobReleaseTask": COMMAND}) == ("InvalidPropertyValue", "jobReleaseTask")


def test_preparation_and_release_have_two_ids() -> None:
    """Letter case makes no second one."""
    both = {"jobPreparationTask": {**COMMAND, "id": "A"}, "jobReleaseTask": {**COMMAND, "id": "a"}}
    assert refused(both) == ("InvalidPropertyValue", "jobReleaseTask.id")


@pytest.mark.parametrize(
    ("name", "code"),
    [("JobPreparation", "TaskIdSameAsJobPreparationTask"), ("jobrelease", "TaskIdSameAsJobReleaseTask")],
)
def test_no_task_has_the_id_of_a_preparation_or_release(name: str, code: str) -> None:
    """They would share a folder."""
    with pytest.raises(Refused, match=code):
        errands.refuse_id(json.loads(a_job().body), name)
    errands.refuse_id({}, name)


# --- how it goes ---


def test_a_preparation_bars_the_job_when_it_has_failed_for_good() -> None:
    """Not before its last retry, and not if the job's tasks do not wait for it."""
    twice = a_job({"constraints": {"maxTaskRetryCount": 1}})
    first, again = errands.ended(begun(twice), FAILED, errands.asked(twice, PREPARATION), 20)
    assert (first.bars, again, json.loads(first.info)["retryCount"]) == (False, True, 1)
    last, again = errands.ended(first, FAILED, errands.asked(twice, PREPARATION), 30)
    assert (last.bars, again, json.loads(last.info)["exitCode"]) == (True, False, 3)
    assert not ended(a_job({"waitForSuccess": False}), FAILED).bars


def test_what_could_not_be_started_is_not_retried() -> None:
    """A file that is not there will not come by waiting."""
    job = a_job({"constraints": {"maxTaskRetryCount": -1}})
    after, again = errands.ended(begun(job), NOT_STARTED, errands.asked(job, PREPARATION), 20)
    assert (after.bars, again, json.loads(after.info)["failureInfo"]["code"]) == (True, False, "BlobNotFound")


@given(OUTCOMES)
def test_a_release_is_run_once_and_bars_nobody(outcome: Outcome) -> None:
    """Whatever comes of it."""
    job = a_job({"constraints": {"maxTaskRetryCount": -1}}, {"retentionTime": "PT1M"})
    after, again = errands.ended(begun(job, RELEASE), outcome, errands.asked(job, RELEASE), 20)
    assert (after.bars, again, after.files_until) == (False, False, 60_000_020)


@pytest.mark.parametrize(
    ("preparation", "outcome", "lets"),
    [({}, None, False), ({}, Outcome(0), True), ({}, FAILED, False)]
    + [({"waitForSuccess": False}, outcome, True) for outcome in (None, Outcome(0), FAILED)],
)
def test_tasks_start_where_their_job_is_prepared(
    preparation: dict[str, Any], outcome: Outcome | None, lets: bool
) -> None:
    """Or anywhere, if they need not wait for that."""
    job = a_job(preparation)
    errand = begun(job) if outcome is None else ended(job, outcome)
    assert errands.lets_start(errand, errands.asked(job, PREPARATION)) == lets


@given(OUTCOMES)
def test_what_is_broken_off_has_its_turn_once_more(outcome: Outcome) -> None:
    """And what has ended has not."""
    job = a_job()
    body = errands.asked(job, PREPARATION)
    broken = errands.broken_off(begun(job), body, 20)
    assert (broken.is_due, broken.bars, json.loads(broken.info)["failureInfo"]["code"]) == (True, False, "TaskEnded")
    assert errands.broken_off(ended(job, outcome), body, 30) == ended(job, outcome)
    renewed = errands.renewed(broken, 40)
    assert (renewed.is_due, json.loads(renewed.info)) == (False, {"state": "running", "startTime": 40, "retryCount": 0})


@pytest.mark.parametrize(
    ("preparation", "outcome", "again"),
    [
        ({}, Outcome(0), True),
        ({"rerunOnNodeRebootAfterSuccess": False}, Outcome(0), False),
        ({"rerunOnNodeRebootAfterSuccess": False}, None, True),
        ({}, FAILED, False),
    ],
)
def test_a_reboot_asks_for_a_preparation_once_more(
    preparation: dict[str, Any], outcome: Outcome | None, again: bool
) -> None:
    """If the job says so, or it had not ended; one that failed keeps the node barred until it is made anew."""
    job = a_job(preparation)
    errand = begun(job) if outcome is None else ended(job, outcome)
    after = errands.rebooted(errand, errands.asked(job, PREPARATION), 30)
    assert (after.is_due, after.bars) == (again, outcome is FAILED)


def test_a_reboot_asks_for_no_second_release() -> None:
    """Only for one that it broke off."""
    job = a_job()
    body = errands.asked(job, RELEASE)
    assert not errands.rebooted(ended(job, Outcome(0), RELEASE), body, 30).is_due
    assert errands.rebooted(begun(job, RELEASE), body, 30).is_due


def test_a_node_that_goes_down_in_its_own_time_releases_before() -> None:
    """Or the job would wait for it as long as it waits for files."""
    for how, turn in (("requeue", "later"), ("terminate", "later"), ("taskcompletion", "now"), ("retaineddata", "now")):
        assert errands.turn(replace(a_node(state="rebooting"), deallocation=how), None) == turn


@pytest.mark.parametrize(
    ("state", "turn"),
    [("idle", "now"), ("running", "now"), ("offline", "now")]
    + [(state, "later") for state in ("starting", "waitingforstarttask", "rebooting")]
    + [(state, "over") for state in ("leavingpool", "unusable", "starttaskfailed")],
)
def test_a_release_waits_only_for_nodes_that_come_back(state: str, turn: str) -> None:
    """Nobody waits for one that goes, or has gone, or has done it."""
    job = a_job()
    assert errands.turn(a_node(state=state), None) == turn
    assert (
        errands.turn(a_node(state=state), errands.broken_off(begun(job, RELEASE), errands.asked(job, RELEASE), 20))
        == turn
    )
    assert errands.turn(a_node(state=state), ended(job, FAILED, RELEASE)) == "over"
    assert errands.turn(None, None) == "over"
