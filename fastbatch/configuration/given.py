"""Values that were given somewhere, and what to call that place."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Given:
    """A value that was given; it may be a secret, so it is not shown."""

    value: Any = field(repr=False)  # None if it can't be used, which was said
    origin: str  # where it was given, as "environment FASTBATCH_TOP"
    label: str  # what a sentence calls it, as "FASTBATCH_TOP"


Layer = Mapping[str, Given]  # what one place gives, by the names of settings or pieces of an account


def in_table(key: str, value: object, where: str) -> Given:
    """Give what a table of a file says."""
    return Given(value, where, f"{key} in {where}")


def in_environment(variable: str, value: str) -> Given:
    """Give what a variable says."""
    return Given(value, f"environment {variable}", variable)


def meant(name: str, known: Iterable[str]) -> str:
    """Give the question whether another name was meant, or nothing if none is like it."""
    close = difflib.get_close_matches(name.replace("-", "_").lower(), list(known), n=1)
    return f" Did you mean {close[0]}?" if close else ""
