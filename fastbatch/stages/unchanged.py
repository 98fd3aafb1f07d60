"""Whether inputs are still what they were when the run was planned."""

import os
from collections.abc import Iterable, Mapping

from fastbatch.books.standing import Standing
from fastbatch.model import Item


def is_as_planned(item: Item, status: os.stat_result) -> bool:
    """Tell whether a file is what was planned, as far as that is to be seen from outside."""
    return (status.st_size, status.st_mtime_ns) == (item.size, item.mtime_ns)


def returned(items: Iterable[Item], standings: Mapping[str, Standing]) -> frozenset[str]:
    """Name the inputs that were lost and are there again, as they were when the run was planned."""
    lost = {name for standing in standings.values() for name in standing.lost}
    return frozenset(item.name for item in items if item.name in lost and _is_there(item))


def _is_there(item: Item) -> bool:
    try:
        return is_as_planned(item, os.stat(item.path)) and os.access(item.path, os.R_OK)
    except OSError:
        return False
