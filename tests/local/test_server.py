"""The service's connections: whom it hears, what it reads, and how it answers, byte by byte."""

import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastbatch.local.instance.home import Home
from fastbatch.local.server.reading import LARGEST_BODY
from tests.local import instances, speaking
from tests.local.instances import Instance, eventually
from tests.local.speaking import at, is_closed, receive, send, signed, talk, written

JOBS = at("/jobs")


def job_of_size(size: int) -> bytes:
    """Give the body of a job, filled up to a size with what JSON passes over."""
    body = json.dumps({"id": instances.new_name("job"), "poolInfo": {"poolId": "none"}}).encode()
    return body + b" " * (size - len(body))


def foreign(instance: Instance) -> list[str]:
    """Give what a Host header says when a request is for somebody else."""
    host, port = speaking.place(instance)
    return [
        "",
        "evil.example",
        f"evil.example:{port}",
        f"127.0.0.1.evil.example:{port}",
        f"{host}:{port}.evil.example",
        f"localhost.:{port}",
        f"a@{host}:{port}",
        host,
        "localhost",
        f"{host}:{port + 1}",
        f"0.0.0.0:{port}",
        f"127.0.0.2:{port}",
        f"2130706433:{port}",
        "\udcff",
    ]


def test_a_request_for_another_host_is_refused_before_all_else(instance: Instance) -> None:
    """A web page that calls us by a name of its own gets nothing, signed or not, whatever it asks for."""
    for host in foreign(instance):
        for headers in ({}, signed(instance, "GET", at("/pools"))):
            said = send(instance, "GET", at("/pools"), b"", {**headers, "host": host})
            assert said.refusal == (400, "InvalidHeaderValue")
            assert said.values == {"HeaderName": "Host"}
            assert host == "" or host not in said.body.decode() or host in {"127.0.0.1", "localhost"}
        assert send(instance, "GET", "http://evil.example/", b"", {"host": host}).refusal[1] == "InvalidHeaderValue"


def test_this_machine_has_two_names(instance: Instance) -> None:
    """Each is told back in the addresses of answers."""
    _, port = speaking.place(instance)
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        said = send(instance, "GET", at("/pools"), b"", {**signed(instance, "GET", at("/pools")), "host": host})
        assert said.json["odata.metadata"] == f"http://{host}/$metadata#pools"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /pools HTTP/1.1\r\n\r\n",
        b"GET /pools HTTP/1.0\r\n\r\n",
        b"GET /pools HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil\r\n\r\n",
        b"GET /pools\r\n\r\n",
        b"get /pools HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /pools HTTP/9.1\r\nHost: a\r\n\r\n",
        b"GET /p\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /p\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(16) + b"\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_and_cut_off(instance: Instance, head: bytes) -> None:
    """With HTTP's own 400; a request that names no host is none."""
    with talk(instance) as connection:
        connection.sendall(head)
        said = receive(connection)
        assert said.status == 400
        assert said.headers.get("Connection", "close") == "close"
        assert is_closed(connection)


@pytest.mark.parametrize("target", ["http://HOST/pools", "http://evil/pools", "HOST", "*", "pools", "ftp://x"])
def test_only_a_path_is_a_target(instance: Instance, target: str) -> None:
    """We are nobody's proxy."""
    target = target.replace("HOST", "{}:{}".format(*speaking.place(instance)))
    with talk(instance) as connection:
        connection.sendall(written(instance, "GET", target, {}))
        said = receive(connection)
    assert said.status == 400
    if b"odata" in said.body:
        assert said.json["code"] == "InvalidUri"


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="only Linux tells who listens in a file")
def test_the_service_is_for_this_machine_only(instance: Instance) -> None:
    """It listens on loopback, and on no other address."""
    _, port = speaking.place(instance)
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line]
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening
    assert not any(line.split()[1].endswith(f":{port:04X}") for line in Path("/proc/net/tcp6").read_text().splitlines())


