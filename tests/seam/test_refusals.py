"""What services' errors mean to us."""

from collections.abc import Mapping

import pytest
from azure.core.exceptions import ClientAuthenticationError

from fastbatch.azure.refusals import Answer, refusal, without_answer
from fastbatch.errors import QuotaReached, Refused, ServiceError, Unauthorized
from fastbatch.sending.retry import asked, passes


def found(status: int, code: str = "", message: str = "", headers: Mapping[str, str] | None = None) -> ServiceError:
    """Give the error for an answer."""
    return refusal("Batch", "add tasks", Answer(status, code, message, headers or {}))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "AuthenticationFailed", Unauthorized),
        (401, "", Unauthorized),
        (403, "AuthenticationFailed", Unauthorized),
        (403, "AuthorizationFailure", Unauthorized),
        (403, "AuthorizationPermissionMismatch", Unauthorized),
        (403, "BlobAccessTierNotSupported", Refused),
        (409, "AccountCoreQuotaReached", QuotaReached),
        (409, "PoolQuotaReached", QuotaReached),
        (409, "ActiveJobAndScheduleQuotaReached", QuotaReached),
        (409, "PoolExists", Refused),
        (404, "JobNotFound", Refused),
        (503, "ServerBusy", Refused),
    ],
)
def test_what_can_be_done_about_it_is_its_class(status: int, code: str, kind: type[ServiceError]) -> None:
    """It names who refused what, and with which code."""
    error = found(status, code)
    assert type(error) is kind
    assert "Batch" in str(error)
    assert "add tasks" in str(error)
    assert code in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("2.5", 2.5),
        (" 7 ", 7.0),
        ("-1", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Fri, 20 Nov 2026 10:00:00 GMT", None),  # Azure says seconds
        (None, None),
    ],
)
def test_how_long_to_wait_is_read_from_what_is_a_number(header: str | None, seconds: float | None) -> None:
    """What else is there counts as nothing."""
    error = found(503, "ServerBusy", headers={} if header is None else {"Retry-After": header})
    assert isinstance(error, Refused)
    assert error.retry_after == seconds


def test_an_endless_wait_is_not_waited_for() -> None:
    """There is a bound to what a service can ask."""
    assert 0 < asked(found(503, "ServerBusy", headers={"Retry-After": "inf"})) < 3600


def test_only_the_first_line_of_a_message_is_kept() -> None:
    """The others are the request's id and its time."""
    error = found(400, "X", "It is wrong.\nRequestId:1\nTime:2")
    assert str(error) == "Batch refused to add tasks (400 X): It is wrong."


@pytest.mark.parametrize(("status", "code"), [(401, "AuthenticationFailed"), (403, "AuthenticationFailed")])
def test_what_was_signed_is_not_shown(status: int, code: str) -> None:
    """Storage says it in full when a signature is wrong."""
    error = found(status, code, "Server failed to authenticate. sig=abc String to sign used was /blob/secret")
    assert "sig" not in str(error)
    assert "secret" not in f"{error!r}{vars(error)}"


@pytest.mark.parametrize(
    ("status", "code", "passing"),
    [(503, "ServerBusy", True), (429, "", True), (500, "OperationTimedOut", True), (404, "X", False), (413, "", False)],
)
def test_what_may_pass_is_known(status: int, code: str, *, passing: bool) -> None:
    """So that it is sent again."""
    assert passes(found(status, code)) == passing


def test_who_can_not_log_in_is_not_authorized() -> None:
    """It is no lack of an answer, and is not tried again."""
    error = without_answer("Batch", "look at the pool", ClientAuthenticationError("no credential was found"))
    assert isinstance(error, Unauthorized)
    assert "az login" in str(error)
    assert not passes(error)


def test_what_a_service_says_is_shown_without_what_may_be_secret() -> None:
    """A message may quote a URL with its signature."""
    answer = Answer(400, "InvalidUri", "bad: https://a.blob/c?sig=secret", {})
    assert "secret" not in str(refusal("Storage", "put a blob", answer))
