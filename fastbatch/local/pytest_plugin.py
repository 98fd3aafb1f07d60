"""
Fixtures for tests of code that uses Azure Batch: real services on this machine, for the real SDKs.

Nothing is started unless a test asks for it. An installed fastbatch brings the fixtures into every pytest.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastbatch.local.testing import LocalBatch


@pytest.fixture(scope="session")
def local_batch_services() -> "Iterator[LocalBatch]":
    """Have a Batch service and a storage account for all tests; they are gone when the tests are."""
    from fastbatch.local import testing  # noqa: PLC0415 - whoever does not ask for the services should not wait for it

    with testing.running() as services:
        yield services


@pytest.fixture
def local_batch(local_batch_services: "LocalBatch") -> "Iterator[LocalBatch]":
    """Have the services for one test: without pools and jobs, without faults, and with the clock set right."""
    yield local_batch_services
    local_batch_services.reset()
