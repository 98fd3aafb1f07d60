"""Numbers of nodes as people write them: 1,2,4 and 1..1000."""

import re
from collections.abc import Iterable

MOST = 100_000  # nodes; no pool has more
SPREAD = 20  # about so many of a range that has more

_RANGE = re.compile(r"([0-9]{1,9})\s*\.\.\s*([0-9]{1,9})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


def numbers(text: str) -> tuple[int, ...]:
    """Read a list of numbers of nodes, each of which is taken once, the least first. Raises ValueError."""
    return _sorted(_number(part, text) for part in _parts(text))


def numbers_and_ranges(text: str) -> tuple[int, ...]:
    """Read such a list that may have ranges; of a long one some are taken, with both ends. Raises ValueError."""
    return _sorted(nodes for part in _parts(text) for nodes in _each(part, text))


def spread(first: int, last: int) -> tuple[int, ...]:
    """Give all from the first to the last, or, of many, some that have about the same ratio each to the next."""
    if last - first < SPREAD:
        return tuple(range(first, last + 1))
    steps = (last / first) ** (1 / (SPREAD - 1))
    return _sorted(min(last, round(first * steps**step)) for step in range(SPREAD))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _each(part: str, text: str) -> tuple[int, ...]:
    if (match := _RANGE.fullmatch(part)) is None:
        return (_number(part, text),)
    first, last = (_number(end, text) for end in match.groups())
    if last < first:
        raise ValueError(f"the range {part} ends before it begins")
    return spread(first, last)


def _number(part: str, text: str) -> int:
    if not _NUMBER.fullmatch(part):
        raise ValueError(f"{text!r} is no list of numbers of nodes, such as 1,2,4")
    if not 1 <= int(part) <= MOST:
        raise ValueError(f"a number of nodes must be from 1 to {MOST:,}, not {int(part):,}")
    return int(part)


def _sorted(found: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(found)))
