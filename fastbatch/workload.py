"""What is run on the nodes: the protocol of a workload, and counting, which is one."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from fastbatch._node.counting.errors import CountingError
from fastbatch._node.counting.results import InputCount, Result
from fastbatch.errors import ResultUnsound
from fastbatch.model import Blob, Bundle, Item, Kind, shown

# What a task's files are called on its node; no name from outside is ever one.
PROGRAM = "node.pyz"
INPUT = "bundle"
RESULT = "result"


class Workload(Protocol):
    """What is run."""

    @property
    def divisible(self) -> bool:
        """Tell whether a file can be cut into slices that are worked on apart."""

    def command_line(self, bundle: Bundle, blob: Blob) -> str:
        """Return what a node executes, with no shell, for a bundle that was built as a blob."""

    def collect(self, path: str, bundle: Bundle, skipped: AbstractSet[str]) -> None:
        """
        Verify the result of a bundle that was built without the inputs named in `skipped`.

        Raises ResultUnsound.
        """


@dataclass(frozen=True, slots=True)
class Counting:
    """Counts words: of everything, and the most frequent ones of each input."""

    top: int
    ignore_case: bool
    timed: bool = False  # nodes print when they were at it; results are the same

    @property
    def divisible(self) -> bool:
        """Return that it is: the counts of slices add up."""
        return True

    def command_line(self, bundle: Bundle, blob: Blob) -> str:
        """Return what a node executes; nothing of an input's name is in it."""
        # Isolated and without site packages: nothing of the node's user gets in, and it starts 9 ms sooner.
        words = ["python3", "-I", "-S", PROGRAM, "count", INPUT, "--output", RESULT, "--top", str(self.top)]
        words += ["--sha256", blob.digest, "--delete-input"]
        if bundle.kind is Kind.TAR:
            words += ["--tar"]
        if bundle.kind is Kind.SLICE:
            words += ["--offset", str(bundle.start)]
        if self.ignore_case:
            words += ["--ignore-case"]
        if self.timed:
            words += ["--times"]
        return " ".join(words)

    def collect(self, path: str, bundle: Bundle, skipped: AbstractSet[str]) -> None:
        """Verify a result: its seal, how it was counted, and that it is of the bundle's inputs, in their order."""
        try:
            result = Result(path)
            problem = next(self._problems(result, bundle, skipped), None)
        except CountingError as error:
            raise ResultUnsound(f"the result of {bundle.id} can't be used: {error}") from error
        if problem:
            raise ResultUnsound(f"the result of {bundle.id} is not of what was asked for: {problem}")

    def _problems(self, result: Result, bundle: Bundle, skipped: AbstractSet[str]) -> Iterator[str]:
        if result.settings != (self.ignore_case, self.top):
            yield f"it was counted with {result.settings}, not with {self}"
        items = [item for item in bundle.items if item.name not in skipped]
        if result.totals.inputs != len(items):
            yield f"it is of {result.totals.inputs} inputs, not of {len(items)}"
        for item, count in zip(items, result.inputs(), strict=True):
            if problem := _difference(bundle.kind, item, count):
                yield problem


def _difference(kind: Kind, item: Item, count: InputCount) -> str | None:
    """Say what of an input is not as it should be. A text's result has no name of its own, a slice's no known size."""
    if kind is Kind.TAR and count.name.encode("utf-8", "surrogateescape") != item.raw_name:
        return f"{shown(count.name)!r} is where {shown(item.name)!r} belongs"
    if kind is not Kind.SLICE and count.bytes != item.size:
        return f"{count.bytes} bytes of {shown(item.name)!r} were counted, which has {item.size}"
    return None
