"""What a run makes on the services, written down in the journal."""

from dataclasses import dataclass
from datetime import datetime

from anyio import to_thread

from fastbatch.journal.store import Journal


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes of one run."""

    journal: Journal
    run: str

    async def job(self, number: int, signed_until: datetime | None) -> None:
        """Note the newest job, before it is made, and until when all its tasks may read and write."""
        await to_thread.run_sync(self.journal.note_job, self.run, number, signed_until)

    async def made_pool(self) -> None:
        """Note that the run made its pool."""
        await to_thread.run_sync(self.journal.note_pool_made, self.run)
