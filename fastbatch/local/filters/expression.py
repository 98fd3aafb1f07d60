"""What a filter says, as SQL and in Python, with the same answer."""

import operator
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

_SQL = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_PYTHON: Mapping[str, Callable[[Any, Any], bool]] = {
    "startswith": str.startswith,
    **{name: getattr(operator, name) for name in _SQL},
}
_FOLDED = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True)
class Expression:
    """A filter that was read."""

    _root: "Node"

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


@dataclass(frozen=True, slots=True)
class Comparison:
    """A property, an operator and a literal as a column would hold it, folded."""

    name: str
    operator: str
    value: str | int
    weight: ClassVar[int] = 0

    def sql(self, columns: Mapping[str, str]) -> tuple[str, list[object]]:
        """Give it as SQL."""
        column = f"({columns[self.name]})"
        if not isinstance(self.value, str):
            return f"{column} {_SQL[self.operator]} ?", [self.value]
        column += " COLLATE NOCASE"
        if self.operator == "startswith":
            return _starts_with(column, self.value)
        return f"{column} {_SQL[self.operator]} ?", [self.value]

    def holds(self, record: Mapping[str, object]) -> bool:
        """Say whether a record matches."""
        held = record.get(self.name)
        if held is None:
            return False
        return _PYTHON[self.operator](fold(held) if isinstance(held, str) else held, self.value)


@dataclass(frozen=True, slots=True)
class Junction:
    """Two or more expressions that must all hold (and), or one of them (or)."""

    word: Literal["and", "or"]
    members: tuple["Node", ...]
    weight: int

    def sql(self, columns: Mapping[str, str]) -> tuple[str, list[object]]:
        """Give it as SQL."""
        conditions: list[str] = []
        parameters: list[object] = []
        for member in self.members:
            condition, values = member.sql(columns)
            conditions.append(f"({condition})" if _is_enclosed(member, self.word) else condition)
            parameters += values
        return f" {self.word.upper()} ".join(conditions), parameters

    def holds(self, record: Mapping[str, object]) -> bool:
        """Say whether a record matches."""
        return (all if self.word == "and" else any)(member.holds(record) for member in self.members)


Node = Comparison | Junction


def joined(word: Literal["and", "or"], members: list[Node]) -> Node:
    """
    Join expressions, the heaviest first: their order is free, and SQLite's parser is not.

    The weight of an expression is the number of symbols that wait on the parser's stack while its innermost part is
    read: its parentheses, and for a member that isn't the first two more, what stands before it and the word.
    """
    if len(members) == 1:
        return members[0]
    heaviest = sorted(members, key=lambda member: member.weight + _is_enclosed(member, word), reverse=True)
    first, second = (member.weight + _is_enclosed(member, word) for member in heaviest[:2])
    return Junction(word, tuple(heaviest), max(first, second + 2))


def _is_enclosed(member: Node, word: str) -> bool:
    return isinstance(member, Junction) and (member.word, word) == ("or", "and")


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


def fold(text: str) -> str:
    """Fold a text as SQLite's NOCASE does."""
    return text.translate(_FOLDED)
