"""Bytes from outside, as they are; on a terminal so that they do no harm to it."""

import codecs

import click

from fastbatch.terminal import escaped


class Raw:
    """Writes one text to standard output, a piece at a time."""

    def __init__(self, *, terminal: bool) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape") if terminal else None
        self._last = b"\n"

    def write(self, piece: bytes) -> None:
        """Write the next piece."""
        self._last = piece[-1:] or self._last
        if self._decoder is None:
            click.echo(piece, nl=False)
        else:
            click.echo(shown(self._decoder.decode(piece)), nl=False)

    def end(self, *, line: bool) -> None:
        """End it; also its last line, if that has no end and something else comes after it."""
        if self._decoder is not None:
            click.echo(shown(self._decoder.decode(b"", final=True)), nl=False)
        if line and self._last != b"\n":
            click.echo()


def shown(text: str) -> str:
    """Give a text as a terminal can show it: lines end and tabs are wide as ever."""
    return "\n".join("\t".join(map(escaped, line.split("\t"))) for line in text.split("\n"))
