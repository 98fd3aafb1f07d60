"""The plan is the same for the same files, and changes little with them."""

import hashlib
import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fastbatch import tar
from fastbatch.model import Bundle, Item, Kind, Plan
from fastbatch.planning import LARGEST_BLOB, LARGEST_TAR, MIB, plan, problems

KIB = 1 << 10

names = st.one_of(
    st.text("ab/ü", min_size=1, max_size=5),
    st.binary(min_size=1, max_size=8).map(lambda name: name.decode("utf-8", "surrogateescape")),
    st.integers(98, 103).map(lambda length: "n" * length),
)
small = st.integers(0, 5000)
large = st.sampled_from([MIB, 40 * MIB, LARGEST_TAR - 1024, LARGEST_TAR, 256 * MIB, 256 * MIB + 1, 700 * MIB, 2**32])
bundle_sizes = st.one_of(st.integers(1, 20_000), st.sampled_from([MIB, 64 * MIB, 2**31]))


def item(name: str, size: int) -> Item:
    """Make an input of which only the name and the size matter."""
    return Item(f"/in/{name}", name, size, 0)


def items_of(sizes: st.SearchStrategy[int], most: int = 60) -> st.SearchStrategy[list[Item]]:
    """Make inputs of different names."""
    return st.dictionaries(names, sizes, max_size=most).map(
        lambda found: [item(name, size) for name, size in found.items()]
    )


settings = st.fixed_dictionaries(
    {
        "bundle_size": st.none() | bundle_sizes,
        "files_per_task": st.none() | st.integers(1, 9),
        "divisible": st.booleans(),
    }
)


def planned(items: list[Item], bundle_size: int | None = None, files_per_task: int | None = None) -> Plan:
    """Plan what can be cut."""
    return plan(items, bundle_size=bundle_size, files_per_task=files_per_task, divisible=True)


def tar_size(bundle: Bundle) -> int:
    """Return how long a bundle's tar is."""
    return sum(tar.footprint(len(item.raw_name), item.size) for item in bundle.items) + len(tar.END)


def anonymous(bundles: tuple[Bundle, ...] | list[Bundle]) -> set[Bundle]:
    """Return bundles but for their ids."""
    return {replace(bundle, id="") for bundle in bundles}


def corpus(count: int, size: int) -> list[Item]:
    """Make many equal files."""
    return [item(f"texts/{number:06}.txt", size) for number in range(count)]


@given(items=items_of(small | large), settings=settings)
def test_every_input_is_in_one_bundle_or_its_slices_fill_it(items: list[Item], settings: dict[str, int | None]) -> None:
    """Nothing is lost and nothing is done twice."""
    bundles = plan(items, **settings).bundles  # type: ignore[arg-type]  # hypothesis makes each as it has to be
    times = Counter(item for bundle in bundles if bundle.kind is not Kind.SLICE for item in bundle.items)
    for bundle in bundles:
        if bundle.kind is Kind.SLICE and bundle.start == 0:
            (cut,) = bundle.items
            slices = [slice_ for slice_ in bundles if slice_.items == (cut,)]
            edges = [0, *(slice_.end for slice_ in slices)]
            assert [slice_.start for slice_ in slices] == edges[:-1]
            assert edges[-1] == cut.size
            times[cut] += 1

    assert times == Counter(items)


@given(items=items_of(small | large), settings=settings)
def test_no_tar_is_too_large(items: list[Item], settings: dict[str, int | None]) -> None:
    """And none has but one file, which is sent as it is instead."""
    for bundle in plan(items, **settings).bundles:  # type: ignore[arg-type]  # hypothesis makes each as it has to be
        assert (len(bundle.items) > 1) == (bundle.kind is Kind.TAR)
        assert bundle.kind is not Kind.TAR or tar_size(bundle) <= LARGEST_TAR


@given(items=items_of(small), bundle_size=st.integers(1, 20_000))
def test_a_tar_is_at_most_twice_the_bundle_size(items: list[Item], bundle_size: int) -> None:
    """So that tasks take about as long as each other."""
    for bundle in planned(items, bundle_size).bundles:
        assert len(bundle.items) == 1 or tar_size(bundle) <= 2 * bundle_size


