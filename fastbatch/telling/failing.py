"""The inputs that failed, by why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastbatch.model import Failure, name_fields

_NAMED = 5  # of each group


@dataclass(frozen=True, slots=True)
class Group:
    """Inputs that failed for one reason."""

    reason: str
    passing: bool  # another attempt may go well
    inputs: int
    names: Sequence[str]  # of the first of them

    def json(self) -> dict[str, Any]:
        """Return it for JSON."""
        some = [name_fields(name) for name in self.names]
        return {"reason": self.reason, "passing": self.passing, "inputs": self.inputs, "some": some}


def grouped(failures: Iterable[Failure]) -> list[Group]:
    """Give failures by reason, the most frequent one first."""
    groups: dict[tuple[str, bool], list[str]] = {}
    for failure in failures:
        groups.setdefault((failure.reason, failure.passing), []).append(failure.name)
    found = [Group(reason, passing, len(names), names[:_NAMED]) for (reason, passing), names in groups.items()]
    return sorted(found, key=lambda group: -group.inputs)
