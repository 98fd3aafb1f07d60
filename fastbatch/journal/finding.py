"""Which run is meant by what a user says."""

from collections.abc import Sequence
from difflib import get_close_matches

from fastbatch import names
from fastbatch.errors import UsageError
from fastbatch.terminal import escaped

LAST = "last"
_NAMED = 5
_SEE = "See them all with: fastbatch ls"


def find(text: str, runs: Sequence[str]) -> str:
    """
    Give the run that is meant, of runs whose newest is the first: by its id, `last`, its name, or how its id begins.

    What comes first of these wins: a text that is the name of runs and the beginning of another's id means the newest
    run of that name. Raises UsageError that names candidates.
    """
    said = escaped(text) or "''"
    if not runs:
        raise UsageError(f"There is no run {said}: none was ever made here. Make one with: fastbatch run")
    if text in runs:
        return text
    if text == LAST:
        return runs[0]
    if named := [run for run in runs if names.given(run) == text]:
        return named[0]
    begun = [run for run in runs if text and run.startswith(text)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise UsageError(f"{said} may be any of {_some(begun)}. Say more of it. {_SEE}")
    like = get_close_matches(text, runs, n=_NAMED, cutoff=0.5)
    raise UsageError(f"There is no run {said}. There are {_some(like or runs)}. {_SEE}")


def _some(runs: Sequence[str]) -> str:
    more = len(runs) - _NAMED
    return ", ".join(map(escaped, runs[:_NAMED])) + (f" and {more} more" if more > 0 else "")
