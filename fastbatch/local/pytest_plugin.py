"""
Fixtures for tests of code that uses Azure Batch: real services on this machine, for the real SDKs.

Nothing is started unless a test asks for it. An installed fastbatch brings the fixtures into every pytest.
"""

import sys
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastbatch.local.testing import LocalBatch


@pytest.fixture(scope="session")
def local_batch_services(pytestconfig: pytest.Config) -> "Iterator[LocalBatch]":
    """Have a Batch service and a storage account for all tests; they are gone when the tests are."""
    from fastbatch.local import testing  # noqa: PLC0415 - whoever does not ask for the services should not wait for it

    with testing.running(partial(_say, pytestconfig)) as services:
        yield services


def _say(config: pytest.Config, text: str) -> None:
    """Tell who waits why it takes so long, now and not when a test has failed."""
    capturing = config.pluginmanager.getplugin("capturemanager")
    with capturing.global_and_fixture_disabled() if capturing else nullcontext():
        print(f"\n{text}", file=sys.stderr)  # noqa: T201 - it is for whoever waits


@pytest.fixture
def local_batch(local_batch_services: "LocalBatch") -> "Iterator[LocalBatch]":
    """Have the services for one test: without pools and jobs, without faults, and with the clock set right."""
    yield local_batch_services
    local_batch_services.reset()