def test_a_web_page_may_not_call(instance: Instance) -> None:
    """A browser that asks first gets no leave, and nor does one that only asks."""
    asking = {
        "origin": "http://evil.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
        "access-control-request-private-network": "true",
    }
    for said in (
        send(instance, "OPTIONS", at("/pools"), b"", asking),
        send(instance, "OPTIONS", at("/pools"), b"", {**signed(instance, "OPTIONS", at("/pools")), **asking}),
        send(instance, "GET", at("/pools"), b"", {**signed(instance, "GET", at("/pools")), **asking}),
    ):
        assert not any(name.lower().startswith("access-control-") for name in said.headers)
        assert said.status != 204
    assert send(instance, "OPTIONS", at("/pools"), b"", asking).status == 400


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 2 * LARGEST_BODY, 10**12, 10**18])
def test_a_body_that_is_too_large_is_not_read(instance: Instance, size: int) -> None:
    """The answer comes though not a byte of the body does, and nothing after it is taken for a request."""
    with talk(instance) as connection:
        connection.sendall(written(instance, "POST", JOBS, signed(instance, "POST", JOBS, length=size)))
        said = receive(connection)
        assert said.refusal == (413, "RequestBodyTooLarge")
        assert said.values == {"MaxLimit": "1048576"}
        assert said.headers["Connection"] == "close"
        connection.shutdown(socket.SHUT_WR)
        assert is_closed(connection)


def test_the_largest_body_is_read(instance: Instance, client: Any) -> None:
    """To its last byte."""
    body = job_of_size(LARGEST_BODY)
    assert len(body) == 1_048_576
    assert speaking.ask(instance, "POST", JOBS, body).status == 201
    client.begin_delete_job(json.loads(body)["id"], polling_interval=3600)
    assert speaking.ask(instance, "POST", JOBS, body + b" ").refusal == (413, "RequestBodyTooLarge")


def test_a_body_of_unknown_length_is_refused(instance: Instance) -> None:
    """Whoever sends chunks does not say how much will come."""
    headers = {**signed(instance, "POST", JOBS), "transfer-encoding": "chunked"}
    with talk(instance) as connection:
        connection.sendall(written(instance, "POST", JOBS, headers))
        said = receive(connection)
        assert said.refusal == (411, "MissingContentLengthHeader")
        assert said.headers["Connection"] == "close"
    assert send(instance, "POST", JOBS, b"", signed(instance, "POST", JOBS)).refusal[0] == 411


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity", "x"])
def test_a_compressed_body_is_refused(instance: Instance, encoding: str) -> None:
    """A small body that becomes a large one never gets the chance."""
    headers = signed(instance, "POST", JOBS, {"content-encoding": encoding}, length=1 << 20)
    with talk(instance) as connection:
        connection.sendall(written(instance, "POST", JOBS, headers))
        said = receive(connection)
    assert said.refusal == (400, "InvalidHeaderValue")
    assert said.values == {"HeaderName": "Content-Encoding"}


def test_a_client_may_ask_before_it_sends_a_body(instance: Instance, client: Any) -> None:
    """It is told to go on, or why not."""
    body = job_of_size(200)
    for length, first in ((len(body), b"HTTP/1.1 100 Continue\r\n\r\n"), (LARGEST_BODY + 1, b"HTTP/1.1 413 ")):
        headers = signed(instance, "POST", JOBS, {"expect": "100-continue"}, length=length)
        with talk(instance) as connection:
            connection.sendall(written(instance, "POST", JOBS, headers))
            assert connection.recv(len(first)) == first
            if length == len(body):
                connection.sendall(body)
                assert receive(connection).status == 201
    client.begin_delete_job(json.loads(body)["id"], polling_interval=3600)


