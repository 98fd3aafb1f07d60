"""
The `$filter` of a listing: read once, then asked as SQL or of a record in Python, with the same answer.

    filter     = both ("or" both)*
    both       = single ("and" single)*
    single     = "(" filter ")" | property operator literal | "startswith" "(" property "," string ")"
    operator   = "eq" | "ne" | "gt" | "ge" | "lt" | "le"
    literal    = 'it''s' | -5 | true | DateTime'2011-05-08T08:49:37Z' | DateTime'Sun, 08 May 2011 08:49:37 GMT'

Texts are ordered by code point, after folding the ASCII letters and no others to lower case: that is SQLite's NOCASE,
which an index declared with it can follow. Literals hold no NUL, at which NOCASE would stop reading, and no surrogates,
which UTF-8 can't write. A property without a value matches nothing, `ne` included; as nothing negates, SQL's unknown
and Python's False then always lead to the same answer.
"""

import operator
import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from fastbatch.local import wire

LONGEST = 8192  # characters
DEEPEST = 64  # parentheses open at once
MOST_COMPARISONS = 500  # a chain of n is an expression n deep, and SQLite refuses what is deeper than 1000
# SQLite before 3.46 parses with a stack of 100 symbols. Parentheses that open first in their group take one each, so
# this has room for 64 of them and some others, and leaves enough for a statement around that nests ten deep itself.
HEAVIEST = 70

_INT64 = range(-(2**63), 2**63)
_SQL = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_PYTHON: Mapping[str, Callable[[Any, Any], bool]] = {
    "startswith": str.startswith,
    **{name: getattr(operator, name) for name in _SQL},
}
_FOLDED = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_TOKEN = re.compile(
    r"(?i:datetime)'(?P<time>(?:[^']|'')*+)'|'(?P<text>(?:[^']|'')*+)'|(?P<unclosed>')"
    r"|(?P<sign>[(),])|(?P<word>[^\s(),']+)",
    re.ASCII,
)
_UNSAYABLE = re.compile(r"[\0\ud800-\udfff]")


class InvalidFilter(ValueError):
    """Raised when a filter can't be read; the message says what is wrong, and where."""


@dataclass(frozen=True)
class Property:
    """What a property's values are, and the operators that it may be filtered by."""

    kind: Literal["text", "integer", "boolean", "time"]
    operators: tuple[str, ...]


_ORDER = tuple(_SQL)
_TEXT = Property("text", (*_ORDER, "startswith"))
_ENUM = Property("text", ("eq", "ne"))
_ENUM_EQ = Property("text", ("eq",))
_INTEGER = Property("integer", _ORDER)
_BOOLEAN = Property("boolean", ("eq", "ne"))
_TIME = Property("time", _ORDER)

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
FILES: Mapping[str, Property] = {"name": Property("text", ("startswith",))}
NODE_COUNTS: Mapping[str, Property] = {"poolId": Property("text", ("eq",))}
IMAGES: Mapping[str, Property] = {"osType": _ENUM, "verificationType": _ENUM, "nodeAgentSKUId": _TEXT}


@dataclass(frozen=True)
class Expression:
    """A filter that was read."""

    _root: "_Node"

    def sql(self, columns: Mapping[str, str]) -> tuple[str, list[object]]:
        """
        Give a condition, in parentheses, and its parameters; `columns` names trusted SQL expressions by property.

        They hold texts as TEXT, integers as INTEGER, booleans as 0 or 1, and times as INTEGER microseconds since 1970.
        """
        condition, parameters = self._root.sql(columns)
        return f"({condition})", parameters

    def holds(self, record: Mapping[str, object]) -> bool:
        """Say whether a record matches, whose values are those that the columns would hold, or None."""
        return self._root.holds(record)


