"""Contests are held fairly, and say what came of them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.arena import Arena, Stopwatch
from bench.contests import Contest, Entrant, Lap, Spread, Unable
from bench.results import Results
from bench.scale import Scale, counts, how_many, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Benchmark:
    """Runs what it is given as pytest-benchmark does, and keeps the times by the clock that it was given."""

    clock: Stopwatch
    group: str = "node"
    extra_info: dict[str, Any] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)

    def pedantic(self, target: Callable[[], None], *, setup: Callable[[], None], rounds: int) -> None:
        """Run it so often."""
        for _ in range(rounds):
            setup()
            begin = self.clock()
            target()
            self.times.append(self.clock() - begin)


@dataclass
class Trace:
    """Notes who was run, in order, and lets them take so many seconds."""

    seen: list[str] = field(default_factory=list)

    def entrant(self, name: str, *seconds: float, outcome: object = None) -> Entrant:
        """Give an entrant that takes these seconds, one after the other."""
        left = list(seconds)

        def go() -> Lap:
            self.seen.append(name)
            return Lap(left.pop(0), outcome)

        return Entrant(name, go, lambda: self.seen.append(f"prepare {name}"))


@pytest.fixture
def arena() -> Arena:
    """Give an arena."""
    clock = Stopwatch()
    return Arena(Benchmark(clock), clock, Scale(), Results(Scale(), versions={}))


def laps(*seconds: float) -> list[Lap]:
    """Give laps that took so long."""
    return [Lap(one) for one in seconds]


def test_all_run_in_each_round_and_each_is_prepared_before(arena: Arena) -> None:
    """What the machine does meanwhile is the same for all."""
    trace = Trace()

    arena("race", trace.entrant("them", 4, 4), trace.entrant("ours", 1, 2), rounds=2)

    assert trace.seen == 2 * ["prepare them", "them", "prepare ours", "ours"]


def test_times_are_compared_round_by_round(arena: Arena) -> None:
    """So that a slow moment of the machine, which slows all, tells nothing."""
    trace = Trace()

    contest = arena("race", trace.entrant("them", 8, 20, 4), trace.entrant("ours", 4, 10, 1), rounds=3)

    assert contest.times_as_fast("ours") == Spread(median=2, least=2, most=4)
    assert contest.times_as_fast("them") is None
    assert contest.seconds("ours") == Spread(median=4, least=1, most=10)
    assert arena.results.contests == [contest]


def test_the_benchmark_keeps_the_seconds_that_count_of_the_last(arena: Arena) -> None:
    """Not what is looked at afterwards, nor what others took."""
    trace = Trace()

    arena("race", trace.entrant("them", 400, 400), trace.entrant("ours", 100, 200), rounds=2)

    assert arena.benchmark.times == [100, 200]
    assert arena.benchmark.extra_info["contest"]["title"] == "race"


def test_who_comes_to_something_else_fails_the_contest(arena: Arena) -> None:
    """A time for something else says nothing."""
    trace = Trace()

    with pytest.raises(AssertionError, match="them came to something else: 'a', ours to 'b'"):
        arena("race", trace.entrant("them", 1, outcome="a"), trace.entrant("ours", 1, outcome="b"), rounds=1)


def test_what_they_come_to_is_compared_in_each_round_and_not_kept(arena: Arena) -> None:
    """It may be large, and sessions are long."""
    trace = Trace()
    outcomes = iter(["same", "same", "same", "other"])

    def go() -> Lap:
        return Lap(1.0, next(outcomes))

    with pytest.raises(AssertionError, match="them came to something else"):
        arena("race", Entrant("them", go), Entrant("ours", go), rounds=2)
    contest = arena("race", trace.entrant("them", 1, outcome="a"), trace.entrant("ours", 1, outcome="a"), rounds=1)

    assert contest.laps == {"them": [Lap(1)], "ours": [Lap(1)]}


def test_what_others_come_to_may_be_left_aside(arena: Arena) -> None:
    """Where it can't be the same."""
    trace = Trace()

    arena("race", trace.entrant("them", 1, outcome="a"), trace.entrant("ours", 1, outcome="b"), rounds=1, same=False)

    assert len(arena.results.contests) == 1


