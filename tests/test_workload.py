"""What nodes are told to run is what the node's program understands, and only the result of just that is taken."""

import hashlib
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fastbatch import nodecode
from fastbatch._node.counting.results import Result
from fastbatch.errors import ResultUnsound
from fastbatch.model import Blob, Bundle, Item, Kind
from fastbatch.workload import INPUT, PROGRAM, RESULT, Counting, Workload
from tests.node import plain
from tests.node.tars import tar

TEXTS = {
    "one.txt": b"\xef\xbb\xbfThe end, the END -- the end.",
    "a b/$(two)\n.txt": "a\xa0b \x00 \xff ü'ü é\u2003É".encode(),
    "\udcff": b"bytes \xff\xfe bytes",
    "empty": b"",
}


def items(texts: dict[str, bytes]) -> tuple[Item, ...]:
    """Make inputs of texts, by their names."""
    return tuple(Item(f"/in/{name}", name, len(text), 0) for name, text in texts.items())


def tar_of(texts: dict[str, bytes], bundle_id: str = "b00001") -> tuple[Bundle, bytes]:
    """Make a bundle of many files, and what its blob holds."""
    raw = {name.encode("utf-8", "surrogateescape"): text for name, text in texts.items()}
    return Bundle(bundle_id, Kind.TAR, items(texts)), tar(raw)


def whole(name: str, text: bytes, bundle_id: str = "b00001") -> tuple[Bundle, bytes]:
    """Make a bundle of one file, and what its blob holds."""
    return Bundle(bundle_id, Kind.WHOLE, items({name: text})), text


def slices(name: str, text: bytes, length: int) -> list[tuple[Bundle, bytes]]:
    """Cut a file of ASCII words as the client does: at the first whitespace from each nominal cut on."""
    (item,) = items({name: text})
    cuts = list(range(0, len(text), length))
    real = [0, *(text.find(b" ", cut) for cut in cuts[1:]), len(text)]
    return [
        (Bundle(f"s{cut:05}", Kind.SLICE, (item,), cut, min(cut + length, len(text))), text[start:end])
        for cut, start, end in zip(cuts, real, real[1:], strict=False)
    ]


def run(folder: Path, workload: Workload, bundle: Bundle, content: bytes) -> str:
    """Do what a node does with a bundle; return where the result is."""
    folder.mkdir()
    (folder / PROGRAM).write_bytes(nodecode.zipapp().content)
    (folder / INPUT).write_bytes(content)
    blob = Blob(hashlib.sha256(content).hexdigest(), len(content))
    python, *arguments = shlex.split(workload.command_line(bundle, blob))
    assert python == "python3"
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    return str(folder / RESULT)


def counts(path: str) -> dict[str, int]:
    """Read all the counts of a result."""
    blocks = Result(path).blocks()
    return {word.decode(): count for pair in blocks for word, count in zip(*pair, strict=True)}


@pytest.mark.parametrize("ignore_case", [False, True])
def test_a_node_counts_many_files_as_it_is_told(tmp_path: Path, ignore_case: bool) -> None:
    """All words and the most frequent ones of each, whatever the names are; and the input is gone."""
    workload: Workload = Counting(2, ignore_case)
    bundle, content = tar_of(TEXTS)

    path = run(tmp_path / "node", workload, bundle, content)

    workload.collect(path, bundle, frozenset())
    each = {name: plain.count(text, ignore_case=ignore_case) for name, text in TEXTS.items()}
    assert counts(path) == sum(each.values(), start=plain.count(b""))
    assert {count.name: count.top for count in Result(path).inputs()} == {
        name: plain.top(found, 2) for name, found in each.items()
    }
    assert not (tmp_path / "node" / INPUT).exists()


def test_a_node_is_told_to_print_its_times(tmp_path: Path) -> None:
    """All else is as without; whoever goes on with the run takes its results."""
    bundle, content = whole("a", b"a a b")
    path = run(tmp_path / "node", Counting(2, ignore_case=False), bundle, content)
    blob = Blob("0" * 64, 5)
    timed = Counting(2, ignore_case=False, timed=True)

    assert timed.command_line(bundle, blob) == f"{Counting(2, ignore_case=False).command_line(bundle, blob)} --times"
    timed.collect(path, bundle, frozenset())


def test_a_node_counts_one_file_as_it_is_told(tmp_path: Path) -> None:
    """Its name is nowhere."""
    bundle, content = whole("$(touch x) ;.txt", b"a a b")

    path = run(tmp_path / "node", Counting(10, ignore_case=False), bundle, content)

    Counting(10, ignore_case=False).collect(path, bundle, frozenset())
    assert counts(path) == {"a": 2, "b": 1}


