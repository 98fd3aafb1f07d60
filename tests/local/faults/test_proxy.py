"""The storage's second port: what passes is passed as it is, and neither side can hurt the other."""

import os
import re
import time
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from fastbatch.local.instance.home import Home
from tests.local.faults import raw
from tests.local.faults.ordering import Faults
from tests.local.instances import Instance, eventually
from tests.local.speaking import connected, receive

CONTENT = os.urandom(100_000)


def batch_pid(instance: Instance) -> int:
    """Give the pid of the Batch service."""
    process = Home(instance.home).process("batch")
    assert process
    return process.identity.pid


def most_memory(pid: int) -> int:
    """Give how much memory a process has had at once, in bytes, since that was forgotten."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def open_files(pid: int) -> int:
    """Count the files that a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.fixture
def blob(container: ContainerClient, there: ContainerClient) -> raw.Address:
    """Have a blob, and its address where the plan has a say."""
    container.upload_blob("blob", CONTENT)
    return raw.address(there)


# --- who is heard ---


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "127.0.0.1", "localhost", "127.0.0.1:1", "127.0.0.1.evil.example:PORT", "a@127.0.0.1:PORT"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_a_request_for_another_host_is_refused(blob: raw.Address, host: str, method: str) -> None:
    """A web page that calls by a name of its own gets nothing, though its address is signed."""
    headers = {"Host": host.replace("PORT", str(blob.port)), "Content-Length": "3" if method == "PUT" else "0"}
    with connected(blob.port) as connection:
        connection.sendall(raw.head(blob, method, headers) + (b"abc" if method == "PUT" else b""))
        said = receive(connection, method)
    assert (said.status, said.headers["x-ms-error-code"]) == (400, "InvalidHeaderValue")
    assert b"this machine only" in said.body or method == "HEAD"


def test_this_machine_has_two_names(blob: raw.Address) -> None:
    """Both are heard."""
    for host in ("127.0.0.1", "localhost"):
        with connected(blob.port) as connection:
            connection.sendall(raw.head(blob, headers={"Host": f"{host}:{blob.port}"}))
            assert receive(connection).body == CONTENT


def test_only_a_path_is_a_target(blob: raw.Address) -> None:
    """It is nobody's proxy but the storage's."""
    for target in ("http://evil.example/", f"http://127.0.0.1:{blob.port}{blob.target}", "evil.example:443", "*"):
        with connected(blob.port) as connection:
            connection.sendall(raw.head(raw.Address(blob.port, target)))
            assert receive(connection).headers["x-ms-error-code"] == "InvalidUri"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_and_cut_off(blob: raw.Address, sent: bytes) -> None:
    """Nothing of it is passed on."""
    with connected(blob.port) as connection:
        connection.sendall(sent)
        said = receive(connection)
    assert (said.status, said.headers["x-ms-error-code"]) == (400, "InvalidInput")


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="only Linux tells who listens in a file")
def test_it_is_for_this_machine_only(blob: raw.Address) -> None:
    """It listens on loopback, and on no other address."""
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line]
    assert f"0100007F:{blob.port:04X}" in listening
    assert f"00000000:{blob.port:04X}" not in listening


# --- what passes ---


def test_a_connection_carries_one_request_after_the_other(there: ContainerClient) -> None:
    """Of any kind, and also where they are sent before they are asked for."""
    at = raw.address(there)
    with connected(at.port) as connection:
        connection.sendall(raw.head(at, "PUT", {"Content-Length": str(len(CONTENT))}) + CONTENT)
        assert receive(connection, "PUT").status == 201
        connection.sendall(raw.head(at, "HEAD"))
        assert receive(connection, "HEAD").headers["content-length"] == str(len(CONTENT))
        connection.sendall(raw.head(at, headers={"x-ms-range": "bytes=5-9"}))
        part = receive(connection)
        assert (part.status, part.body) == (206, CONTENT[5:10])
        connection.sendall(raw.head(raw.address(there, "", "restype=container&comp=list&")))
        assert b"<Name>blob</Name>" in receive(connection).body
        connection.sendall(raw.head(at, headers={"Connection": "close"}))
        assert receive(connection).body == CONTENT
        assert connection.recv(1) == b""


