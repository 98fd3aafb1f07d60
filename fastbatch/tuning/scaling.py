"""
How time goes with the number of nodes: the law that fits measurements best.

T(N) = serial + parallel / N + mutual (N - 1), which is Gunther's universal scalability law in seconds. What is done one
after the other takes as long on any number of nodes; what is not is divided among them; and what nodes have to do with
each other grows with each of them.
"""

import enum
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastbatch.tuning.spread import Estimate, Samples, estimated, redrawn

_FEWEST = 2  # counts that tell a curve
_FEWEST_FOR_CROSSTALK = 4


class Law(enum.Enum):
    """What time by node count is taken to follow."""

    SCALABILITY = "universal scalability law"  # N T(N) = T(1) (1 + contention (N-1) + crosstalk N (N-1))
    SERIAL = "fixed serial fraction"  # the same without crosstalk


# Terms to choose from, as the best fit may have none of some. The last is always possible, as times are positive.
_CHOICES = {
    Law.SCALABILITY: ((0, 1, 2), (0, 1), (0, 2), (1, 2), (0,), (1,)),
    Law.SERIAL: ((0, 1), (0,), (1,)),
}


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Those of a law, in seconds."""

    parallel: float = 0.0
    serial: float = 0.0
    mutual: float = 0.0

    def seconds(self, nodes: float) -> float:
        """Give the time on so many nodes."""
        return self.parallel / nodes + self.serial + self.mutual * (nodes - 1)

    @property
    def one(self) -> float:
        """Give the time on one node."""
        return self.parallel + self.serial

    @property
    def contention(self) -> float:
        """Give the share that is done one after the other."""
        return self.serial / self.one

    @property
    def crosstalk(self) -> float:
        """Give the share that each pair of nodes adds."""
        return self.mutual / self.one


@dataclass(frozen=True, slots=True)
class Curve:
    """A law as it fits samples best, and as it fits draws of them."""

    law: Law
    samples: Samples
    best: Coefficients
    draws: tuple[Coefficients, ...]  # none where nothing was repeated

    def seconds(self, nodes: float) -> float:
        """Give the time on so many nodes, measured or not."""
        return self.best.seconds(nodes)

    def estimate(self, nodes: float) -> Estimate:
        """Give the time on so many nodes with its interval."""
        return estimated(self.seconds(nodes), (draw.seconds(nodes) for draw in self.draws))

    @property
    def one(self) -> Estimate:
        """Return the seconds on one node."""
        return self.estimate(1)

    @property
    def contention(self) -> Estimate:
        """Return the share of the work that is done one after the other."""
        return estimated(self.best.contention, (draw.contention for draw in self.draws))

    @property
    def crosstalk(self) -> Estimate | None:
        """Return the share that each pair of nodes adds; None where the law has none."""
        if self.law is not Law.SCALABILITY:
            return None
        return estimated(self.best.crosstalk, (draw.crosstalk for draw in self.draws))

    @property
    def r_squared(self) -> float:
        """Return which part of the variance of the medians it explains; all of it, where there is none."""
        measured = self._medians()
        mean = statistics.fmean(measured.values())
        variance = sum((median - mean) ** 2 for median in measured.values())
        left = sum((median - self.seconds(nodes)) ** 2 for nodes, median in measured.items())
        return 1 - left / variance if variance else 1.0

    @property
    def off(self) -> float:
        """Return the largest distance of a median from it, as a share of the median."""
        return max(abs(self.seconds(nodes) / median - 1) for nodes, median in self._medians().items())

    def _medians(self) -> dict[int, float]:
        return {nodes: statistics.median(seconds) for nodes, seconds in self.samples.items()}


def fitted(samples: Samples) -> Curve | None:
    """Fit the law that so many counts can tell, to positive times; None below two."""
    if len(samples) < _FEWEST:
        return None
    law = Law.SCALABILITY if len(samples) >= _FEWEST_FOR_CROSSTALK else Law.SERIAL
    return Curve(law, samples, _best(samples, law), tuple(_best(draw, law) for draw in redrawn(samples)))


@dataclass(frozen=True, slots=True)
class _Equation:
    """What one count says: the terms, times the coefficients, are the target; weighted."""

    terms: tuple[float, ...]
    target: float


def _best(samples: Samples, law: Law) -> Coefficients:
    """Find the coefficients of the least relative error of which none is below nought, and one node takes some time."""
    equations = [_equation(nodes, seconds) for nodes, seconds in samples.items()]
    every, *others = _CHOICES[law]
    if _is_possible(best := _solved(equations, every)):
        return best
    possible = filter(_is_possible, (_solved(equations, terms) for terms in others))
    return min(possible, key=lambda each: _error(equations, each))


def _is_possible(found: Coefficients) -> bool:
    return min(found.parallel, found.serial, found.mutual) >= 0 and found.one > 0


def _equation(nodes: int, seconds: Sequence[float]) -> _Equation:
    """Sum up the repetitions of a count: a relative error by each of them is one by their weighted mean."""
    weight = math.sqrt(sum(1 / each**2 for each in seconds))
    target = sum(1 / each for each in seconds) / weight
    return _Equation(tuple(weight * term for term in (1 / nodes, 1.0, nodes - 1.0)), target)


def _error(equations: Iterable[_Equation], by: Coefficients) -> float:
    return sum((_dot(each.terms, (by.parallel, by.serial, by.mutual)) - each.target) ** 2 for each in equations)


def _solved(equations: Sequence[_Equation], chosen: Sequence[int]) -> Coefficients:
    """Solve least squares in some of the terms: make each orthogonal to those before it, and go back from the last."""
    columns = [[each.terms[term] for each in equations] for term in chosen]
    rest = [each.target for each in equations]
    shares, along = [], []
    for number, column in enumerate(columns):
        square = _dot(column, column)
        shares.append([_dot(column, later) / square for later in columns[number + 1 :]])
        along.append(_dot(column, rest) / square)
        for later, share in zip(columns[number + 1 :], shares[-1], strict=True):
            later[:] = _without(later, share, column)
        rest = _without(rest, along[-1], column)
    found: list[float] = []
    for projected, of_later in zip(reversed(along), reversed(shares), strict=True):
        found.insert(0, projected - _dot(of_later, found))
    given = dict(zip(chosen, found, strict=True))
    return Coefficients(*(given.get(term, 0.0) for term in range(3)))


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(map(float.__mul__, left, right))


def _without(column: Sequence[float], share: float, other: Sequence[float]) -> list[float]:
    return [each - share * of_other for each, of_other in zip(column, other, strict=True)]
