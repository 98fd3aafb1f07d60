"""What may be said in filters: the properties of each kind of list, and the operators that each allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Property:
    """What a property's values are, and the operators that it may be filtered by."""

    kind: Literal["text", "integer", "boolean", "time"]
    operators: tuple[str, ...]


COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_TEXT = Property("text", (*COMPARISONS, "startswith"))
_ENUM = Property("text", ("eq", "ne"))
_ENUM_EQ = Property("text", ("eq",))
_INTEGER = Property("integer", COMPARISONS)
_BOOLEAN = Property("boolean", ("eq", "ne"))
_TIME = Property("time", COMPARISONS)

TASKS: Mapping[str, Property] = {
    "id": _TEXT,
    **dict.fromkeys(("state", "executionInfo/result"), _ENUM),
    "executionInfo/exitCode": _INTEGER,
    # lastModifiedTime, sic: the field itself, and the filter of jobs and pools, say lastModified.
    **dict.fromkeys(("stateTransitionTime", "creationTime", "lastModifiedTime"), _TIME),
    **dict.fromkeys(("executionInfo/startTime", "executionInfo/endTime"), _TIME),
}
JOBS: Mapping[str, Property] = {
    **dict.fromkeys(("id", "executionInfo/poolId"), _TEXT),
    "state": _ENUM,
    **dict.fromkeys(("stateTransitionTime", "creationTime", "lastModified"), _TIME),
    **dict.fromkeys(("executionInfo/startTime", "executionInfo/endTime"), _TIME),
}
POOLS: Mapping[str, Property] = {
    **dict.fromkeys(("id", "vmSize"), _TEXT),
    "state": _ENUM,
    "allocationState": _ENUM_EQ,
    **dict.fromkeys(("enableAutoScale", "enableInterNodeCommunication"), _BOOLEAN),
    **dict.fromkeys(("stateTransitionTime", "allocationStateTransitionTime", "creationTime", "lastModified"), _TIME),
}
NODES: Mapping[str, Property] = {
    **dict.fromkeys(("state", "startTaskInfo/result"), _ENUM),
    "startTaskInfo/state": _ENUM_EQ,
    "startTaskInfo/exitCode": _INTEGER,
    **dict.fromkeys(("stateTransitionTime", "lastBootTime", "allocationTime"), _TIME),
    **dict.fromkeys(("startTaskInfo/startTime", "startTaskInfo/endTime"), _TIME),
}
PREPARATIONS: Mapping[str, Property] = {
    **dict.fromkeys(("poolId", "nodeId"), _ENUM),
    **{
        f"{task}ExecutionInfo/{name}": kind
        for task in ("jobPreparationTask", "jobReleaseTask")
        for name, kind in {"state": _ENUM_EQ, "startTime": _TIME, "endTime": _TIME, "exitCode": _INTEGER}.items()
    },
}
FILES: Mapping[str, Property] = {"name": Property("text", ("startswith",))}
NODE_COUNTS: Mapping[str, Property] = {"poolId": Property("text", ("eq",))}
IMAGES: Mapping[str, Property] = {"osType": _ENUM, "verificationType": _ENUM, "nodeAgentSKUId": _TEXT}
