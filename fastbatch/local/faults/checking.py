"""What a fault plan may hold: rules whose operations are known, whose fault fits them, and whose parameters fit it."""

import difflib
import fnmatch
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fastbatch.local.errors import Refused
from fastbatch.local.faultplan import Rule
from fastbatch.local.faults import calls, naming, runs, transfers
from fastbatch.local.faults.kinds import Kind
from fastbatch.local.fields import Check, Field, Object, choice, integer, number, text, wrong

_LONGEST = 100  # characters of a glob
_MOST_NAMES = 8  # in a message

# By what precedes the dot in the names of operations; those of Batch have none.
_FAMILIES: Mapping[str, Mapping[str, Kind[Any]]] = {"": calls.KINDS, "storage": transfers.KINDS, "node": runs.KINDS}
_FAULTS = tuple(dict.fromkeys(name for kinds in _FAMILIES.values() for name in kinds))
_COMMON: Mapping[str, Field | Check] = {
    "operation": Field(text(_LONGEST), required=True),
    "fault": Field(choice(*_FAULTS), required=True),
    "after": Field(integer(0), default=0),
    "count": integer(1),
    "probability": Field(number(0, 1), default=1.0),
}


class Plans:
    """The checks of what is asked of a plan, where the Batch service has these operations."""

    def __init__(self, operations: Collection[str]) -> None:
        self._known = sorted(operations) + sorted(naming.OPERATIONS) + sorted(runs.OPERATIONS)
        rules = Field(self._rules, required=True)
        self.whole = Object({"seed": Field(integer(), default=0), "rules": rules})
        self.more = Object({"rules": rules})

    def _rules(self, value: Any, where: str) -> list[Rule]:
        if not isinstance(value, list):
            raise wrong(where, "it must be a list of rules")
        return [self._rule(each, f"{where}[{index}]") for index, each in enumerate(value)]

    def _rule(self, value: Any, where: str) -> Rule:
        if not isinstance(value, dict):
            raise wrong(where, "a rule must be an object")
        common = Object(_COMMON)({name: of for name, of in value.items() if name in _COMMON}, where)
        more = {name: of for name, of in value.items() if name not in _COMMON}
        matched = self._matched(common["operation"], f"{where}.operation")
        kinds = _fitting(common["fault"], matched, f"{where}.fault")
        what = f"{common['fault']} of"
        parameters = [_parameters(kind, more, where, f"{what} {operation}") for operation, kind in kinds.items()]
        kind = next(iter(kinds.values()))  # those of one name are alike in all else, and all take what is given
        return Rule(
            **common, takes=frozenset(kinds), parameters=parameters[0], goes_on=kind.goes_on, watches=kind.watches
        )

    def _matched(self, glob: str, where: str) -> Sequence[str]:
        matched = [name for name in self._known if fnmatch.fnmatchcase(name, glob)]
        if not matched:
            near = difflib.get_close_matches(glob, self._known, 3, 0.5)
            meant = f"did you mean {' or '.join(near)}" if near else f"there are {', '.join(self._known)}"
            raise wrong(where, f"no operation is named {glob}; {meant}")
        return matched


def _fitting(fault: str, operations: Sequence[str], where: str) -> dict[str, Kind[Any]]:
    """Give the operations that can go wrong so, and how; refuse if none can."""
    kinds = {name: kind for name in operations if (kind := _kinds(name).get(fault)) is not None}
    if not kinds:
        fitting = dict.fromkeys(fault for name in operations for fault in _kinds(name))
        raise wrong(where, f"{fault} does not fit {_some(operations)}; {', '.join(fitting)} do")
    return kinds


def _kinds(operation: str) -> Mapping[str, Kind[Any]]:
    """Give the faults that fit an operation."""
    kinds = _FAMILIES[operation.rpartition(".")[0]]
    return {fault: kind for fault, kind in kinds.items() if kind.fits(operation)}


def _parameters(kind: Kind[Any], given: Mapping[str, Any], where: str, what: str) -> dict[str, Any]:
    for name in given:
        if name not in kind.parameters:
            takes = f"takes {', '.join(kind.parameters)}" if kind.parameters else "takes nothing more"
            raise Refused("UnsupportedProperty", f"There is no {where}.{name}: {what} {takes}.", {"PropertyName": name})
    return Object(kind.parameters)(given, where)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMES]) + (" and others" if len(names) > _MOST_NAMES else "")
