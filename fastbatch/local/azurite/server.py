"""Azurite's blob service as a process that outlives us: on loopback, with one account, all it writes in one folder."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from fastbatch.local.azurite.commands import end, last_lines, plain_environment
from fastbatch.local.errors import Unavailable
from fastbatch.local.marking import INSTANCE_MARK

HOST = "127.0.0.1"

_START_SECONDS = 60
_POLL_SECONDS = 0.02
_PORT = re.compile(rf"listens on http://{re.escape(HOST)}:(\d+)\s")
_REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


@dataclass(frozen=True, slots=True)
class Server:
    """A running blob service."""

    pid: int  # its process group's too
    port: int


class _Log:
    """What one process writes to a log to which others wrote before, without the key."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self._key = key
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.fchmod(self.descriptor, 0o600)  # whatever it was before
        self._start = os.fstat(self.descriptor).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def read(self) -> str:
        size = os.fstat(self.descriptor).st_size - self._start
        return os.pread(self.descriptor, size, self._start).decode(errors="replace").replace(self._key, "***")


def start(program: Sequence[str], home: Path, *, account: str, key: str, port: int) -> Server:
    """
    Start the blob service in a folder, and return when it answers.

    Port 0 is any free one. The data is in the folder `azurite`. Azurite saves its index every five seconds: what was
    written since is lost when the process is killed, and kept when it is terminated.
    """
    home = home.absolute()
    try:
        with _Log(home / "azurite.log", key) as log:
            environment = {"AZURITE_ACCOUNTS": f"{account}:{key}", INSTANCE_MARK: str(home)}
            process = _spawn([*program, *_options(home, port)], environment, log)
            try:
                actual = _await_port(process, log, port)
            except BaseException:
                end(process)
                raise
    except OSError as error:
        raise Unavailable(f"Azurite can't be started in {home}: {error}.") from error
    process.returncode = 0  # it outlives us: there is no end to wait for, nor a reason to warn that nobody did
    return Server(process.pid, actual)


def _options(home: Path, port: int) -> list[str]:
    """Give the options, and the folder for data that one of them names."""
    data = home / "azurite"
    data.mkdir(exist_ok=True)
    data.chmod(0o700)
    return [
        *("--blobHost", HOST, "--blobPort", str(port), "--location", str(data)),
        *("--silent", "--disableTelemetry", "--skipApiVersionCheck"),
    ]


def _spawn(argv: Sequence[str], environment: Mapping[str, str], log: _Log) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - what to run is our business, and no shell reads it
        argv,
        cwd=log.path.parent,
        env={**plain_environment(), **environment},
        stdin=subprocess.DEVNULL,
        stdout=log.descriptor,
        stderr=log.descriptor,
        start_new_session=True,
    )


def _await_port(process: subprocess.Popen[bytes], log: _Log, port: int) -> int:
    """
    Wait for the process to say where it listens, and to answer there.

    Its own word is needed: at a port that is taken, somebody else would answer.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        ended = process.poll() is not None  # asked before the log is read, which then is complete
        written = log.read()
        if ended:
            raise Unavailable(_why_it_ended(process.returncode, written, log.path, port))
        match = _PORT.search(written)
        if match and _answers(int(match[1])):
            return int(match[1])
        time.sleep(_POLL_SECONDS)
    raise Unavailable(
        f"Azurite did not answer within {_START_SECONDS} seconds and was ended. Is this machine very busy? "
        f"Its log is {log.path}:{last_lines(log.read())}"
    )


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=5) as connection:
            connection.sendall(_REQUEST)
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False


def _why_it_ended(code: int, written: str, log: Path, port: int) -> str:
    """Say why Azurite did not come up, and what to do."""
    if "listen EADDRINUSE" in written:
        return (
            f"Port {port} of {HOST}, which local storage was to have, is taken by another program. "
            "End that program, or choose another port with --storage-port."
        )
    if "listen EACCES" in written:
        return f"Local storage may not listen on port {port} of {HOST}. Choose another port with --storage-port."
    return f"Azurite ended when it was started (exit code {code}). Its log is {log}:{last_lines(written)}"
