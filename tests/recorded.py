"""Runs as the journal and the services have them, made by hand."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastbatch import Account, Settings, names, state
from fastbatch.journal.records import Changes, Phase, RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Blob, Books, Bundle, Item, Kind, Plan, bundle_id
from fastbatch.place import Place
from fastbatch.stages.describe import BUNDLES, results_container
from fastbatch.standing import Standing, State
from tests.local.instances import Instance


@dataclass
class Recorded:
    """A run of some bundles, all of which are in storage; the first of them is done."""

    services: Instance
    record: RunRecord
    contents: list[bytes]
    blobs: list[Blob] = field(init=False)

    def __post_init__(self) -> None:
        """Name its blobs."""
        self.blobs = [Blob(hashlib.sha256(content).hexdigest(), len(content)) for content in self.contents]

    @property
    def id(self) -> str:
        """Give its id."""
        return self.record.id

    def jobs(self) -> list[str]:
        """Name its jobs."""
        return [names.job(self.id, number) for number in range(self.record.job + 1)]

    def written(self, journal: Journal) -> None:
        """Write it down."""
        items = tuple(Item(f"/in/{n}", f"{n}", len(content), 0) for n, content in enumerate(self.contents))
        bundles = tuple(Bundle(bundle_id(n), Kind.WHOLE, (item,)) for n, item in enumerate(items, 1))
        journal.begin(self.record, Plan(items, bundles, None))
        standings = {
            bundle.id: Standing(State.WAITING if n else State.DONE, blob, uploaded=True)
            for n, (bundle, blob) in enumerate(zip(bundles, self.blobs, strict=True))
        }
        journal.write(self.id, Changes(standings, books=Books(len(items), 1, 0)))
        journal.note_job(self.id, self.record.job, None)
        journal.enter(self.id, self.record.phase)

    def make_job(self, number: int = 0, *, uid: str | None = None) -> None:
        """Make a job of its name on the service, with its mark or another one."""
        metadata = [{"name": "fastbatch", "value": uid or self.record.uid}]
        body = {"id": names.job(self.id, number), "poolInfo": {"poolId": "none"}, "metadata": metadata}
        with self.services.client() as client:
            client.create_job(body)
            client.create_task(body["id"], {"id": "b1", "commandLine": "sleep 1000"})

    def make_data(self) -> None:
        """Store what it has in storage, and here."""
        with self.services.blobs() as blobs:
            results = blobs.create_container(results_container(self.id))
            results.upload_blob("b1/result", b"a result")
            bundles = blobs.get_container_client(BUNDLES)
            if not bundles.exists():
                bundles.create_container()
            for blob, content in zip(self.blobs, self.contents, strict=True):
                bundles.upload_blob(blob.digest, content, overwrite=True)
        folder = state.folder_of(self.id)
        folder.mkdir(parents=True)
        (folder / "b1").write_bytes(b"a result")

    def job_state(self, number: int = 0) -> str | None:
        """Tell how a job of it is; None if it is gone or going."""
        name = names.job(self.id, number)
        with self.services.client() as client:
            found = {job.id: job.state.value for job in client.list_jobs()}
        return None if found.get(name) == "deleting" else found.get(name)

    def stored(self) -> list[bytes]:
        """Give those of its bundles that are in storage."""
        with self.services.blobs() as blobs:
            found = set(blobs.get_container_client(BUNDLES).list_blob_names())
        return [content for blob, content in zip(self.blobs, self.contents, strict=True) if blob.digest in found]

    def has_results(self) -> bool:
        """Tell whether the container of its results is there."""
        with self.services.blobs() as blobs:
            return bool(blobs.get_container_client(results_container(self.id)).exists())


def recorded(services: Instance, account: Account, *contents: bytes, **more: Any) -> Recorded:
    """Give a run that is nowhere yet."""
    run = names.new_run("made")
    said: dict[str, Any] = {
        "place": Place.of(account),
        "settings": Settings(),
        "made": datetime.now(UTC),
        "books": Books(len(contents), 0, 0),
        "bytes": sum(map(len, contents)),
        "bundles": len(contents),
        "phase": Phase.GOING,
        **more,
    }
    return Recorded(services, RunRecord(id=run, uid=f"uid of {run}", **said), list(contents))


@contextmanager
def journal_in(folder: Path | None = None) -> Iterator[Journal]:
    """Have the journal of a state folder, or of this process's own."""
    with Journal.opened(None if folder is None else folder / "fastbatch" / "journal.db") as found:
        yield found
