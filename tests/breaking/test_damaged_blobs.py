"""Runs whose blobs are damaged or deleted on the way."""

from collections.abc import Callable, Iterator

import pytest
from azure.storage.blob import BlobClient

from tests.breaking.trial import Trial
from tests.local.instances import Instance
from tests.proxy import Rule

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]


def _deleted(blob: BlobClient) -> None:
    blob.delete_blob()


def _cut_off(blob: BlobClient) -> None:
    blob.upload_blob(blob.download_blob().readall()[:-100], overwrite=True)


def _altered(blob: BlobClient) -> None:
    content = bytearray(blob.download_blob().readall())
    content[len(content) // 2] ^= 1
    blob.upload_blob(bytes(content), overwrite=True)


BEFALLS = [_deleted, _cut_off, _altered]


@pytest.mark.parametrize("befalls", BEFALLS)
def test_bundles_that_are_spoilt_between_upload_and_use_are_uploaded_again(
    trial: Trial, befalls: Callable[[BlobClient], None]
) -> None:
    """The run sees to it by itself."""
    spoil(trial, "fastbatch-input", befalls)


@pytest.fixture
def _sound_program(breakable: Instance) -> Iterator[None]:
    """Have no program in storage afterwards, so that the next run puts a sound one there."""
    yield
    with breakable.blobs() as service:
        service.delete_container("fastbatch-app")


@pytest.mark.usefixtures("_sound_program")
@pytest.mark.parametrize("befalls", BEFALLS)
def test_the_program_that_is_spoilt_is_uploaded_again(trial: Trial, befalls: Callable[[BlobClient], None]) -> None:
    """What it did wrong looks like what a program says no to, so it is tried again only if that is asked for."""
    spoil(trial, "fastbatch-app", befalls, "--failed")


def spoil(trial: Trial, container: str, befalls: Callable[[BlobClient], None], *more: str) -> None:
    """Spoil all blobs of a container when the first tasks are submitted, and see that the run comes to its end."""

    def befall() -> None:
        with trial.runner.services.blobs() as service, service.get_container_client(container) as there:
            for name in list(there.list_blob_names()):
                befalls(there.get_blob_client(name))

    trial.batch.rules.append(Rule("POST", "/addtaskcollection", then=befall))
    trial.ends(trial.run(), *more)
    trial.assert_whole()


@pytest.mark.parametrize("befalls", BEFALLS)
def test_results_that_are_spoilt_before_they_are_fetched_are_made_again(
    trial: Trial, befalls: Callable[[BlobClient], None]
) -> None:
    """A task that ended well is not done until its result is here."""

    def befall() -> None:
        with trial.runner.services.blobs() as service:
            names = [each.name for each in service.list_containers("fastbatch-out-")]
            for there in map(service.get_container_client, names):
                for name in list(there.list_blob_names()):
                    befalls(there.get_blob_client(name))

    trial.storage.rules.append(Rule("GET", "/result", then=befall))
    trial.ends(trial.run())
    trial.assert_whole()


def test_the_results_container_that_is_deleted_is_made_again(trial: Trial) -> None:
    """All that was in it is made again, too."""

    def befall() -> None:
        with trial.runner.services.blobs() as service:
            for each in service.list_containers("fastbatch-out-"):
                service.delete_container(each.name)

    trial.storage.rules.append(Rule("GET", "/result", then=befall))
    trial.ends(trial.run("--task-retries", "1"))
    trial.assert_whole()
