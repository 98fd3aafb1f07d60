"""Runs that are in a journal, and jobs beside them, made by hand."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastbatch import Settings
from fastbatch.journal.records import Attempt, Changes, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Books, Bundle, Item, Kind, Plan, bundle_id
from fastbatch.names import new_run
from fastbatch.place import Place
from fastbatch.stages.describe import MARK, results_container
from fastbatch.standing import Standing
from tests.counted import account_of
from tests.local import instances
from tests.local.instances import Instance

SIZE = 10


def planned(bundles: int, inputs: int = 2) -> Plan:
    """Plan bundles of so many inputs of ten bytes each."""
    members = [
        tuple(Item(f"/in/text-{number}-{n}", f"text-{number}-{n}", SIZE, 0) for n in range(inputs))
        for number in range(1, bundles + 1)
    ]
    packed = tuple(Bundle(bundle_id(number), Kind.TAR, items) for number, items in enumerate(members, 1))
    return Plan(tuple(item for items in members for item in items), packed, 1 << 20)


def record_of(plan: Plan, place: Place, pool: str = "fastbatch", **more: Any) -> RunRecord:
    """Give the record of a new run."""
    said = {"id": new_run(None), "uid": str(uuid.uuid4()), "made": datetime.now(UTC), "settings": Settings(pool=pool)}
    counts = {"books": Books(len(plan.items), 0, 0), "bytes": plan.bytes, "bundles": len(plan.bundles)}
    return RunRecord(**{**said, **counts, "place": place, **more})


class Recorded:
    """A run in the journal of a state folder, on an instance of the services."""

    def __init__(self, state: Path, services: Instance, pool: str, plan: Plan, *, local: bool = False) -> None:
        self.services = services
        self.plan = plan
        self.record = record_of(plan, Place.of(account_of(services), local=local), pool)
        self._path = state / "fastbatch" / "journal.db"
        with self.journal() as journal:
            journal.begin(self.record, plan)

    @property
    def id(self) -> str:
        """Give its id."""
        return self.record.id

    def journal(self) -> Journal:
        """Open the journal."""
        return Journal.opened(self._path)

    def note(
        self,
        standings: Mapping[str, Standing] | None = None,
        attempts: Sequence[Attempt] = (),
        books: Books | None = None,
    ) -> None:
        """Note what changed."""
        with self.journal() as journal:
            journal.write(self.id, Changes(standings or {}, attempts, books))

    def make_job(self, client: Any, number: int = 0, uid: str | None = None) -> str:
        """Make a job of the run, or one that has no more than the name of it."""
        name = f"{self.id}-a{number}" if number else self.id
        metadata = [{"name": MARK, "value": uid or self.record.uid}]
        client.create_job({"id": name, "poolInfo": {"poolId": self.record.settings.pool}, "metadata": metadata})
        return name

    def run_task(self, client: Any, task: str, command: str, job: str | None = None) -> None:
        """Run a task to its end."""
        self.begin_task(client, task, command, job)
        instances.eventually(
            lambda: client.get_task(job or self.id, task).state, lambda state: state == "completed", seconds=40
        )

    def begin_task(self, client: Any, task: str, command: str, job: str | None = None) -> None:
        """Add a task."""
        client.create_task(job or self.id, {"id": task, "commandLine": command})

    def keep(self, name: str, content: bytes) -> None:
        """Put something beside the results."""
        with self.services.blobs() as blobs:
            container = blobs.get_container_client(results_container(self.id))
            if not container.exists():
                container.create_container()
            container.upload_blob(name, content)
