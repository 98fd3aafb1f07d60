"""A text as blocks of whole tokens."""

from __future__ import annotations

from typing import Callable, Iterator

from .source import last_space

# Small enough that a block's tokens stay in the processor's own cache until they are counted.
BLOCK_SIZE = 1 << 14

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def blocks(read: Callable[[int], bytes], *, size: int = BLOCK_SIZE) -> Iterator[bytes]:
    """Read to the end, and yield blocks that are cut at ASCII spaces only."""
    under_way: list[bytes] = []  # a list, so that a token of any length is joined once
    for chunk in iter(lambda: read(size), b""):
        cut = last_space(chunk) + 1
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
