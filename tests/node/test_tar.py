"""A tar is read whole and sound, or not at all."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .conftest import Agent, AgentError
from .tars import tar

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "GNU": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}

names = st.one_of(
    st.binary(min_size=1, max_size=30),
    st.sampled_from(
        [b"/absolute", b"../up", "ü/ñ".encode(), b"\xff\xfe", b"new\nline", b"n" * 300, b"d/" * 90 + b"f", b" "]
    ),
).filter(lambda name: b"\0" not in name and not name.endswith(b"/"))
files = st.dictionaries(names, st.binary(max_size=1500), max_size=6)


def read(agent: Agent, data: bytes) -> dict[bytes, bytes]:
    """Read a tar with the code under test, of a file and of a pipe alike."""
    members = agent.members(data.decode("latin-1"), piped=False)
    assert agent.members(data.decode("latin-1"), piped=True) == members
    return {name.encode("latin-1"): content.encode("latin-1") for name, content in members}


def refused(agent: Agent, data: bytes) -> str:
    """Return why a tar is refused, which it must be."""
    reasons = []
    for piped in (True, False):
        with pytest.raises(AgentError) as refusal:
            agent.members(data.decode("latin-1"), piped=piped)
        assert refusal.value.kind == "TarCorrupt"
        reasons.append(str(refusal.value))
    return reasons[-1]


@given(files=files, form=st.sampled_from(["GNU", "pax"]))
def test_what_was_packed_comes_out(agent: Agent, files: dict[bytes, bytes], form: str) -> None:
    """Any names, any contents."""
    assert read(agent, tar(files, FORMATS[form])) == files


def test_the_oldest_form_splits_long_names(agent: Agent) -> None:
    """Into a prefix and a name."""
    packed = {b"d/" * 60 + b"name": b"content", b"short": b""}

    assert read(agent, tar(packed, tarfile.USTAR_FORMAT)) == packed


@given(files=files.filter(bool), at=st.integers(0, 1 << 20))
def test_a_tar_cut_off_anywhere_is_refused(agent: Agent, files: dict[bytes, bytes], at: int) -> None:
    """Before its end mark; the zeros after that are padding."""
    whole = tar(files)
    end_mark = len(whole.rstrip(b"\0"))
    sound = end_mark + -end_mark % 512 + 512

    assert "cut off" in refused(agent, whole[: at % min(sound, len(whole))])


@pytest.mark.parametrize("form", FORMATS)
def test_any_changed_bit_of_a_header_is_noticed(agent: Agent, form: str) -> None:
    """Which is what the checksum is for; only in its own field may a zero in front as well be a space."""
    whole = tar({b"name": b"content", b"other": b""}, FORMATS[form])
    header = whole.index(b"other")
    for byte in (*range(148), *range(149, 512)):
        damaged = bytearray(whole)
        damaged[header + byte] ^= 1 << byte % 8
        assert refused(agent, bytes(damaged))


def test_nothing_goes_uncounted_after_the_end_mark(agent: Agent) -> None:
    """As a second archive behind the first would."""
    assert "goes on after its end mark" in refused(agent, tar({b"a": b"1"}) + tar({b"b": b"2"}))


def test_what_is_no_file_is_passed_over(agent: Agent) -> None:
    """Folders, links and devices hold no words."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"kind{kind!r}")
            member.type = kind
            member.linkname = "x" * 200
            archive.addfile(member)
        member = tarfile.TarInfo("file")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"word"))

    assert read(agent, out.getvalue()) == {b"file": b"word"}


def test_extended_headers_for_all_members_are_read(agent: Agent) -> None:
    """As git archive writes one, with its commit."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "ü" * 700}) as archive:
        archive.addfile(tarfile.TarInfo("empty"))

    assert read(agent, out.getvalue()) == {b"empty": b""}


def _sparse(header: tarfile.TarInfo) -> None:
    header.type = tarfile.GNUTYPE_SPARSE


def _sparse_pax(header: tarfile.TarInfo) -> None:
    header.pax_headers = {"GNU.sparse.major": "1"}


def _long(header: tarfile.TarInfo) -> None:
    header.type, header.size = b"x", 1 << 30


@pytest.mark.parametrize(
    ("damage", "reason"), [(_sparse, "unknown kind"), (_sparse_pax, "sparse"), (_long, "announces")]
)
def test_what_can_not_be_read_right_is_refused(
    agent: Agent, damage: Callable[[tarfile.TarInfo], None], reason: str
) -> None:
    """Rather than read wrong."""
    member = tarfile.TarInfo("name")
    damage(member)
    data = member.tobuf(tarfile.PAX_FORMAT) + bytes(1024)

    assert reason in refused(agent, data)


@pytest.mark.parametrize(
    "record", [b"8 path=a\n", b"0 path=a\n", b"x path=a\n", b"11 path=a\n ", b"8 patha\n", b"path"]
)
def test_malformed_extended_headers_are_refused(agent: Agent, record: bytes) -> None:
    """Each record says its own length."""
    member = tarfile.TarInfo("pax")
    member.type, member.size = b"x", len(record)
    data = member.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0") + tar({b"a": b""})

    assert "malformed" in refused(agent, data) or "for a number" in refused(agent, data)


def test_an_extended_header_s_size_is_the_size(agent: Agent) -> None:
    """Whatever the header behind it says, which may have had no room for it."""
    extended = tarfile.TarInfo("pax")
    extended.type, extended.size = b"x", len(b"10 size=5\n")
    packed = tarfile.TarInfo("name").tobuf(tarfile.USTAR_FORMAT) + b"words".ljust(512, b"\0") + bytes(1024)

    assert read(agent, extended.tobuf() + b"10 size=5\n".ljust(512, b"\0") + packed) == {b"name": b"words"}


def test_a_size_beyond_octal_digits_is_read(agent: Agent) -> None:
    """As GNU tar writes it, of 8 GiB and more; here there is less behind it."""
    member = tarfile.TarInfo("large")
    member.size = 1 << 33

    assert "cut off" in refused(agent, member.tobuf(tarfile.GNU_FORMAT) + bytes(512))
