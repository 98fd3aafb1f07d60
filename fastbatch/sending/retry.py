"""Which errors may pass, and how long to wait before a request is sent again."""

from collections.abc import Callable
from dataclasses import dataclass

from fastbatch.errors import Refused, Unreachable

# What a service asks for beyond this is more likely a mistake, or no longer worth waiting for.
ASKED_AT_MOST = 300.0

_PASSING_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_PASSING_CODES = frozenset({"internalerror", "md5mismatch", "operationtimedout", "serverbusy", "toomanyrequests"})
_LOAD_STATUSES = frozenset({429, 503})
_LOAD_CODES = frozenset({"serverbusy", "toomanyrequests"})
_LATE_STATUSES = frozenset({408, 504})
_LATE_CODES = frozenset({"operationtimedout"})
_DOUBLINGS = 64  # far over any wait_max, and far from the end of floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How often a request is sent, and how long is waited in between; times are seconds."""

    attempts: int = 8
    wait_initial: float = 0.5
    wait_max: float = 30.0
    wait_jitter: float = 1.0  # the share of a wait that is left to chance
    give_up_after: float = 180.0  # of waiting for one request; a wait that has begun is waited to its end


def passes(error: Exception) -> bool:
    """Tell whether the cause of an error may pass, so that the same request may do well later."""
    if isinstance(error, Unreachable):
        return True
    return isinstance(error, Refused) and (
        error.status in _PASSING_STATUSES or error.code.lower() in _PASSING_CODES or _invited_again(error)
    )


def refused_by_load(error: Exception) -> bool:
    """Tell whether a service refused a request because there are too many."""
    return isinstance(error, Refused) and (error.status in _LOAD_STATUSES or error.code.lower() in _LOAD_CODES)


def out_of_time(error: Exception) -> bool:
    """Tell whether there was no answer in time, so that there may be too much to do at once."""
    if isinstance(error, Unreachable):
        return True
    return isinstance(error, Refused) and (error.status in _LATE_STATUSES or error.code.lower() in _LATE_CODES)


def asked(error: Exception) -> float:
    """Tell how many seconds a service asked to wait, within reason; 0 if it did not ask."""
    if not isinstance(error, Refused) or error.retry_after is None:
        return 0.0
    return min(ASKED_AT_MOST, max(0.0, error.retry_after))


def wait(policy: Policy, attempt: int, error: Exception, *, waited: float, random: Callable[[], float]) -> float | None:
    """
    Tell how many seconds to wait before a request is sent again; None if it is given up.

    `attempt` counts the attempts so far, and `waited` the seconds between them. `random` gives numbers from 0 to 1.
    """
    if not passes(error) or attempt >= policy.attempts or waited >= policy.give_up_after:
        return None
    longest = min(policy.wait_max, policy.wait_initial * 2.0 ** min(attempt - 1, _DOUBLINGS))
    return max(asked(error), longest * (1 - policy.wait_jitter * random()))


def _invited_again(error: Refused) -> bool:
    # Other 4xx say that the request is wrong, and it will be no less wrong later. A conflict may be over by then.
    return error.retry_after is not None and (error.status == 409 or not 400 <= error.status < 500)  # noqa: PLR2004, statuses are known as numbers
