"""What a task's dependsOn may hold: the ids of tasks, and ranges of ids that are numbers."""

from typing import Any

from fastbatch.local.errors import Code
from fastbatch.local.fields import Field, Object, identifier, integer, listing, wrong

LONGEST = 64000  # characters of all ids together; the service gives no number for ranges, which are counted alike


def depends_on(value: Any, where: str) -> dict[str, Any]:
    """Check for a task's dependencies."""
    checked = _DEPENDS_ON(value, where)
    ranges = [f"{each['start']}{each['end']}" for each in checked.get("taskIdRanges", [])]
    _limit(checked.get("taskIds", []), f"{where}.taskIds", "TaskDependencyListTooLong")
    _limit(ranges, f"{where}.taskIdRanges", "TaskDependencyRangesTooLong")
    return checked


def _limit(texts: list[str], where: str, code: Code) -> None:
    if sum(len(text) for text in texts) > LONGEST:
        raise wrong(where, f"it may have at most {LONGEST} characters in all; name fewer tasks, or wider ranges", code)


def _range(value: Any, where: str) -> dict[str, Any]:
    checked = _RANGE(value, where)
    if checked["start"] > checked["end"]:
        raise wrong(where, "its end may not be less than its start")
    return checked


_ANY_NUMBER = 2**31  # of items: their characters are what is limited
_RANGE = Object({"start": Field(integer(0), required=True), "end": Field(integer(0), required=True)})
_DEPENDS_ON = Object({"taskIds": listing(identifier, _ANY_NUMBER), "taskIdRanges": listing(_range, _ANY_NUMBER)})
