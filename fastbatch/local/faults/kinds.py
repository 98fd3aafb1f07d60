"""What makes a kind of fault, an entry in the table of its family; and how kinds take their turns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from fastbatch.local.faultplan import Turn
from fastbatch.local.fields import Check, Field, integer, number, wrong
from fastbatch.local.wire import SECOND

Does = TypeVar("Does")
Do = TypeVar("Do", bound=Callable[..., Any])

_LONGEST = 86_400  # seconds


@dataclass(frozen=True, eq=False)
class Kind(Generic[Does]):
    """A kind of fault: what does it, the parameters of a rule for it, and the operations of its family that it fits."""

    does: Does
    parameters: Mapping[str, Field | Check] = field(default_factory=dict)
    only: frozenset[str] = frozenset()  # none: it fits all
    goes_on: bool = False
    watches: bool = False

    def fits(self, operation: str) -> bool:
        """Tell whether an operation of its family can go wrong so."""
        return not self.only or operation in self.only


def misbehaving(kinds: Mapping[str, Kind[Any]], turns: Sequence[Turn], do: Do) -> Do:
    """Give what does something as the rules have it whose turn it is, the first of them outermost."""
    doing: Any = do
    for turn in reversed(turns):
        doing = partial(kinds[turn.fault].does, turn, doing)
    return doing  # type: ignore[no-any-return]


class Dropped(Exception):
    """Raised when a connection is to be closed without an answer."""


SECONDS = Field(number(0, _LONGEST), required=True)
RETRY_AFTER = integer(0, _LONGEST)


def one_of(*numbers: int) -> Check:
    """Check for one of some numbers."""

    def check(value: Any, where: str) -> int:
        if value not in numbers or isinstance(value, bool | float):
            raise wrong(where, f"it must be one of {', '.join(map(str, numbers))}")
        return int(value)

    return check


def microseconds(parameters: Mapping[str, Any], name: str = "seconds") -> int:
    """Give a parameter in seconds as the service's clock counts."""
    return int(parameters[name] * SECOND)
