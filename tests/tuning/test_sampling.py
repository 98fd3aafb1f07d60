"""A sample has the share that was asked for, all along the plan, in the bundles of the plan."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from fastbatch.model import Bundle, Item, Kind, Plan, bundle_id
from fastbatch.tuning.sampling import sample

MIB = 1 << 20


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Make a plan of tars, whole files, and files that are cut."""
    parts: list[tuple[Kind, tuple[Item, ...], int, int]] = []
    for number, sizes in enumerate(draw(st.lists(st.lists(st.integers(0, MIB), min_size=1, max_size=4), max_size=40))):
        if draw(st.integers(0, 5)) == 0:
            cut = Item(f"/in/{number}", str(number), sum(sizes), 0)
            ends = list(itertools.accumulate(sizes))
            parts += [(Kind.SLICE, (cut,), start, end) for start, end in zip([0, *ends], ends, strict=False)]
        else:
            items = tuple(Item(f"/in/{number}-{n}", f"{number}-{n}", size, 0) for n, size in enumerate(sizes))
            parts.append((Kind.WHOLE if len(items) == 1 else Kind.TAR, items, 0, 0))
    bundles = tuple(Bundle(bundle_id(number), *part) for number, part in enumerate(parts, 1))
    return Plan(tuple(dict.fromkeys(item for bundle in bundles for item in bundle.items)), bundles, MIB)


def groups(plan: Plan) -> list[list[Bundle]]:
    """Give the bundles of a plan, those of one input together."""
    return [list(group) for _, group in itertools.groupby(plan.bundles, lambda bundle: bundle.items[0].name)]


def size(group: list[Bundle]) -> int:
    """Add up a group."""
    return sum(bundle.size for bundle in group)


SHARES = st.floats(0.001, 1.0)


@given(plans(), SHARES)
def test_a_sample_is_a_part_of_the_plan(plan: Plan, share: float) -> None:
    """Bundles keep their ids and their order; the inputs are just those that are in them."""
    part = sample(plan, share)

    assert list(part.bundles) == [bundle for bundle in plan.bundles if bundle in part.bundles]
    assert list(part.items) == [item for item in plan.items if any(item in bundle.items for bundle in part.bundles)]
    assert part.bundle_size == plan.bundle_size
    assert bool(part.bundles) == bool(plan.bundles)


@given(plans(), SHARES)
def test_all_slices_of_an_input_are_taken_or_none(plan: Plan, share: float) -> None:
    """Else it would never be done."""
    taken = set(sample(plan, share).bundles)

    assert all(taken.issuperset(group) or taken.isdisjoint(group) for group in groups(plan))


@given(plans(), SHARES)
def test_of_each_beginning_of_the_plan_about_that_share_is_taken(plan: Plan, share: float) -> None:
    """It is off by half of the largest group at most, unless there would be nothing."""
    taken = set(sample(plan, share).bundles)
    most = max(map(size, groups(plan)), default=0)
    before = got = 0
    for group in groups(plan) if len({bundle.items[0].name for bundle in taken}) > 1 else ():
        before += size(group)
        got += size(group) if group[0] in taken else 0
        assert abs(got - share * before) <= most / 2 + 1  # and what floats are off


@given(plans(), SHARES)
def test_a_sample_is_the_same_each_time(plan: Plan, share: float) -> None:
    """So that its bundles are uploaded once."""
    assert sample(plan, share) == sample(plan, share)


@given(plans())
def test_a_share_of_one_is_the_plan_itself(plan: Plan) -> None:
    """Nothing is made anew."""
    assert sample(plan, 1.0) is plan


def test_of_a_share_that_is_too_small_the_smallest_bundle_is_taken() -> None:
    """There is something to run."""
    items = [Item(f"/{n}", str(n), length, 0) for n, length in enumerate((50, 30, 40))]
    bundles = tuple(Bundle(bundle_id(n), Kind.WHOLE, (item,)) for n, item in enumerate(items, 1))

    assert [bundle.id for bundle in sample(Plan(tuple(items), bundles, MIB), 0.001).bundles] == ["b00002"]
