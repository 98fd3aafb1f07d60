"""The jobs of a run, on the local services: one takes its tasks, and when that takes no more, another."""

import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from fastbatch import Account, Settings
from fastbatch.azure.services import Services
from fastbatch.errors import NotOurs
from fastbatch.journal.records import RunRecord
from fastbatch.journal.store import Journal
from fastbatch.model import Books, Plan
from fastbatch.order import Order
from fastbatch.place import Place
from fastbatch.running import opening
from fastbatch.running.manners import Manners
from fastbatch.stages import describe
from fastbatch.stages.jobs import Jobs, OpenJob
from fastbatch.stages.site import Site
from fastbatch.stages.survey import Survey, survey
from fastbatch.stopwatch import Stopwatch
from fastbatch.workload import Counting
from tests.counted import POOL, Seen, account_of
from tests.local.instances import Instance, eventually, new_name
from tests.proxy import Rule, proxy
from tests.seam import using

UID = str(uuid.UUID(int=7))
SETTINGS = Settings(pool=POOL)


async def _yes(question: str, *, expected: bool) -> bool:
    del question
    return expected


@dataclass
class Scene:
    """A run that is in the journal, and nowhere else yet."""

    run: str
    account: Account
    folder: Path

    def order(self, job: int = 0) -> Order:
        """Give what is to be run, whose newest job has a number."""
        return Order(
            run=self.run,
            uid=UID,
            job=job,
            made_pool=False,
            plan=Plan((), (), None),
            settings=SETTINGS,
            workload=Counting(10, ignore_case=False),
            folder=str(self.folder),
        )

    def play(self, scene: Callable[[Site], Awaitable[Any]], *, job: int = 0, account: Account | None = None) -> Any:
        """Play a scene with what the run has on the services."""
        manners = Manners(Seen(), _yes, Stopwatch())

        async def whole(services: Services) -> Any:
            with Journal.opened() as journal:
                return await scene(opening.site_of(self.order(job), services, manners, journal))

        return using(account or self.account, whole, settings=SETTINGS)

    def record(self) -> RunRecord:
        """Give what the journal has of it."""
        with Journal.opened() as journal:
            return journal.record(self.run)


@pytest.fixture
def scene(account: Account, services: Instance, tmp_path: Path) -> Iterator[Scene]:
    """Have a run; its jobs are deleted afterwards."""
    run = new_name("jobs")
    record = RunRecord(run, UID, datetime.now(UTC), Place.of(account), SETTINGS, Books(0, 0, 0), bytes=0, bundles=0)
    with Journal.opened() as journal:
        journal.begin(record, Plan((), (), None))
    yield Scene(run, account, tmp_path)
    with services.client() as client:
        for job in list(client.list_jobs()):
            if job.id.startswith(run) and job.state != "deleting":
                client.begin_delete_job(job.id, polling_interval=3600)


def put(client: Any, job: str, uid: str = UID, **more: Any) -> None:
    """Make a job, as the run with an id does, or somebody else."""
    client.create_job({**describe.job(job, uid, POOL, 3600.0), **more})


async def opened(site: Site) -> OpenJob:
    """Give the job that takes tasks."""
    await site.ground.find_pool()
    return await site.jobs.current()


def test_a_job_is_noted_before_it_is_made(scene: Scene, services: Instance) -> None:
    """And until when its tasks may read and write, before there is one."""
    number = scene.play(opened).number
    record = scene.record()

    assert (number, record.job) == (0, 0)
    assert record.signed_until is not None
    assert record.signed_until > datetime.now(UTC)
    with services.client() as client:
        assert client.get_job(scene.run).state == "active"


def test_a_job_whose_answer_was_lost_is_ours(scene: Scene, services: Instance) -> None:
    """It is not made again."""
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("POST", "/jobs\\?", drop="after"))
        scene.play(lambda site: site.jobs.make(), account=account_of(services, batch_endpoint=batch.url))
        assert batch.count("POST", "/jobs\\?") == 2


def test_a_job_of_somebody_else_is_not_taken(scene: Scene, services: Instance) -> None:
    """Neither when ours is made, nor when it is looked for."""
    with services.client() as client:
        put(client, scene.run, uid="somebody")
    with pytest.raises(NotOurs, match=f"job {scene.run} that this run did not make"):
        scene.play(lambda site: site.jobs.make())
    with pytest.raises(NotOurs, match="Delete it, or run the inputs anew"):
        scene.play(looked_for)


