"""What all results come to equals the reference, in bounded memory, and the files for the user show it."""

import io
import os
import random
import resource
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch._node.counting import source
from fastbatch._node.counting.results import InputCount, ResultWriter, Settings, input_line
from fastbatch.errors import OutputFailed, ResultUnsound
from fastbatch.model import Bundle, Kind, Totals
from fastbatch.outputs import Outputs
from fastbatch.stages.merge import Cancelled, SoundResult, merge
from fastbatch.workload import Counting
from tests.node import plain
from tests.test_workload import run, slices, tar_of, whole

MIB = 1 << 20
FIRST = {"a/one.txt": b"the cat, the dog -- THE end\x01 \x00", "a/two": "ü ü é\u2028the".encode(), "empty.txt": b""}
SECOND = {"b/one.txt": b"\xef\xbb\xbfend end \xff the", "$(x) ;\n.md": b"dog"}
WHOLE = b"cat 'cat' cat dog"
# In each slice another word is the most frequent; in all of them it is "all".
CUT = b" ".join([b"one two"] + [b"one"] * 40 + [b"all"] * 30 + [b"two"] * 40 + [b"all"] * 30)


def as_tsv(counts: Counter[str]) -> str:
    """Write counts as they are to be written."""
    return "".join(f"{number}\t{word}\n" for word, number in plain.top(counts, None))


def totals_of(texts: Iterable[bytes], top: int) -> Totals:
    """Count texts the plain way."""
    texts = list(texts)
    counts = sum(map(plain.count, texts), start=Counter[str]())
    return Totals(sum(map(len, texts)), counts.total(), len(counts), tuple(plain.top(counts, top)))


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> list[SoundResult]:
    """Give the results of two tars, a whole file and a cut one, as nodes make them."""
    folder = tmp_path_factory.mktemp("nodes")
    bundles = [tar_of(FIRST, "b1"), tar_of(SECOND, "b2"), whole("c/whole.txt", WHOLE, "b3"), *slices("cut", CUT, 200)]
    results = []
    for number, (bundle, content) in enumerate(bundles):
        path = run(folder / bundle.id, Counting(2, ignore_case=False), bundle, content)
        results.append(SoundResult(bundle, path, f"{bundle.id}-r1", f"node{number % 2}" if number else None, "run-abc"))
    return results


TEXTS = {**FIRST, **SECOND, "c/whole.txt": WHOLE, "cut": CUT}


def test_the_cut_file_is_cut(collected: Sequence[SoundResult]) -> None:
    """And its slices differ in what is most frequent."""
    assert [one.bundle.id for one in collected[3:]] == ["s00000", "s00200", "s00400"]
    assert {plain.top(plain.count(CUT[start : start + 200]), 1)[0][0] for start in (0, 400)} == {"one", "all"}


@pytest.mark.parametrize("memory", [96 * MIB, 1])
def test_all_results_come_to_what_the_reference_counts(
    collected: Sequence[SoundResult], tmp_path: Path, memory: int
) -> None:
    """Whatever the kinds of bundles, their order and the memory; nothing is left but what was asked for."""
    for given_order in (collected, collected[::-1]):
        outputs = Outputs(str(tmp_path / "out"), per_file=False)

        totals = merge(given_order, outputs, top=3, folder=str(tmp_path), memory=memory)

        assert totals == totals_of(TEXTS.values(), 3)
        assert sorted(tmp_path.rglob("*")) == [tmp_path / "out", tmp_path / "out" / "counts.tsv"]
        counts = sum(map(plain.count, TEXTS.values()), start=Counter[str]())
        assert (tmp_path / "out" / "counts.tsv").read_bytes().decode() == as_tsv(counts)


