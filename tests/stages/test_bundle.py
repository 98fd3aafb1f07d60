"""Bundles are built of what was planned, and of nothing else."""

import itertools
import os
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastbatch._node.counting import words
from fastbatch.capacity import IN_MEMORY
from fastbatch.errors import InputChanged
from fastbatch.model import Bundle, Item, Kind
from fastbatch.stages.bundle import BuiltBundle, Extent, block, build
from tests.stages.bundles import content_of, item, tarred, unpacked, whole, written

MIB = 1 << 20
WORDS = b"some words, and more of them "


def in_slices(item: Item, edges: list[int]) -> list[BuiltBundle]:
    """Cut a file at some places, and build every part."""
    places = sorted({0, item.size, *(edge for edge in edges if 0 < edge < item.size)})
    ranges = itertools.pairwise(places) if item.size else [(0, 0)]
    return [build(Bundle("b00001", Kind.SLICE, (item,), start, end)) for start, end in ranges]


def reason(built: BuiltBundle) -> str:
    """Return why the only input failed, of which nothing may be left."""
    (failure,) = built.failures
    assert (built.blob, built.content, built.md5) == (None, b"", None)
    return failure.reason


# Files as they are


def test_a_tar_holds_every_file(tmp_path: Path) -> None:
    """In the order that was planned, under names that are only data."""
    contents = {"b": b"", "a b\n$(c)": b"two words", "h\udcff": bytes(range(256)) * 3, "n" * 120: b"x" * 512}
    items = []
    for number, (name, content) in enumerate(contents.items()):
        (tmp_path / str(number)).write_bytes(content)
        items.append(item(tmp_path / str(number), name))
    built = build(tarred(*items))

    assert list(unpacked(built).items()) == list(contents.items())
    assert built.failures == ()