def test_a_body_may_come_slowly(instance: Instance, client: Any) -> None:
    """Others are served meanwhile."""
    body = job_of_size(200)
    with talk(instance) as connection:
        head = written(instance, "POST", JOBS, signed(instance, "POST", JOBS, length=len(body)))
        for byte in head + body[:-1]:
            connection.sendall(bytes([byte]))
        assert speaking.ask(instance, "GET", JOBS).status == 200
        connection.sendall(body[-1:])
        assert receive(connection).status == 201
    client.begin_delete_job(json.loads(body)["id"], polling_interval=3600)


def log(instance: Instance) -> str:
    """Give what the service has written to its log."""
    return "".join(path.read_text() for path in instance.home.rglob("*.log"))


def test_a_client_that_breaks_off_does_no_harm(instance: Instance) -> None:
    """Nothing of what it began is done, and it is no failure of the service."""
    body = job_of_size(200)
    name = json.loads(body)["id"]
    failures = log(instance).count("Traceback")
    for sent in (1, 50, 199):
        with talk(instance) as connection:
            head = written(instance, "POST", JOBS, signed(instance, "POST", JOBS, length=len(body)))
            connection.sendall(head + body[:sent])
    for _ in range(3):
        assert speaking.ask(instance, "GET", at(f"/jobs/{name}")).refusal == (404, "JobNotFound")
    assert log(instance).count("Traceback") == failures


def test_a_connection_is_of_use_after_an_error(instance: Instance) -> None:
    """As long as all of a request was read."""
    with talk(instance) as connection:
        for method, target, status in (
            ("GET", at("/pools/none"), 404),
            ("HEAD", at("/pools/none"), 404),
            ("GET", at("/pools", x="y"), 400),
            ("DELETE", at("/pools"), 405),
            ("GET", at("/pools"), 200),
        ):
            length = None if method in {"GET", "HEAD"} else 0
            connection.sendall(written(instance, method, target, signed(instance, method, target, length=length)))
            assert receive(connection, method).status == status
        for content, status in ((b"{", 400), (b"[]", 400), (b"{}", 400)):
            headers = signed(instance, "POST", JOBS, length=len(content))
            connection.sendall(written(instance, "POST", JOBS, headers) + content)
            assert receive(connection).status == status
        connection.sendall(written(instance, "GET", JOBS, signed(instance, "GET", JOBS)))
        assert receive(connection).status == 200


def test_what_is_left_of_a_body_is_no_request(instance: Instance) -> None:
    """When one is refused unread, the connection ends: what follows might be anything."""
    smuggled = written(instance, "GET", at("/pools"), signed(instance, "GET", at("/pools")))
    headers = {**signed(instance, "POST", JOBS, length=len(smuggled)), "authorization": "SharedKey a:b"}
    with talk(instance) as connection:
        connection.sendall(written(instance, "POST", JOBS, headers))
        assert receive(connection).refusal[0] == 403
        connection.sendall(smuggled)
        assert is_closed(connection)


def test_requests_may_come_before_the_answers(instance: Instance) -> None:
    """Each is answered, in its turn, errors too."""
    targets = [at("/pools"), at("/pools/none"), at("/jobs"), at("/nothing"), at("/supportedimages")]
    with talk(instance) as connection:
        connection.sendall(b"".join(written(instance, "GET", to, signed(instance, "GET", to)) for to in targets))
        with connection.makefile("rb") as answers:
            statuses = [read_one(answers) for _ in targets]
    assert statuses == [200, 404, 200, 404, 200]


def read_one(answers: Any) -> int:
    """Read one of several answers that follow each other, and give its status."""
    status = int(answers.readline().split()[1])
    headers = dict(line.decode().lower().strip().split(": ", 1) for line in iter(answers.readline, b"\r\n"))
    answers.read(int(headers["content-length"]))
    return status


