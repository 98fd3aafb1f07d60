"""Where the storage is once more: known before anything is asked, and the same again after a new start."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from azure.storage.blob import BlobServiceClient

from fastbatch.local.errors import Unavailable
from fastbatch.local.instance import asking, lifecycle
from fastbatch.local.instance.home import Home
from fastbatch.local.processes import Identity, identify
from fastbatch.local.service.limits import Limits
from tests.local.instances import Instance, eventually


def up(home: Home, owner: Identity) -> int:
    """Start what does not run, and give the port."""
    lifecycle.up(home, lifecycle.Ports(), Limits(), lambda _text: None, owner)
    with BlobServiceClient.from_connection_string(asking.storage_with_faults(home), retry_total=0) as client:
        assert list(client.list_containers()) == []
        port = urlsplit(client.url).port
    assert port
    return port


def end(home: Home, name: str) -> None:
    """End a service."""
    process = home.process(name)
    assert process
    os.kill(process.identity.pid, signal.SIGTERM)
    eventually(lambda: process.runs, lambda runs: not runs)


@pytest.fixture
def owned(tmp_path: Path) -> Iterator[tuple[Home, Identity]]:
    """Have a home, and us as its owner."""
    home, owner = Home(tmp_path / "home"), identify(os.getpid())
    assert owner
    yield home, owner
    lifecycle.down(home)


def test_the_port_is_the_same_after_a_new_start(owned: tuple[Home, Identity]) -> None:
    """And what is there is found."""
    first = up(*owned)
    end(owned[0], "batch")
    assert up(*owned) == first


@pytest.mark.slow
def test_the_port_is_another_if_that_was_taken(owned: tuple[Home, Identity]) -> None:
    """Nobody asked for this one; and a storage that is started anew is found."""
    first = up(*owned)
    end(owned[0], "storage")
    assert up(*owned) == first
    end(owned[0], "batch")
    with socket.create_server(("127.0.0.1", first)):
        assert up(*owned) != first


def test_the_storage_itself_stays_where_clients_look_for_it(instance: Instance) -> None:
    """What is in the environment has no faults."""
    faulty = asking.storage_with_faults(Home(instance.home))
    assert faulty != instance.connection_string
    assert [part for part in faulty.split(";") if "BlobEndpoint" not in part] == [
        part for part in instance.connection_string.split(";") if "BlobEndpoint" not in part
    ]


def test_services_that_were_never_started_have_no_port(tmp_path: Path) -> None:
    """It is told how to start them."""
    home = Home(tmp_path / "home")
    with home.locked(create=True):
        home.make_keys()
    with pytest.raises(Unavailable, match=r"never started, or by an older version"):
        asking.storage_with_faults(home)
    with pytest.raises(Unavailable, match=r"was never started\. Start it: fastbatch local up"):
        home.storage_port()
