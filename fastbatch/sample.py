"""Sample files: the same ones for everybody, so that a second run finds them uploaded."""

import os
import random

_WORDS = 4000
_WORDS_PER_FILE = 1500
_FILES_PER_FOLDER = 1000
_SYLLABLES = [
    "an",
    "be",
    "ca",
    "do",
    "el",
    "fi",
    "go",
    "hu",
    "in",
    "jo",
    "ka",
    "lu",
    "mo",
    "ne",
    "or",
    "pi",
    "ra",
    "so",
]
_ENDS = ["", "", "", "", "", "", ",", ",", ".", ";"]


def write(folder: str, files: int) -> None:
    """Write small texts, of some 10 KiB each, in which a few words are frequent and many are rare, as in real ones."""
    chance = random.Random("fastbatch")  # noqa: S311, it is to be the same for everybody
    words = ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(_WORDS)]
    weights = [1 / rank for rank in range(1, _WORDS + 1)]
    pool = chance.choices(words, weights, k=100_000)
    for number in range(files):
        start = chance.randrange(len(pool) - _WORDS_PER_FILE)
        text = " ".join(word + chance.choice(_ENDS) for word in pool[start : start + _WORDS_PER_FILE])
        path = os.path.join(folder, f"{number // _FILES_PER_FOLDER:03}")
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, f"sample-{number:06}.txt"), "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
