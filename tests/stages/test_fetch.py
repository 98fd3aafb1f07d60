"""Results come here, sound, and failed tasks are heard."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

import anyio
import pytest
from anyio import CapacityLimiter
from azure.storage.blob import ContainerClient

from fastbatch import Account
from fastbatch.azure.services import Services
from fastbatch.books.facts import Collected, Explain, Fact, Fetch, Unsound
from fastbatch.budget import ByteBudget
from fastbatch.capacity import Capacity
from fastbatch.errors import OutputFailed, Refused, ResultUnsound
from fastbatch.events import Event, TaskFailed
from fastbatch.groups import together
from fastbatch.model import Blob, Bundle, Ending, Kind, Task
from fastbatch.stages.fetch import Explainer, Fetcher
from tests.counted import account_of
from tests.local.instances import Instance, new_name
from tests.proxy import Rule, proxy
from tests.seam import using

BUNDLE = Bundle("b00001", Kind.TAR, ())


class Reading:
    """A workload whose results say whether they are sound."""

    divisible = True

    def command_line(self, bundle: Bundle, blob: Blob) -> str:
        """Run nothing."""
        return f"{bundle} {blob}"

    def collect(self, path: str, bundle: Bundle, skipped: AbstractSet[str]) -> None:
        """Verify a result."""
        content = Path(path).read_bytes()
        if not content.startswith(b"sound"):
            raise ResultUnsound(f"the result of {bundle.id} without {len(skipped)} is {content[:5].decode()}")


@pytest.fixture
def run(services: Instance) -> Iterator[str]:
    """Have the results container of a run."""
    name = new_name("run")
    container = services.blobs().create_container(f"fastbatch-out-{name}")
    yield name
    container.delete_container()


@pytest.fixture
def results(services: Instance, run: str) -> ContainerClient:
    """Give that container."""
    return services.blobs().get_container_client(f"fastbatch-out-{run}")


def fetched(account: Account, run: str, folder: Path, *tasks: Task) -> list[Fact]:
    """Fetch the results of tasks, two at a time."""
    facts: list[Fact] = []
    budget = ByteBudget(64 << 20)

    async def scene(services: Services) -> None:
        capacity = Capacity(CapacityLimiter(2), budget)
        fetcher = Fetcher(services.storage, run, str(folder), Reading(), capacity=capacity)
        into, out = anyio.create_memory_object_stream[Fetch](len(tasks))
        for task in tasks:
            into.send_nowait(Fetch(task, BUNDLE, frozenset({"lost"})))
        into.close()
        with out:
            await together([lambda: fetcher.work(out, facts.append)] * 2)

    try:
        using(account, scene)
    finally:
        assert budget.held == 0
    return facts


def test_results_are_brought_here_and_verified(
    account: Account, run: str, results: ContainerClient, tmp_path: Path
) -> None:
    """One that is missing or damaged is told with the reason, and is no end of the run."""
    results.upload_blob("b00001/result", b"sound" * 100_000)
    results.upload_blob("b00002-r1/result", b"rotten")
    facts = fetched(account, run, tmp_path, Task("b00001"), Task("b00002", 1), Task("b00003"))

    assert set(facts) == {
        Collected(Task("b00001")),
        Unsound(Task("b00002", 1), "the result of b00001 without 1 is rotte"),
        Unsound(Task("b00003"), "the task ended well, but its result is not in storage"),
    }
    assert (tmp_path / "b00001.result").read_bytes() == b"sound" * 100_000


def test_a_result_that_breaks_off_is_fetched_again(
    services: Instance, run: str, results: ContainerClient, tmp_path: Path
) -> None:
    """From its start."""
    results.upload_blob("b00001/result", b"sound and whole")
    with proxy(account_of(services).storage_endpoint) as storage:
        storage.rules.append(Rule("GET", "/result", drop="after"))
        account = account_of(services, storage_endpoint=storage.url)
        assert fetched(account, run, tmp_path, Task("b00001")) == [Collected(Task("b00001"))]
    assert (tmp_path / "b00001.result").read_bytes() == b"sound and whole"


def test_a_folder_that_takes_no_results_ends_the_run(
    account: Account, run: str, results: ContainerClient, tmp_path: Path
) -> None:
    """It says which, and what to do."""
    results.upload_blob("b00001/result", b"sound")
    with pytest.raises(OutputFailed, match=r"nowhere.*Make room"):
        fetched(account, run, tmp_path / "nowhere", Task("b00001"))


def test_a_result_that_storage_refuses_ends_the_run(services: Instance, run: str, tmp_path: Path) -> None:
    """As it would refuse the others too."""
    with proxy(account_of(services).storage_endpoint) as storage:
        storage.rules.append(Rule("GET", "/result", refuse=(400, {"x-ms-error-code": "InvalidInput"}, b"")))
        account = account_of(services, storage_endpoint=storage.url)
        with pytest.raises(Refused, match="InvalidInput"):
            fetched(account, run, tmp_path, Task("b00001"))


def explained(account: Account, run: str) -> list[Event]:
    """Explain how a task failed."""
    events: list[Event] = []

    async def scene(services: Services) -> None:
        explainer = Explainer(services.batch, services.storage, run, events.append)
        into, out = anyio.create_memory_object_stream[Explain](1)
        ending = Ending(Task("b00001", 1), succeeded=False, exit_code=3)
        into.send_nowait(Explain(ending, "the reason", retried=True))
        into.close()
        with out:
            await explainer.work(out)

    using(account, scene)
    return events


def test_a_failed_task_is_told_with_the_end_of_what_it_wrote(
    account: Account, run: str, results: ContainerClient
) -> None:
    """Whatever bytes these are, and no more than the end."""
    results.upload_blob("b00001-r1/stderr.txt", b"old " * 10_000 + b"\xff last words\n")
    (event,) = explained(account, run)
    assert isinstance(event, TaskFailed)
    assert (event.task, event.reason, event.retried, event.exit_code) == ("b00001-r1", "the reason", True, 3)
    assert event.stderr.endswith("old \ufffd last words")
    assert len(event.stderr) <= 2048


def test_a_failed_task_that_wrote_nothing_and_ran_nowhere_is_told_too(account: Account, run: str) -> None:
    """With what there is."""
    (event,) = explained(account, run)
    assert isinstance(event, TaskFailed)
    assert (event.node, event.stderr) == (None, "")


@pytest.mark.parametrize("path", ["/stderr.txt", "/tasks/"])
def test_an_explanation_that_can_not_be_had_does_not_end_the_run(services: Instance, run: str, path: str) -> None:
    """A failure is data, and so is not knowing more of it."""
    refused: tuple[int, dict[str, str], bytes] = (
        400,
        {"x-ms-error-code": "X"},
        b'{"code":"X","message":{"value":"x"}}',
    )
    storage_endpoint = account_of(services).storage_endpoint
    with proxy(storage_endpoint) as storage, proxy(services.endpoint) as batch:
        storage.rules.append(Rule("HEAD", path, refuse=refused))
        batch.rules.append(Rule("GET", path, refuse=refused))
        account = account_of(services, storage_endpoint=storage.url, batch_endpoint=batch.url)
        (event,) = explained(account, run)
    assert isinstance(event, TaskFailed)
    assert event.reason == "the reason"