@given(items=items_of(small | large), settings=settings, data=st.data())
def test_the_order_of_the_inputs_does_not_matter(
    items: list[Item], settings: dict[str, int | None], data: st.DataObject
) -> None:
    """Nor does where they are, and when they were changed."""
    shuffled = data.draw(st.permutations(items))
    moved = [replace(item, path=f"/elsewhere/{item.name}", mtime_ns=7) for item in items]
    first, second, third = (plan(some, **settings) for some in (items, shuffled, moved))  # type: ignore[arg-type]  # as above

    assert first == second
    assert [[item.name for item in bundle.items] for bundle in first.bundles] == [
        [item.name for item in bundle.items] for bundle in third.bundles
    ]


@given(items=items_of(small | large), settings=settings)
def test_bundles_are_numbered_in_order_of_their_names(items: list[Item], settings: dict[str, int | None]) -> None:
    """As the bytes of the names have it, and slices as they stand in the file."""
    made = plan(items, **settings)  # type: ignore[arg-type]  # hypothesis makes each as it has to be
    order = [(bundle.items[0].raw_name, bundle.start) for bundle in made.bundles]

    assert [bundle.id for bundle in made.bundles] == [f"b{number:05}" for number in range(1, len(made.bundles) + 1)]
    assert order == sorted(order)
    assert list(made.items) == sorted(items, key=lambda item: item.raw_name)


def closes(item: Item, bundle_size: int) -> bool:
    """Tell whether a bundle ends behind an input: all that is between two of those is a stretch."""
    hashed = int.from_bytes(hashlib.blake2b(item.raw_name, digest_size=8).digest(), "big")
    return hashed / 2**64 < tar.footprint(len(item.raw_name), item.size) / bundle_size


@given(items=items_of(small | large), new=st.builds(item, names, small | large), bundle_size=st.integers(1, 100_000))
def test_a_new_file_changes_only_the_stretch_that_it_falls_into(items: list[Item], new: Item, bundle_size: int) -> None:
    """
    Of all other stretches the bundles are the same, but for their ids.

    A file of the bundle size or more is in no stretch, and changes none.
    """
    assume(new.name not in {item.name for item in items})
    ends = [item.raw_name for item in items if item.size < bundle_size and closes(item, bundle_size)]
    behind = max((end for end in ends if end < new.raw_name), default=b"")
    until = min((end for end in ends if end > new.raw_name), default=b"\xff" * 200)

    def touched(bundle: Bundle) -> bool:
        inside = {behind < item.raw_name <= until and item.size < bundle_size for item in bundle.items}
        assert len(inside) == 1  # no bundle is in two stretches
        return inside.pop() and new.size < bundle_size

    before, after = planned(items, bundle_size), planned([*items, new], bundle_size)
    assert anonymous([bundle for bundle in before.bundles if not touched(bundle)]) == anonymous(
        [bundle for bundle in after.bundles if not touched(bundle) and new not in bundle.items]
    )


def test_a_file_more_or_less_changes_few_bundles_of_a_corpus() -> None:
    """Wherever it falls."""
    files = corpus(2000, 10 * KIB)
    before = anonymous(planned(files).bundles)
    for number in range(0, 2000, 40):
        more = anonymous(planned([*files, item(f"texts/{number:06}-new.txt", 10 * KIB)]).bundles)
        less = anonymous(planned(files[:number] + files[number + 1 :]).bundles)

        assert 1 <= len(more - before) <= 2
        assert 1 <= len(less - before) <= 3


def test_bundles_close_where_they_always_did() -> None:
    """In every version, as what was uploaded by one is used again by the next."""
    files = [item(f"{number:02}.txt", 100) for number in range(40)]
    sizes = [len(bundle.items) for bundle in planned(files, 6 * KIB).bundles]

    assert sizes == [1, 5, 1, 1, 6, 1, 9, 3, 4, 9]


@pytest.mark.parametrize(
    ("count", "size", "bundle_size"), [(4000, 10 * KIB, MIB), (20_000, 4 * KIB, 2 * MIB), (100_000, 4 * KIB, 8 * MIB)]
)
def test_the_default_size_gives_many_bundles_of_much(count: int, size: int, bundle_size: int) -> None:
    """At least 32, the largest of them less than three times the mean."""
    made = planned(corpus(count, size))
    sizes = [bundle.size for bundle in made.bundles]

    assert made.bundle_size == bundle_size
    assert 32 <= len(sizes) <= 96
    assert max(sizes) * len(sizes) < 3 * sum(sizes)


