"""What may pass, how long is waited for it, and that it is sent again."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.errors import (
    FastbatchError,
    QuotaReached,
    Refused,
    ResultUnsound,
    ServiceError,
    Unauthorized,
    Unreachable,
)
from fastbatch.sending.persevere import persevere
from fastbatch.sending.retry import ASKED_AT_MOST, Policy, asked, out_of_time, passes, refused_by_load, wait
from fastbatch.sending.throttle import Throttle
from tests.virtual_time import play

UNREACHABLE = Unreachable("storage", "put a blob", "connection reset")


def refused(status: int, code: str = "", retry_after: float | None = None) -> Refused:
    """Make the error of a service that refused."""
    return Refused("batch", "add tasks", status, code, retry_after=retry_after)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_status_of_trouble_passes(status: int) -> None:
    """Whatever the code."""
    assert passes(refused(status))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 501, 505])
def test_a_status_that_says_no_does_not_pass(status: int) -> None:
    """The same request would be refused again."""
    assert not passes(refused(status, "InvalidRequestBody"))


@pytest.mark.parametrize("code", ["ServerBusy", "operationtimedout", "InternalError", "TOOMANYREQUESTS"])
def test_a_code_of_trouble_passes_in_any_letter_case(code: str) -> None:
    """Some answers carry it under a status that says something else, as those for one task of many do."""
    assert passes(refused(200, code))


@pytest.mark.parametrize(("status", "expected"), [(409, True), (501, True), (400, False), (403, False), (404, False)])
def test_what_is_not_the_requests_own_fault_passes_when_it_is_invited_again(status: int, *, expected: bool) -> None:
    """A conflict may be over by then."""
    assert passes(refused(status, retry_after=1)) is expected


def test_no_answer_passes() -> None:
    """Networks come back."""
    assert passes(UNREACHABLE)


@pytest.mark.parametrize("error", [Unauthorized("no"), QuotaReached("no"), ResultUnsound("no"), ValueError("no")])
def test_other_errors_do_not_pass(error: Exception) -> None:
    """Neither ours nor anybody else's."""
    assert not passes(error)


@pytest.mark.parametrize(
    ("error", "load", "late"),
    [
        (refused(429), True, False),
        (refused(503), True, False),
        (refused(200, "serverbusy"), True, False),
        (refused(500, "OperationTimedOut"), False, True),
        (refused(504), False, True),
        (refused(408), False, True),
        (UNREACHABLE, False, True),
        (refused(500, "InternalError"), False, False),
        (refused(409, "JobExists", retry_after=5), False, False),
        (FastbatchError("no"), False, False),
    ],
    ids=str,
)
def test_load_is_told_from_lateness_and_from_other_trouble(error: Exception, *, load: bool, late: bool) -> None:
    """As they slow the senders down in different ways, or not at all."""
    assert (refused_by_load(error), out_of_time(error)) == (load, late)


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [(None, 0.0), (2.5, 2.5), (0.0, 0.0), (-3.0, 0.0), (float("nan"), 0.0), (1e9, ASKED_AT_MOST)],
)
def test_what_a_service_asks_for_is_heard_within_reason(retry_after: float | None, expected: float) -> None:
    """It may be any number."""
    assert asked(refused(503, retry_after=retry_after)) == expected


def test_waits_double_up_to_the_longest() -> None:
    """The eighth attempt is the last."""
    waits = [wait(Policy(), attempt, UNREACHABLE, waited=0, random=lambda: 0.0) for attempt in range(1, 9)]

    assert waits == [0.5, 1, 2, 4, 8, 16, 30, None]


def test_jitter_is_the_share_of_a_wait_that_chance_takes_away() -> None:
    """All of it, unless the policy says otherwise."""
    assert wait(Policy(), 3, UNREACHABLE, waited=0, random=lambda: 0.75) == 0.5
    assert wait(Policy(wait_jitter=0.5), 3, UNREACHABLE, waited=0, random=lambda: 1.0) == 1.0
    assert wait(Policy(wait_jitter=0.0), 3, UNREACHABLE, waited=0, random=lambda: 1.0) == 2.0


def test_what_will_not_pass_is_not_waited_for() -> None:
    """Not once."""
    assert wait(Policy(), 1, refused(404), waited=0, random=lambda: 0.0) is None