def test_a_client_may_ask_before_it_sends_a_body(faults: Faults, there: ContainerClient) -> None:
    """It is told to go on, or why not, and then it sends nothing."""
    at = raw.address(there)
    head = raw.head(at, "PUT", {"Content-Length": str(len(CONTENT)), "Expect": "100-continue"})
    with connected(at.port) as connection:
        connection.sendall(head)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(CONTENT)
        assert receive(connection, "PUT").status == 201
        faults.order({"operation": "storage.put_blob", "fault": "refuse"})
        connection.sendall(head)
        assert receive(connection, "PUT").status == 503
        assert connection.recv(1) == b""


def test_a_client_that_asks_first_can_be_dropped(faults: Faults, there: ContainerClient) -> None:
    """It is not told to go on."""
    at = raw.address(there)
    faults.order({"operation": "storage.put_blob", "fault": "dropBefore"})
    with connected(at.port) as connection:
        connection.sendall(raw.head(at, "PUT", {"Content-Length": "5", "Expect": "100-continue"}))
        assert connection.recv(1) == b""


def test_large_blobs_pass_in_little_memory(instance: Instance, there: ContainerClient) -> None:
    """However large they are."""
    pid = batch_pid(instance)
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = most_memory(pid)
    content = os.urandom(1 << 20) * 32
    there.upload_blob("large", content)
    assert there.download_blob("large").readall() == content
    assert most_memory(pid) - before < 12 << 20


# --- who leaves ---


def test_a_client_may_leave_in_mid_body(instance: Instance, faults: Faults, blob: raw.Address) -> None:
    """Of a request or of an answer; nothing is stored, and nothing stays open."""
    before = open_files(batch_pid(instance))
    new = raw.Address(blob.port, blob.target.replace("/blob?", "/new?"))
    faults.order({"operation": "storage.get_blob", "fault": "slow", "bytesPerSecond": 1_000_000})
    for _ in range(5):
        with connected(blob.port) as connection:
            connection.sendall(raw.head(new, "PUT", {"Content-Length": "100000"}) + CONTENT[:50_000])
        with connected(blob.port) as connection:
            connection.sendall(raw.head(blob))
            assert connection.recv(1) == b"H"
    eventually(lambda: open_files(batch_pid(instance)), lambda now: now <= before)
    faults.clear()
    with connected(blob.port) as connection:
        connection.sendall(raw.head(new))
        assert receive(connection).status == 404


def test_a_client_that_leaves_does_not_spoil_the_plan(faults: Faults, there: ContainerClient) -> None:
    """Its request was one, and others come after it."""
    at = raw.address(there)
    faults.order({"operation": "storage.put_blob", "fault": "refuse", "after": 1})
    with connected(at.port) as connection:
        connection.sendall(raw.head(at, "PUT", {"Content-Length": "10"}) + b"abc")
        eventually(faults.counts, lambda counts: counts == [(1, 0)])
    with connected(at.port) as connection:
        connection.sendall(raw.head(at, "PUT", {"Content-Length": "0"}))
        assert receive(connection, "PUT").status == 503
    with pytest.raises(ResourceNotFoundError):
        there.download_blob("blob")


def test_others_are_served_while_a_client_is_kept_waiting(faults: Faults, there: ContainerClient) -> None:
    """Nor does it matter that it leaves."""
    at = raw.address(there)
    faults.order({"operation": "storage.get_blob", "fault": "delay", "seconds": 100})
    start = time.monotonic()
    with connected(at.port) as waiting:
        waiting.sendall(raw.head(at))
        eventually(faults.counts, lambda counts: counts == [(1, 1)])
        assert list(there.list_blobs()) == []
    assert list(there.list_blobs()) == []
    assert time.monotonic() - start < 50
