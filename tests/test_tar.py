"""Tars are the same for the same names and contents, and are read by others."""

import io
import os
import tarfile
import tempfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch import tar
from fastbatch._node.counting import source
from fastbatch._node.counting import tar as node_tar

names = st.one_of(
    st.binary(min_size=1, max_size=120),
    st.sampled_from([b"/absolute", b"../up", "ü/ñ".encode(), b"\xff\xfe", b"new\nline", b" ", b"d/" * 300 + b"f"]),
    st.integers(95, 105).map(lambda length: b"n" * length),
    st.integers(505, 515).map(lambda length: b"m" * length),
).filter(lambda name: b"\0" not in name and not name.endswith(b"/"))
contents = st.one_of(st.binary(max_size=600), st.sampled_from([bytes(511), bytes(512), bytes(513), b"x" * 1024]))
files = st.dictionaries(names, contents, max_size=6)


def packed(members: Mapping[bytes, bytes]) -> bytes:
    """Write a tar with the code under test."""
    parts = [
        part
        for name, content in members.items()
        for part in (tar.header(name, len(content)), content, tar.padding(len(content)))
    ]
    return b"".join([*parts, tar.END])


def read_by_python(data: bytes) -> dict[bytes, bytes]:
    """Read a tar with the standard library."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {os.fsencode(member.name): archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]  # all are files


def read_by_the_node(data: bytes) -> dict[bytes, bytes]:
    """Read a tar with what reads it on a node."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        members = node_tar.members(source.Portion(file.fileno(), 0, len(data)))
        return {member.name: b"".join(iter(lambda: member.read(100), b"")) for member in members}  # noqa: B023, it is called at once


@given(files=files)
def test_what_was_packed_is_read_by_the_standard_library(files: dict[bytes, bytes]) -> None:
    """Any names, any contents."""
    assert read_by_python(packed(files)) == files


@given(files=files)
def test_what_was_packed_is_read_on_nodes(files: dict[bytes, bytes]) -> None:
    """Whose reader refuses what is not sound."""
    assert read_by_the_node(packed(files)) == files


@given(name=names, content=contents)
def test_a_footprint_is_what_a_file_takes(name: bytes, content: bytes) -> None:
    """Headers and padding included."""
    taken = len(tar.header(name, len(content))) + len(content) + len(tar.padding(len(content)))

    assert tar.footprint(len(name), len(content)) == taken
    assert taken % tar.BLOCK == 0


@pytest.mark.parametrize("name", [b"a", b"folder/file.txt", b"\xff", b"n" * 100])
@pytest.mark.parametrize("size", [0, 1, 511, 512, 64 << 20, (8 << 30) - 1])
def test_a_header_is_the_one_that_the_standard_library_writes(name: bytes, size: int) -> None:
    """To the byte: no time, no owner, and a mode that is the same for all."""
    member = tarfile.TarInfo(os.fsdecode(name))
    member.size = size

    assert tar.header(name, size) == member.tobuf(tarfile.USTAR_FORMAT)
