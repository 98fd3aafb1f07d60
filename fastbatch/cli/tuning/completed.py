"""The event that comes last."""

from dataclasses import dataclass

from fastbatch.events import Event
from fastbatch.tuning.findings import Findings


@dataclass(frozen=True, slots=True)
class TuneCompleted(Event):
    """All is measured that will be; this is what it says."""

    kind = "tune.completed"
    findings: Findings

    def json(self) -> dict[str, object]:
        """Return it for JSON."""
        return {"event": self.kind, **self.findings.json()}