def test_a_tar_is_the_same_wherever_and_whenever_its_files_were_written(tmp_path: Path) -> None:
    """So that it is uploaded once."""
    built = []
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        items = [written(tmp_path / folder / name, name.encode() * 100) for name in "abc"]
        os.utime(items[0].path, (len(folder), len(folder)))
        os.chmod(items[1].path, 0o600 + len(folder))
        built.append(build(tarred(item(Path(items[0].path)), *items[1:])))

    assert built[0] == built[1]


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY - 1, IN_MEMORY, IN_MEMORY + 1, IN_MEMORY + 3 * MIB])
def test_a_file_alone_is_sent_as_it_is(tmp_path: Path, size: int) -> None:
    """In memory, or from the file if it is large."""
    content = (WORDS * (size // len(WORDS) + 1))[:size]
    built = build(whole(written(tmp_path / "file", content)))

    assert content_of(built) == content
    assert isinstance(built.content, Extent) == (size > IN_MEMORY)


def test_a_link_is_followed_to_its_file(tmp_path: Path) -> None:
    """As it was when the run was planned."""
    written(tmp_path / "file", b"content")
    (tmp_path / "link").symlink_to(tmp_path / "file")

    assert content_of(build(whole(item(tmp_path / "link")))) == b"content"


# Slices


texts = st.lists(st.sampled_from([b"word", b"\xc3\xbc", b" ", b"\n", b"\x1c", b"\xc2\x85", b"\0", b"x" * 40])).map(
    b"".join
)


@given(text=texts, edges=st.lists(st.integers(0, 400), max_size=5))
@example(text=b"a b", edges=[1, 2])
@example(text=b" ", edges=[])
def test_slices_make_up_the_file_and_keep_every_word(tmp_path: Path, text: bytes, edges: list[int]) -> None:
    """Wherever it is cut."""
    slices = [content_of(built) for built in in_slices(written(tmp_path / "file", text), edges)]

    assert b"".join(slices) == text
    assert sum((Counter(part.decode(errors="replace").split()) for part in slices), Counter()) == Counter(
        text.decode(errors="replace").split()
    )


def test_a_slice_starts_at_the_first_space_from_where_it_should(tmp_path: Path) -> None:
    """Or is empty, where there is none before the next one starts."""
    file = written(tmp_path / "file", b"one two threeandmore four")
    slices = in_slices(file, [2, 3, 8, 12])

    assert [content_of(built) for built in slices] == [b"one", b"", b" two threeandmore", b"", b" four"]


@pytest.mark.parametrize("byte", range(256))
def test_texts_are_cut_where_nodes_cut_them(tmp_path: Path, byte: int) -> None:
    """At ASCII whitespace, which is more than regular expressions call so."""
    content = bytes([byte])
    cut = len(in_slices(written(tmp_path / "file", b"aa" + content + b"aa"), [1])[0].content)  # type: ignore[arg-type]  # bytes

    assert cut == (2 if content in words.SPACES else 5)


def test_a_space_is_found_however_far_it_is(tmp_path: Path) -> None:
    """Over the edges of what is read at once."""
    for distance in (1 << 16, (1 << 16) + 1, 5 << 16):
        text = b"x" * distance + b" " + b"y" * 10
        first, second = in_slices(written(tmp_path / "file", text), [1])

        assert content_of(first) == b"x" * distance
        assert content_of(second) == b" " + b"y" * 10


def test_large_slices_are_sent_from_the_file(tmp_path: Path) -> None:
    """And only their own part of it."""
    text = WORDS * (40 * MIB // len(WORDS))
    first, second, third = in_slices(written(tmp_path / "file", text), [18 * MIB, 20 * MIB])

    assert isinstance(first.content, Extent)
    assert isinstance(second.content, bytes)
    assert isinstance(third.content, Extent)
    assert content_of(first) + content_of(second) + content_of(third) == text


# Files that changed


def append(path: Path) -> None:
    """Make a file longer."""
    with path.open("ab") as file:
        file.write(b"more")


def shorten(path: Path) -> None:
    """Make a file shorter."""
    os.truncate(path, 1)


def touch(path: Path) -> None:
    """Make a file newer."""
    os.utime(path, (5, 5))


def replace_by_a_folder(path: Path) -> None:
    """Put a folder in a file's place."""
    path.unlink()
    path.mkdir()


def replace_by_a_pipe(path: Path) -> None:
    """Put a pipe in a file's place, that nobody writes to."""
    path.unlink()
    os.mkfifo(path)


def replace_by_a_loop(path: Path) -> None:
    """Put a link to itself in a file's place."""
    path.unlink()
    path.symlink_to(path)


CHANGES = [
    (append, "it changed after the run was planned"),
    (shorten, "it changed after the run was planned"),
    (touch, "it changed after the run was planned"),
    (Path.unlink, "it is gone"),
    (replace_by_a_folder, "it is no longer a regular file"),
    (replace_by_a_pipe, "it is no longer a regular file"),
    (replace_by_a_loop, "it can't be read: "),
]


@pytest.mark.parametrize(("change", "why"), CHANGES)
def test_a_file_that_changed_is_left_out_of_its_tar(tmp_path: Path, change: Callable[[Path], None], why: str) -> None:
    """And named, while the rest goes on."""
    items = [written(tmp_path / name, name.encode() * 10) for name in "abc"]
    change(tmp_path / "b")
    built = build(tarred(*items))

    assert unpacked(built) == {"a": b"a" * 10, "c": b"c" * 10}
    assert [failure.name for failure in built.failures] == ["b"]
    assert built.failures[0].reason.startswith(why)


@pytest.mark.parametrize(("change", "why"), CHANGES)
@pytest.mark.parametrize("kind", Kind)
def test_nothing_is_left_where_all_files_changed(
    tmp_path: Path, change: Callable[[Path], None], why: str, kind: Kind
) -> None:
    """Whatever kind of bundle it is."""
    file = written(tmp_path / "file", b"some text")
    change(tmp_path / "file")

    assert reason(build(Bundle("b00001", kind, (file,), 0, file.size))).startswith(why)


@pytest.mark.parametrize("size", [9, IN_MEMORY + 1])
@pytest.mark.parametrize("change", [append, shorten, touch])
@pytest.mark.parametrize("kind", Kind)
def test_a_file_that_changes_while_it_is_read_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, change: Callable[[Path], None], kind: Kind
) -> None:
    """Before its first byte is read, but after it was found to be as planned."""
    file = written(tmp_path / "file", b"x" * size)
    read = os.read

    def read_after_a_change(fd: int, length: int) -> bytes:
        monkeypatch.setattr(os, "read", read)
        change(tmp_path / "file")
        return read(fd, length)

    monkeypatch.setattr(os, "read", read_after_a_change)

    assert "it changed while it was read" in reason(build(Bundle("b00001", kind, (file,), 0, file.size)))


@pytest.mark.parametrize("size", [9, IN_MEMORY + 1])
@pytest.mark.parametrize("kind", Kind)
def test_a_file_that_comes_short_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, kind: Kind
) -> None:
    """Even if it is what it was as soon as it was read."""
    file = written(tmp_path / "file", b"x" * size)
    read = os.read

    def read_what_is_short_for_a_moment(fd: int, length: int) -> bytes:
        shorten(tmp_path / "file")
        content = read(fd, length)
        os.truncate(file.path, file.size)
        os.utime(file.path, ns=(file.mtime_ns, file.mtime_ns))
        monkeypatch.setattr(os, "read", lambda _fd, _length: b"")
        return content

    monkeypatch.setattr(os, "read", read_what_is_short_for_a_moment)

    assert "it changed while it was read" in reason(build(Bundle("b00001", kind, (file,), 0, file.size)))


@pytest.mark.skipif(not os.path.exists("/proc/version"), reason="there are no such files here")
@pytest.mark.parametrize("kind", Kind)
def test_a_file_that_holds_more_than_it_says_is_left_out(kind: Kind) -> None:
    """As half of it would be counted without a word."""
    file = item(Path("/proc/version"))

    assert file.size == 0
    assert "it changed while it was read" in reason(build(Bundle("b00001", kind, (file,), 0, file.size)))


def next_descriptor() -> int:
    """Return the number that the next opened file gets, which is the lowest that is free."""
    fd = os.open(os.devnull, os.O_RDONLY)
    os.close(fd)
    return fd


@pytest.mark.parametrize("change", [append, replace_by_a_folder, None])
@pytest.mark.parametrize("kind", Kind)
def test_no_file_is_left_open(tmp_path: Path, change: Callable[[Path], None] | None, kind: Kind) -> None:
    """As thousands would be too many."""
    file = written(tmp_path / "file", b"some text")
    if change:
        change(tmp_path / "file")

    before = next_descriptor()
    build(Bundle("b00001", kind, (file,), 0, file.size))

    assert next_descriptor() == before


# What is sent from a file


@pytest.mark.parametrize(("change", "why"), CHANGES)
def test_a_block_of_a_file_that_changed_is_not_sent(tmp_path: Path, change: Callable[[Path], None], why: str) -> None:
    """As the blob would not be what it is named by."""
    built = build(whole(written(tmp_path / "file", b"x" * (IN_MEMORY + 1))))
    assert isinstance(built.content, Extent)
    change(tmp_path / "file")

    with pytest.raises(InputChanged, match=why.partition(" after")[0]):
        block(built.content, 4, MIB)


def test_blocks_of_files_that_may_change_are_whole_all_the_same(tmp_path: Path) -> None:
    """Of an extent that knows no time, only the length is checked."""
    written(tmp_path / "file", b"0123456789")
    extent = Extent(str(tmp_path / "file"), 2, 6)
    touch(tmp_path / "file")

    assert [block(extent, offset, 4) for offset in (0, 4)] == [b"2345", b"67"]
    os.truncate(tmp_path / "file", 7)
    with pytest.raises(InputChanged, match="it changed while it was uploaded"):
        block(extent, 4, 4)


# Memory


def peak(action: Callable[[], object]) -> int:
    """Return how many bytes were taken at most."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_file_is_not_read_into_memory(tmp_path: Path) -> None:
    """Neither to be hashed nor to be cut."""
    (tmp_path / "file").touch()
    os.truncate(tmp_path / "file", 100 * MIB)
    file = item(tmp_path / "file")

    assert peak(lambda: in_slices(file, [10 * MIB])) < 4 * MIB


def test_a_tar_is_in_memory_about_once(tmp_path: Path) -> None:
    """With room to grow, and a file that is added to it."""
    items = [written(tmp_path / str(number), b"x" * MIB) for number in range(40)]

    assert peak(lambda: build(tarred(*items))) < 50 * MIB
