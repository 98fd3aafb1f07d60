"""
What a word is.

A word is a whitespace-separated token of the text with punctuation stripped from both ends.
The work is done on bytes: ASCII whitespace splits them without decoding anything,
and the rest (invalid bytes, other spaces, letter case) is settled by :func:`clean`, once for each distinct token.
"""

from __future__ import annotations

import io
from typing import Iterable, Iterator

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
PUNCTUATION_BYTES = PUNCTUATION.encode()

# U+001C to U+001F are spaces to str.split() and none to bytes.split(): they are turned into ones that are.
_SEPARATORS = (b"\x1c", b"\x1d", b"\x1e", b"\x1f")

# All the ASCII spaces. An input is shared and cut at these, so that no cut is inside a character.
SPACES = (b" ", b"\t", b"\n", b"\r", b"\x0b", b"\x0c", *_SEPARATORS)

_SEPARATORS_TO_SPACE = bytes.maketrans(b"".join(_SEPARATORS), b" " * len(_SEPARATORS))

# Every other space of str.split(), in UTF-8. None of them can begin inside another character's bytes.
WIDE_SPACES = tuple(
    chr(code).encode() for code in (0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
)

_CONTINUATION_BYTES = bytes(range(0x80, 0xC0))

# A token longer than this is cleaned in pieces of about this size: decoding one whole takes up to 12 times its length.
PIECE = 1 << 16


def split(block: bytes, *, ignore_case: bool) -> list[bytes]:
    """Return the raw tokens of a block of whole tokens."""
    if ignore_case:
        block = block.lower()  # ASCII only; clean() does the rest
    if any(map(block.__contains__, _SEPARATORS)):
        block = block.translate(_SEPARATORS_TO_SPACE)
    return block.split()


def not_clean(tokens: Iterable[bytes], *, stripped: bool) -> list[bytes]:
    """Return those raw tokens that may not be words as they stand. `stripped`: no ASCII one needs stripping."""
    if stripped:
        return [token for token in tokens if not token.isascii()]
    return [token for token in tokens if not token.isascii() or token.strip(PUNCTUATION_BYTES) != token]


def clean(token: bytes, *, ignore_case: bool) -> list[bytes]:
    """
    Return the words of a raw token, one that split() gave, in UTF-8.

    Most often one; none when it is all punctuation; several when it holds spaces beyond ASCII.
    """
    if token.isascii():
        word = token.strip(PUNCTUATION_BYTES)
        return [word] if word else []
    if len(token) > PIECE:
        return _clean_long(token, ignore_case=ignore_case)
    text = token.decode("utf-8", "replace")
    if ignore_case:
        text = text.lower()
    words = (part.strip(PUNCTUATION) for part in text.split())
    return [word.encode() for word in words if word]


def _clean_long(token: bytes, *, ignore_case: bool) -> list[bytes]:
    for space in WIDE_SPACES:
        if space in token:
            token = token.replace(space, b" ")
    words = []
    for part in token.split():
        pieces = decode_in_pieces(part)
        whole = _lower_in_pieces(pieces) if ignore_case else _encode(pieces)
        word = whole.strip(PUNCTUATION_BYTES)
        if word:
            words.append(word)
    return words


def decode_in_pieces(token: bytes) -> Iterator[str]:
    """Decode as ``token.decode("utf-8", "replace")`` does, a piece at a time."""
    start = 0
    while start < len(token):
        end = start + PIECE
        # Only a continuation byte can belong to what stands before it, and no character has more than three.
        end += len(token[end : end + 3]) - len(token[end : end + 3].lstrip(_CONTINUATION_BYTES))
        yield token[start:end].decode("utf-8", "replace")
        start = end


def _encode(pieces: Iterator[str]) -> bytes:
    out = io.BytesIO()
    for piece in pieces:
        out.write(piece.encode())
    return out.getvalue()


def _lower_in_pieces(pieces: Iterator[str]) -> bytes:
    """
    Lower the pieces of a text as ``str.lower`` lowers the whole.

    One letter depends on its neighbours: a capital sigma becomes a final one after a cased letter and before none,
    whatever apostrophes and accents stand between. So each piece is lowered behind a stand-in for what came before it,
    and the last sigma of a piece, when what follows decides, is written as final and mended later: both forms take
    two bytes. ``str.lower`` itself is asked in each case what the neighbours are.
    """
    out = io.BytesIO()
    before = ""  # a cased letter if the nearest one that counts was cased
    undecided = -1  # where in `out` a sigma stands that the next piece decides
    for piece in pieces:
        if undecided >= 0:
            if ("aΣ" + piece).lower()[1] == "σ":
                _overwrite(out, undecided, "σ".encode())
                undecided = -1
            elif ("aΣ" + piece + "a").lower()[1] == "ς":
                undecided = -1
        lowered = (before + piece).lower()[len(before) :]
        if (before + piece + "a").lower()[len(before) : -1] != lowered:
            undecided = out.tell() + len(lowered[: lowered.rindex("ς")].encode())
        out.write(lowered.encode())
        before = "a" if (before + piece + "Σ").lower()[-1] == "ς" else ""
    return out.getvalue()


def _overwrite(out: io.BytesIO, position: int, data: bytes) -> None:
    out.seek(position)
    out.write(data)
    out.seek(0, io.SEEK_END)
