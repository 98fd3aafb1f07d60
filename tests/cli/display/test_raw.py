"""Bytes from outside on standard output."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.cli.display.raw import Raw, shown
from fastbatch.terminal import escaped

PIECES = st.lists(st.binary(max_size=8))


@given(PIECES)
def test_elsewhere_than_on_a_terminal_nothing_is_changed(pieces: list[bytes]) -> None:
    """Whatever it is: that is what pipes are for."""
    with pytest.MonkeyPatch.context() as patch:
        written: list[bytes] = []
        patch.setattr("click.echo", lambda piece, **_: written.append(piece))
        raw = Raw(terminal=False)
        for piece in pieces:
            raw.write(piece)
        raw.end(line=False)
    assert written == pieces


@given(st.binary(), st.integers(1, 5))
def test_on_a_terminal_it_is_shown_alike_however_it_is_divided(content: bytes, size: int) -> None:
    """Also within a character."""
    with pytest.MonkeyPatch.context() as patch:
        written: list[str] = []
        patch.setattr("click.echo", lambda text, **_: written.append(text))
        raw = Raw(terminal=True)
        for start in range(0, len(content), size):
            raw.write(content[start : start + size])
        raw.end(line=False)
    assert "".join(written) == shown(content.decode("utf-8", "surrogateescape"))


@given(st.text(st.characters(exclude_characters="\n\t")))
def test_lines_end_and_tabs_stay(text: str) -> None:
    """And all else is as it can be shown."""
    assert shown(f"{text}\t{text}\n{text}") == f"{escaped(text)}\t{escaped(text)}\n{escaped(text)}"


@pytest.mark.parametrize(("content", "expected"), [(b"a", b"a\n"), (b"a\n", b"a\n"), (b"", b"")])
def test_a_last_line_is_ended_before_something_else_comes(content: bytes, expected: bytes) -> None:
    """If it is not, and there is one."""
    program = (
        "from fastbatch.cli.display.raw import Raw\n"
        f"raw = Raw(terminal=False); raw.write({content!r}); raw.write(b''); raw.end(line=True)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == expected
