"""Lists of facts, each with a label before it."""

from collections.abc import Iterable, Iterator, Sequence

import click

_LABEL = 10  # columns


def facts(rows: Iterable[tuple[str, Sequence[str]]], width: int, *, color: bool) -> Iterator[str]:
    """Give lines for labelled lists, none of which is empty; one that is too wide goes on in the next line."""
    for label, parts in rows:
        first, *others = _filled(parts, width - _LABEL)
        yield f"{styled(f'{label:<{_LABEL}}', color=color, bold=True)}{first}"
        yield from (f"{'':<{_LABEL}}{line}" for line in others)


def styled(text: str, *, color: bool, fg: str | None = None, bold: bool | None = None) -> str:
    """Give a text in a color or bold, if there are colors."""
    return click.style(text, fg=fg, bold=bold) if color else text


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
