"""What an account may have, and how fast its nodes come: the settings of the local service."""

from dataclasses import dataclass

from fastbatch.local import wire


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas of the account, in the service's terms, and the time that a new node takes to boot."""

    nodes: int = 100
    pools: int = 100
    active_jobs: int = 300
    node_boot_seconds: float = 0.0

    @property
    def boot_time(self) -> int:
        """Give the time that a new node takes to boot, in microseconds."""
        return int(self.node_boot_seconds * wire.SECOND)
