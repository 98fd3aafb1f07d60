"""
Result files: what one task counted, sealed by a digest.

The format is described in README.md, beside this package. The same input gives the same bytes,
whatever computed them, so a result names no node, task or time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import Any, BinaryIO, Iterable, Iterator, NamedTuple, Sequence

from . import runs
from .errors import OutputFailed, ResultCorrupt, UsageError
from .source import Input, sha256
from .spill import BUFFER, Spill, lines, merged

FORMAT = "fastbatch-result 1"

_SEAL = b"sha256 "
_SEAL_LENGTH = len(_SEAL) + 64 + 1
_LONGEST_TOTALS = 1 << 10


class Settings(NamedTuple):
    """How the counting was done."""

    ignore_case: bool
    top: int


class InputCount(NamedTuple):
    """What was counted in one input: a file, or a member of a bundle."""

    name: str  # in UTF-8, and bytes that are not as surrogate escapes
    bytes: int
    words: int
    top: list[tuple[str, int]]


class Totals(NamedTuple):
    """Sums over a whole result; the length of its longest word, in bytes; and where its lines of inputs start."""

    inputs: int
    bytes: int
    words: int
    distinct: int
    longest: int
    inputs_at: int


def input_line(count: InputCount) -> bytes:
    """Return the line of a result that is about an input."""
    return b"input " + _json(count._asdict()) + b"\n"


class ResultWriter:
    """
    Writes a result under a temporary name, and gives it its own when it is whole.

    To be used in the order of the file: the counts go :meth:`through` first, then comes each input.
    """

    def __init__(self, path: str, settings: Settings) -> None:
        self._path = path
        self._partial = f"{path}.{os.getpid()}.partial"
        self._settings = settings
        self._digest = hashlib.sha256()
        self._sums = runs.Sums()
        self._inputs = self._bytes = self._inputs_at = 0

    def __enter__(self) -> ResultWriter:
        with self._writing():
            self._file = open(self._partial, "wb", buffering=BUFFER)
            self._write(f"{FORMAT}\n".encode())
            self._write(b"settings " + _json(self._settings._asdict()) + b"\n")
        return self

    def through(self, blocks: Iterable[runs.Block]) -> Iterator[runs.Block]:
        """Write the counts, and pass them on."""
        for block in self._sums.through(runs.evened(blocks)):
            with self._writing():
                runs.write(block, self._write)
            yield block
        self._inputs_at = self._file.tell()

    def add_inputs(self, about: BinaryIO, *, size: int) -> None:
        """Write lines about inputs, of so many bytes together."""
        with self._writing():
            for chunk in iter(lambda: about.read(BUFFER), b""):
                self._write(chunk)
                self._inputs += chunk.count(b"\n")  # one line each
        self._bytes += size

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._seal()
        finally:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._partial)

    def _seal(self) -> None:
        with self._writing():
            totals = Totals(
                inputs=self._inputs,
                bytes=self._bytes,
                words=self._sums.words,
                distinct=self._sums.distinct,
                longest=self._sums.longest,
                inputs_at=self._inputs_at,
            )
            self._write(b"totals " + _json(totals._asdict()) + b"\n")
            self._file.write(_seal(self._digest.hexdigest()))
            self._file.close()
            os.replace(self._partial, self._path)

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputFailed.because(repr(self._path), error) from error


class Result:
    """A result file that was found whole."""

    def __init__(self, path: str) -> None:
        """Verify the file. Raises ResultCorrupt."""
        self._path = path
        with self._reading() as source:
            end = _verified_end(source)
            head = lines(source.portion(0, end))
            first, second = head.readline(), head.readline()
            if first != f"{FORMAT}\n".encode():
                raise ValueError("it is of another version of the format")
            self.settings = Settings(**_tagged(second, b"settings"))
            self._blocks_at = len(first) + len(second)
            tail = source.portion(max(0, end - _LONGEST_TOTALS), end).read()
            self.totals = Totals(**_tagged(tail.splitlines(keepends=True)[-1], b"totals"))

    @property
    def longest(self) -> int:
        """Return the length of the longest word, in bytes."""
        return self.totals.longest

    def blocks(self) -> Iterator[runs.Block]:
        """Read the counts, by word in ascending order."""
        with self._reading() as source:
            yield from runs.read(lines(source.portion(self._blocks_at, self.totals.inputs_at)))

    def inputs(self) -> Iterator[InputCount]:
        """Read what was counted in each input, in the order of the bundle."""
        with self._reading() as source:
            rest = lines(source.portion(self.totals.inputs_at, source.size or 0))
            for _ in range(self.totals.inputs):
                fields = _tagged(rest.readline(), b"input")
                yield InputCount(**{**fields, "top": [(word, count) for word, count in fields["top"]]})

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Input]:
        try:
            with Input(self._path) as source, source.reading():
                yield source
        except (ValueError, TypeError, LookupError) as error:
            raise ResultCorrupt(f"{self._path!r} is no sound result: {error}") from error


def merge(results: Sequence[Result], spill: Spill, *, memory: int) -> Iterator[runs.Block]:
    """Add up any number of results, by word in ascending order, within a bound of memory."""
    if len({result.settings.ignore_case for result in results}) > 1:
        raise UsageError("some of the results ignore case and some do not; they can't be added up")
    return merged(results, spill, memory)


def _verified_end(source: Input) -> int:
    """Return where the seal starts, after a look at whether it is that of all before it."""
    size = source.size or 0
    end = size - _SEAL_LENGTH
    if end < 0:
        raise ValueError("it is too short to be one")
    if source.portion(end, size).read() != _seal(sha256(source.portion(0, end))):
        raise ValueError("its digest does not match; it is damaged or cut off")
    return end


def _seal(digest: str) -> bytes:
    return _SEAL + digest.encode() + b"\n"


def _tagged(line: bytes, tag: bytes) -> dict[str, Any]:
    found, _, value = line.partition(b" ")
    if found != tag:
        raise ValueError(f"a line of {tag.decode()} is missing")
    fields = json.loads(value)
    if not isinstance(fields, dict):
        raise TypeError(f"the line of {tag.decode()} is malformed")
    return fields


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
