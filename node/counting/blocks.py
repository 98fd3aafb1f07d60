"""A text as blocks of whole tokens, and where it can be cut into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Iterator, Sequence

from .words import SPACES, WIDE_SPACES

if TYPE_CHECKING:
    from .source import Input

# Small enough that a block's tokens stay in the processor's own cache until they are counted.
BLOCK_SIZE = 1 << 14

_SCAN = 1 << 16

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def blocks(read: Callable[[int], bytes], *, size: int = BLOCK_SIZE) -> Iterator[bytes]:
    """Read to the end, and yield blocks that are cut at spaces only."""
    under_way: list[bytes] = []  # a list, so that a token of any length is joined once
    for chunk in iter(lambda: read(size), b""):
        cut = _after_last(SPACES, chunk) or _after_last(WIDE_SPACES, chunk)
        if not cut:
            under_way.append(chunk)
            continue
        under_way.append(chunk[:cut])
        whole = b"".join(under_way)
        under_way = [chunk[cut:]] if cut < len(chunk) else []
        yield whole
    if under_way:
        yield b"".join(under_way)


def from_the_start(text: Iterator[bytes]) -> Iterator[bytes]:
    """Drop a byte order mark, which is one at the very start of a text only."""
    for first in text:
        yield first[len(_BYTE_ORDER_MARK) :] if first.startswith(_BYTE_ORDER_MARK) else first
        break
    yield from text


def boundary(source: Input, position: int) -> int:
    """
    Return where the first token at or after a position of a file starts, the one under way there passed over.

    Cutting a file at boundaries gives each token to the part that it starts in.
    """
    size = source.size or 0
    if position <= source.start or position >= size:
        return max(source.start, min(position, size))
    scan = source.portion(position - 1, size)
    for chunk in iter(lambda: scan.read(_SCAN), b""):
        first = min((at for at in map(chunk.find, SPACES) if at >= 0), default=-1)
        if first >= 0:
            return scan.position - len(chunk) + first + 1
    return size


def _after_last(spaces: Sequence[bytes], chunk: bytes) -> int:
    """Return where a chunk goes on after the last of its spaces, or 0 if it has none."""
    return max(at + len(space) if at >= 0 else 0 for space, at in zip(spaces, map(chunk.rfind, spaces)))
