"""Streams that may be lost."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest

from fastbatch.cli.display.streams import Stream, lenient, same_place

FULL = Path("/dev/full")
HAS_FULL = pytest.mark.skipif(not FULL.exists(), reason="there is no disk that is always full")


def pipe() -> tuple[int, TextIO]:
    """Give both ends of one."""
    reader, writer = os.pipe()
    return reader, os.fdopen(writer, "w")


def test_what_is_written_is_handed_over_by_the_line() -> None:
    """At once."""
    reader, file = pipe()
    Stream(file).line("words")
    assert os.read(reader, 100) == b"words\n"
    os.close(reader)
    file.close()


def test_when_nobody_reads_nothing_is_raised_and_nothing_is_told() -> None:
    """And the file, which may be stdout, can be closed without complaint."""
    told: list[str] = []
    reader, file = pipe()
    stream = Stream(file, told.append)
    stream.line("read")
    os.close(reader)
    for _ in range(3):
        stream.line("never read")
    file.write("more")
    file.close()
    assert (told, stream.trouble) == ([], None)


@HAS_FULL
def test_when_the_disk_is_full_that_is_told_once() -> None:
    """And nothing is raised."""
    told: list[str] = []
    with FULL.open("w") as file:
        stream = Stream(file, told.append)
        for _ in range(3):
            stream.line("lost")
    assert told == [os.strerror(errno.ENOSPC)]
    assert stream.trouble == os.strerror(errno.ENOSPC)


class Failing(io.StringIO):
    """A file that takes nothing, and that the system does not know."""

    writes = 0

    def write(self, _: str) -> int:
        """Refuse."""
        self.writes += 1
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_after_a_failure_nothing_more_is_written() -> None:
    """Nor told."""
    told: list[str] = []
    file = Failing()
    stream = Stream(file, told.append)
    for _ in range(3):
        stream.line("lost")
    assert (file.writes, told) == (1, [os.strerror(errno.EIO)])


def test_a_file_that_was_closed_by_others_is_lost() -> None:
    """Nothing is raised."""
    file = io.StringIO()
    file.close()
    stream = Stream(file)
    stream.line("lost")
    assert not stream.isatty()


def test_there_may_be_no_file() -> None:
    """As when we are started with it closed."""
    stream = Stream(None)
    stream.line("lost")
    stream.close()
    assert not stream.isatty()
    assert not same_place(stream, stream)


def test_what_the_encoding_does_not_have_is_shown_as_an_escape() -> None:
    """Rather than lost with all that comes after it."""
    raw = io.BytesIO()
    stream = Stream(lenient(io.TextIOWrapper(raw, encoding="ascii", newline="\n")))
    stream.line("漢 \udcff")
    assert raw.getvalue() == b"\\u6f22 \\udcff\n"


def test_the_encoding_can_be_chosen() -> None:
    """For programs, which read UTF-8."""
    raw = io.BytesIO()
    stream = Stream(lenient(io.TextIOWrapper(raw, encoding="ascii", newline="\n"), "utf-8"))
    stream.line("漢")
    assert raw.getvalue() == "漢\n".encode()


def test_two_streams_may_be_one_place(tmp_path: Path) -> None:
    """As after `2>&1`."""
    with (
        (tmp_path / "one").open("w") as one,
        (tmp_path / "two").open("w") as two,
        os.fdopen(os.dup(one.fileno())) as same,
    ):
        assert same_place(Stream(one), Stream(same))
        assert not same_place(Stream(one), Stream(two))
        assert not same_place(Stream(one), Stream(io.StringIO()))


def test_python_ends_without_complaint_when_stdout_was_lost() -> None:
    """Also with more in its buffer than it could write."""
    code = """
import sys
from fastbatch.cli.display.streams import Stream
stream = Stream(sys.stdout)
for _ in range(1000):
    stream.line("x" * 1000)
sys.stdout.write("left in the buffer")
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