async def looked_for(site: Site) -> tuple[bool, int]:
    """Look for the newest job of a run that had tasks; tell whether they run, and which job is the newest then."""
    found = await site.services.batch.job(site.jobs.id)
    return site.jobs.find(found, used=True), site.jobs.number


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("active", (True, 0)),
        ("disabled", (True, 0)),
        ("completed", (False, 1)),
        ("not there", (False, 1)),
    ],
)
def test_tasks_run_in_a_job_that_is_not_over(
    scene: Scene, services: Instance, state: str, expected: tuple[bool, int]
) -> None:
    """One that is over, or gone, has a successor."""
    with services.client() as client:
        if state != "not there":
            put(client, scene.run)
        if state == "disabled":
            client.begin_disable_job(scene.run, {"disableTasks": "requeue"}, polling_interval=3600)
        if state == "completed":
            client.begin_terminate_job(scene.run, options={"terminateReason": "over"}, polling_interval=3600)
        if state in {"disabled", "completed"}:
            eventually(lambda: client.get_job(scene.run).state, lambda found: found == state)

    assert scene.play(looked_for) == expected


def test_a_job_that_was_never_made_has_no_successor(scene: Scene) -> None:
    """As the run was broken off before that: it is made now."""

    async def look(site: Site) -> tuple[bool, int]:
        return site.jobs.find(None, used=False), site.jobs.number

    assert scene.play(look) == (False, 0)


def test_several_who_find_a_job_over_have_one_successor(scene: Scene, services: Instance) -> None:
    """Whoever comes first makes it."""

    async def all_at_once(site: Site) -> list[OpenJob | None]:
        first, found = await opened(site), list[OpenJob | None]()

        async def one(jobs: Jobs) -> None:
            found.append(await jobs.after(first))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(one, site.jobs)
        return found

    found = scene.play(all_at_once)
    assert {job.id for job in found} == {f"{scene.run}-a1"}
    assert scene.record().job == 1
    with services.client() as client:
        assert {job.id for job in client.list_jobs() if job.id.startswith(scene.run)} == {
            scene.run,
            f"{scene.run}-a1",
        }


def test_what_waits_in_a_job_that_goes_on_is_signed_as_before(scene: Scene) -> None:
    """So the earlier end is the one that counts for all of it."""
    early = datetime(2099, 1, 1, tzinfo=UTC).replace(year=datetime.now(UTC).year, month=1, day=1)

    async def go_on(site: Site) -> None:
        site.jobs.find(describe.job(scene.run, UID, POOL, 60.0) | {"state": "active"}, used=True)
        site.jobs.signed_until = early
        await opened(site)

    scene.play(go_on)
    assert scene.record().signed_until == early


# --- what there is of a run -------------------------------------------------------------------------------------------


def surveyed(scene: Scene, jobs: int) -> Survey:
    """Survey a run that has had so many jobs."""
    found: Survey = scene.play(lambda site: survey(site.services.batch, scene.run, jobs))
    return found


def test_a_run_without_jobs_has_nothing(scene: Scene) -> None:
    """That is no error."""
    assert surveyed(scene, 3) == Survey((), {})


def test_tasks_of_all_jobs_are_seen_as_they_are(scene: Scene, services: Instance) -> None:
    """Those that wait, and those that ended, with how; of a job that is gone there is nothing."""
    with services.client() as client:
        put(client, scene.run)
        put(client, f"{scene.run}-a2")
        client.create_task(scene.run, {"id": "b00001", "commandLine": "/bin/true"})
        client.create_task(scene.run, {"id": "b00002", "commandLine": "/bin/true"})
        client.create_task(f"{scene.run}-a2", {"id": "b00002-r1", "commandLine": "/bin/true"})
        client.begin_terminate_job(scene.run, options={"terminateReason": "over"}, polling_interval=3600)
        eventually(lambda: client.get_job(scene.run).state, lambda state: state == "completed")
        found = surveyed(scene, 3)
        known = {(one.task.id, one.job): one.ending for one in found.sightings}

        assert known.keys() == {("b00001", 0), ("b00002", 0), ("b00002-r1", 2)}
        ending = known["b00001", 0]
        assert ending is not None
        assert ending.job == 0
        assert found.until.keys() == {0, 2}
        assert isinstance(found.until[0], datetime)
