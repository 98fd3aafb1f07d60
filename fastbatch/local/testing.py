"""
The local services for tests of other people's Batch code: where they are, their clock, and faults on order.

The fixture `local_batch` of `fastbatch.local.pytest_plugin` gives one of these; `running()` is for those who don't use
pytest.
"""

import datetime as dt
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastbatch.local.control import Control
from fastbatch.local.instance import asking, lifecycle
from fastbatch.local.instance.home import Home
from fastbatch.local.processes import identify
from fastbatch.local.service.limits import Limits


@dataclass(frozen=True, slots=True)
class Clock:
    """The service's clock: boot times, time limits, retention and retries go by it."""

    control: Control

    def now(self) -> dt.datetime:
        """Give the service's time."""
        return dt.datetime.fromisoformat(self.control.ask("GET", "/local/clock")["now"])

    def freeze(self) -> None:
        """Let it stand still."""
        self.control.ask("POST", "/local/clock", {"frozen": True})

    def resume(self) -> None:
        """Let it go on from the time that it shows."""
        self.control.ask("POST", "/local/clock", {"frozen": False})

    def advance(self, duration: dt.timedelta) -> None:
        """Put it forward; what is due on the way has begun when this returns."""
        if duration < dt.timedelta(0):
            raise ValueError(f"A clock is put forward only, not by {duration}.")
        seconds = duration / dt.timedelta(seconds=1)
        self.control.ask("POST", "/local/clock", {"advance": f"PT{seconds:.6f}S"})


@dataclass(frozen=True, slots=True)
class Faults:
    """What the services are to do wrong, until the test is over. README.md lists the faults and what they fit."""

    control: Control

    def add(self, operation: str, fault: str, **parameters: Any) -> None:
        """
        Let calls of an operation go wrong: `add("create_task_collection", "drop_after", count=1)`.

        `after`, `count` and `probability` say which of the calls; all other parameters are the fault's own.
        """
        rule = {"operation": operation, "fault": _camel(fault)}
        rule |= {_camel(name): value for name, value in parameters.items()}
        self.control.ask("POST", "/local/faults", {"rules": [rule]})

    def plan(self, rules: Sequence[Mapping[str, Any]], seed: int = 0) -> None:
        """Set all rules at once, as JSON has them, with the seed of what happens by chance."""
        self.control.ask("PUT", "/local/faults", {"seed": seed, "rules": list(rules)})

    def rules(self) -> Sequence[Mapping[str, Any]]:
        """Give all rules, with how many calls each has seen, and to how many it was applied."""
        rules: Sequence[Mapping[str, Any]] = self.control.ask("GET", "/local/faults")["rules"]
        return rules

    def clear(self) -> None:
        """Let everything go right from now on."""
        self.control.ask("DELETE", "/local/faults")


@dataclass(frozen=True, slots=True)
class LocalBatch:
    """A Batch service and a storage account on this machine, as their clients know them."""

    endpoint: str
    account_name: str
    account_key: str = field(repr=False)
    storage_connection_string: str = field(repr=False)

    @property
    def clock(self) -> Clock:
        """The clock of the Batch service."""
        return Clock(self._control)

    @property
    def faults(self) -> Faults:
        """What both services are to do wrong."""
        return Faults(self._control)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which az, the SDKs and fastbatch find them; they hold keys."""
        return {
            "AZURE_BATCH_ACCOUNT": self.account_name,
            "AZURE_BATCH_ACCESS_KEY": self.account_key,
            "AZURE_BATCH_ENDPOINT": self.endpoint,
            "AZURE_STORAGE_CONNECTION_STRING": self.storage_connection_string,
        }

    def set_limits(self, **limits: float) -> None:
        """Change `node_boot_seconds`, `node_quota`, `pool_quota` or `active_job_quota` until the test is over."""
        self._control.ask("PATCH", "/local/limits", {_camel(name): value for name, value in limits.items()})

    def lose_node(self, pool: str, node: str) -> None:
        """Let the service hear nothing more of a node; what runs there goes on, and its tasks run elsewhere, too."""
        self._move_node(pool, node, "lose")

    def preempt_node(self, pool: str, node: str) -> None:
        """Take a low-priority node away, with all that runs there."""
        self._move_node(pool, node, "preempt")

    def return_node(self, pool: str, node: str) -> None:
        """Give back a node that was lost or preempted."""
        self._move_node(pool, node, "return")

    def reset(self) -> None:
        """Forget all pools, jobs, tasks and faults, and set the clock right; blobs stay."""
        self._control.ask("POST", "/local/reset")

    def _move_node(self, pool: str, node: str, verb: str) -> None:
        self._control.ask("POST", f"/local/pools/{quote(pool, safe='')}/nodes/{quote(node, safe='')}/{verb}")

    @property
    def _control(self) -> Control:
        return Control(self.endpoint, self.account_name, self.account_key)


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - it is for who waits for the first start, which installs Azurite


@contextmanager
def running(say: Callable[[str], None] = _say) -> Iterator[LocalBatch]:
    """Have the services in a folder of their own, for a while; they are gone when this process is, however it ends."""
    with tempfile.TemporaryDirectory(prefix="fastbatch-local-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        lifecycle.up(home, lifecycle.Ports(), Limits(), say, identify(os.getpid()))
        try:
            variables = asking.environment(home, faulty_storage=True)
            yield LocalBatch(
                variables["AZURE_BATCH_ENDPOINT"],
                variables["AZURE_BATCH_ACCOUNT"],
                variables["AZURE_BATCH_ACCESS_KEY"],
                variables["AZURE_STORAGE_CONNECTION_STRING"],
            )
        finally:
            lifecycle.down(home)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