def parse(text: str, properties: Mapping[str, Property]) -> Expression:
    """Read a filter on these properties, or raise InvalidFilter."""
    if len(text) > LONGEST:
        raise InvalidFilter(f"the filter has {len(text)} characters, and may have {LONGEST}")
    root = _Reader(text, properties).whole()
    if root.weight > HEAVIEST:
        raise InvalidFilter("parentheses are nested too deeply in too many places")
    return Expression(root)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A property, an operator and a literal as a column would hold it, folded."""

    name: str
    operator: str
    value: str | int
    weight: ClassVar[int] = 0

    def sql(self, columns: Mapping[str, str]) -> tuple[str, list[object]]:
        column = f"({columns[self.name]})"
        if not isinstance(self.value, str):
            return f"{column} {_SQL[self.operator]} ?", [self.value]
        column += " COLLATE NOCASE"
        if self.operator == "startswith":
            return _starts_with(column, self.value)
        return f"{column} {_SQL[self.operator]} ?", [self.value]

    def holds(self, record: Mapping[str, object]) -> bool:
        held = record.get(self.name)
        if held is None:
            return False
        return _PYTHON[self.operator](_fold(held) if isinstance(held, str) else held, self.value)


@dataclass(frozen=True, slots=True)
class _Junction:
    """Two or more expressions that must all hold (and), or one of them (or)."""

    word: Literal["and", "or"]
    members: tuple["_Node", ...]
    weight: int

    def sql(self, columns: Mapping[str, str]) -> tuple[str, list[object]]:
        conditions: list[str] = []
        parameters: list[object] = []
        for member in self.members:
            condition, values = member.sql(columns)
            conditions.append(f"({condition})" if _is_enclosed(member, self.word) else condition)
            parameters += values
        return f" {self.word.upper()} ".join(conditions), parameters

    def holds(self, record: Mapping[str, object]) -> bool:
        return (all if self.word == "and" else any)(member.holds(record) for member in self.members)


_Node = _Comparison | _Junction


def _joined(word: Literal["and", "or"], members: list[_Node]) -> _Node:
    """
    Join expressions, the heaviest first: their order is free, and SQLite's parser is not.

    The weight of an expression is the number of symbols that wait on the parser's stack while its innermost part is
    read: its parentheses, and for a member that isn't the first two more, what stands before it and the word.
    """
    if len(members) == 1:
        return members[0]
    heaviest = sorted(members, key=lambda member: member.weight + _is_enclosed(member, word), reverse=True)
    first, second = (member.weight + _is_enclosed(member, word) for member in heaviest[:2])
    return _Junction(word, tuple(heaviest), max(first, second + 2))


def _is_enclosed(member: _Node, word: str) -> bool:
    return isinstance(member, _Junction) and (member.word, word) == ("or", "and")


def _starts_with(column: str, prefix: str) -> tuple[str, list[object]]:
    """Say as a range, which an index can follow, that a column starts with a folded text."""
    end = _end_of_range(prefix)
    if end is None:
        return f"{column} >= ?", [prefix]
    return f"({column} >= ? AND {column} < ?)", [prefix, end]


def _end_of_range(prefix: str) -> str | None:
    """Give the first folded text after all that start with a prefix; None if those are the last of all texts."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    following = chr(ord(kept[-1]) + 1)
    return kept[:-1] + {"A": "[", "\ud800": "\ue000"}.get(following, following)  # what folded UTF-8 has none of


def _fold(text: str) -> str:
    return text.translate(_FOLDED)


class _Token(NamedTuple):
    """A piece of a filter: what it is, what it says, how it is written, and where."""

    kind: str
    content: str
    written: str
    place: str

    def wrong(self, reason: str) -> InvalidFilter:
        return InvalidFilter(f"{reason}, {self.place}")

    def instead_of(self, expected: str) -> InvalidFilter:
        if self.kind == "end":
            return self.wrong(f"{expected} is missing")
        return self.wrong(f"{expected} is expected, not {self.written[:64]!r}")


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):  # what it passes over is space
        kind = match.lastgroup or ""
        token = _Token(kind, match[kind].replace("''", "'"), match[0], f"at character {match.start() + 1}")
        if kind == "unclosed":
            raise token.wrong("a quote is not closed")
        yield token
    while True:
        yield _Token("end", "", "", "at the end")


