"""
What a request's body may hold, said as data: each field is a check that gives the value to keep, or refuses.

A check is called with the value and where it stands. An object's check knows its fields by name, refuses all others,
and fills in defaults; null means that the field was not given.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fastbatch.local import wire
from fastbatch.local.errors import Code, Refused

Check = Callable[[Any, str], Any]

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_INT32 = 2**31 - 1


@dataclass(frozen=True)
class Field:
    """A field of an object: its check, whether it must be there, and what it is when it isn't."""

    check: Check
    required: bool = False
    default: Any = None


def wrong(where: str, reason: str, code: Code = "InvalidPropertyValue") -> Refused:
    """Give the refusal of a property's value."""
    return Refused(
        code,
        f"The value of the property {where} is not valid: {reason}.",
        {"PropertyName": where, "Reason": reason},
    )


def text(longest: int = 2048, *, empty: bool = True) -> Check:
    """Check for a text."""

    def check(value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise wrong(where, "it must be a text")
        if len(value) > longest:
            raise wrong(where, f"it may have at most {longest} characters")
        if "\0" in value or not (value or empty):
            raise wrong(where, "it may not hold a NUL character" if value else "it may not be empty")
        return value

    return check


def identifier(value: Any, where: str) -> str:
    """Check for an id of a pool, job or task."""
    if not (isinstance(value, str) and _ID.fullmatch(value)):
        raise wrong(where, "an id has 1 to 64 letters, digits, hyphens and underscores")
    return value


def integer(lowest: int = -_INT32 - 1, highest: int = _INT32) -> Check:
    """Check for a whole number, or a text that is one: the options of `az batch` send such."""

    def check(value: Any, where: str) -> int:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong(where, "it must be a whole number")
        if not lowest <= value <= highest:
            raise wrong(where, f"it must be from {lowest} to {highest}")
        return value

    return check


def number(lowest: float, highest: float) -> Check:
    """Check for a number, whole or not."""

    def check(value: Any, where: str) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise wrong(where, "it must be a number")
        if not lowest <= value <= highest:
            raise wrong(where, f"it must be from {lowest:g} to {highest:g}")
        return float(value)

    return check


def boolean(value: Any, where: str) -> bool:
    """Check for true or false."""
    if not isinstance(value, bool):
        raise wrong(where, "it must be true or false")
    return value


def choice(*names: str) -> Check:
    """Check for one of some names; its letter case is that of the name given here."""
    spelled = {name.lower(): name for name in names}

    def check(value: Any, where: str) -> str:
        known = spelled.get(value.lower()) if isinstance(value, str) else None
        if known is None:
            raise wrong(where, f"it must be one of {', '.join(names)}")
        return known

    return check


def duration(shortest: int = 0, longest: int | None = None) -> Check:
    """Check for an ISO 8601 duration of some length at least, and perhaps at most."""

    def check(value: Any, where: str) -> str:
        try:
            length = wire.parse_duration(value)
        except (ValueError, TypeError):
            raise wrong(where, "it must be an ISO 8601 duration in days and less, such as PT1H") from None
        if length < shortest:
            raise wrong(where, f"it must be {shortest // wire.SECOND} seconds or more")
        if longest is not None and length > longest:
            raise wrong(where, f"it must be {longest // wire.SECOND} seconds or less")
        return str(value)

    return check


def listing(item: Check, longest: int = 2000) -> Check:
    """Check for a list."""

    def check(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise wrong(where, "it must be a list")
        if len(value) > longest:
            raise wrong(where, f"it may hold at most {longest} items")
        return [item(each, where) for each in value]

    return check


def later(value: Any, where: str) -> Any:
    """Refuse what the real service has and this one has not: nothing is taken and then ignored."""
    if value is False or value in ([], {}):
        return value
    raise Refused("NotImplemented", f"The local service does not know {where}.", {"PropertyName": where})


class Object:
    """Check for an object with these fields, and no others."""

    def __init__(self, fields: Mapping[str, Field | Check], *, one_of: Collection[str] = ()) -> None:
        whole = {name: field if isinstance(field, Field) else Field(field) for name, field in fields.items()}
        self._checks = {name: field.check for name, field in whole.items()}
        self._required = frozenset(name for name, field in whole.items() if field.required)
        self._defaults = {name: field.default for name, field in whole.items() if field.default is not None}
        self._one_of = frozenset(one_of)

    def __call__(self, value: Any, where: str = "") -> dict[str, Any]:
        """Give the object with its defaults."""
        if not isinstance(value, dict):
            raise wrong(where, "it must be an object") if where else _no_object()
        checked = self._defaults.copy()
        prefix = f"{where}." if where else ""
        for name, given in value.items():
            check = self._checks.get(name)
            if check is None:
                _refuse_unknown(name, where)
            elif given is not None:
                checked[name] = check(given, prefix + name)
        if not self._required <= checked.keys():
            raise _missing(prefix + min(self._required - checked.keys()))
        if self._one_of and len(self._one_of & checked.keys()) != 1:
            raise wrong(where, f"it must have exactly one of {', '.join(sorted(self._one_of))}")
        return checked

    def without_defaults(self) -> "Object":
        """Give the check of a partial change: nothing is required, and what is not given stays as it is."""
        return Object(self._checks)


def _refuse_unknown(name: str, where: str) -> None:
    if not name.startswith("odata."):
        of = f" of {where}" if where else ""
        raise Refused("UnsupportedProperty", f"There is no property {name}{of}.", {"PropertyName": name})


def _missing(name: str) -> Refused:
    return Refused("MissingRequiredProperty", f"The property {name} must be given.", {"PropertyName": name})


def _no_object() -> Refused:
    return Refused("InvalidRequestBody", "The body must be a JSON object.")
