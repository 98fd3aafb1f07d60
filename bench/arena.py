"""Where contests are held: in each round all entrants run in turn, and have to come to the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from .contests import Contest, Entrant, Lap, Unable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .results import Results
    from .scale import Scale

_LETTERS = 200  # of what somebody came to, where it is told


class Stopwatch:
    """
    A clock of laps, for pytest-benchmark to go by.

    So its times are the seconds that count, without what is looked at afterwards.
    """

    __name__ = "seconds_of_laps"

    def __init__(self) -> None:
        self._shown = 0.0

    def __call__(self) -> float:
        """Tell the seconds of all laps so far."""
        return self._shown

    def add(self, lap: Lap) -> None:
        """Note a lap."""
        self._shown += lap.seconds


@dataclass
class Arena:
    """Holds the contest of a benchmark; the last entrant is the one whose times pytest-benchmark keeps."""

    benchmark: Any
    stopwatch: Stopwatch
    scale: Scale
    results: Results

    def __call__(
        self,
        title: str,
        *entrants: Entrant,
        rounds: int | None = None,
        amount: tuple[float, str] | None = None,
        asked: Mapping[str, str] | None = None,
        same: bool = True,
    ) -> Contest:
        """Hold a contest; nothing is compared with what others came to if that is not to be the same."""
        course = _Course(entrants, self.stopwatch, same)
        self.benchmark.pedantic(course.finish_round, setup=course.begin_round, rounds=rounds or self.scale.rounds)
        course.compare()
        laps = {name: [] if name in course.failed else found for name, found in course.laps.items()}
        contest = Contest(title, self.benchmark.group, laps, course.failed, amount, asked or {})
        self.benchmark.extra_info["contest"] = contest.json()
        self.results.contests.append(contest)
        return contest


@dataclass
class _Course:
    """The rounds of a contest."""

    entrants: tuple[Entrant, ...]
    stopwatch: Stopwatch
    same: bool
    laps: dict[str, list[Lap]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.laps = {entrant.name: [] for entrant in self.entrants}
        assert len(self.laps) == len(self.entrants), "Entrants have names of their own."

    def begin_round(self) -> None:
        """Let all but the last run, and make all ready for that."""
        self.compare()
        for entrant in self.entrants[:-1]:
            if entrant.name not in self.failed:
                self._try(entrant)
        self.entrants[-1].prepare()

    def finish_round(self) -> None:
        """Let the last one run."""
        last = self.entrants[-1]
        lap = last.go()
        self.laps[last.name].append(lap)
        self.stopwatch.add(lap)

    def compare(self) -> None:
        """See that all came to the same in the round that was last; then that, which may be large, is not kept."""
        last = self.entrants[-1].name
        came_to = {name: self._forget(laps) for name, laps in self.laps.items() if laps and name not in self.failed}
        for name, outcome in came_to.items():
            differs = f"{name} came to something else: {_brief(outcome)}, {last} to {_brief(came_to[last])}."
            assert not self.same or outcome == came_to[last], differs

    @staticmethod
    def _forget(laps: list[Lap]) -> object:
        outcome = laps[-1].outcome
        laps[-1] = replace(laps[-1], outcome=None)
        return outcome

    def _try(self, entrant: Entrant) -> None:
        try:
            entrant.prepare()
            self.laps[entrant.name].append(entrant.go())
        except Unable as why:
            self.failed[entrant.name] = str(why)


def _brief(outcome: object) -> str:
    brief = Repr()
    brief.maxstring = brief.maxother = _LETTERS
    return brief.repr(outcome)