def test_no_wait_begins_when_enough_was_waited() -> None:
    """One that the service asked for may end later than that."""
    error = refused(429, retry_after=250)

    assert wait(Policy(), 1, error, waited=179, random=lambda: 0.0) == 250
    assert wait(Policy(), 2, error, waited=180, random=lambda: 0.0) is None


@given(
    st.integers(1, 10_000),
    st.none() | st.floats(),
    st.floats(0, 1),
    st.builds(
        Policy,
        attempts=st.integers(1, 10_000),
        wait_initial=st.floats(0, 10),
        wait_max=st.floats(0, 100),
        wait_jitter=st.floats(0, 1),
    ),
)
def test_a_wait_is_never_shorter_than_asked_nor_longer_than_both_bounds(
    attempt: int, retry_after: float | None, chance: float, policy: Policy
) -> None:
    """Whatever the numbers, and however many attempts there were."""
    error = refused(503, retry_after=retry_after)

    seconds = wait(policy, attempt, error, waited=0, random=lambda: chance)

    if attempt >= policy.attempts:
        assert seconds is None
    else:
        assert seconds is not None
        assert asked(error) <= seconds <= max(asked(error), policy.wait_max)


class Sender:
    """One that meets the given errors before it does well, and tells when it was sent and what was retried."""

    def __init__(self, *errors: Exception) -> None:
        self.throttle = Throttle(1, random=lambda: 0.0)
        self.sent: list[float] = []
        self.retried: list[tuple[ServiceError, float]] = []
        self._errors = list(errors)

    async def send(self) -> str:
        """Fail as long as there are errors left."""
        self.sent.append(anyio.current_time())
        if self._errors:
            raise self._errors.pop(0)
        return "done"

    async def persevere(self) -> str:
        """Send it, without chance."""
        return await persevere(
            self.send,
            throttle=self.throttle,
            policy=Policy(),
            on_retry=lambda *retry: self.retried.append(retry),
            random=lambda: 0.0,
        )


def test_what_passes_is_sent_again_later() -> None:
    """Each time is told, with what went wrong and how long is waited."""
    sender = Sender(UNREACHABLE, UNREACHABLE)

    assert play(sender.persevere) == "done"
    assert sender.sent == [0, 0.5, 1.5]
    assert sender.retried == [(UNREACHABLE, 0.5), (UNREACHABLE, 1.0)]


def test_what_does_not_pass_is_raised_at_once() -> None:
    """It is told to nobody but the caller."""
    error = Refused("batch", "add tasks", 409, "JobCompleted")
    sender = Sender(error)

    with pytest.raises(Refused) as caught:
        play(sender.persevere)
    assert caught.value is error
    assert (sender.sent, sender.retried) == ([0], [])


def test_the_last_error_is_raised_after_the_last_attempt() -> None:
    """There were eight, and seven waits."""
    sender = Sender(*[Refused("batch", "add tasks", 500, str(number)) for number in range(9)])

    with pytest.raises(Refused) as caught:
        play(sender.persevere)
    assert caught.value.code == "7"
    assert (len(sender.sent), len(sender.retried)) == (8, 7)


def test_what_the_service_asks_for_counts_as_waited() -> None:
    """After three minutes no wait begins."""
    sender = Sender(*[Refused("batch", "add tasks", 500, "", retry_after=100) for _ in range(9)])

    with pytest.raises(Refused):
        play(sender.persevere)
    assert sender.sent == [0, 100, 200]


def test_errors_of_the_programs_own_are_no_reason_to_send_again() -> None:
    """They would come back."""
    sender = Sender(ValueError("ours"))

    with pytest.raises(ValueError, match="ours"):
        play(sender.persevere)
    assert len(sender.sent) == 1


def test_who_waits_to_send_again_takes_no_place() -> None:
    """Others send meanwhile; and who is cancelled then leaves nothing behind."""
    sender = Sender(UNREACHABLE)

    async def scene() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(sender.persevere)
            await anyio.sleep(0.1)
            assert len(sender.retried) == 1
            async with sender.throttle.slot():
                assert anyio.current_time() == pytest.approx(0.1)
            group.cancel_scope.cancel()
        assert sender.throttle.statistics()[:2] == (0, 0)

    play(scene)

    assert len(sender.sent) == 1
