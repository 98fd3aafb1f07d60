"""
How time goes with the number of nodes: the law that fits measurements best.

N T(N) = one + linear (N - 1) + quadratic N (N - 1), which is Gunther's universal scalability law. Contention is
linear/one, what has to be done one after the other; crosstalk is quadratic/one, what each node has to do with each
other one.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastbatch.tuning.findings import Curve, Estimate, Law
from fastbatch.tuning.spread import Samples, estimated, redrawn

_FEWEST = 2  # counts that tell a curve
_FEWEST_FOR_CROSSTALK = 4

# Terms to choose from, the best choices first: with less of the same terms, the error can only be larger. The last is
# always possible, as times are positive.
_CHOICES = {
    Law.SCALABILITY: (((0, 1, 2),), ((0, 1), (0, 2)), ((0,),)),
    Law.SERIAL: (((0, 1),), ((0,),)),
}


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Those of a curve, in seconds."""

    one: float
    linear: float = 0.0
    quadratic: float = 0.0

    def seconds(self, nodes: int) -> float:
        """Give the time on so many nodes."""
        return (self.one + self.linear * (nodes - 1)) / nodes + self.quadratic * (nodes - 1)

    @property
    def contention(self) -> float:
        """Give the share that is done one after the other."""
        return self.linear / self.one

    @property
    def crosstalk(self) -> float:
        """Give the share that each pair of nodes adds."""
        return self.quadratic / self.one


@dataclass(frozen=True, slots=True)
class Fit:
    """A law that was fitted to samples, and to draws of them."""

    law: Law
    samples: Samples
    best: Coefficients
    draws: tuple[Coefficients, ...]  # none where nothing was repeated

    def seconds(self, nodes: int) -> float:
        """Give the time on so many nodes, measured or not."""
        return self.best.seconds(nodes)

    def estimate(self, nodes: int) -> Estimate:
        """Give the time on so many nodes with its interval."""
        return estimated(self.seconds(nodes), (draw.seconds(nodes) for draw in self.draws))

    def curve(self) -> Curve:
        """Tell what the fit is, and how good."""
        medians = {nodes: statistics.median(seconds) for nodes, seconds in self.samples.items()}
        crosstalk = estimated(self.best.crosstalk, (draw.crosstalk for draw in self.draws))
        return Curve(
            law=self.law,
            one=self.estimate(1),
            contention=estimated(self.best.contention, (draw.contention for draw in self.draws)),
            crosstalk=crosstalk if self.law is Law.SCALABILITY else None,
            r_squared=_r_squared(list(medians.values()), [self.seconds(nodes) for nodes in medians]),
            off=max(abs(self.seconds(nodes) / median - 1) for nodes, median in medians.items()),
        )


def fitted(samples: Samples) -> Fit | None:
    """Fit the law that so many counts can tell, to positive times; None below two."""
    if len(samples) < _FEWEST:
        return None
    law = Law.SCALABILITY if len(samples) >= _FEWEST_FOR_CROSSTALK else Law.SERIAL
    return Fit(law, samples, _best(samples, law), tuple(_best(draw, law) for draw in redrawn(samples)))


@dataclass(frozen=True, slots=True)
class _Equation:
    """What one count says: the terms, times the coefficients, are the target; weighted."""

    terms: tuple[float, ...]
    target: float


def _best(samples: Samples, law: Law) -> Coefficients:
    """Find the coefficients of the least relative error of which none is below nought, and the first is above it."""
    equations = [_equation(nodes, seconds) for nodes, seconds in samples.items()]
    solved = ([_solved(equations, terms) for terms in several] for several in _CHOICES[law])
    possible = ([each for each in several if _is_possible(each)] for several in solved)
    return min(next(filter(None, possible)), key=lambda each: _error(equations, each))


def _is_possible(found: Coefficients) -> bool:
    return found.one > 0 and found.linear >= 0 and found.quadratic >= 0


def _equation(nodes: int, seconds: Sequence[float]) -> _Equation:
    """Sum up the repetitions of a count: a relative error by each of them is one by their weighted mean."""
    weight = math.sqrt(sum(1 / each**2 for each in seconds))
    target = sum(1 / each for each in seconds) / weight
    return _Equation(tuple(weight * term for term in (1 / nodes, 1 - 1 / nodes, nodes - 1.0)), target)


def _error(equations: Iterable[_Equation], by: Coefficients) -> float:
    return sum((_dot(each.terms, (by.one, by.linear, by.quadratic)) - each.target) ** 2 for each in equations)


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
    return Coefficients(given[0], given.get(1, 0.0), given.get(2, 0.0))


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(map(float.__mul__, left, right))


def _without(column: Sequence[float], share: float, other: Sequence[float]) -> list[float]:
    return [each - share * of_other for each, of_other in zip(column, other, strict=True)]


def _r_squared(measured: Sequence[float], by_curve: Sequence[float]) -> float:
    """Tell which part of the variance the curve explains; all of it, where there is none."""
    mean = statistics.fmean(measured)
    variance = sum((each - mean) ** 2 for each in measured)
    left = sum((each - other) ** 2 for each, other in zip(measured, by_curve, strict=True))
    return 1 - left / variance if variance else 1.0
