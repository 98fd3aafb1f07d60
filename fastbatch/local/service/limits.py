"""What an account may have, and how fast its nodes come: the settings of the local service."""

import argparse
import dataclasses
from dataclasses import dataclass
from typing import Self

from fastbatch.local import wire


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas of the account, in the service's terms, and the time that a new node takes to boot."""

    node_quota: int = 100
    pool_quota: int = 100
    active_job_quota: int = 300
    node_boot_seconds: float = 0.0

    @property
    def boot_time(self) -> int:
        """Give the time that a new node takes to boot, in microseconds."""
        return int(self.node_boot_seconds * wire.SECOND)

    def as_options(self) -> list[str]:
        """Give them as options of the service's command line."""
        return [f"{_option(name)}={getattr(self, name)}" for name in _defaults()]

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        """Let a command line take them."""
        for name, default in _defaults().items():
            parser.add_argument(_option(name), type=type(default), default=default)

    @classmethod
    def of_options(cls, options: argparse.Namespace) -> Self:
        """Read them from what a command line took."""
        return cls(**{name: getattr(options, name) for name in _defaults()})


def _defaults() -> dict[str, float]:
    return dataclasses.asdict(Limits())


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
