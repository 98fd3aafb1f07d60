"""What a task's dependsOn may hold: the ids of tasks, and ranges of ids that are numbers."""

from typing import Any

from fastbatch.local.fields import Field, Object, identifier, integer, listing, wrong

LONGEST = 64000  # characters of all ids together; the service gives no number for ranges, which are counted alike


def _range(value: Any, where: str) -> dict[str, Any]:
    checked = _RANGE(value, where)
    if checked["start"] > checked["end"]:
        raise wrong(where, "its end may not be less than its start")
    return checked


def _depends_on(value: Any, where: str) -> dict[str, Any]:
    checked = _DEPENDS_ON(value, where)
    ids, ranges = checked.get("taskIds", []), checked.get("taskIdRanges", [])
    if sum(len(task_id) for task_id in ids) > LONGEST:
        reason = f"its ids may have at most {LONGEST} characters together; use taskIdRanges"
        raise wrong(f"{where}.taskIds", reason, "TaskDependencyListTooLong")
    if sum(len(f"{each['start']}{each['end']}") for each in ranges) > LONGEST:
        reason = f"its numbers may have at most {LONGEST} digits together; use fewer and wider ranges"
        raise wrong(f"{where}.taskIdRanges", reason, "TaskDependencyRangesTooLong")
    return checked


_RANGE = Object({"start": Field(integer(0), required=True), "end": Field(integer(0), required=True)})
_DEPENDS_ON = Object({"taskIds": listing(identifier, LONGEST + 1), "taskIdRanges": listing(_range, LONGEST + 1)})
DEPENDS_ON = _depends_on