class _Reader:
    """Reads one filter, looking one token ahead."""

    def __init__(self, text: str, properties: Mapping[str, Property]) -> None:
        self._properties = properties
        self._tokens = _tokens(text)
        self._next = next(self._tokens)
        self._depth = 0
        self._comparisons = 0

    def whole(self) -> _Node:
        expression = self._either()
        if self._next.kind != "end":
            raise self._next.instead_of("and, or, or the end")
        return expression

    def _either(self) -> _Node:
        members = [self._both()]
        while self._skips("or"):
            members.append(self._both())
        return _joined("or", members)

    def _both(self) -> _Node:
        members = [self._single()]
        while self._skips("and"):
            members.append(self._single())
        return _joined("and", members)

    def _single(self) -> _Node:
        token = self._take()
        if token.written == "(":
            return self._group(token)
        self._comparisons += 1
        if self._comparisons > MOST_COMPARISONS:
            raise token.wrong(f"there are more than {MOST_COMPARISONS} comparisons")
        if token.written == "startswith":
            return self._starts_with()
        return self._comparison(token)

    def _group(self, opening: _Token) -> _Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise opening.wrong(f"parentheses are nested more than {DEEPEST} deep")
        expression = self._either()
        self._expect(")")
        self._depth -= 1
        return expression

    def _starts_with(self) -> _Node:
        self._expect("(")
        name = self._take()
        allowed = self._known(name)
        if "startswith" not in allowed.operators:
            raise name.wrong(f"{name.written} can't be filtered by startswith, only by {_listed(allowed.operators)}")
        self._expect(",")
        value = _text(self._take())
        self._expect(")")
        return _Comparison(name.written, "startswith", value)

    def _comparison(self, name: _Token) -> _Node:
        allowed = self._known(name)
        word = self._take()
        if word.written not in _SQL:
            raise word.instead_of(f"an operator ({_listed(_SQL)})")
        if word.written not in allowed.operators:
            raise word.wrong(
                f"{name.written} can't be filtered by {word.written}, only by {_listed(allowed.operators)}"
            )
        return _Comparison(name.written, word.written, _LITERALS[allowed.kind](self._take()))

    def _known(self, name: _Token) -> Property:
        if name.written not in self._properties:
            raise name.instead_of(f"a property that can be filtered by ({_listed(self._properties)})")
        return self._properties[name.written]

    def _take(self) -> _Token:
        token = self._next
        self._next = next(self._tokens)
        return token

    def _skips(self, written: str) -> bool:
        if self._next.written != written:
            return False
        self._take()
        return True

    def _expect(self, written: str) -> None:
        if not self._skips(written):
            raise self._next.instead_of(repr(written))


def _listed(names: Mapping[str, object] | tuple[str, ...]) -> str:
    return ", ".join(names)


def _text(token: _Token) -> str:
    if token.kind != "text":
        raise token.instead_of("a string in single quotes")
    if _UNSAYABLE.search(token.content):
        raise token.wrong("a string can hold neither NUL nor surrogates")
    return _fold(token.content)


def _integer(token: _Token) -> int:
    if not re.fullmatch(r"-?[0-9]+", token.written):
        raise token.instead_of("an integer")
    # The length comes first, as Python doesn't read integers of thousands of digits.
    if len(token.written) > len(str(_INT64.start)) or int(token.written) not in _INT64:
        raise token.wrong("an integer can have 64 bits")
    return int(token.written)


def _boolean(token: _Token) -> int:
    word = token.written.lower()
    if word not in {"true", "false"}:
        raise token.instead_of("true or false")
    return int(word == "true")


def _time(token: _Token) -> int:
    refusal = token.instead_of("a time such as DateTime'2011-05-08T08:49:37Z'")
    if token.kind != "time":
        raise refusal
    try:
        return wire.parse_time(token.content)
    except (ValueError, OverflowError):
        raise refusal from None


_LITERALS: Mapping[str, Callable[[_Token], str | int]] = {
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "time": _time,
}
