"""Every way of counting equals the plain one, on any input."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastbatch._node.counting import words

if TYPE_CHECKING:
    from .conftest import Agent

# What words are made of, and what takes them apart; the rest of Unicode comes in too, but seldom hits a nerve.
SPACES = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000"
NERVES = SPACES + string.punctuation + "aAbé\ufeff\u200b\x00ΣσςİıßǅK\u0301\u0345ʰ'’·\u00ad😀"

texts = st.text(st.one_of(st.sampled_from(NERVES), st.characters(exclude_categories=["Cs"])), max_size=60)
raw = st.lists(
    st.one_of(
        st.sampled_from([c.encode() for c in NERVES]),
        st.sampled_from([b"\xef\xbb\xbf", b"\xc2", b"\x85", b"\xe2\x80", b"\xf0\x9f\x98", b"\xff", b"\xed\xa0\x80"]),
        st.binary(max_size=3),
    ),
    max_size=60,
).map(b"".join)


def as_text(data: bytes) -> str:
    """Return bytes in the form in which they travel to the agent."""
    return data.decode("latin-1")


def test_punctuation_is_that_of_the_string_module() -> None:
    """The set is written out to start faster; it must not differ."""
    assert string.punctuation == words.PUNCTUATION


@given(
    data=raw, ignore_case=st.booleans(), block_size=st.integers(1, 70), strip_from=st.sampled_from([0, 1, 5, 1 << 17])
)
@example(data=b"\xef\xbb\xbfa \xef\xbb\xbfa", ignore_case=False, block_size=1, strip_from=5)
@example(data=b"a, b. c d", ignore_case=False, block_size=2, strip_from=1)
def test_any_bytes_in_any_blocks_count_as_the_plain_way_counts_them(
    agent: Agent, data: bytes, ignore_case: bool, block_size: int, strip_from: int
) -> None:
    """Neither where blocks are cut nor what is in them matters."""
    counted = agent.count(
        as_text(data), ignore_case=ignore_case, block_size=block_size, limit=1 << 20, strip_from=strip_from
    )

    assert counted == agent.reference_of_bytes(as_text(data), ignore_case=ignore_case)


@given(data=raw, ignore_case=st.booleans())
def test_counts_that_never_fit_into_memory_are_the_same(agent: Agent, data: bytes, ignore_case: bool) -> None:
    """With no memory at all, each block becomes a run on disk."""
    counted = agent.count(as_text(data), ignore_case=ignore_case, block_size=8, limit=0, strip_from=9)

    assert counted == agent.reference_of_bytes(as_text(data), ignore_case=ignore_case)


@given(
    sizes=st.lists(st.integers(1, 100), max_size=12),
    limit=st.integers(1000, 40_000),
    word=st.sampled_from(["{}", '"{}",', "é{}", "{}\u3000x{}"]),
    strip_from=st.integers(1, 1000),
)
@example(sizes=[100] * 12, limit=40_000, word="{}", strip_from=1000)
@example(sizes=[80] * 12, limit=40_000, word="{}", strip_from=200)
def test_counts_in_memory_never_exceed_their_limit(
    agent: Agent, sizes: list[int], limit: int, word: str, strip_from: int
) -> None:
    """After any block of new words, be they counted one by one or added up."""
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    blocks = [
        " ".join(word.format(n, n) for n in range(start, start + size))
        for start, size in zip(starts, sizes, strict=True)
    ]

    in_use = agent.memory_in_use([as_text(block.encode()) for block in blocks], limit=limit, strip_from=strip_from)

    assert max(in_use, default=0) <= limit


@given(text=texts, ignore_case=st.booleans())
def test_any_text_counts_as_the_plain_way_counts_it(agent: Agent, text: str, ignore_case: bool) -> None:
    """What can be said of text without its bytes."""
    data = as_text(("x " + text).encode())

    counted = agent.count(data, ignore_case=ignore_case, block_size=16, limit=1 << 20, strip_from=9)

    assert counted == agent.reference("x " + text, ignore_case=ignore_case)


@given(data=raw, ignore_case=st.booleans(), cuts=st.lists(st.integers(0, 1000), max_size=5))
def test_ranges_side_by_side_hold_every_word_once(
    agent: Agent, data: bytes, ignore_case: bool, cuts: list[int]
) -> None:
    """Any cutting into ranges gives the whole, and nothing twice."""
    counted = agent.count_ranges(as_text(data), ignore_case=ignore_case, cuts=cuts)

    assert counted == agent.reference_of_bytes(as_text(data), ignore_case=ignore_case)


@settings(max_examples=15)
@given(data=raw, ignore_case=st.booleans(), jobs=st.integers(1, 5), memory=st.sampled_from([0, 1 << 20]))
def test_jobs_share_a_file_without_losing_a_word(
    agent: Agent, data: bytes, ignore_case: bool, jobs: int, memory: int
) -> None:
    """Any number of processes finds what one finds."""
    counted = agent.count_in_jobs(as_text(data), ignore_case=ignore_case, jobs=jobs, memory=memory)

    assert counted == agent.reference_of_bytes(as_text(data), ignore_case=ignore_case)


@given(token=raw.map(lambda data: data.translate(None, b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f")), ignore_case=st.booleans())
@example(token="xΣ'".encode(), ignore_case=True)
@example(token="xΣ'a".encode(), ignore_case=True)
@example(token="Σ'''xΣ'''.Σ".encode(), ignore_case=True)
@pytest.mark.parametrize("piece", [1, 2, 5])
def test_a_long_token_is_cleaned_in_pieces_as_it_is_whole(
    agent: Agent, token: bytes, ignore_case: bool, piece: int
) -> None:
    """Neither a character nor a final sigma is harmed by a cut."""
    in_pieces = agent.clean(as_text(token), ignore_case=ignore_case, piece=piece)

    assert in_pieces == agent.clean(as_text(token), ignore_case=ignore_case, piece=1 << 20)


@given(token=raw, ignore_case=st.booleans())
def test_a_word_is_a_raw_token_that_cleans_to_itself(agent: Agent, token: bytes, ignore_case: bool) -> None:
    """Which is why words and raw tokens can share a table."""
    for word in agent.reference_of_bytes(as_text(token), ignore_case=ignore_case):
        again = agent.clean(as_text(word.encode()), ignore_case=ignore_case, piece=1 << 20)

        assert again == [word]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(0, 0x3400, id="scripts and spaces"),
        pytest.param(0xA000, 0x1_2000, id="more scripts"),
        pytest.param(0, 0x11_0000, id="all there are", marks=pytest.mark.slow),
    ],
)
def test_every_character_counts_as_the_plain_way_counts_it(agent: Agent, start: int, end: int) -> None:
    """Alone, inside a word, and at each of its ends."""
    assert agent.wrongly_counted(start, end) == []
