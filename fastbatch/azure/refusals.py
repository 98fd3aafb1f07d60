"""What the services' errors mean to us."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from fastbatch.errors import QuotaReached, Refused, ServiceError, Unauthorized, Unreachable
from fastbatch.masking import masked

_UNAUTHORIZED, _FORBIDDEN = 401, 403
_NOT_ALLOWED = frozenset({"AuthenticationFailed", "AuthorizationFailure", "AuthorizationPermissionMismatch"})
_QUOTAS = frozenset(
    {
        "AccountCoreQuotaReached",
        "AccountVMSeriesCoreQuotaReached",
        "AccountLowPriorityCoreQuotaReached",
        "ActiveJobAndScheduleQuotaReached",
        "PoolQuotaReached",
    }
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is an error."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str]


def refusal(service: str, what: str, answer: Answer) -> ServiceError:
    """Give the error for an answer."""
    status, code = answer.status, answer.code
    if status == _UNAUTHORIZED or (status == _FORBIDDEN and code in _NOT_ALLOWED):
        return Unauthorized(
            f"{service} does not accept the credentials: asked to {what}, it answered {status} {code}. "
            "See which are used: fastbatch config show"
        )
    if code in _QUOTAS:
        return QuotaReached(
            f"{service} refused to {what}, as the account has reached its quota ({code}). "
            "End what is no longer needed, or ask Azure for a larger quota."
        )
    message = masked(answer.message.strip().partition("\n")[0])
    return Refused(service, what, status, code, message, retry_after=_retry_after(answer.headers))


def refused_by_sdk(service: str, what: str, error: HttpResponseError) -> ServiceError:
    """Give the error for one that an SDK raised."""
    response: Any = error.response
    if response is None:
        return without_answer(service, what, error)
    said = getattr(error, "error_code", None) or ""
    code = str(getattr(said, "value", said))  # the storage SDK says it as a member of an enumeration
    return refusal(service, what, Answer(response.status_code, code, error.message, response.headers))


def without_answer(service: str, what: str, error: AzureError) -> ServiceError:
    """Give the error for a request that was never sent, or never answered."""
    why = masked(str(error) or type(error).__name__)
    if isinstance(error, ClientAuthenticationError):
        return Unauthorized(
            f"Entra ID gives no token for {service}: {why.partition(chr(10))[0]} Log in (az login), or set the keys of "
            "the accounts. See which are used: fastbatch config show"
        )
    return Unreachable(service, what, why)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers.get("Retry-After") or "")
    except ValueError:
        return None
    return seconds if seconds >= 0 else None
