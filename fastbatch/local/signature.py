"""SharedKey, the signature on every request to Batch: how a request is spelled, signed and checked."""

import base64
import hashlib
import hmac
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fastbatch.local import wire

SKEW = 15 * 60 * wire.SECOND  # how far a request's time may be from ours

# In this order, each on a line of its own.
_SIGNED_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


class NotSigned(Exception):
    """Raised when a request bears no signature that fits; the text says what was looked at, and holds no key."""


@dataclass(frozen=True)
class Request:
    """
    What of a request is signed: the path as it is on the wire, the query decoded, header names in lower case.

    The query has no blank values: they are neither signed nor heeded.
    """

    verb: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]


def sign(request: Request, account: str, key: bytes) -> str:
    """Give the Authorization header for a request."""
    return f"SharedKey {account}:{_digest(_string_to_sign(request, account, request.path), key)}"


def verify(request: Request, account: str, key: bytes, now: int) -> None:
    """Raise NotSigned unless the request is signed with the key, and at about this time."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme != "SharedKey":
        raise NotSigned("The Authorization header must begin with SharedKey.")
    signer, _, signature = given.partition(":")
    if signer != account:
        raise NotSigned(f"The account that signed is not {account}.")
    _check_time(request.headers, now)
    expected = [_string_to_sign(spelling, account, path) for spelling, path in _spellings(request)]
    if not any(hmac.compare_digest(_digest(text, key).encode(), _bytes(signature)) for text in expected):
        raise NotSigned(f"The MAC signature is not the one of the string to sign {expected[0]!r}.")


def _check_time(headers: Mapping[str, str], now: int) -> None:
    text = headers.get("ocp-date") or headers.get("date", "")
    try:
        signed_at = wire.parse_time(text)
    except ValueError:
        raise NotSigned("The request must say its time in the header ocp-date or Date.") from None
    if abs(now - signed_at) > SKEW:
        raise NotSigned(f"The request's time, {text}, is more than 15 minutes from the service's.")


def _spellings(request: Request) -> Iterator[tuple[Request, str]]:
    """Give the ways to write a request that clients sign: as sent first, as that is nearly always the one."""
    requoted = "/".join(
        urllib.parse.quote(urllib.parse.unquote(segment), safe="") for segment in request.path.split("/")
    )
    # Some HTTP stacks unquote parts of a path after it was signed; the documentation has query names in lower case.
    for path in dict.fromkeys((request.path, requoted)):
        yield request, path
        if any(name != name.lower() for name, _ in request.query):
            folded = [(name.lower(), value) for name, value in request.query]
            yield Request(request.verb, request.path, folded, request.headers), path


def _string_to_sign(request: Request, account: str, path: str) -> str:
    headers = {"content-length": "" if request.verb in {"GET", "HEAD"} else "0", **request.headers}
    lines = [request.verb, *(headers.get(name, "") for name in _SIGNED_HEADERS)]
    lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("ocp-") and headers[name]]
    lines.append(f"/{account}{path}")
    values: dict[str, list[str]] = {}
    for name, value in request.query:
        values.setdefault(name, []).append(value)
    lines += [f"{name}:{','.join(values[name])}" for name in sorted(values)]
    return "\n".join(lines)


def _digest(text: str, key: bytes) -> str:
    return base64.b64encode(hmac.digest(key, _bytes(text), hashlib.sha256)).decode()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # as headers were read: they may hold any bytes
