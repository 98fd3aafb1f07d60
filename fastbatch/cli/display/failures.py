"""Inputs that failed, by why, for people."""

from collections.abc import Iterator, Sequence

from fastbatch.cli.display.labelled import styled
from fastbatch.cli.display.sentences import brief
from fastbatch.model import Failure
from fastbatch.telling.failing import Group, grouped
from fastbatch.terminal import escaped
from fastbatch.units import counted

_REASONS = 10


def failures_text(failures: Sequence[Failure], *, color: bool) -> str:
    """Give the failed inputs by reason, the most frequent one first, with a few names each."""
    return groups_text(grouped(failures), color=color)


def groups_text(groups: Sequence[Group], *, color: bool, cures: bool = False) -> str:
    """Give groups of failed inputs, with a few names each, and with what tries them again if that is wished."""
    lines = [line for group in groups[:_REASONS] for line in _group(group, color=color, cures=cures)]
    if others := groups[_REASONS:]:
        lines.append(f"and {_inputs(sum(group.inputs for group in others))} for {counted(len(others), 'other reason')}")
    return "\n".join(lines)


def _group(group: Group, *, color: bool, cures: bool) -> Iterator[str]:
    yield styled(f"{_inputs(group.inputs)} failed: {brief(group.reason)}", color=color, fg="red")
    if cures:
        yield f"  ({'resume' if group.passing else 'only resume --failed'} tries again)"
    for name in group.names:
        yield f"  {escaped(name)}"
    if more := group.inputs - len(group.names):
        yield f"  and {more:,} more"


def _inputs(number: int) -> str:
    return counted(number, "input")
