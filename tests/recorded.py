"""Runs that are written down, and what they have on the services, made by hand."""

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastbatch import Account, Settings, names, state
from fastbatch.books.standing import Standing, State
from fastbatch.journal.records import Attempt, Changes, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Blob, Books, Bundle, Item, Kind, Plan, bundle_id
from fastbatch.names import MARK
from fastbatch.place import Place
from fastbatch.stages.describe import BUNDLES, results_container
from tests.counted import account_of
from tests.local.instances import Instance, eventually

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
    said = {"id": names.new_run(None), "uid": str(uuid.uuid4()), "made": datetime.now(UTC)}
    counts = {"books": Books(len(plan.items), 0, 0), "bytes": plan.bytes, "bundles": len(plan.bundles)}
    return RunRecord(**{**said, **counts, "settings": Settings(pool=pool), "place": place, **more})


@contextmanager
def journal_in(folder: Path | None = None) -> Iterator[Journal]:
    """Have the journal of a state folder, or of this process's own."""
    with Journal.opened(None if folder is None else folder / "fastbatch" / "journal.db") as found:
        yield found


class Recorded:
    """A run in the journal of a state folder, on an instance of the services."""

    def __init__(
        self, services: Instance, plan: Plan, folder: Path | None = None, *, place: Place | None = None, **said: Any
    ) -> None:
        self.services = services
        self.plan = plan
        self.record = record_of(plan, place or Place.of(account_of(services)), **said)
        self._folder = folder
        with self.journal() as journal:
            journal.begin(self.record, plan)

    @property
    def id(self) -> str:
        """Give its id."""
        return self.record.id

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """Have the journal."""
        with journal_in(self._folder) as found:
            yield found

    def note(
        self,
        standings: Mapping[str, Standing] | None = None,
        attempts: Sequence[Attempt] = (),
        books: Books | None = None,
    ) -> None:
        """Note what changed."""
        with self.journal() as journal:
            journal.write(self.id, Changes(standings or {}, attempts, books))

    def make_job(self, number: int = 0, *, uid: str | None = None) -> str:
        """Make a job of the run, or one that has no more than the name of it."""
        name = names.job(self.id, number)
        metadata = [{"name": MARK, "value": uid or self.record.uid}]
        with self.services.client() as client:
            client.create_job({"id": name, "poolInfo": {"poolId": self.record.settings.pool}, "metadata": metadata})
        return name

    def job_state(self, number: int = 0) -> str | None:
        """Tell how a job of it is; None if it is gone or going."""
        with self.services.client() as client:
            found = {job.id: job.state.value for job in client.list_jobs()}.get(names.job(self.id, number))
        return None if found == "deleting" else found

    def begin_task(self, task: str, command: str, job: str | None = None) -> None:
        """Add a task."""
        with self.services.client() as client:
            client.create_task(job or self.id, {"id": task, "commandLine": command})

    def run_task(self, task: str, command: str, job: str | None = None) -> None:
        """Run a task to its end."""
        self.begin_task(task, command, job)
        with self.services.client() as client:
            eventually(lambda: client.get_task(job or self.id, task).state, lambda state: state == "completed", 40)

    def keep(self, name: str, content: bytes) -> None:
        """Put something beside the results."""
        with self.services.blobs() as blobs:
            container = blobs.get_container_client(results_container(self.id))
            if not container.exists():
                container.create_container()
            container.upload_blob(name, content)

    def has_results(self) -> bool:
        """Tell whether the container of its results is there."""
        with self.services.blobs() as blobs:
            return bool(blobs.get_container_client(results_container(self.id)).exists())


class Stored(Recorded):
    """A run of a bundle for each content, which was uploaded; the first of them is done."""

    def __init__(
        self, services: Instance, account: Account, *contents: bytes, folder: Path | None = None, **said: Any
    ) -> None:
        self.contents = list(contents)
        self._blobs = [Blob(hashlib.sha256(content).hexdigest(), len(content)) for content in contents]
        items = tuple(Item(f"/in/{n}", f"{n}", len(content), 0) for n, content in enumerate(contents))
        bundles = tuple(Bundle(bundle_id(n), Kind.WHOLE, (item,)) for n, item in enumerate(items, 1))
        super().__init__(services, Plan(items, bundles, None), folder, place=Place.of(account), **said)
        standings = {
            bundle.id: Standing(State.WAITING if n else State.DONE, blob, uploaded=True)
            for n, (bundle, blob) in enumerate(zip(bundles, self._blobs, strict=True))
        }
        self.note(standings, books=Books(len(items), min(1, len(items)), 0))

    def make_data(self) -> None:
        """Store what it has in storage, and here."""
        self.keep("b1/result", b"a result")
        with self.services.blobs() as blobs:
            bundles = blobs.get_container_client(BUNDLES)
            if not bundles.exists():
                bundles.create_container()
            for blob, content in zip(self._blobs, self.contents, strict=True):
                bundles.upload_blob(blob.digest, content, overwrite=True)
        folder = state.folder_of(self.id)
        folder.mkdir(parents=True)
        (folder / "b1").write_bytes(b"a result")

    def stored(self) -> list[bytes]:
        """Give those of its bundles that are in storage."""
        with self.services.blobs() as blobs:
            found = set(blobs.get_container_client(BUNDLES).list_blob_names())
        return [content for blob, content in zip(self._blobs, self.contents, strict=True) if blob.digest in found]
