"""Ordering faults on the wire."""

from dataclasses import dataclass
from typing import Any

from tests.local import speaking
from tests.local.instances import Instance
from tests.local.speaking import Said, at

FAULTS = at("/local/faults")


@dataclass(frozen=True)
class Faults:
    """A plan on the wire."""

    instance: Instance

    def order(self, *rules: dict[str, Any], seed: int = 0) -> dict[str, Any]:
        """Begin anew with these rules."""
        return self._ask("PUT", {"seed": seed, "rules": list(rules)})

    def add(self, *rules: dict[str, Any]) -> dict[str, Any]:
        """Add rules."""
        return self._ask("POST", {"rules": list(rules)})

    def shown(self) -> dict[str, Any]:
        """Give the plan."""
        return self._ask("GET", None)

    def clear(self) -> dict[str, Any]:
        """Let nothing go wrong."""
        return self._ask("DELETE", None)

    def counts(self) -> list[tuple[int, int]]:
        """Give how often each rule was tried and applied."""
        return [(rule["seen"], rule["applied"]) for rule in self.shown()["rules"]]

    def refused(self, body: Any, method: str = "PUT") -> Said:
        """Give why a plan is refused."""
        said = speaking.ask(self.instance, method, FAULTS, body)
        assert said.status == 400
        return said

    def _ask(self, method: str, body: Any) -> dict[str, Any]:
        said = speaking.ask(self.instance, method, FAULTS, body)
        assert said.status == 200, said.body
        return said.json
