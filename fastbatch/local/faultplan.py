"""
A fault plan: rules that say what is to go wrong with which operations, and the course that each has taken.

All chance comes from the plan's seed. Each rule has a stream of numbers of its own, one for every call that it takes,
so that neither other rules nor its own `after`, `count` and `probability` change what it draws at a call.
"""

import collections
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Rule:
    """What is to go wrong with some operations: of their calls the first few are spared, and the others have a risk."""

    operation: str  # a name or a glob, as it was given
    fault: str
    takes: frozenset[str]  # the operations that it is about
    parameters: Mapping[str, Any] = field(default_factory=dict)
    after: int = 0
    count: int | None = None
    probability: float = 1.0
    goes_on: bool = False  # rules after it have their turn, too
    watches: bool = False  # it has a turn at every call, to see what it will need later

    def shown(self) -> dict[str, Any]:
        """Give it as it was asked for, with its defaults."""
        return {
            "operation": self.operation,
            "fault": self.fault,
            "after": self.after,
            "count": self.count,
            "probability": self.probability,
            **self.parameters,
        }


class Course:
    """What has become of a rule: the calls that it has seen, those that it was applied to, and what its fault keeps."""

    def __init__(self, rule: Rule, seed: str) -> None:
        self.rule = rule
        self.seen = 0
        self.applied = 0
        self.kept: dict[Any, Any] = {}
        self._random = random.Random(seed)  # noqa: S311 - it is to be repeated

    def wants(self) -> bool:
        """Count a call, and tell whether the rule would apply to it."""
        rule = self.rule
        self.seen += 1
        drawn = self._random.random() < rule.probability
        return drawn and self.seen > rule.after and (rule.count is None or self.applied < rule.count)


class Turn(NamedTuple):
    """A rule's turn at a call; one that does not apply only watches."""

    course: Course
    applies: bool = True

    @property
    def fault(self) -> str:
        """Give what goes wrong."""
        return self.course.rule.fault

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Give how it goes wrong."""
        return self.course.rule.parameters


class Plan:
    """The rules in force."""

    def __init__(self) -> None:
        self.clear()

    def replace(self, seed: int, rules: Collection[Rule]) -> None:
        """Begin anew with these rules."""
        self._seed = seed
        self.courses: list[Course] = []
        self._by_operation: dict[str, list[Course]] = collections.defaultdict(list)
        self._alike: collections.Counter[tuple[str, str]] = collections.Counter()
        self.append(rules)

    def clear(self) -> None:
        """Have no rules."""
        self.replace(0, ())

    def append(self, rules: Collection[Rule]) -> None:
        """Add rules after those that there are, which go on as they would have."""
        for rule in rules:
            course = Course(rule, self._seed_of(rule))
            self.courses.append(course)
            for operation in rule.takes:
                self._by_operation[operation].append(course)

    def _seed_of(self, rule: Rule) -> str:
        """Give a seed that depends on no rules but those that are for the same operation and fault."""
        alike = rule.operation, rule.fault
        self._alike[alike] += 1
        return f"{self._seed} {rule.operation} {rule.fault} {self._alike[alike] - 1}"

    def draw(self, operation: str) -> Sequence[Turn]:
        """Count a call of an operation, and give the rules that have a turn at it, in their order."""
        turns = []
        taken = False
        for course in self._by_operation.get(operation, ()):
            applies = course.wants() and not taken
            course.applied += applies
            taken |= applies and not course.rule.goes_on
            if applies or course.rule.watches:
                turns.append(Turn(course, applies))
        return turns

    def shown(self) -> dict[str, Any]:
        """Give the plan as it was asked for, and how often each rule was tried and applied."""
        rules = [{**it.rule.shown(), "seen": it.seen, "applied": it.applied} for it in self.courses]
        return {"seed": self._seed, "rules": rules}
