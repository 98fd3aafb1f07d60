"""Texts to count: generated, the same every time, and without a download."""

from __future__ import annotations

import random
from itertools import accumulate

_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
_VOCABULARY = 60_000
_WORDS_A_LINE = 12

# How often a word is dressed up so, of all words; the rest stand as they are.
_CASES = ((0.08, str.capitalize), (0.01, str.upper), (0.91, str))
_DRESSES = (
    (0.06, "{},"),
    (0.06, "{}."),
    (0.01, "{};"),
    (0.01, '"{}'),
    (0.01, '{}"'),
    (0.005, "({})"),
    (0.005, "{}!"),
    (0.005, "{}?"),
    (0.005, "{}'s"),
    (0.002, "{}é"),
    (0.828, "{}"),
)


def zipf(size: int, *, seed: int = 7) -> bytes:
    """
    Return about so many bytes of a text with about 60,000 words, as frequent as words are in a language.

    With capitals and punctuation, so that there are several times as many raw tokens.
    """
    chance = random.Random(seed)
    vocabulary = _vocabulary(chance)
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(vocabulary))))
    number = size * 10 // 81  # a word takes about 8.1 bytes
    words = chance.choices(vocabulary, cum_weights=weights, k=number)
    cases = chance.choices([case for _, case in _CASES], [weight for weight, _ in _CASES], k=number)
    dresses = chance.choices([dress for _, dress in _DRESSES], [weight for weight, _ in _DRESSES], k=number)
    tokens = [dress.format(case(word)) for word, case, dress in zip(words, cases, dresses, strict=True)]
    lines = (" ".join(tokens[at : at + _WORDS_A_LINE]) for at in range(0, number, _WORDS_A_LINE))
    return "\n".join(lines).encode()


def repetitive(size: int) -> bytes:
    """Return about so many bytes of the same few megabytes over and over."""
    part = zipf(min(size, 4_000_000), seed=11) + b"\n"
    return part * (size // len(part) or 1)


def _vocabulary(chance: random.Random) -> list[str]:
    found: dict[str, None] = {}
    weights = range(len(_LETTERS), 0, -1)
    while len(found) < _VOCABULARY:
        length = min(14, max(2, int(chance.gammavariate(6, 1.2))))
        found["".join(chance.choices(_LETTERS, weights, k=length))] = None
    return list(found)