@pytest.mark.parametrize(
    ("total", "bundle_size"),
    [
        (0, MIB),
        (63 * MIB, MIB),
        (64 * MIB - 1024, MIB),
        (64 * MIB - 512, 2 * MIB),
        (1023 * MIB, 16 * MIB),
        (1024 * MIB, 32 * MIB),
        (2**50, 32 * MIB),
    ],
)
def test_the_default_size_is_a_power_of_two(total: int, bundle_size: int) -> None:
    """Of a thirty-second of all that there is, headers included, within limits."""
    files = [item("all", total)] if total else []

    assert plan(files, bundle_size=None, files_per_task=None, divisible=False).bundle_size == bundle_size


def test_a_size_over_the_largest_tar_is_not_kept() -> None:
    """What is told of a plan is true."""
    assert planned([], 2**40).bundle_size == LARGEST_TAR


def test_nothing_comes_of_nothing() -> None:
    """Which others may call a problem."""
    assert planned([]) == Plan((), (), MIB)


def test_files_per_task_are_counted_whatever_their_size() -> None:
    """The last bundle has what is left."""
    files = [item(f"{number}", size) for number, size in enumerate([0, 10 * MIB, 5, 5, 5, 30 * MIB, 7])]
    made = planned(files, files_per_task=3)

    assert [[item.name for item in bundle.items] for bundle in made.bundles] == [
        ["0", "1", "2"],
        ["3", "4", "5"],
        ["6"],
    ]
    assert [bundle.kind for bundle in made.bundles] == [Kind.TAR, Kind.TAR, Kind.WHOLE]


def test_fewer_files_per_task_are_taken_where_a_tar_would_be_too_large() -> None:
    """Counting starts again behind them."""
    files = [item(f"{number}", size) for number, size in enumerate([1, 40 * MIB, 40 * MIB, 100 * MIB, 1, 2, 3, 4])]
    made = planned(files, files_per_task=3)

    assert [[int(item.name) for item in bundle.items] for bundle in made.bundles] == [[0, 1], [2], [3], [4, 5, 6], [7]]


def test_one_file_per_task_is_sent_as_it_is() -> None:
    """Which is the shape of the tutorial; but what is large is cut here, too."""
    made = planned([item("a", 0), item("b", 5000), item("c", 300 * MIB)], files_per_task=1)

    assert [bundle.kind for bundle in made.bundles] == [Kind.WHOLE, Kind.WHOLE, *[Kind.SLICE] * 5]


def test_a_file_that_can_t_be_cut_stays_whole() -> None:
    """However large it is."""
    (bundle,) = plan([item("a", 2**40)], bundle_size=None, files_per_task=None, divisible=False).bundles

    assert (bundle.kind, bundle.size) == (Kind.WHOLE, 2**40)


@given(size=st.integers(256 * MIB + 1, 2**35), more=st.integers(0, 2**34))
@example(size=256 * MIB + 1, more=0)
@example(size=288 * MIB - 1, more=1)
def test_slices_are_about_equal_and_stay_when_the_file_grows(size: int, more: int) -> None:
    """All but the last, which is half to one and a half times as long."""
    slices = [(bundle.start, bundle.end) for bundle in planned([item("a", size)]).bundles]
    longer = [(bundle.start, bundle.end) for bundle in planned([item("a", size + more)]).bundles]

    assert all(end - start == 64 * MIB for start, end in slices[:-1])
    assert 32 * MIB <= slices[-1][1] - slices[-1][0] < 96 * MIB
    assert longer[: len(slices) - 1] == slices[:-1]


def test_what_no_blob_can_hold_is_a_problem() -> None:
    """Told by name."""
    files = [item("h\udcffge", LARGEST_BLOB + 1), item("fits", LARGEST_BLOB)]
    uncut = plan(files, bundle_size=None, files_per_task=None, divisible=False)

    (problem,) = problems(uncut)
    assert "h\ufffdge" in problem
    assert str(LARGEST_BLOB + 1) in problem


def test_names_that_were_chosen_to_split_badly_are_split_all_the_same() -> None:
    """A stretch whose hashes only rise is taken apart a file at a time."""
    files: list[Item] = []
    hashed, number = 2**64 // 50, 0
    while len(files) < 1500:
        name = f"{len(files):05}-{number}"
        value = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
        number += 1
        if hashed < value < hashed + 2**64 // 1000:
            files.append(item(name, 0))
            hashed, number = hashed + 2**64 // 2000, 0
    made = planned(files, 64 * KIB)

    assert sum(len(bundle.items) for bundle in made.bundles) == 1500


def test_a_hundred_thousand_files_are_planned_at_once() -> None:
    """In a quarter of a second, and no test should fail on a slow machine."""
    files = corpus(100_000, 4 * KIB)
    started = time.process_time()
    planned(files)

    assert time.process_time() - started < 2
