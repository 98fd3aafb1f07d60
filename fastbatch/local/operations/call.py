"""A call of an operation, and its answer, with no more of HTTP than the API itself shows."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastbatch.local import wire
from fastbatch.local.errors import Refused
from fastbatch.local.records import Job, Pool, Task
from fastbatch.local.service.core import Core
from fastbatch.local.views import Context, etag, location


@dataclass(frozen=True, slots=True)
class Call:
    """One call: whom it asks, the ids of its path, its query, its headers in lower case, and its checked body."""

    core: Core
    url: str  # of the service, as the client knows it
    path: str
    ids: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    def context(self, parent: str = "", body: str = "{}") -> Context:
        """Give a context for showing a record."""
        return Context(self.url, parent, body)

    def match(self, record: Pool | Job | Task) -> None:
        """Refuse unless the conditions on the record's version hold that the client set."""
        tags = {name: self.headers[name].strip('"') for name in ("if-match", "if-none-match") if name in self.headers}
        current = etag(record)
        met = tags.get("if-match", current) in {current, "*"} and tags.get("if-none-match") not in {current, "*"}
        if not met:
            raise _not_met()
        self.match_time(record.modified)

    def match_time(self, modified: int) -> None:
        """Refuse unless the conditions hold that the client set on when something was modified."""
        seconds = modified // wire.SECOND
        since, until = self._time("if-modified-since"), self._time("if-unmodified-since")
        if (since is not None and seconds <= since) or (until is not None and seconds > until):
            raise _not_met()

    def _time(self, name: str) -> int | None:
        if name not in self.headers:
            return None
        try:
            return wire.parse_time(self.headers[name]) // wire.SECOND
        except ValueError:
            raise Refused("InvalidHeaderValue", f"{name} must be a time.", {"HeaderName": name}) from None


def _not_met() -> Refused:
    return Refused("ConditionNotMet", "The condition in the request's headers is not met.")


@dataclass(frozen=True, slots=True)
class FilePart:
    """Some bytes of a file."""

    path: str
    first: int
    length: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a call: a body to be written as JSON, or a part of a file."""

    status: int = 200
    body: Mapping[str, Any] | None = None
    metadata: str = ""  # what the body is, in the service's metadata
    headers: Mapping[str, str] = field(default_factory=dict)
    part: FilePart | None = None


Operation = Callable[[Call], Answer | Awaitable[Answer]]


def about(call: Call, record: Pool | Job | Task, *, status: int = 200) -> Answer:
    """Answer a change of a record that stays: with its new version, and where it is."""
    where = location(record, call.context(_parent(call)))
    headers = {"ETag": etag(record), "Last-Modified": wire.http_date(record.modified), "DataServiceId": where}
    if status == 201:  # noqa: PLR2004 - Created
        headers["Location"] = where
    return Answer(status, headers=headers)


def accepted(call: Call, status: int = 202) -> Answer:
    """Answer what will be done, or is done and leaves nothing to show."""
    return Answer(status, headers={"DataServiceId": f"{call.url}{call.path}"})


def version(record: Pool | Job | Task) -> dict[str, str]:
    """Give the headers that tell a record's version."""
    return {"ETag": etag(record), "Last-Modified": wire.http_date(record.modified)}


def _parent(call: Call) -> str:
    return call.ids.get("job", "")
