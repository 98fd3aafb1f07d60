"""
Uploading: a folder into a fresh container, small files and large ones, to Azurite and to a sink.

What counts of a program in Python it tells itself, without its start: the SDK's need not look for the files, ours scans
and plans. Of azcopy all counts, as nobody can have less of it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import shutil
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from fastbatch.units import shown_size
from tests.local.instances import new_name

from . import corpora, sink
from .contests import Entrant, Lap, Unable
from .programs import PEERS, ROOT, Program, python, run
from .scale import MB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from azure.storage.blob import ContainerClient

    from .accounts import Accounts
    from .arena import Arena
    from .scale import Scale

pytestmark = pytest.mark.submit

AZURITE, SINK = "Azurite", "a sink"
SMALL, LARGE, LARGE_QUICK = (10_000, 4 << 10), (4, 64 << 20), (2, 8 << 20)
AT_ONCE = 32
ASKED = {"fastbatch": "8 times as fast"}
THEIRS = PEERS / "sdk_upload.py"
OURS = ("-m", "bench.ours.upload")


@dataclass(frozen=True)
class Uploads:
    """Uploads of a folder to storage; what a sink got can't be looked at."""

    folder: Path
    environment: dict[str, str]
    keeps: bool

    def python(self, *command: str | Path) -> Lap:
        """Upload by a program in Python, which tells what it took."""
        with self._container() as container:
            name = container.container_name
            done = run(python("upload", *command, "--container", name, self.folder, environment=self.environment))
        told = json.loads(done.output)
        return Lap(told["seconds"], (told["files"], told["bytes"]), told["cpu_seconds"], done.peak)

    def azcopy(self) -> Lap:
        """Upload by azcopy. Raises Unable."""
        command = shutil.which("azcopy")
        if command is None:
            raise Unable("azcopy is not on PATH")
        with self._container() as container:
            options = ["--recursive", "--from-to=LocalBlob", "--check-length=false", "--output-type=json"]
            where = [f"{self.folder}/*", _writable(container)]
            done = run(Program("azcopy", [command, "copy", *where, *options], self.environment))
        told = json.loads(json.loads(done.output.splitlines()[-1])["MessageContent"])
        outcome = int(told["TransfersCompleted"]), int(told["TotalBytesTransferred"])
        return Lap(done.seconds, outcome, done.cpu, done.peak)

    @contextmanager
    def _container(self) -> Iterator[ContainerClient]:
        """Have a container, which in the end has to hold all; then it is deleted."""
        with BlobServiceClient.from_connection_string(self.environment["AZURE_STORAGE_CONNECTION_STRING"]) as service:
            container = service.create_container(new_name("upload"))
            yield container
            if self.keeps:
                self._check(container)
                container.delete_container()

    def _check(self, container: ContainerClient) -> None:
        """Compare the digests of contents, of which no two are the same."""
        expected = {_digest(path.read_bytes()) for path in self.folder.rglob("*.txt")}
        found: set[bytes] = set()
        for blob in container.list_blobs():
            found |= set(_held(container, blob, expected))
        missing, others = len(expected - found), len(found - expected)
        assert found == expected, f"Of {len(expected)} contents, {missing} were not uploaded, but {others} others."


def _writable(container: ContainerClient) -> str:
    assert container.account_name
    signature = generate_container_sas(
        container.account_name,
        container.container_name,
        container.credential.account_key,
        permission=ContainerSasPermissions(read=True, create=True, write=True, list=True),
        expiry=dt.datetime.now(dt.UTC) + dt.timedelta(hours=2),
    )
    return f"{container.url}?{signature}"


def _held(container: ContainerClient, blob: Any, expected: set[bytes]) -> Iterator[bytes]:
    """Give the digests of what a blob holds: a file, or an archive of some."""
    digest = bytes(blob.content_settings.content_md5 or b"")
    if digest in expected:
        yield digest
        return
    content = container.download_blob(blob.name).readall()
    if _digest(content) in expected or not tarfile.is_tarfile(io.BytesIO(content)):
        yield _digest(content)
        return
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file
            yield _digest(file.read())


def _digest(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


@pytest.fixture(params=[AZURITE, SINK])
def uploads(request: pytest.FixtureRequest, services: Accounts, tmp_path: Path) -> Iterator[Uploads]:
    """Have uploads to storage, or to what takes everything."""
    azcopy = {"AZCOPY_LOG_LOCATION": str(tmp_path / "logs"), "AZCOPY_JOB_PLAN_LOCATION": str(tmp_path / "plans")}
    environment = {**services.environment, "PYTHONPATH": str(ROOT), **azcopy}
    if request.param == AZURITE:
        yield Uploads(tmp_path / "in", environment, keeps=True)
        return
    with sink.running() as connection:
        yield Uploads(tmp_path / "in", {**environment, "AZURE_STORAGE_CONNECTION_STRING": connection}, keeps=False)


def bench_upload_small_files(contest: Arena, scale: Scale, uploads: Uploads) -> None:
    """In bundles, or a blob each; or files of whatever size is asked for."""
    files, size = scale.corpus(*SMALL)
    corpora.even(uploads.folder, files, size)
    one_by_one = Entrant("fastbatch, file by file", partial(uploads.python, *OURS, "--files-per-task", "1"))
    contest(
        _title(uploads, files, size),
        *_theirs(uploads),
        one_by_one,
        Entrant("fastbatch", partial(uploads.python, *OURS)),
        rounds=scale.few,
        amount=(files, "files"),
        asked=ASKED if uploads.keeps else {},
    )


def bench_upload_large_files(contest: Arena, scale: Scale, uploads: Uploads) -> None:
    """Each is a blob."""
    if scale.files or scale.file_size:
        pytest.skip("files are as many and as large as was asked for in the other one")
    files, size = LARGE_QUICK if scale.quick else LARGE
    corpora.even(uploads.folder, files, size)
    ours = Entrant("fastbatch", partial(uploads.python, *OURS))
    contest(_title(uploads, files, size), *_theirs(uploads), ours, rounds=scale.few, amount=(files * size / MB, "MB"))


def _title(uploads: Uploads, files: int, size: int) -> str:
    return f"Upload {files:,} files of {shown_size(size)} to {AZURITE if uploads.keeps else SINK}"


def _theirs(uploads: Uploads) -> list[Entrant]:
    return [
        Entrant(f"the SDK, {AT_ONCE} at once", partial(uploads.python, THEIRS, "--at-once", str(AT_ONCE))),
        Entrant("the SDK, one at a time", partial(uploads.python, THEIRS, "--sync")),
        Entrant("azcopy", uploads.azcopy),
    ]