def test_who_can_t_do_it_is_shown_and_not_run_again(arena: Arena) -> None:
    """Also if it could before, as it is not known to do it."""
    trace = Trace()
    tries: Iterator[Lap | Unable] = iter([Lap(1.0), Unable("too many requests"), Lap(1.0)])

    def sometimes() -> Lap:
        found = next(tries)
        if isinstance(found, Unable):
            raise found
        return found

    contest = arena(
        "race", trace.entrant("them", 2, 2, 2), Entrant("weak", sometimes), trace.entrant("ours", 1, 1, 1), rounds=3
    )

    assert contest.failed == {"weak": "too many requests"}
    assert contest.finishers == ["them", "ours"]
    assert {"name": "weak", "failed": "too many requests"} in contest.json()["entrants"]
    assert isinstance(next(tries), Lap)


def test_nothing_is_compared_with_who_failed() -> None:
    """A ratio to nothing is none; the next who could do it is the one to compare with, if somebody could."""
    failed = {"them": "not there"}
    alone = Contest("race", "node", {"them": [], "ours": laps(1)}, failed, (10, "MB"))
    two = Contest("race", "node", {"them": [], "others": laps(3), "ours": laps(1)}, failed)

    assert alone.times_as_fast("ours") is None
    assert alone.rate("ours") == 10
    assert two.times_as_fast("others") is None
    assert two.times_as_fast("ours") == Spread(median=3, least=3, most=3)


def test_ours_are_the_last_and_those_that_say_so() -> None:
    """However many there are."""
    entrants = dict.fromkeys(["them", "ours, 1 job", "fastbatch alone", "the zipapp"], laps(1))

    assert Contest("race", "node", entrants, {}).ours == ["ours, 1 job", "fastbatch alone", "the zipapp"]


@given(st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.1, 100)), min_size=1, max_size=9))
def test_a_ratio_lies_within_its_spread(rounds: list[tuple[float, float]]) -> None:
    """Whatever was measured; and who is compared the other way round has the other ratio."""
    them, ours = ([Lap(one) for one in side] for side in zip(*rounds, strict=True))

    there = Contest("race", "node", {"them": them, "ours": ours}, {}).times_as_fast("ours")
    back = Contest("race", "node", {"ours": ours, "them": them}, {}).times_as_fast("them")

    assert there
    assert back
    assert there.least <= there.median <= there.most
    assert there.most == pytest.approx(1 / back.least)


def test_node_counts_are_read_in_order_and_once() -> None:
    """As they are measured."""
    assert counts("4,1,2,2") == (1, 2, 4)


@pytest.mark.parametrize(
    ("read", "text", "why"),
    [
        *((counts, text, "list of numbers of nodes, such as 1,2,4") for text in ("", "0,1", "two", "1,,2")),
        *((how_many, text, "no number from 1 on") for text in ("", "0", "-5", "x", "1.5")),
        (size, "0", "something in it"),
        (size, "10KB", "can be read in two ways"),
    ],
)
def test_options_that_can_t_be_are_refused(read: Callable[[str], object], text: str, why: str) -> None:
    """Before anything runs, and with what they could be."""
    with pytest.raises(ArgumentTypeError, match=why):
        read(text)


def test_what_is_asked_for_goes_before_what_is_quick() -> None:
    """The number and the size of files, as far as they are given."""
    assert Scale(quick=True).corpus(2000, 10) == (100, 10)
    assert Scale(quick=True, files=7).corpus(2000, 10) == (7, 10)
    assert Scale(file_size=99).corpus(2000, 10) == (2000, 99)