def test_only_the_first_slice_may_start_with_a_byte_order_mark(tmp_path: Path) -> None:
    """What is one at the start of a file is a letter at the start of a slice."""
    workload = Counting(10, ignore_case=False)
    item = Item("/in/a", "a", 1 << 30, 0)
    for start, word in ((0, "a"), (1 << 26, "\ufeffa")):
        bundle = Bundle("b00001", Kind.SLICE, (item,), start, start + (1 << 26))

        path = run(tmp_path / str(start), workload, bundle, b"\xef\xbb\xbfa a")

        workload.collect(path, bundle, frozenset())
        assert counts(path) == Counter([word, "a"])


def test_a_command_line_holds_nothing_of_a_name() -> None:
    """It is made of words that need no quotes."""
    bundle, _ = tar_of(TEXTS)

    line = Counting(7, ignore_case=True).command_line(bundle, Blob("0" * 64, 1))

    assert line == (
        "python3 -I -S node.pyz count bundle --output result --top 7 "
        f"--sha256 {'0' * 64} --delete-input --tar --ignore-case"
    )


def test_a_name_is_the_same_in_any_encoding_of_the_file_system(tmp_path: Path) -> None:
    """Where that is ASCII, Python gives its bytes as surrogate escapes."""
    workload = Counting(2, ignore_case=False)
    bundle, content = tar_of({"\udcc3\udca9.txt": b"one", "b.txt": b"two"})
    workload.collect(run(tmp_path / "node", workload, bundle, content), bundle, frozenset())


def test_counting_can_be_divided() -> None:
    """Counts add up."""
    assert Counting(10, ignore_case=False).divisible


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give a result of all the texts."""
    return run(tmp_path_factory.mktemp("nodes") / "node", Counting(2, ignore_case=False), *tar_of(TEXTS))


def refusal(path: str, bundle: Bundle, workload: Workload, skipped: frozenset[str] = frozenset()) -> str:
    """Return why a result is not taken."""
    with pytest.raises(ResultUnsound) as caught:
        workload.collect(path, bundle, skipped)
    assert bundle.id in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("workload", [Counting(3, ignore_case=False), Counting(2, ignore_case=True)])
def test_a_result_that_was_counted_otherwise_is_unsound(result: str, workload: Counting) -> None:
    """With another number of words for each input, or another meaning of case."""
    assert "counted with" in refusal(result, tar_of(TEXTS)[0], workload)


def test_a_result_of_other_inputs_is_unsound(result: str) -> None:
    """One too few, one too many, others, in another order, or of another size."""
    bundle, _ = tar_of(TEXTS)
    first, *rest = bundle.items
    workload = Counting(2, ignore_case=False)

    assert "it is of 4 inputs, not of 3" in refusal(result, replace(bundle, items=tuple(rest)), workload)
    assert "it is of 4 inputs, not of 5" in refusal(result, replace(bundle, items=(*bundle.items, first)), workload)
    assert "'one.txt' is where" in refusal(result, replace(bundle, items=(replace(first, name="1"), *rest)), workload)
    assert "'one.txt' is where 'a b/" in refusal(result, replace(bundle, items=(*rest, first)), workload)
    assert "31 bytes of 'one.txt'" in refusal(result, replace(bundle, items=(replace(first, size=30), *rest)), workload)


def test_inputs_that_were_skipped_are_not_missed(tmp_path: Path) -> None:
    """But a result that has them all the same is not the one that was asked for."""
    bundle, _ = tar_of(TEXTS)
    left = {name: text for name, text in TEXTS.items() if name != "empty"}
    workload = Counting(2, ignore_case=False)

    path = run(tmp_path / "node", workload, bundle, tar_of(left)[1])

    workload.collect(path, bundle, {"empty"})
    assert "it is of 3 inputs, not of 4" in refusal(path, bundle, workload)
    assert "it is of 3 inputs, not of 2" in refusal(path, bundle, workload, frozenset({"empty", "one.txt"}))


def test_a_whole_file_is_known_by_its_size_and_a_slice_by_nothing(tmp_path: Path) -> None:
    """A slice is cut where its text allows."""
    workload = Counting(2, ignore_case=False)
    bundle, content = whole("a", b"a b c")
    path = run(tmp_path / "node", workload, bundle, content)
    longer = (replace(bundle.items[0], size=6),)

    assert "5 bytes of 'a'" in refusal(path, replace(bundle, items=longer), workload)
    workload.collect(path, Bundle("b00001", Kind.SLICE, longer, 0, 3), frozenset())


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data.replace(b"end", b"ned"), lambda _: b""])
def test_a_damaged_result_is_unsound(result: str, tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """Cut off, changed, or empty."""
    damaged = tmp_path / "result"
    damaged.write_bytes(damage(Path(result).read_bytes()))

    assert "no sound result" in refusal(str(damaged), tar_of(TEXTS)[0], Counting(2, ignore_case=False))


def test_a_missing_result_is_unsound(tmp_path: Path) -> None:
    """It says so."""
    said = refusal(str(tmp_path / "none"), tar_of(TEXTS)[0], Counting(2, ignore_case=False))

    assert "No such file" in said
