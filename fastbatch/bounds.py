"""What each setting may be, as its field says it."""

import dataclasses
import enum
import math
import re
import reprlib
from dataclasses import dataclass
from typing import Any, Self, get_args

from fastbatch.settings import Settings
from fastbatch.units import exact_duration, exact_size

_HUGE = 1 << 63  # no number of ours comes near, and Python neither writes nor converts all that do


class Shape(enum.Enum):
    """What the values of a setting are, and how people are told so."""

    FLAG = "true or false"
    NUMBER = "a whole number"
    SIZE = "a size"
    DURATION = "a duration"
    TEXT = "a text"
    TEXTS = "a list of texts"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of one setting."""

    name: str
    shape: Shape
    default: Any
    help: str
    own: str  # why only the user's own places may set it, if so
    path: bool  # it may hold any bytes
    called: str = ""  # its value, in help
    otherwise: str = "none"  # what is done if there is none
    least: float = -math.inf
    above: float = -math.inf
    most: float = math.inf
    form: str | None = None
    has: str = ""

    @classmethod
    def of(cls, known: dataclasses.Field[Any]) -> Self:
        """Give what the field of a setting says."""
        said = dict(known.metadata)
        return cls(
            name=known.name,
            shape=_shape(known.type, said.pop("unit", None)),
            default=known.default,
            **{"own": "", "path": False, **said},
        )

    @property
    def option(self) -> str:
        """Give the name that it has on the command line."""
        return "--" + self.name.replace("_", "-")

    def shown(self, value: Any) -> str:
        """Show a value for people; numbers, sizes and durations so that they read as the same."""
        match self.shape:
            case Shape.FLAG:
                return "true" if value else "false"
            case Shape.SIZE:
                return exact_size(value)
            case Shape.DURATION:
                return exact_duration(value)
            case Shape.TEXTS:
                return ", ".join(value)
            case Shape.NUMBER | Shape.TEXT:
                return str(value)

    def fault(self, value: Any) -> str | None:
        """Tell what is wrong with a value, as in "must be from 1 to 1000, not 5000"."""
        if value is None and self.default is None:
            return None
        if not _fits(value, self.shape):
            return f"must be {self.shape.value}, not {_short(value)}"
        if self.shape is Shape.TEXTS:
            return next((fault for text in value if (fault := self._text_fault(text))), None)
        if self.shape is Shape.TEXT:
            return self._text_fault(value)
        return self._number_fault(value)

    def _number_fault(self, value: float) -> str | None:
        if not -_HUGE < value < _HUGE:
            return f"must be {self._range()}, not {_short(value)}"
        if self.least <= value <= self.most and value > self.above:
            return None
        return f"must be {self._range()}, not {self.shown(value) if value >= 0 else value}"

    def _range(self) -> str:
        low = self.least if self.above == -math.inf else self.above
        verb = "at least" if self.above == -math.inf else "more than"
        if self.most == math.inf:
            return f"{verb} {self.shown(low)}"
        if self.above == -math.inf:
            return f"from {self.shown(low)} to {self.shown(self.most)}"
        return f"more than {self.shown(low)} and at most {self.shown(self.most)}"

    def _text_fault(self, value: str) -> str | None:
        if not value:
            return "must not be empty"
        if "\0" in value or not (self.path or _encodes(value)):
            return f"must be text without stray bytes, not {_short(value)}"
        if self.form and not re.fullmatch(self.form, value):
            return f"must have {self.has}, not {_short(value)}"
        return None


def problems(settings: Settings) -> list[str]:
    """Tell all that is wrong with settings, a sentence each."""
    faults = ((name, known.fault(getattr(settings, name))) for name, known in SETTINGS.items())
    found = [f"{name} {fault}." for name, fault in faults if fault]
    if settings.keep_pool is True and settings.delete_pool is True:
        found.append("keep_pool and delete_pool exclude each other.")
    if settings.per_file is True and settings.output is None:
        found.append("per_file needs an output folder to write the files to.")
    return found


def _shape(kind: Any, unit: str | None) -> Shape:
    if unit is not None:
        return Shape[unit.upper()]
    kinds = {kind, *get_args(kind)}
    if bool in kinds:
        return Shape.FLAG
    if int in kinds:
        return Shape.NUMBER
    return Shape.TEXTS if ... in kinds else Shape.TEXT


def _fits(value: Any, shape: Shape) -> bool:
    """Tell whether a value is of the type that its shape asks for; a truth value is no number."""
    match shape:
        case Shape.FLAG:
            return isinstance(value, bool)
        case Shape.NUMBER | Shape.SIZE:
            return isinstance(value, int) and not isinstance(value, bool)
        case Shape.DURATION:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Shape.TEXT:
            return isinstance(value, str)
        case Shape.TEXTS:
            return isinstance(value, tuple) and all(isinstance(text, str) for text in value)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _short(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no number of thousands of digits
        return "a huge number"


SETTINGS = {known.name: Setting.of(known) for known in dataclasses.fields(Settings)}
