"""How numbers are written in the sentences of findings."""

from collections.abc import Sequence

_HUNDREDFOLD = 100
_WHOLE = 10  # from so much on, decimals tell nothing


def percent(share: float) -> str:
    """Write a share, with a decimal where it is small."""
    shown = _HUNDREDFOLD * share
    return f"{shown:.0f} %" if abs(shown) >= _WHOLE else f"{shown:.1f}".removesuffix(".0") + " %"


def longer(share: float) -> str:
    """Write by how much something takes longer; where that is much, how many times as long."""
    return f"{percent(share)} longer" if share < 1 else f"{1 + share:.1f} times as long"


def listed(counts: Sequence[int]) -> str:
    """Write numbers of nodes: 1 node; 2, 4 and 8 nodes."""
    *first, last = map(str, counts)
    numbers = f"{', '.join(first)} and {last}" if first else last
    return f"{numbers} node" if numbers == "1" else f"{numbers} nodes"
