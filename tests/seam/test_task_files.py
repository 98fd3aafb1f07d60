"""The files of tasks and the blobs that they leave are read in pieces."""

from collections.abc import Iterator

import pytest

from fastbatch import Account
from fastbatch.azure.services import Services
from fastbatch.errors import Refused
from tests.counted import account_of
from tests.local import instances
from tests.local.instances import Instance, new_name
from tests.proxy import Rule, proxy
from tests.seam import using


@pytest.fixture(scope="module")
def job(services: Instance) -> Iterator[str]:
    """Have a job with a task that printed ten digits, on a pool with a node."""
    with services.client() as client, instances.pool(client) as pool, instances.job(client, pool) as name:
        client.create_task(name, {"id": "digits", "commandLine": "printf 0123456789"})
        instances.eventually(lambda: client.get_task(name, "digits").state, lambda state: state == "completed")
        yield name


def test_the_files_of_a_task_are_told_with_their_sizes(account: Account, job: str) -> None:
    """Folders are none."""
    sizes = using(account, lambda connected: connected.batch.task_files(job, "digits"))

    assert sizes == {"stdout.txt": 10, "stderr.txt": 0}


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (range(10), b"0123456789"),
        (range(3, 5), b"34"),
        (range(8, 100), b"89"),
        (range(10, 20), b""),
        (range(1000, 2000), b""),
    ],
    ids=str,
)
def test_a_part_of_a_file_is_what_there_is_of_it(account: Account, job: str, span: range, expected: bytes) -> None:
    """Also behind its end, as it may have become shorter."""
    assert using(account, lambda connected: connected.batch.task_file(job, "digits", "stdout.txt", span)) == expected


def test_a_part_is_asked_for_again_where_its_answer_was_lost(services: Instance, job: str) -> None:
    """As with all that is asked."""
    with proxy(services.endpoint) as batch:
        batch.rules.append(Rule("GET", "/files/stdout.txt", drop="after"))
        account = account_of(services, batch_endpoint=batch.url)
        found = using(account, lambda connected: connected.batch.task_file(job, "digits", "stdout.txt", range(5)))
    assert found == b"01234"


def test_files_of_no_task_are_refused_as_not_found(account: Account, job: str) -> None:
    """With a code that says what there is not."""

    async def scene(connected: Services) -> None:
        await connected.batch.task_files(job, "none")

    with pytest.raises(Refused) as caught:
        using(account, scene)
    assert (caught.value.not_found, caught.value.code) == (True, "TaskNotFound")


def test_a_part_of_a_blob_is_what_there_is_of_it(account: Account) -> None:
    """Nothing of one that is not there."""
    container = new_name("parts")

    async def scene(connected: Services) -> list[bytes]:
        await connected.storage.make_container(container)
        blobs = connected.storage.blobs
        await blobs.put(container, "a", b"0123456789")
        spans = [range(10), range(3, 5), range(8, 100), range(10, 20)]
        found = [await blobs.piece(container, "a", span) for span in spans]
        found.append(await blobs.piece(container, "b", range(10)))
        await connected.storage.delete_container(container)
        return found

    assert using(account, scene) == [b"0123456789", b"34", b"89", b"", b""]
