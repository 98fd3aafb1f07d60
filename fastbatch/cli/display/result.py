"""What a run came to, for people."""

from collections.abc import Iterator, Mapping, Sequence

from fastbatch.cli.display.failures import failures_text
from fastbatch.cli.display.labelled import facts, styled
from fastbatch.model import Summary
from fastbatch.terminal import escaped
from fastbatch.units import counted, shown_duration, shown_size

_NARROWEST = 20


def summary_text(summary: Summary, width: int, *, color: bool) -> str:
    """Give a table of the top words, and lines on how the run went; without a line end after the last."""
    width = max(width, _NARROWEST)
    parts = [*_top(summary.totals.top, width, color=color), *facts(_labelled(summary), width, color=color)]
    if summary.failures:
        parts.append(failures_text(summary.failures, color=color))
    return "\n".join(parts)


def _top(top: Sequence[tuple[str, int]], width: int, *, color: bool) -> Iterator[str]:
    if not top:
        return
    across = max(len("count"), *(len(f"{count:,}") for _, count in top))
    yield styled(f"{'count':>{across}}  word", color=color, bold=True)
    for word, count in top:
        yield f"{styled(f'{count:>{across},}', color=color, fg='cyan')}  {_fitting(word, width - across - 2)}"
    yield ""


def _fitting(word: str, width: int) -> str:
    """Make a word safe to be shown, and cut it to a width, before anything that costs by length."""
    width = max(width, len("x..."))
    text = escaped(word[: width + 1])
    if 2 * len(text) <= width:  # no character takes more than two columns
        return text
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 3).rstrip()}..."


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
