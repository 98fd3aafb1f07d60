"""Accounts to run benchmarks on: an instance of the local services, and what programs that use it are told."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.local import instances, speaking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.local.instances import Instance

NODES, SLOTS = 2, 2
_SECONDS = 600.0  # for what others left to be gone


@dataclass(frozen=True)
class Accounts:
    """A Batch and a storage account."""

    instance: Instance
    folder: Path  # what programs keep on this machine

    @property
    def environment(self) -> dict[str, str]:
        """Give the environment of programs that use them, ours and others alike."""
        return {
            **os.environ,
            "AZURE_BATCH_ACCOUNT": self.instance.account,
            "AZURE_BATCH_ENDPOINT": self.instance.endpoint,
            "AZURE_BATCH_ACCESS_KEY": self.instance.key,
            "AZURE_STORAGE_CONNECTION_STRING": self.instance.connection_string,
            "NO_PROXY": "127.0.0.1",
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }

    @contextmanager
    def pool(self, nodes: int = NODES, slots: int = SLOTS) -> Iterator[str]:
        """Have a warm pool, for a while."""
        with self.instance.client() as client, instances.pool(client, nodes, slots) as name:
            yield name

    @contextmanager
    def misbehaving(self, rule: Mapping[str, Any]) -> Iterator[Callable[[], dict[str, Any]]]:
        """Let the service misbehave by a rule, for a while; give a way to ask how the rule stands."""

        def ask(method: str, body: Any = None) -> dict[str, Any]:
            return speaking.ask(self.instance, method, speaking.at("/local/faults"), body).json

        assert "rules" in ask("PUT", {"rules": [rule]})
        try:
            yield lambda: dict(ask("GET")["rules"][0])
        finally:
            ask("DELETE")

    def forget(self, container: str) -> None:
        """Delete what is in a container, which may not be there."""
        with self.instance.blobs() as service:
            found = service.get_container_client(container)
            if found.exists():
                for name in found.list_blob_names():
                    found.delete_blob(name)

    def settle(self) -> None:
        """Wait until what others deleted is gone, as that takes time of the service."""
        with self.instance.client() as client:
            instances.eventually(
                lambda: [one.id for one in (*client.list_jobs(), *client.list_pools()) if one.state == "deleting"],
                lambda left: not left,
                _SECONDS,
            )


@dataclass(frozen=True)
class Warm:
    """A warm pool, and whose it is."""

    accounts: Accounts
    pool: str


Hosted: TypeAlias = "Callable[[], AbstractContextManager[Accounts]]"  # a way to have accounts, for a while


@contextmanager
def lasting_as_long_as_we(folder: Path) -> Iterator[Accounts]:
    """Have accounts, for a while."""
    with instances.lasting_as_long_as_we(folder / "services") as instance:
        yield Accounts(instance, folder)
