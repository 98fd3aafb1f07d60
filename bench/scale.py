"""How large the benchmarks are, as was asked for."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import asdict, dataclass
from typing import Any

from fastbatch.units import parse_size

MB = 1_000_000
_PART = 20  # of what there is, if it is only to be seen that it works


@dataclass(frozen=True)
class Scale:
    """The scale of a session."""

    quick: bool = False
    nodes: tuple[int, ...] = ()  # else as many as show something here
    files: int | None = None  # else each benchmark has a number of its own
    file_size: int | None = None  # the same

    @property
    def text(self) -> int:
        """Return the size of a text, in bytes."""
        return 4 * MB if self.quick else 64 * MB  # about the largest bundle there is

    @property
    def rounds(self) -> int:
        """Return how often each entrant of a contest is run, if it takes seconds."""
        return 1 if self.quick else 7

    @property
    def few(self) -> int:
        """Return how often each entrant is run, if it takes a minute."""
        return 1 if self.quick else 3

    @property
    def node_counts(self) -> tuple[int, ...]:
        """Return on which numbers of nodes files are counted."""
        return self.nodes or ((1, 2) if self.quick else (1, 2, 3, 4))

    def some(self, whole: int) -> int:
        """Give how many there are, of what no option tells."""
        return max(1, whole // _PART) if self.quick else whole

    def corpus(self, files: int, size: int) -> tuple[int, int]:
        """Give how many files there are and of which size: as was asked for, else these."""
        return self.files or self.some(files), self.file_size or size

    def json(self) -> dict[str, Any]:
        """Return it for JSON: what was asked for, and what follows from that."""
        follows = {"text": self.text, "rounds": self.rounds, "few": self.few, "node_counts": self.node_counts}
        return {**asdict(self), **follows}


def counts(text: str) -> tuple[int, ...]:
    """Read numbers of nodes. Raises ArgumentTypeError."""
    try:
        return tuple(sorted({how_many(number) for number in text.split(",")}))
    except ArgumentTypeError:
        raise ArgumentTypeError(f"{text!r} is no list of numbers of nodes, such as 1,2,4.") from None


def how_many(text: str) -> int:
    """Read a number of things of which there is one at least. Raises ArgumentTypeError."""
    if not text.strip().isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} is no number from 1 on.")
    return int(text)


def size(text: str) -> int:
    """Read a size of one byte at least. Raises ArgumentTypeError."""
    try:
        found = parse_size(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    if not found:
        raise ArgumentTypeError(f"{text!r} is no size of a file with something in it, such as 10KiB.")
    return found
