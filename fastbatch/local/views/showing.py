"""Showing a record by a view: a table of properties, each of them a function of the record and its context."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastbatch.local import wire
from fastbatch.local.errors import Refused
from fastbatch.local.records import Errand, Job, Pool, Task
from fastbatch.local.states.placement import Load

R = TypeVar("R")
View = Mapping[str, Callable[[R, "Context"], Any]]


@dataclass(slots=True)
class Context:
    """What a view needs besides the record: addresses, what the client gave, and what the engine knows."""

    url: str  # of the service
    parent: str = ""  # the id of the job or pool that the record belongs to
    body: str = "{}"
    load: Load = field(default_factory=Load)
    node_counts: tuple[int, int] = (0, 0)  # dedicated, low priority
    recent: Sequence[tuple[str, Task]] = ()  # a node's last tasks, each with the id of its job
    release: Errand | None = None  # on the node of a preparation
    _given: Mapping[str, Any] | None = None

    def given(self, name: str) -> Any:
        """Give what the client said of a property."""
        if self._given is None:
            self._given = json.loads(self.body)
        return self._given.get(name)


def etag(record: Pool | Job | Task) -> str:
    """Give the tag of a record's version; a record is never modified twice at one time."""
    return f"0x8D{record.modified:X}"


def render(view: View[R], record: R, context: Context, select: Collection[str] | None = None) -> dict[str, Any]:
    """Show a record, or those of its properties that are selected."""
    shown = ((name, view[name](record, context)) for name in (view if select is None else select))
    return {name: value for name, value in shown if value is not None}


def selection(view: View[R], text: str | None) -> list[str] | None:
    """Read a $select, a comma-separated list of properties; None for all of them."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in view]
    if unknown:
        raise Refused(
            "InvalidQueryParameterValue",
            f"There is no property {unknown[0]!r} to select.",
            {"QueryParameterName": "$select", "QueryParameterValue": text},
        )
    return list(dict.fromkeys(names))


def shown_time(moment: int | None) -> str | None:
    """Show a time, if there is one."""
    return None if moment is None else wire.time_text(moment)


def parsed(text: str | None) -> Any:
    """Read what is kept as JSON text, if it is there."""
    return None if text is None else json.loads(text)


def given(*names: str) -> dict[str, Callable[[Any, Context], Any]]:
    """Show properties as the client gave them."""

    def view_of(name: str) -> Callable[[Any, Context], Any]:
        return lambda _, context: context.given(name)

    return {name: view_of(name) for name in names}


VERSIONED: Mapping[str, Callable[[Any, Context], Any]] = {
    "eTag": lambda record, _: etag(record),
    "creationTime": lambda record, _: shown_time(record.created),
    "lastModified": lambda record, _: shown_time(record.modified),
}
STATE: Mapping[str, Callable[[Any, Context], Any]] = {
    "state": lambda record, _: record.state,
    "stateTransitionTime": lambda record, _: shown_time(record.state_time),
}
PREVIOUS: Mapping[str, Callable[[Any, Context], Any]] = {
    "previousState": lambda record, _: record.previous_state,
    "previousStateTransitionTime": lambda record, _: shown_time(record.previous_time),
}


def execution(text: str | None) -> Any:
    """Show how something went that a node runs beside tasks."""
    info = parsed(text)
    for name in ("startTime", "endTime", "lastRetryTime"):
        if info and name in info:
            info[name] = shown_time(info[name])
    return info
