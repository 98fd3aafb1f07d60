"""What the end of a task means for its job and its dependents, by its exit conditions and without any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.local.errors import Refused
from fastbatch.local.states import exits, tasks
from fastbatch.local.states.outcomes import OUT_OF_TIME, Outcome
from tests.local.test_task_states import FAILED, NOT_STARTED, NOT_UPLOADED, SUCCEEDED, a_job, a_task, run

if TYPE_CHECKING:
    from fastbatch.local.records import Task

TIMED_OUT = Outcome(None, OUT_OF_TIME)
ENDED_BY_USER = "ended by its user"


def ended(how: Outcome | str) -> Task:
    """Give a task that has ended in some way."""
    return run(a_task(), how) if isinstance(how, Outcome) else tasks.terminated(a_task(), "PT1H", 9)


def on_code(code: int, **options: str) -> dict[str, Any]:
    """Give conditions that say something of one exit code."""
    return {"exitCodes": [{"code": code, "exitOptions": options}]}


@given(
    codes=st.lists(st.integers(-3, 3), unique=True),
    ranges=st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3))),
    code=st.integers(-3, 3).filter(bool),
    default=st.sampled_from([None, "none", "disable", "terminate"]),
)
def test_the_exact_exit_code_says_more_than_a_range_and_a_range_more_than_the_default(
    codes: list[int], ranges: list[tuple[int, int]], code: int, default: str | None
) -> None:
    """Of what fits, the most exact decides; of the ranges the first; without any, a failure ends the job."""
    conditions: dict[str, Any] = {
        "exitCodes": [{"code": one, "exitOptions": {"jobAction": "disable"}} for one in codes],
        "exitCodeRanges": [{"start": a, "end": b, "exitOptions": {"jobAction": "none"}} for a, b in ranges],
    }
    if default:
        conditions["default"] = {"jobAction": default}
    if code in codes:
        wanted = "disable"
    elif any(a <= code <= b for a, b in ranges):
        wanted = "none"
    else:
        wanted = default or "terminate"

    assert exits.job_action({"exitConditions": conditions}, ended(Outcome(code))) == wanted


@pytest.mark.parametrize(
    ("outcome", "conditions", "action"),
    [
        (FAILED, {}, "terminate"),
        (FAILED, {"default": {}}, "terminate"),
        (FAILED, on_code(3) | {"default": {"jobAction": "none"}}, "terminate"),
        (FAILED, {"fileUploadError": {"jobAction": "none"}, "preProcessingError": {"jobAction": "none"}}, "terminate"),
        (NOT_STARTED, {}, "terminate"),
        (NOT_STARTED, {"preProcessingError": {"jobAction": "disable"}}, "disable"),
        (NOT_STARTED, {"default": {"jobAction": "none"}}, "none"),
        (NOT_STARTED, {"fileUploadError": {"jobAction": "none"}}, "terminate"),
        (NOT_UPLOADED, {"fileUploadError": {"jobAction": "disable"}}, "disable"),
        (NOT_UPLOADED, {"preProcessingError": {"jobAction": "disable"}}, "terminate"),
        (NOT_UPLOADED, on_code(0, jobAction="none") | {"fileUploadError": {"jobAction": "disable"}}, "none"),
        (TIMED_OUT, {"preProcessingError": {"jobAction": "none"}}, "terminate"),
        (SUCCEEDED, {}, "none"),
        (SUCCEEDED, {"default": {"jobAction": "terminate"}}, "none"),
    ],
)
def test_what_a_failure_means_for_the_job(outcome: Outcome, conditions: dict[str, Any], action: str) -> None:
    """Each kind of failure has its condition; an exit code that is named goes before an upload that failed."""
    body = {"exitConditions": conditions} if conditions else {}

    assert exits.job_action(body, ended(outcome)) == action


SATISFY, BLOCK = {"dependencyAction": "satisfy"}, {"dependencyAction": "block"}


@pytest.mark.parametrize(
    ("end", "conditions", "satisfied"),
    [
        (SUCCEEDED, {}, True),
        (SUCCEEDED, {"default": BLOCK}, True),
        (SUCCEEDED, on_code(0, **BLOCK), False),
        (SUCCEEDED, {"exitCodeRanges": [{"start": -1, "end": 1, "exitOptions": BLOCK}]}, False),
        (FAILED, {}, False),
        (FAILED, on_code(3, **SATISFY), True),
        (FAILED, on_code(3, jobAction="none") | {"default": SATISFY}, False),
        (FAILED, on_code(4, **SATISFY), False),
        (FAILED, {"exitCodeRanges": [{"start": 1, "end": 3, "exitOptions": SATISFY}]}, True),
        (FAILED, {"default": SATISFY}, True),
        (NOT_STARTED, {"preProcessingError": SATISFY}, True),
        (NOT_STARTED, {"preProcessingError": BLOCK, "default": SATISFY}, False),
        (NOT_UPLOADED, {}, False),
        (NOT_UPLOADED, {"fileUploadError": SATISFY}, True),
        (NOT_UPLOADED, on_code(0, **BLOCK) | {"fileUploadError": SATISFY}, False),
        (TIMED_OUT, {"default": SATISFY}, True),
        (ENDED_BY_USER, {}, False),
        (ENDED_BY_USER, {"preProcessingError": SATISFY}, False),
        (ENDED_BY_USER, {"default": SATISFY}, True),
    ],
)
def test_whether_an_end_satisfies_those_that_depend_on_it(
    end: Outcome | str, conditions: dict[str, Any], satisfied: bool
) -> None:
    """A success does and a failure does not, if the task's conditions don't say otherwise."""
    assert exits.satisfies({"exitConditions": conditions}, ended(end)) == satisfied


@pytest.mark.parametrize("name", ["exitCodes", "exitCodeRanges", "preProcessingError", "fileUploadError", "default"])
def test_an_action_that_would_never_be_taken_is_refused(name: str) -> None:
    """Wherever it stands; a job may mind failures and have no dependencies, and the other way round."""
    minding = a_job(onTaskFailure="performexitoptionsjobaction")
    depending = a_job(usesTaskDependencies=True)

    def body(options: dict[str, str]) -> dict[str, Any]:
        several = [{"code": 1, "start": 1, "end": 2, "exitOptions": options}]
        return {"exitConditions": {name: several if name.startswith("exitCode") else options}}

    exits.refuse_idle_actions(minding, body({"jobAction": "none"}))
    exits.refuse_idle_actions(depending, body(SATISFY))
    for job, options in ((minding, BLOCK), (depending, {"jobAction": "none"})):
        with pytest.raises(Refused) as caught:
            exits.refuse_idle_actions(job, body(options))
        assert caught.value.code == "InvalidPropertyValue"
