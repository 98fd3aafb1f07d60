"""What a run came to, for people."""

from collections.abc import Iterator, Mapping, Sequence

import click

from fastbatch.cli.display.sentences import brief
from fastbatch.cli.display.wording import counted
from fastbatch.model import Failure, Summary
from fastbatch.terminal import escaped
from fastbatch.units import shown_duration, shown_size

_LABEL = 10  # columns
_NAMES = 5  # of each reason
_REASONS = 10
_NARROWEST = 20


def summary_text(summary: Summary, width: int, *, color: bool) -> str:
    """Give a table of the top words, and lines on how the run went; without a line end after the last."""
    width = max(width, _NARROWEST)
    parts = [*_top(summary.totals.top, width, color=color), *_facts(summary, width, color=color)]
    if summary.failures:
        parts.append(failures_text(summary.failures, color=color))
    return "\n".join(parts)


def failures_text(failures: Sequence[Failure], *, color: bool) -> str:
    """Give the failed inputs by reason, the most frequent one first, with a few names each."""
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        groups.setdefault(failure.reason, []).append(failure)
    largest = sorted(groups.items(), key=lambda group: -len(group[1]))
    lines = [line for reason, group in largest[:_REASONS] for line in _group(reason, group, color=color)]
    if others := largest[_REASONS:]:
        lines.append(
            f"and {_inputs(sum(len(group) for _, group in others))} for {counted(len(others), 'other reason')}"
        )
    return "\n".join(lines)


def _group(reason: str, group: Sequence[Failure], *, color: bool) -> Iterator[str]:
    yield _styled(f"{_inputs(len(group))} failed: {brief(reason)}", color=color, fg="red")
    for failure in group[:_NAMES]:
        yield f"  {escaped(failure.name)}"
    if len(group) > _NAMES:
        yield f"  and {len(group) - _NAMES:,} more"


def _inputs(number: int) -> str:
    return counted(number, "input")


def _top(top: Sequence[tuple[str, int]], width: int, *, color: bool) -> Iterator[str]:
    if not top:
        return
    across = max(len("count"), *(len(f"{count:,}") for _, count in top))
    yield _styled(f"{'count':>{across}}  word", color=color, bold=True)
    for word, count in top:
        yield f"{_styled(f'{count:>{across},}', color=color, fg='cyan')}  {_fitting(word, width - across - 2)}"
    yield ""


def _fitting(word: str, width: int) -> str:
    """Make a word safe to be shown, and cut it to a width, before anything that costs by length."""
    width = max(width, len("x..."))
    text = escaped(word[: width + 1])
    if 2 * len(text) <= width:  # no character takes more than two columns
        return text
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 3).rstrip()}..."


def _facts(summary: Summary, width: int, *, color: bool) -> Iterator[str]:
    for label, parts in _labelled(summary):
        first, *others = _filled(parts, width - _LABEL)
        yield f"{_styled(f'{label:<{_LABEL}}', color=color, bold=True)}{first}"
        yield from (f"{'':<{_LABEL}}{line}" for line in others)


def _filled(parts: Sequence[str], width: int) -> Iterator[str]:
    """Divide a list into lines, but none of its parts, as paths and names are to be copied."""
    line = parts[0]
    for part in parts[1:]:
        longer = f"{line}, {part}"
        if len(longer) < width:
            line = longer
        else:
            yield f"{line},"
            line = part
    yield line


def _labelled(summary: Summary) -> Iterator[tuple[str, Sequence[str]]]:
    """Give the lists that are shown, none of them empty."""
    books, totals = summary.books, summary.totals
    yield "run", [f"{escaped(summary.run)} on pool {escaped(summary.pool)}", counted(summary.tasks, "task")]
    yield "inputs", [f"{books.done:,} done", f"{books.failed:,} failed", f"{books.open:,} open"]
    yield "words", [f"{totals.words:,}", f"{totals.distinct:,} distinct", f"in {shown_size(totals.bytes)}"]
    sent = f"{counted(summary.uploaded, 'bundle')} ({shown_size(summary.uploaded_bytes)})"
    yield "uploaded", [sent, f"{summary.reused:,} reused"]
    if summary.seconds:
        yield "time", [f"{escaped(stage)} {shown_duration(seconds)}" for stage, seconds in summary.seconds.items()]
    if summary.requests:
        yield "requests", _requests(summary.requests)
    if summary.output is not None:
        yield "output", [escaped(summary.output)]
    if summary.left:
        yield "left", [escaped(name) for name in summary.left]


def _requests(requests: Mapping[str, Mapping[str, int]]) -> list[str]:
    return [f"{escaped(service)} {sum(counts.values()):,}" for service, counts in requests.items()]


def _styled(text: str, *, color: bool, fg: str | None = None, bold: bool | None = None) -> str:
    return click.style(text, fg=fg, bold=bold) if color else text
