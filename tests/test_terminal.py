"""Names from outside can be shown on a terminal."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.terminal import escaped

ESCAPE = re.compile(r"\\(?:(?P<named>[\\nrt])|x(?P<x>\w{2})|u(?P<u>\w{4})|U(?P<U>\w{8}))")
NAMED = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}

# All characters, and often those that matter.
texts = st.text(st.one_of(st.characters(), st.sampled_from("\\nxu0\n\x1b\x7f\x85\udc85\ud800\u202e\u2028\u200b")))


def read_back(shown: str) -> str:
    """Undo the escapes."""

    def character(match: re.Match[str]) -> str:
        if match["named"]:
            return NAMED[match["named"]]
        code = int(match["x"] or match["u"] or match["U"], 16)
        return chr(0xDC00 + code) if match["x"] and code >= 0x80 else chr(code)

    return ESCAPE.sub(character, shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name.txt", "plain name.txt"),
        ("größe 資料\u3000.txt", "größe 資料\u3000.txt"),
        ("a\nb\rc\td", r"a\nb\rc\td"),
        ("\0\x1b[31m\x7f", r"\x00\x1b[31m\x7f"),
        ("\x85\x9b", r"\u0085\u009b"),
        ("\udcff\udc85", r"\xff\x85"),
        ("\ud800", r"\ud800"),
        ("\u061c\u200e\u200f", r"\u061c\u200e\u200f"),
        ("\u202a\u202b\u202c\u202d\u202e", r"\u202a\u202b\u202c\u202d\u202e"),
        ("\u2066\u2067\u2068\u2069", r"\u2066\u2067\u2068\u2069"),
        ("\u200b\ufeff\u2028\u2029", r"\u200b\ufeff\u2028\u2029"),
        ("\U000e0041", r"\U000e0041"),
        (r"a\nb", r"a\\nb"),
        ("שלום", "שלום"),
    ],
)
def test_what_would_do_harm_is_shown_as_an_escape(text: str, shown: str) -> None:
    """And what would not is shown as it is."""
    assert escaped(text) == shown


@given(texts)
def test_no_two_texts_are_shown_alike(text: str) -> None:
    """As every text can be read back."""
    assert read_back(escaped(text)) == text


@given(texts)
def test_what_is_shown_is_one_line_that_can_be_encoded(text: str) -> None:
    """Whatever the text was."""
    shown = escaped(text)

    assert len(shown.encode().decode().splitlines()) <= 1
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
