"""What may be shown on a terminal of texts that come from outside."""

import unicodedata

# Controls, formats (bidi controls and what has no width among them), surrogates, separators of lines and paragraphs.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NAMED = {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
_BYTES = range(0xDC80, 0xDD00)  # as which Python's os functions give bytes that are not UTF-8


def escaped(text: str) -> str:
    r"""
    Return a text as it can be shown: on one line, in the order in which it is written, and encodable.

    Characters that steer a terminal, turn or break the line, or can't be seen are shown as escapes: `\n`, `\x1b`,
    `\u0085`, `\u202e`, `\U000e0041`. A byte that is not UTF-8 is shown as `\xff`, which no character from U+0080 on
    is. A backslash is always doubled. So no two texts are shown alike, and a text is to be escaped once only.
    """
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if unicodedata.category(character) not in _UNSAFE:
        return character
    code = ord(character)
    if code in _BYTES:
        return f"\\x{code & 0xFF:02x}"
    if code < 0x80:  # noqa: PLR2004, from here on it would look like a byte
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004, four digits end here
