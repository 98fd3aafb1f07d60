"""
Wildcards of output files, followed one character at a time: a path that can't match is given up where that shows.

`?` is any character, `[abc]`, `[a-c]` and `[!abc]` one of some, `*` any number of them: none of these is ever a slash.
`**` is any number of characters, slashes too; as a whole part of a path (`**/`) it is any number of folders, also none.
A dot that begins a part of a path is matched by a dot only.
"""

import re
from dataclasses import dataclass, field

State = frozenset[int]  # the places in the pattern that a path may have come to

_SOME = re.compile(r"\[(?P<negated>!?+)(?P<members>[^/][^]/]*)\]")
_MEMBER = re.compile(r"(?P<first>.)-(?P<last>.)|(?P<only>.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _One:
    """A character: itself, one of some ranges, or any."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False
    literal: bool = False

    def accepts(self, character: str) -> bool:
        return any(first <= character <= last for first, last in self.ranges) is not self.negated


@dataclass(frozen=True, slots=True)
class _Many:
    """Any number of characters: within one part of a path, across parts, or exactly so many whole parts."""

    deep: bool
    whole: bool = False


_Token = _One | _Many

_ANY = _One((), negated=True)
_STAR = _Many(deep=False)
_DEEP = _Many(deep=True)
_FOLDERS = _Many(deep=True, whole=True)
_SLASH = _One((("/", "/"),), literal=True)
_DOT = _One(((".", "."),), literal=True)


def wild(part: str) -> bool:
    """Tell whether a part of a path has wildcards; a bracket that is never closed is none."""
    return any(not (isinstance(token, _One) and token.literal) for token in _tokens(part))


@dataclass(frozen=True, slots=True)
class Wildcards:
    """A pattern for paths. A path is taken in pieces: its state says whether it matches, or could once it goes on."""

    pattern: str
    _tokens: tuple[_Token, ...] = field(init=False, repr=False)
    _known: dict[tuple[State, str], State] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tokens", tuple(_tokens(self.pattern)))

    @property
    def start(self) -> State:
        """The state of a path that has not begun."""
        return self._widened({0}, begins=True)

    def after(self, state: State, text: str, *, begins: bool = False) -> State:
        """Return the state after more of the path; `begins` says that the text begins a part of the path."""
        for character in text:
            # Dots that begin a part are told from others by their key, as they are nothing that others are.
            key = (state, "/." if begins and character == "." else character)
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = self._stepped(state, character, begins=begins)
            state, begins = known, character == "/"
        return state

    def beyond_link(self, state: State) -> State:
        """Return the state with which a link to a folder is followed: never because of `**`, which may go round."""
        return self.after(frozenset(place for place in state if not self._deep(place)), "/")

    def matches(self, state: State) -> bool:
        """Tell whether what has been taken is a match."""
        return len(self._tokens) in state

    def _deep(self, place: int) -> bool:
        token = self._tokens[place] if place < len(self._tokens) else None
        return isinstance(token, _Many) and token.deep

    def _stepped(self, state: State, character: str, *, begins: bool) -> State:
        hidden = begins and character == "."
        places = {
            place + isinstance(self._tokens[place], _One)
            for place in state
            if place < len(self._tokens) and self._takes(place, character, hidden=hidden)
        }
        return self._widened(places, begins=character == "/")

    def _takes(self, place: int, character: str, *, hidden: bool) -> bool:
        token = self._tokens[place]
        if hidden:
            return token is _DOT and (place == 0 or self._tokens[place - 1] in {_SLASH, _FOLDERS})
        if isinstance(token, _Many):
            return token.deep or character != "/"
        return token.accepts(character) and (character != "/" or token is _SLASH)

    def _widened(self, places: set[int], *, begins: bool) -> State:
        """Add the places that are reached by taking nothing."""
        open_places = list(places)
        while open_places:
            place = open_places.pop()
            token = self._tokens[place] if place < len(self._tokens) else None
            if isinstance(token, _Many) and (begins or not token.whole) and place + 1 not in places:
                places.add(place + 1)
                open_places.append(place + 1)
        return frozenset(places)


def _tokens(pattern: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(pattern):
        token, at = _token(pattern, at)
        tokens.append(token)
    return tokens


def _token(pattern: str, at: int) -> tuple[_Token, int]:
    """Read what stands at a place of a pattern, and say where it ends."""
    character = pattern[at]
    if character == "*":
        return _stars(pattern, at)
    if character == "?":
        return _ANY, at + 1
    if character == "[" and (some := _SOME.match(pattern, at)):
        return _some(some), some.end()
    # The slash and the dot are told from others by identity.
    return {"/": _SLASH, ".": _DOT}.get(character) or _One(((character, character),), literal=True), at + 1


def _stars(pattern: str, at: int) -> tuple[_Many, int]:
    end = at
    while pattern.startswith("*", end):
        end += 1
    if end == at + 1:
        return _STAR, end
    begins_part = at == 0 or pattern[at - 1] == "/"
    return (_FOLDERS, end + 1) if begins_part and pattern.startswith("/", end) else (_DEEP, end)


def _some(match: re.Match[str]) -> _One:
    members = _MEMBER.finditer(match["members"])
    ranges = tuple((member["first"] or member["only"], member["last"] or member["only"]) for member in members)
    return _One(ranges, negated=bool(match["negated"]))
