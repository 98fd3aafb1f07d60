"""What was built once is built again of what is the same, and of nothing else."""

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.capacity import IN_MEMORY
from fastbatch.model import Bundle, Item, Kind
from fastbatch.stages.bundle import BuiltBundle, build
from tests.stages.bundles import content_of, tarred, unpacked, written

CONTENT = "its content changed after it was first read; run again to take it as it is now"


def rewrite(path: Path) -> None:
    """Change a file's last byte, and nothing else that can be seen of it."""
    status = path.stat()
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def leave(_path: Path) -> None:
    """Leave a file as it is."""


def copy_over(path: Path) -> None:
    """Put a copy in a file's place that is the same in all that counts."""
    status = path.stat()
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def touch(path: Path) -> None:
    """Make a file newer."""
    os.utime(path, (5, 5))


def lengthen(path: Path) -> None:
    """Make a file longer."""
    path.write_bytes(path.read_bytes() + b"more")


def replace_by_a_folder(path: Path) -> None:
    """Put in a file's place what can't be read as one."""
    path.unlink()
    path.mkdir()


HARMLESS = [leave, copy_over]
CHANGES = [rewrite, touch, lengthen, Path.unlink, replace_by_a_folder]

fates = st.sampled_from([*HARMLESS, *HARMLESS, *CHANGES])


def again(bundle: Bundle, first: BuiltBundle) -> BuiltBundle:
    """Build what is left of a bundle a second time."""
    lost = {failure.name for failure in first.failures}
    left = tuple(item for item in bundle.items if item.name not in lost)
    return build(Bundle(bundle.id, bundle.kind, left, bundle.start, bundle.end), first.blob, first.checks)


@given(lives=st.lists(st.tuples(fates, fates, fates), min_size=1, max_size=6))
def test_what_a_bundle_holds_is_final(lives: list[tuple[Callable[[Path], None], ...]]) -> None:
    """Whatever changes before each time that it is built: each input is as it was at first, or failed by name."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / str(number) for number in range(len(lives))]
        bundle = tarred(*(written(path, path.name.encode() * 50) for path in paths))
        lost: set[str] = set()
        builds: list[BuiltBundle] = []
        for fates_now in zip(*lives, strict=True):
            changed = set()
            for path, fate in zip(paths, fates_now, strict=True):
                if path.name not in lost:
                    fate(path)
                    # What is in a first build is final, so a change of content before it is none.
                    changed |= {path.name} if fate in CHANGES and (builds or fate is not rewrite) else set()
            left = Bundle(bundle.id, bundle.kind, tuple(item for item in bundle.items if item.name not in lost))
            built = build(left, builds[-1].blob, builds[-1].checks) if builds else build(left)
            builds.append(built)
            lost |= changed

            assert {failure.name for failure in built.failures} == changed
            held = {} if built.blob is None else unpacked(built)
            assert list(held) == [item.name for item in bundle.items if item.name not in lost]
            assert len(built.checks) == 4 * len(held)
            if len(builds) > 1 and held:
                assert held.items() <= unpacked(builds[0]).items()
            if built.blob is None:
                break


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_did_not_change_is_the_same_blob(tmp_path: Path, harmless: Callable[[Path], None]) -> None:
    """To the last byte, so that nothing is uploaded twice."""
    bundle = tarred(*(written(tmp_path / name, name.encode() * 10) for name in "abc"))
    first = build(bundle)
    harmless(tmp_path / "b")

    assert again(bundle, first) == first


def test_a_tar_tells_its_inputs_by_their_sums(tmp_path: Path) -> None:
    """Four bytes each, in order, of those that are in it."""
    bundle = tarred(*(written(tmp_path / name, name.encode() * 10) for name in "abc"))
    (tmp_path / "b").unlink()

    sums = [zlib.crc32(content).to_bytes(4, "big") for content in (b"a" * 10, b"c" * 10)]
    assert build(bundle).checks == b"".join(sums)


def test_content_that_changed_is_told_as_that(tmp_path: Path) -> None:
    """By the name of the input, while the others make up a new blob."""
    bundle = tarred(*(written(tmp_path / name, name.encode() * 10) for name in "abc"))
    first = build(bundle)
    rewrite(tmp_path / "b")
    second = again(bundle, first)

    assert [(failure.name, failure.reason) for failure in second.failures] == [("b", CONTENT)]
    assert unpacked(second) == {"a": b"a" * 10, "c": b"c" * 10}
    assert second.blob != first.blob


@pytest.mark.parametrize("kind", [Kind.WHOLE, Kind.SLICE])
@pytest.mark.parametrize("size", [100, IN_MEMORY + 1])
def test_a_file_alone_is_what_it_was_or_fails(tmp_path: Path, kind: Kind, size: int) -> None:
    """Its digest shows it, as does that of its slice."""
    file = written(tmp_path / "file", b"x" * size)
    bundle = Bundle("b00001", kind, (file,), 0, file.size)
    first = build(bundle)
    assert first.checks == b""
    assert again(bundle, first) == first
    rewrite(tmp_path / "file")
    second = again(bundle, first)

    assert (second.blob, second.content) == (None, b"")
    assert [(failure.name, failure.reason) for failure in second.failures] == [("file", CONTENT)]


def test_a_slice_is_its_own_part_of_the_file_only(tmp_path: Path) -> None:
    """What changes elsewhere in the file is for another slice to tell."""
    file = written(tmp_path / "file", b"one two three four")
    slices = [Bundle(f"b{n:05}", Kind.SLICE, (file,), start, end) for n, (start, end) in enumerate([(0, 7), (7, 18)])]
    first, second = map(build, slices)
    rewrite(tmp_path / "file")

    assert content_of(again(slices[0], first)) == b"one two"
    assert again(slices[1], second).blob is None


def test_the_sum_of_an_input_is_its_own(tmp_path: Path) -> None:
    """Where some were lost at first, those that are left are compared with themselves."""
    items: list[Item] = [written(tmp_path / name, name.encode() * 10) for name in "abcd"]
    (tmp_path / "b").unlink()
    first = build(tarred(*items))
    rewrite(tmp_path / "c")
    second = again(tarred(*items), first)

    assert [failure.name for failure in second.failures] == ["c"]
    assert list(unpacked(second)) == ["a", "d"]
