"""Runs of any kind, drawn at random."""

import itertools
import os
from collections.abc import Sequence

from hypothesis import strategies as st

from fastbatch import Settings
from fastbatch.books.standing import Cause, Standing, State
from fastbatch.journal.records import Attempt, Outcome, Phase, RunRecord
from fastbatch.model import Blob, Bundle, Item, Kind, Plan, Task, bundle_id
from fastbatch.names import new_run
from fastbatch.place import Place
from tests.journal.made import record

_BIG = (1 << 63) - 1
NUMBERS = st.integers(0, _BIG)
_NAMES = st.binary(min_size=1, max_size=20).map(lambda raw: raw.replace(b"\0", b"/").decode("utf-8", "surrogateescape"))
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
_FOLDERS = st.binary(max_size=10).map(lambda raw: os.fsdecode(b"/" + raw.replace(b"\0", b"/")))
MOMENTS = st.datetimes(timezones=st.timezones()).filter(lambda moment: 1 < moment.year < 9999)


@st.composite
def records(draw: st.DrawFn) -> RunRecord:
    """Draw a run."""
    return record(
        new_run(None),
        made=draw(MOMENTS),
        place=draw(st.builds(Place, TEXTS, TEXTS, TEXTS, TEXTS, st.none() | TEXTS, st.booleans())),
        settings=Settings(
            include=tuple(draw(st.lists(TEXTS))),
            output=draw(st.none() | TEXTS),
            timeout=draw(st.none() | st.floats(0, 1e9)),
            ignore_case=draw(st.booleans()),
        ),
        phase=draw(st.sampled_from(Phase)),
        job=draw(NUMBERS),
        signed_until=draw(st.none() | MOMENTS),
        made_pool=draw(st.booleans()),
        cleaned=draw(st.booleans()),
        summary=draw(st.none() | st.dictionaries(TEXTS, st.lists(st.integers()))),
    )


@st.composite
def items(draw: st.DrawFn, name: str) -> Item:
    """Draw an input of a name, that may be called so below its folder or not."""
    path = draw(_FOLDERS) + ("/" + name if draw(st.booleans()) else "")
    return Item(path, name, draw(NUMBERS), draw(st.integers(-_BIG, _BIG)))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan, or a part of one: each input is in a bundle with others, in one of its own, or cut."""
    drawn = [draw(items(name)) for name in draw(st.lists(_NAMES, min_size=1, max_size=8, unique=True))]
    parts: list[tuple[Kind, list[Item], int, int]] = []
    tars: list[list[Item]] = [[] for _ in range(draw(st.integers(1, 3)))]
    for item in drawn:
        kind = draw(st.sampled_from(Kind))
        if kind is Kind.TAR:
            draw(st.sampled_from(tars)).append(item)
        else:
            ends = range(draw(st.integers(2, 3))) if kind is Kind.SLICE else [0]
            parts += [(kind, [item], end, 2 * end) for end in ends]
    parts += [(Kind.TAR, members, 0, 0) for members in tars if members]
    order = draw(st.permutations(parts))
    numbers = itertools.accumulate(draw(st.integers(1, 3)) for _ in order)
    bundles = (
        Bundle(bundle_id(number), kind, tuple(members), start, end)
        for number, (kind, members, start, end) in zip(numbers, order, strict=True)
    )
    return Plan(tuple(drawn), tuple(bundles), draw(st.none() | NUMBERS))


@st.composite
def standings(draw: st.DrawFn, bundle: Bundle) -> Standing:
    """Draw where a bundle stands, whether that can be or not."""
    tasks = st.integers(0, 30).map(lambda attempt: Task(bundle.id, attempt))
    digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
    names = [item.name for item in bundle.items]
    return Standing(
        draw(st.sampled_from(State)),
        draw(st.none() | st.builds(Blob, digests, NUMBERS)),
        draw(st.binary(max_size=12)),
        draw(st.none() | st.booleans()),
        draw(st.integers(0, 30)),
        {name: draw(TEXTS) for name in draw(st.lists(st.sampled_from(names), unique=True))},
        draw(st.none() | tasks),
        draw(st.none() | st.builds(Cause, TEXTS, st.none() | tasks, st.booleans())),
    )


def attempts(bundles: Sequence[Bundle]) -> st.SearchStrategy[Attempt]:
    """Draw an attempt at one of some bundles."""
    return st.builds(
        Attempt,
        st.builds(Task, st.sampled_from([bundle.id for bundle in bundles]), st.integers(0, 2)),
        st.integers(0, 3),
        st.sampled_from(Outcome),
        st.none() | st.integers(-(1 << 31), 1 << 31),
        TEXTS,
        st.none() | st.sampled_from(["tvmps_1", "tvmps_2"]),
    )
