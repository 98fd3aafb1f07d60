"""Lists, all in one way: filtered, cut down to what was selected, in pages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from fastbatch.local import filters
from fastbatch.local.errors import Code, Refused
from fastbatch.local.operations.call import Answer, Call
from fastbatch.local.records import Errand, Job, Node, Pool, Task
from fastbatch.local.views import Context, View, render, selection

MOST = 1000
_LONGEST_NUMBER = 18  # digits; no key has more

R = TypeVar("R", Pool, Node, Job, Task, Errand)
Contexts = Callable[[Sequence[Any], Sequence[str] | None], Sequence[Context]]


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """A kind of list: of what, what may be said in its filters and what columns that means, and how it is shown."""

    kind: type[R]
    view: View[R]
    metadata: str
    properties: Mapping[str, filters.Property]
    columns: Mapping[str, str]


def answer(
    call: Call, listing: Listing[R], contexts: Contexts, condition: str = "1", values: Sequence[Any] = ()
) -> Answer:
    """Answer with a page of the records for which a condition of ours and the client's filter hold."""
    most = page_size(call)
    select = selection(listing.view, call.query.get("$select"))
    wanted: tuple[str, Sequence[Any]] = _filter(call, listing)
    found: list[R] = call.core.store.page(
        listing.kind, f"{condition} AND {wanted[0]}", [*values, *wanted[1]], skipped(call), most + 1
    )
    page = found[:most]
    shown = [
        render(listing.view, record, context, select)
        for record, context in zip(page, contexts(page, select), strict=True)
    ]
    next_token = str(page[-1].key) if len(found) > most else None
    return envelope(call, shown, listing.metadata, next_token)


def _filter(call: Call, listing: Listing[Any]) -> tuple[str, Sequence[Any]]:
    expression = parse_filter(call, listing.properties)
    if expression is None:
        return "1", ()
    return expression.sql(listing.columns)


def parse_filter(call: Call, properties: Mapping[str, filters.Property]) -> filters.Expression | None:
    """Read the client's $filter."""
    text = call.query.get("$filter")
    if text is None:
        return None
    try:
        return filters.parse(text, properties)
    except filters.InvalidFilter as error:
        raise _bad_query("$filter", text, str(error)) from error


def page_size(call: Call) -> int:
    """Read how many items a page may have."""
    text = call.query.get("maxresults", str(MOST))
    if not (text.isascii() and text.isdecimal()):
        raise _bad_query("maxresults", text, "It must be a whole number.")
    if len(text) > _LONGEST_NUMBER or not 1 <= int(text) <= MOST:
        raise _bad_query("maxresults", text, f"It must be from 1 to {MOST}.", "OutOfRangeQueryParameterValue")
    return int(text)


def skipped(call: Call) -> int:
    """Read after which item the page begins."""
    text = call.query.get("$skiptoken", "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        raise _bad_query("$skiptoken", text, "It is none that this service gave.")
    return int(text)


def envelope(call: Call, items: Sequence[Any], metadata: str, next_token: str | None) -> Answer:
    """Answer with a page, and where the next one is if there is one."""
    body: dict[str, Any] = {"value": items}
    if next_token is not None:
        query = {**call.query, "$skiptoken": next_token}
        body["odata.nextLink"] = f"{call.url}{call.path}?{urlencode(query, quote_via=quote, safe='$')}"
    return Answer(body=body, metadata=metadata)


def _bad_query(name: str, value: str, reason: str, code: Code = "InvalidQueryParameterValue") -> Refused:
    return Refused(
        code,
        f"The value of the query parameter {name} is not valid. {reason}",
        {"QueryParameterName": name, "QueryParameterValue": value, "Reason": reason},
    )
