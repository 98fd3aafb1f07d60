"""The account and the pool that the questions are put to."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient

from tests.probes.storage import Container

_VARIABLES = ("AZURE_BATCH_ACCOUNT", "AZURE_BATCH_ACCESS_KEY", "AZURE_BATCH_ENDPOINT")
_POOL = "FASTBATCH_PROBE_POOL"
_STORAGE = "AZURE_STORAGE_CONNECTION_STRING"
_SECONDS = 600.0


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """Have a client of the account that the environment names."""
    missing = [name for name in (*_VARIABLES, _POOL) if not os.environ.get(name)]
    if missing:
        pytest.skip(f"a question to the real service: set {', '.join(missing)}")
    account, key, endpoint = (os.environ[name] for name in _VARIABLES)
    with BatchClient(endpoint, AzureNamedKeyCredential(account, key), use_env_settings=False) as connected:
        yield connected


@pytest.fixture
def make_job(client: Any) -> Iterator[Callable[..., str]]:
    """Give a way to make jobs that are removed in the end."""
    made: list[str] = []

    def make(**more: Any) -> str:
        name = f"probe-{uuid.uuid4().hex[:12]}"
        client.create_job({"id": name, "poolInfo": {"poolId": os.environ[_POOL]}, **more})
        made.append(name)
        return name

    yield make
    for name in made:
        client.begin_delete_job(name, polling_interval=3600)


@pytest.fixture
def run(client: Any, make_job: Callable[..., str]) -> Callable[..., Any]:
    """Give a way to run one task to its end, and to see it then."""

    def run_to_end(command_line: str, **more: Any) -> Any:
        job = make_job()
        client.create_task(job, {"id": "probe", "commandLine": command_line, **more})
        deadline = time.monotonic() + _SECONDS
        while (task := client.get_task(job, "probe")).state != "completed":
            assert time.monotonic() < deadline, "the task did not end; has the pool an idle node?"
            time.sleep(0.1)
        return task.as_dict() | {"job": job}

    return run_to_end


@pytest.fixture
def container() -> Iterator[Container]:
    """Have a container of the storage account that the environment names."""
    if not os.environ.get(_STORAGE):
        pytest.skip(f"a question to the real service: set {_STORAGE}")
    with BlobServiceClient.from_connection_string(os.environ[_STORAGE]) as service:
        client = service.create_container(f"probe-{uuid.uuid4().hex[:12]}")
        yield Container(client)
        client.delete_container()
