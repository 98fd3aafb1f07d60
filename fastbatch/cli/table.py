"""Rows as lines of columns."""

from collections.abc import Collection, Sequence

_WIDEST = 48  # a column is no wider than this for the sake of one long value
_GAP = "  "
_CUT = "..."
_SHORTEST = 8  # to which a value is cut


def table(rows: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """Give rows as lines; the columns of some numbers are set to the right."""
    widths = [min(width, _WIDEST) for width in _widths(rows)]
    return "\n".join(_line(row, widths, right) for row in rows)


def fitted(rows: Sequence[Sequence[str]], width: int, give: Sequence[int]) -> list[list[str]]:
    """Cut values in the columns that may give, so that lines are no longer than a width, as far as that goes."""
    widths = _widths(rows)
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    for column in give:
        cut = min(max(excess, 0), max(widths[column] - _SHORTEST, 0))
        widths[column] -= cut
        excess -= cut
    return [[_cut(value, most) for value, most in zip(row, widths, strict=True)] for row in rows]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _line(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    padded = (
        value.rjust(width) if column in right else value.ljust(width)
        for column, (value, width) in enumerate(zip(row, widths, strict=True))
    )
    return _GAP.join(padded).rstrip()


def _cut(value: str, width: int) -> str:
    return value if len(value) <= width else value[: width - len(_CUT)] + _CUT
