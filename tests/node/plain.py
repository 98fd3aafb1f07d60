"""The plain way to count, which every other must equal."""

from __future__ import annotations

import string
from collections import Counter


def count(data: bytes, *, ignore_case: bool = False) -> Counter[str]:
    """Count the words of a text's bytes."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    if ignore_case:
        text = text.lower()
    return Counter(w for w in (t.strip(string.punctuation) for t in text.split()) if w)


def top(counts: Counter[str], number: int | None) -> list[tuple[str, int]]:
    """Rank words by count and then by code point."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:number]