def test_results_are_read_on_systems_without_pread(
    collected: Sequence[SoundResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By seeking, also where runs are written and read by turns in one file."""
    monkeypatch.setattr(source, "read_at", source.seek_and_read)
    expected = merge(collected, None, top=3, folder=str(tmp_path))

    assert merge(collected, None, top=3, folder=str(tmp_path), memory=1) == expected
    assert expected.words


def test_nothing_is_written_unless_it_is_asked_for(collected: Sequence[SoundResult], tmp_path: Path) -> None:
    """Totals alone need no file."""
    assert merge(collected, None, top=3, folder=str(tmp_path)) == totals_of(TEXTS.values(), 3)
    assert list(tmp_path.iterdir()) == []


def test_no_results_come_to_nothing(tmp_path: Path) -> None:
    """But the file that was asked for is there."""
    assert merge([], Outputs(str(tmp_path), per_file=True), top=3, folder=str(tmp_path)) == Totals()
    assert [path.name for path in tmp_path.iterdir()] == ["counts.tsv"]
    assert (tmp_path / "counts.tsv").read_bytes() == b""


def test_each_input_has_an_output_of_its_own(collected: Sequence[SoundResult], tmp_path: Path) -> None:
    """With its most frequent words, the cut one's too; in its folder, and nowhere else."""
    merge(collected, Outputs(str(tmp_path), per_file=True), top=2, folder=str(tmp_path))

    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"counts.tsv", *(f"{name}_OUTPUT.txt" for name in TEXTS)}
    for name, text in TEXTS.items():
        _, words, _ = (tmp_path / f"{name}_OUTPUT.txt").read_bytes().decode().split("-" * 30 + "\n")
        assert words == "".join(f"{word}:\t{number}\n" for word, number in plain.top(plain.count(text), 2))


def test_the_output_of_an_input_is_as_the_tutorial_has_it(collected: Sequence[SoundResult], tmp_path: Path) -> None:
    """Words, and where they were counted."""
    outputs = Outputs(str(tmp_path), per_file=True, pool="fastbatch")
    merge(collected, outputs, top=2, folder=str(tmp_path))

    rule = "-" * 30
    assert (tmp_path / "b" / "one.txt_OUTPUT.txt").read_text() == (
        f"Word\tCount\n{rule}\nend:\t2\nthe:\t1\n{rule}\nNode: node1\nTask: b2-r1\nJob: run-abc\nPool: fastbatch\n"
    )
    assert (tmp_path / "empty.txt_OUTPUT.txt").read_text() == (
        f"Word\tCount\n{rule}\n{rule}\nNode: unknown\nTask: b1-r1\nJob: run-abc\nPool: fastbatch\n"
    )
    assert (tmp_path / "cut_OUTPUT.txt").read_text() == (
        f"Word\tCount\n{rule}\nall:\t60\none:\t41\n{rule}\n"
        "Node: node1, node0\nTask: s00000-r1, s00200-r1, s00400-r1\nJob: run-abc\nPool: fastbatch\n"
    )


def test_the_slices_of_a_file_are_named_in_its_order(collected: Sequence[SoundResult], tmp_path: Path) -> None:
    """Whatever order they came in."""
    merge(collected[::-1], Outputs(str(tmp_path), per_file=True), top=2, folder=str(tmp_path))

    assert "Task: s00000-r1, s00200-r1, s00400-r1\n" in (tmp_path / "cut_OUTPUT.txt").read_text()


def written(folder: Path, name: str, counts: Mapping[str, int]) -> SoundResult:
    """Write a result as the node does."""
    pairs = sorted((word.encode(), number) for word, number in counts.items())
    with ResultWriter(str(folder / name), Settings(ignore_case=False, top=1)) as writer:
        for _ in writer.through([([word for word, _ in pairs], [number for _, number in pairs])] if pairs else []):
            pass
        line = input_line(InputCount("bundle", 7, sum(counts.values()), plain.top(Counter(counts), 1)))
        writer.add_inputs(io.BytesIO(line), size=7)
    return SoundResult(whole(name, b"")[0], str(folder / name), name, None, "run-abc")


folders = count()
words = st.one_of(
    st.sampled_from(["a", "b", "aa", "ü", "\uffff", "\U00010000", "\x00", "1\x02", "9"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4).filter(
        lambda text: text.split() == [text]
    ),
    st.integers(1, 2000).map(lambda length: "x" * length),
)
numbers = st.one_of(st.integers(1, 12), st.integers(1, 1 << 62))


@given(
    st.lists(st.dictionaries(words, numbers, max_size=40), max_size=6),
    st.integers(1, 12),
    st.sampled_from([1, 600, 3000, MIB]),
)
def test_sorting_outside_of_memory_is_sorting(
    tmp_path: Path, counts: list[dict[str, int]], top: int, memory: int
) -> None:
    """By count and then by code point, whatever the words and numbers are."""
    folder = tmp_path / str(next(folders))
    folder.mkdir()
    results = [written(folder, f"r{number}", some) for number, some in enumerate(counts)]

    totals = merge(results, Outputs(str(folder / "out"), per_file=False), top=top, folder=str(folder), memory=memory)

    expected = sum(map(Counter, counts), start=Counter[str]())
    assert totals == Totals(7 * len(counts), expected.total(), len(expected), tuple(plain.top(expected, top)))
    assert (folder / "out" / "counts.tsv").read_bytes().decode() == as_tsv(expected)


def test_a_line_of_the_counts_is_a_line_for_everyone(tmp_path: Path) -> None:
    """No character that a word may hold ends one, or a field."""
    odd = [chr(code) for code in range(0x3100) if not chr(code).isspace() and not 0xD800 <= code < 0xE000]
    result = written(tmp_path, "result", {f"a{character}b": 1 for character in odd})

    merge([result], Outputs(str(tmp_path / "out"), per_file=False), top=1, folder=str(tmp_path))

    lines = (tmp_path / "out" / "counts.tsv").read_bytes().decode().splitlines()
    assert [line.split("\t") for line in lines] == [["1", f"a{character}b"] for character in odd]


@contextmanager
def limited(what: int, number: int) -> Iterator[None]:
    """Set a limit of this process."""
    before = resource.getrlimit(what)
    resource.setrlimit(what, (number, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(what, before)


def test_more_results_than_files_may_be_open(tmp_path: Path) -> None:
    """They are read some at a time."""
    results = [written(tmp_path, f"r{number}", {"all": 1, f"w{number:04}": 2}) for number in range(700)]
    used = {int(name) for name in os.listdir("/dev/fd")}
    free = [number for number in range(1000) if number not in used]

    with limited(resource.RLIMIT_NOFILE, free[150]):
        totals = merge(results, None, top=2, folder=str(tmp_path))

    assert totals == Totals(4900, 2100, 701, (("all", 700), ("w0000", 2)))


@pytest.mark.slow
@pytest.mark.parametrize(("results", "distinct"), [(30, 100_000), (3000, 20)])
def test_memory_has_a_bound(tmp_path: Path, results: int, distinct: int) -> None:
    """However many words and results there are."""
    chance = random.Random(1)
    vocabulary = [f"word{number:08}" for number in range(distinct)]
    found = [
        written(tmp_path, f"r{number}", {word: chance.randint(1, 3) for word in vocabulary[number % 10 :: 10]})
        for number in range(results)
    ]
    outputs = Outputs(str(tmp_path / "out"), per_file=False)
    memory = 4 * MIB

    tracemalloc.start()
    try:
        totals = merge(found, outputs, top=10, folder=str(tmp_path), memory=memory)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert totals.distinct == distinct
    assert peak < memory


@pytest.mark.parametrize("wanted", [0, 1, 5, 9])
def test_a_merge_that_is_cancelled_leaves_nothing_half_done(
    collected: Sequence[SoundResult], tmp_path: Path, wanted: int
) -> None:
    """Wherever it is; it asks often."""
    asked = count()

    with pytest.raises(Cancelled):
        merge(
            collected,
            Outputs(str(tmp_path), per_file=True),
            top=2,
            folder=str(tmp_path),
            cancelled=lambda: next(asked) >= wanted,
        )

    assert next(asked) == wanted + 1
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".partial")]


def test_a_result_that_was_damaged_meanwhile_is_unsound(collected: Sequence[SoundResult], tmp_path: Path) -> None:
    """Or is gone; and no counts are written."""
    damaged = tmp_path / "result"
    outputs = Outputs(str(tmp_path / "out"), per_file=False)
    for change in (lambda: damaged.write_bytes(b"?" * 100), damaged.unlink):
        change()

        with pytest.raises(ResultUnsound, match=r"can't be read again: .*result'"):
            merge([*collected, replace(collected[0], path=str(damaged))], outputs, top=2, folder=str(tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_a_disk_too_full_for_what_memory_can_not_hold_is_said(tmp_path: Path) -> None:
    """With the folder that is meant, and nothing is left there."""
    (tmp_path / "in").mkdir()
    (tmp_path / "spill").mkdir()
    some = {f"w{number}": number for number in range(1, 20_000)}
    result = written(tmp_path / "in", "result", some)
    outputs = Outputs(str(tmp_path / "out"), per_file=False)

    said = r"counts to a temporary file: File too large \(in '.*/spill'\)"
    with pytest.raises(OutputFailed, match=said), limited(resource.RLIMIT_FSIZE, 100_000):
        merge([result], outputs, top=2, folder=str(tmp_path / "spill"), memory=1000)

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "result", "spill"]


def test_a_disk_too_full_for_the_counts_is_said(tmp_path: Path) -> None:
    """With the file that is meant, which is not there."""
    result = written(tmp_path, "result", {f"w{number}": number for number in range(1, 20_000)})

    said = r"cannot write '.*/out/counts.tsv': File too large; "
    with pytest.raises(OutputFailed, match=said), limited(resource.RLIMIT_FSIZE, 100_000):
        merge([result], Outputs(str(tmp_path / "out"), per_file=False), top=2, folder=str(tmp_path))

    assert list((tmp_path / "out").iterdir()) == []


def test_a_name_that_leads_out_stays_within(tmp_path: Path) -> None:
    """Whatever an input is called, its output is below the folder."""
    (tmp_path / "in").mkdir()
    one = written(tmp_path / "in", "result", {"a": 1})
    named = [
        replace(one, bundle=Bundle("b1", Kind.WHOLE, (replace(one.bundle.items[0], name=name),)))
        for name in ("../../x", "/y", "..")
    ]

    merge(named, Outputs(str(tmp_path / "out"), per_file=True), top=1, folder=str(tmp_path / "in"))

    assert len(list((tmp_path / "out").rglob("*_OUTPUT.txt"))) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
