"""How large the benchmarks are, as was asked for."""

from __future__ import annotations

from dataclasses import dataclass

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


def counts(text: str) -> tuple[int, ...]:
    """Read numbers of nodes. Raises ValueError."""
    found = tuple(sorted({int(number) for number in text.split(",")}))
    if not found or found[0] < 1:
        raise ValueError(f"{text!r} is no list of numbers of nodes, such as 1,2,4.")
    return found