def test_a_small_answer_comes_in_one_piece(instance: Instance) -> None:
    """Two writes would cost every client the forty milliseconds that its system waits before it acknowledges."""
    requests = [("GET", "/pools/none"), ("GET", "/supportedimages"), ("DELETE", "/pools"), ("HEAD", "/pools/none")] * 25
    with talk(instance) as connection:
        for method, path in requests:
            target = at(path)
            connection.sendall(written(instance, method, target, signed(instance, method, target)))
            whole = connection.recv(1 << 16)
            head, _, body = whole.partition(b"\r\n\r\n")
            announced = re.search(rb"content-length: (\d+)", head.lower())
            assert len(body) == (int(announced[1]) if announced and method != "HEAD" else 0)


@pytest.fixture
def large_file(instance: Instance, client: Any, pool: str) -> Iterator[tuple[str, Path]]:
    """Have a large file of a task: its address, and where it is on this machine."""
    with instances.job(client, pool) as job:
        client.create_task(job, {"id": "t", "commandLine": "/usr/bin/truncate -s 64M ../large"})
        eventually(lambda: client.get_task(job, "t").state, lambda state: state == "completed")
        (path,) = Path(Home(instance.home).nodes).rglob(f"{job}/job-1/t/large")
        yield f"/jobs/{job}/tasks/t/files/large", path


def test_a_small_file_comes_in_one_piece(instance: Instance, client: Any, pool: str) -> None:
    """With its headers."""
    with instances.job(client, pool) as job:
        client.create_task(job, {"id": "t", "commandLine": "/bin/echo hello"})
        eventually(lambda: client.get_task(job, "t").state, lambda state: state == "completed")
        target = at(f"/jobs/{job}/tasks/t/files/stdout.txt")
        with talk(instance) as connection:
            for _ in range(20):
                connection.sendall(written(instance, "GET", target, signed(instance, "GET", target)))
                assert connection.recv(1 << 16).endswith(b"\r\n\r\nhello\n")


def test_a_large_file_comes_whole(instance: Instance, large_file: tuple[str, Path]) -> None:
    """However slowly it is read, others are served."""
    target = at(large_file[0])
    with talk(instance) as connection:
        connection.sendall(written(instance, "GET", target, signed(instance, "GET", target)))
        connection.recv(1, socket.MSG_PEEK)
        assert speaking.ask(instance, "GET", at("/pools")).status == 200
        said = receive(connection)
    assert said.headers["Content-Length"] == str(64 << 20)
    assert said.body == bytes(64 << 20)


def test_whoever_breaks_off_a_download_does_no_harm(instance: Instance, large_file: tuple[str, Path]) -> None:
    """It is no failure of the service."""
    failures = log(instance).count("Traceback")
    target = at(large_file[0])
    for _ in range(3):
        with talk(instance) as connection:
            connection.sendall(written(instance, "GET", target, signed(instance, "GET", target)))
            connection.recv(100)
    assert speaking.ask(instance, "GET", at("/pools")).status == 200
    assert log(instance).count("Traceback") == failures


def test_a_file_that_is_cut_off_while_it_is_read_ends_the_connection(
    instance: Instance, large_file: tuple[str, Path]
) -> None:
    """Whatever came next would be taken for the rest of it."""
    address, path = large_file
    target = at(address)
    request = written(instance, "GET", target, signed(instance, "GET", target))
    with talk(instance) as connection:
        connection.sendall(request + request)
        got = connection.recv(1 << 16)
        os.truncate(path, 1 << 20)
        while more := connection.recv(1 << 20):
            got += more
    head, _, body = got.partition(b"\r\n\r\n")
    assert f"content-length: {64 << 20}".encode() in head.lower()
    assert len(body) < 64 << 20
    assert body.count(0) == len(body)


def test_many_connections_are_served_at_once(instance: Instance) -> None:
    """Those that say nothing hold up nobody."""
    silent = [socket.create_connection(speaking.place(instance), timeout=10) for _ in range(100)]
    try:
        statuses: list[int] = []

        def ask() -> None:
            statuses.append(speaking.ask(instance, "GET", at("/pools")).status)

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 16
    finally:
        for connection in silent:
            connection.close()
