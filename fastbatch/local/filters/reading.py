"""Reading filters, within bounds."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from fastbatch.local import wire
from fastbatch.local.filters.expression import Comparison, Expression, Node, fold, joined
from fastbatch.local.filters.properties import COMPARISONS, Property

LONGEST = 8192  # characters
DEEPEST = 64  # parentheses open at once
MOST_COMPARISONS = 500  # a chain of n is an expression n deep, and SQLite refuses what is deeper than 1000
# SQLite before 3.46 parses with a stack of 100 symbols. Parentheses that open first in their group take one each, so
# this has room for 64 of them and some others, and leaves enough for a statement around that nests ten deep itself.
HEAVIEST = 70

_INT64 = range(-(2**63), 2**63)
_TOKEN = re.compile(
    r"(?i:datetime)'(?P<time>(?:[^']|'')*+)'|'(?P<text>(?:[^']|'')*+)'|(?P<unclosed>')"
    r"|(?P<sign>[(),])|(?P<word>[^\s(),']+)",
    re.ASCII,
)
_UNSAYABLE = re.compile(r"[\0\ud800-\udfff]")


class InvalidFilter(ValueError):
    """Raised when a filter can't be read; the message says what is wrong, and where."""


def parse(text: str, properties: Mapping[str, Property]) -> Expression:
    """Read a filter on these properties, or raise InvalidFilter."""
    if len(text) > LONGEST:
        raise InvalidFilter(f"the filter has {len(text)} characters, and may have {LONGEST}")
    root = _Reader(text, properties).whole()
    if root.weight > HEAVIEST:
        raise InvalidFilter("parentheses are nested too deeply in too many places")
    return Expression(root)


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

    def whole(self) -> Node:
        expression = self._either()
        if self._next.kind != "end":
            raise self._next.instead_of("and, or, or the end")
        return expression

    def _either(self) -> Node:
        members = [self._both()]
        while self._skips("or"):
            members.append(self._both())
        return joined("or", members)

    def _both(self) -> Node:
        members = [self._single()]
        while self._skips("and"):
            members.append(self._single())
        return joined("and", members)

    def _single(self) -> Node:
        token = self._take()
        if token.written == "(":
            return self._group(token)
        self._comparisons += 1
        if self._comparisons > MOST_COMPARISONS:
            raise token.wrong(f"there are more than {MOST_COMPARISONS} comparisons")
        if token.written == "startswith":
            return self._starts_with()
        return self._comparison(token)

    def _group(self, opening: _Token) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise opening.wrong(f"parentheses are nested more than {DEEPEST} deep")
        expression = self._either()
        self._expect(")")
        self._depth -= 1
        return expression

    def _starts_with(self) -> Node:
        self._expect("(")
        name = self._take()
        allowed = self._known(name)
        if "startswith" not in allowed.operators:
            raise name.wrong(f"{name.written} can't be filtered by startswith, only by {_listed(allowed.operators)}")
        self._expect(",")
        value = _text(self._take())
        self._expect(")")
        return Comparison(name.written, "startswith", value)

    def _comparison(self, name: _Token) -> Node:
        allowed = self._known(name)
        word = self._take()
        if word.written not in COMPARISONS:
            raise word.instead_of(f"an operator ({_listed(COMPARISONS)})")
        if word.written not in allowed.operators:
            raise word.wrong(
                f"{name.written} can't be filtered by {word.written}, only by {_listed(allowed.operators)}"
            )
        return Comparison(name.written, word.written, _LITERALS[allowed.kind](self._take()))

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
    return fold(token.content)


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
