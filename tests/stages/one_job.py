"""The job of a run that never has another."""

from collections.abc import Callable

from fastbatch.books.facts import Submit
from fastbatch.chunks import Described
from fastbatch.stages.jobs import OpenJob


class OneJob:
    """The only job that takes tasks."""

    def __init__(self, name: str, describe: Callable[[Submit], Described]) -> None:
        self._job = OpenJob(0, name, describe, ends_by_itself=False)

    async def current(self) -> OpenJob:
        """Give it."""
        return self._job

    async def after(self, job: OpenJob) -> OpenJob:
        """Know of no other."""
        raise AssertionError(f"{job.id} was to take all")
