"""Files come from blob storage and go there, whole or not at all, whatever the storage does meanwhile."""

from __future__ import annotations

import asyncio
import base64
import errno
import gzip
import hashlib
import os
import resource
import stat
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from azure.storage.blob import ContentSettings

from fastbatch.local.agent import downloads, listing
from fastbatch.local.agent.blobs import Storage, blob_url, shown
from fastbatch.local.agent.blockblobs import BLOCK, LARGEST_SINGLE, MIB
from fastbatch.local.agent.downloads import bring
from fastbatch.local.agent.failures import Failed
from fastbatch.local.agent.folders import Node, Task
from fastbatch.local.agent.uploads import Origin, due, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from azure.storage.blob import BlobServiceClient

    from tests.local.agent.conftest import Container

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter, str], Awaitable[None]]
NO_PAUSES = (0.0, 0.0, 0.0)


async def with_storage(do: Callable[[Storage], Awaitable[None]], timeout_s: float | None = None) -> None:
    """Do something with a storage that tries again at once, or not at all where the time is to run out."""
    async with aiohttp.ClientSession() as session:
        await do(Storage(session, timeout_s, ()) if timeout_s else Storage(session, pauses_s=NO_PAUSES))


def brought(working: Path, *resource_files: dict[str, Any]) -> list[str]:
    """Bring resource files into a folder, and list what is there."""
    asyncio.run(with_storage(lambda storage: bring(storage, resource_files, str(working))))
    return present(working)


def present(folder: Path) -> list[str]:
    """List all files below a folder, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@contextmanager
def fails(code: str, category: str = "UserError") -> Iterator[list[Failed]]:
    """Expect a failure that tells nobody a signature, and give it."""
    given: list[Failed] = []
    with pytest.raises(Failed) as caught:
        yield given
    given.append(caught.value)
    assert (caught.value.code, caught.value.category) == (code, category)
    assert "sig" not in f"{caught.value} {caught.value.details}"


# A storage that misbehaves.


@asynccontextmanager
async def serving(*answers: Answer) -> AsyncIterator[str]:
    """Give the URL of a server that answers each connection in its way, and the last way all that follow."""
    waiting = list(answers)
    open_now: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now[asyncio.current_task()] = writer
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await answer(reader, writer, (await reader.readuntil(b"\r\n\r\n")).decode())
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/c"
        finally:
            for writer in open_now.values():
                writer.transport.abort()
            await asyncio.gather(*filter(None, open_now))


def says(status: str, body: bytes = b"", *, length: int | None = None) -> Answer:
    """Answer with a status and a body, which may be shorter than announced."""

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: str) -> None:
        announced = len(body) if length is None else length
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {announced}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()

    return answer


async def hangs(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, _head: str) -> None:
    """Say nothing until the other side goes away."""
    await reader.read()


def brought_from(working: Path, *answers: Answer, timeout_s: float | None = None, blob: str = "b") -> bytes:
    """Bring one file from a server that misbehaves, and read it."""

    async def do(storage: Storage) -> None:
        async with serving(*answers) as url:
            await bring(storage, [{"httpUrl": f"{url}/{blob}?sig=x", "filePath": "f"}], str(working))

    asyncio.run(with_storage(do, timeout_s))
    return (working / "f").read_bytes()


# Resource files.


def test_a_blob_becomes_a_file(container: Container, tmp_path: Path) -> None:
    """Its bytes, its folder, and the default mode, whatever the process may have for a mask."""
    container.fill("a")
    url = blob_url(container.url("r"), "a")

    files = brought(
        tmp_path, {"httpUrl": url, "filePath": "x"}, {"httpUrl": url, "filePath": "d/e/y", "fileMode": "0604"}
    )

    assert files == ["d/e/y", "x"]
    assert (tmp_path / "x").read_bytes() == (tmp_path / "d/e/y").read_bytes() == b"a"
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o770
    assert stat.S_IMODE((tmp_path / "d/e/y").stat().st_mode) == 0o604


def test_a_file_that_is_there_is_replaced(container: Container, tmp_path: Path) -> None:
    """A task that runs again gets its files again."""
    container.fill("a")
    (tmp_path / "x").write_text("earlier")

    brought(tmp_path, {"httpUrl": blob_url(container.url("r"), "a"), "filePath": "x"})

    assert (tmp_path / "x").read_bytes() == b"a"


def test_nothing_to_bring_is_nothing_to_do(tmp_path: Path) -> None:
    """Most tasks have no resource files."""
    assert brought(tmp_path) == []


@pytest.mark.parametrize(
    ("described", "files"),
    [
        ({}, ["a/1", "a/2", "a/b/3", "ab", "c"]),
        ({"blobPrefix": "a"}, ["a/1", "a/2", "a/b/3", "ab"]),
        ({"blobPrefix": "a/", "filePath": "in/to"}, ["in/to/a/1", "in/to/a/2", "in/to/a/b/3"]),
        ({"filePath": "."}, ["a/1", "a/2", "a/b/3", "ab", "c"]),
        ({"blobPrefix": "nothing"}, []),
    ],
)
def test_the_blobs_of_a_container_keep_their_full_names(
    container: Container, tmp_path: Path, described: dict[str, str], files: list[str]
) -> None:
    """The prefix only chooses. The list comes in pages of two here, and goes on to its end."""
    container.fill("a/1", "a/2", "a/b/3", "ab", "c")

    described = {"storageContainerUrl": f"{container.url('rl')}&maxresults=2", **described}

    assert brought(tmp_path, described) == files
    assert all((tmp_path / file).read_text() == file.removeprefix("in/to/") for file in files)


ODD_NAMES = [" ", "%20", "+", "a b", "a&b=c", "a?b#c", "a'b\"<&>", "ü", "\N{SNOWMAN}", "x" * 200]


def test_odd_names_of_blobs_arrive(container: Container, tmp_path: Path) -> None:
    """Whatever is special in a URL or in XML is only a letter of a name."""
    container.fill(*ODD_NAMES)

    assert brought(tmp_path, {"storageContainerUrl": container.url("rl")}) == sorted(ODD_NAMES)


def test_a_blob_that_stands_for_a_folder_becomes_one(container: Container, tmp_path: Path) -> None:
    """Some tools put such blobs; a file of that name would be in the way of those below it."""
    container.fill("d/", "d/x")

    assert brought(tmp_path, {"storageContainerUrl": container.url("rl")}) == ["d/x"]


def test_a_blob_is_not_unpacked(container: Container, tmp_path: Path) -> None:
    """A blob is its bytes, whatever is said of their encoding."""
    packed = gzip.compress(b"text")
    container.client.upload_blob("a", packed, content_settings=ContentSettings(content_encoding="gzip"))

    brought(tmp_path, {"httpUrl": blob_url(container.url("r"), "a"), "filePath": "a"})

    assert (tmp_path / "a").read_bytes() == packed


def test_a_large_blob_is_never_whole_in_memory(container: Container, tmp_path: Path) -> None:
    """It is written as it comes."""
    content = os.urandom(MIB) * 24
    container.client.upload_blob("large", content)
    url = blob_url(container.url("r"), "large")
    del content

    tracemalloc.start()
    brought(tmp_path, {"httpUrl": url, "filePath": "large"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (tmp_path / "large").read_bytes() == container.read("large")
    assert peak < 6 * MIB


def test_what_is_not_there_is_not_found(container: Container, tmp_path: Path) -> None:
    """A blob, and a container, each told by its URL without the signature."""
    with fails("BlobNotFound") as failures:
        brought(tmp_path, {"httpUrl": blob_url(container.url("r"), "a"), "filePath": "d/x"})
    with fails("BlobNotFound"):
        brought(tmp_path, {"storageContainerUrl": container.url("l", name="missing")})

    assert failures[0].details == {"BlobSource": f"{container.client.url}/a", "FilePath": "d/x"}
    assert failures[0].message == f"{container.client.url}/a can't be read: status 404 BlobNotFound"
    assert present(tmp_path) == []


def test_what_the_signature_does_not_allow_is_denied(container: Container, tmp_path: Path) -> None:
    """No right to list, none to read, one that has expired, and no signature at all."""
    container.fill("a")

    with fails("BlobAccessDenied"):
        brought(tmp_path, {"storageContainerUrl": container.url("r")})
    with fails("BlobAccessDenied"):
        brought(tmp_path, {"storageContainerUrl": container.url("l")})
    with fails("BlobAccessDenied"):
        brought(tmp_path, {"httpUrl": blob_url(container.url("r", minutes=-5), "a"), "filePath": "a"})
    with fails("BlobAccessDenied"):
        brought_from(tmp_path, says("409 PublicAccessNotPermitted"))


@pytest.mark.parametrize("name", ["", "..", "../x", "/etc/x", "a/../../x", "out/x", "a\0b", "x" * 300])
def test_a_file_is_never_put_outside_of_its_folder(container: Container, tmp_path: Path, name: str) -> None:
    """By its own path, and by the folder of a container's blobs; an empty one of those is the working folder."""
    container.fill("a")
    working = tmp_path / "wd"
    working.mkdir()
    (working / "out").symlink_to(tmp_path)

    with fails("ResourceFileCreateFailed"):
        brought(working, {"httpUrl": blob_url(container.url("r"), "a"), "filePath": name})
    if name:
        with fails("ResourceFileCreateFailed"):
            brought(working, {"storageContainerUrl": container.url("rl"), "filePath": name})

    assert present(tmp_path) == []


LIST = "<EnumerationResults><Blobs>{}</Blobs><NextMarker/></EnumerationResults>"


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "out/x"])
def test_the_name_of_a_blob_is_not_trusted(tmp_path: Path, name: str) -> None:
    """What a container is made to hold can't reach beyond the folder either."""
    working = tmp_path / "wd"
    working.mkdir()
    (working / "out").symlink_to(tmp_path)
    page = LIST.format(f"<Blob><Name>{name}</Name></Blob>").encode()

    async def do(storage: Storage) -> None:
        async with serving(says("200 OK", page)) as url:
            await bring(storage, [{"storageContainerUrl": url}], str(working))

    with fails("ResourceFileCreateFailed"):
        asyncio.run(with_storage(do))
    assert present(tmp_path) == []


def test_a_list_may_have_names_that_xml_can_not_hold() -> None:
    """They come encoded; other names are taken as they are."""
    names = "<Blob><Name Encoded='true'>a%EF%BF%BE%25</Name></Blob><Blob><Name>b%25</Name></Blob>"

    assert listing.read(LIST.format(names).encode()).names == ("a\ufffe%", "b%25")


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        "not xml",
        "",
        "<open>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_list_that_declares_anything_is_refused(tmp_path: Path, xml: str, encoding: str) -> None:
    """Entities can blow a small answer up, and read files; what is no XML is no list either."""

    async def do(storage: Storage) -> None:
        async with serving(says("200 OK", xml.encode(encoding))) as url:
            await bring(storage, [{"storageContainerUrl": url}], str(tmp_path))

    with fails("BlobDownloadMiscError", "ServerError"):
        asyncio.run(with_storage(do))


def test_what_passes_is_tried_again(tmp_path: Path) -> None:
    """Three times, so that the fourth answer may be the good one; a body that breaks off counts like a busy server."""
    broken, busy, good = says("200 OK", b"hal", length=5), says("503 Busy"), says("200 OK", b"whole")

    assert brought_from(tmp_path, busy, busy, good) == b"whole"
    assert brought_from(tmp_path, broken, broken, busy, good) == b"whole"
    with fails("BlobDownloadMiscError", "ServerError"):
        brought_from(tmp_path, busy, busy, busy, busy, good)


def test_what_does_not_pass_is_not_tried_again(tmp_path: Path) -> None:
    """A refusal stays one."""
    with fails("BlobAccessDenied"):
        brought_from(tmp_path, says("403 No"), says("200 OK", b"whole"))


def test_nothing_is_left_of_a_body_that_breaks_off(tmp_path: Path) -> None:
    """Neither the file nor a part of it under another name."""
    with fails("BlobDownloadMiscError", "ServerError"):
        brought_from(tmp_path, says("200 OK", b"hal", length=5))

    assert present(tmp_path) == []


def test_a_storage_that_hangs_is_given_up(tmp_path: Path) -> None:
    """Before its answer, and in the midst of it."""

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal")
        await reader.read()

    for answer in (hangs, half):
        with fails("BlobDownloadTimedOut", "ServerError"):
            brought_from(tmp_path, answer, timeout_s=0.05)

    assert present(tmp_path) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a?sig=x", "ftp://h/a?sig=x", "nonsense?sig=x", "http://[/?sig=x"])
def test_a_url_that_leads_nowhere_is_a_failure_like_others(tmp_path: Path, url: str) -> None:
    """Nothing but a Failed comes out of it."""
    with fails("BlobDownloadMiscError", "ServerError"):
        brought(tmp_path, {"httpUrl": url, "filePath": "a"})


def test_a_url_can_not_smuggle_a_request(tmp_path: Path) -> None:
    """Line breaks are quoted."""
    heads = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        heads.append(head)
        await says("200 OK", b"x")(reader, writer, head)

    brought_from(tmp_path, note, blob="a HTTP/1.1\r\nX-Evil: 1\r\n\r\n")

    assert "\r\nX-Evil" not in heads[0]


def test_a_disk_that_will_not_take_a_file_is_told_apart(
    container: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what could not be made: the folder, the file, or its content, or all for want of room."""
    container.fill("a")
    (tmp_path / "file").touch()
    (tmp_path / "folder/inner").mkdir(parents=True)
    url = blob_url(container.url("r"), "a")

    with fails("ResourceDirectoryCreateFailed"):
        brought(tmp_path, {"httpUrl": url, "filePath": "file/x"})
    with fails("ResourceFileCreateFailed"):
        brought(tmp_path, {"httpUrl": url, "filePath": "folder"})
    with limited_files(0), fails("ResourceFileWriteFailed"):
        brought(tmp_path, {"httpUrl": url, "filePath": "x"})
    assert present(tmp_path) == ["file"]

    def full(_descriptor: int, _chunk: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloads, "_write", full)
    with fails("DiskFull"):
        brought(tmp_path, {"httpUrl": url, "filePath": "x"})
    assert present(tmp_path) == ["file"]


@contextmanager
def limited_files(size: int) -> Iterator[None]:
    """Let no file grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("mode", ["x", "-1", "0999", "77777"])
def test_a_mode_that_is_none_is_a_failure(tmp_path: Path, mode: str) -> None:
    """It is not taken for another."""
    with fails("ResourceFileCreateFailed"):
        brought(tmp_path, {"httpUrl": "http://127.0.0.1:1/a", "filePath": "a", "fileMode": mode})


def test_several_files_come_at_once_but_not_too_many(tmp_path: Path) -> None:
    """As many as are allowed are on their way together, and never more."""
    now, most = 0, 0
    all_there = asyncio.Event()

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 8:
            all_there.set()
        await all_there.wait()
        for _ in range(100):  # time for more to come, if more were allowed
            await asyncio.sleep(0)
        now -= 1
        await says("200 OK", b"x")(reader, writer, head)

    async def do(storage: Storage) -> None:
        async with serving(counted) as url:
            await bring(storage, [{"httpUrl": url, "filePath": str(n)} for n in range(40)], str(tmp_path))

    asyncio.run(with_storage(do))

    assert most == 8
    assert len(present(tmp_path)) == 40


def test_the_first_failure_ends_the_others(tmp_path: Path) -> None:
    """A task that can't run need not wait for the rest of its files."""

    async def do(storage: Storage) -> None:
        async with serving(hangs, hangs, says("404 No")) as url:
            await bring(storage, [{"httpUrl": url, "filePath": str(n)} for n in range(3)], str(tmp_path))

    with fails("BlobNotFound"):
        asyncio.run(with_storage(do, timeout_s=50))
    assert present(tmp_path) == []


# Output files.


class Ended:
    """A task whose process has ended, and its output files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.task: Task = Node(str(root)).task("j", "t")
        self.task.create()
        self.working = Path(self.task.working)

    def send(self, *output_files: dict[str, Any], timeout_s: float | None = None) -> None:
        """Upload output files."""
        origin = Origin(self.task, str(self.root), {"NAME": "a"})
        asyncio.run(with_storage(lambda storage: send(storage, output_files, origin), timeout_s))

    def send_to(self, *answers: Answer, timeout_s: float | None = None) -> None:
        """Upload the file `a` to a server that misbehaves."""

        async def do(storage: Storage) -> None:
            async with serving(*answers) as url:
                files = [output("a", f"{url}?sig=x")]
                await send(storage, files, Origin(self.task, str(self.root), {}))

        asyncio.run(with_storage(do, timeout_s))

    def log(self, name: str) -> list[str]:
        """Read the lines of a log."""
        return Path(self.task.path, f"fileupload{name}.txt").read_text().splitlines()


@pytest.fixture
def ended(tmp_path: Path) -> Ended:
    """Give a task that has left nothing."""
    return Ended(tmp_path)


def output(pattern: str, container: str, path: str | None = None, **headers: str) -> dict[str, Any]:
    """Describe an output file as the wire does."""
    destination: dict[str, Any] = {"containerUrl": container}
    if path is not None:
        destination["path"] = path
    if headers:
        destination["uploadHeaders"] = [{"name": n.replace("_", "-"), "value": v} for n, v in headers.items()]
    return {
        "filePattern": pattern,
        "destination": {"container": destination},
        "uploadOptions": {"uploadCondition": "taskcompletion"},
    }


def after_body(answer: Answer) -> Answer:
    """Answer when the body has been taken."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        (length,) = (line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length:"))
        await reader.readexactly(int(length))
        await answer(reader, writer, head)

    return take


def test_files_become_blobs(ended: Ended, container: Container) -> None:
    """One by its name and several by wildcards, those of the task's folder too; an empty one is one as well."""
    (ended.working / "a").write_text("1")
    (ended.working / "empty").touch()
    Path(ended.task.stdout).write_text("said")

    url = container.url("cw")
    ended.send(output("$NAME", url, "results/a.txt"), output("../std*.txt", url, "logs"), output("*", url))

    assert container.names() == ["a", "empty", "logs/stdout.txt", "results/a.txt"]
    assert container.read("results/a.txt") == b"1"
    assert container.read("logs/stdout.txt") == b"said"
    assert container.read("empty") == b""


def test_the_log_has_a_line_for_each_file(ended: Ended, container: Container) -> None:
    """What went well in one, what did not in the other; none tells a signature, and none is broken by a name."""
    (ended.working / "a").write_text("12")
    (ended.working / "b\nc").touch()

    with fails("FileUploadAccessDenied"):
        ended.send(output("*", container.url("cw"), "p"), output("a", container.url("r")))

    wd, there = ended.task.working, container.client.url
    assert sorted(ended.log("out")) == [
        f"'{wd}/b\\nc' -> {there}/p/b%0Ac (0 bytes)",
        f"{wd}/a -> {there}/p/a (2 bytes)",
    ]
    assert ended.log("err") == [
        f"FileUploadAccessDenied: '{wd}/a' can't be uploaded to {there}: status 403 AuthorizationPermissionMismatch"
    ]


def test_there_is_a_log_only_of_uploads(ended: Ended, container: Container) -> None:
    """Where nothing is to be uploaded there is none; where nothing was found it is empty; each round begins anew."""
    ended.send()
    assert present(Path(ended.task.path)) == []

    (ended.working / "a").touch()
    ended.send(output("a", container.url("cw")))
    ended.send(output("b", container.url("cw")))

    assert (ended.log("out"), ended.log("err")) == ([], [])


def test_the_log_may_be_uploaded_itself(ended: Ended, container: Container) -> None:
    """As it is when its turn comes."""
    (ended.working / "a").touch()

    ended.send(output("a", container.url("cw")), output("../fileupload*.txt", container.url("cw")))

    assert container.names() == ["a", "fileuploaderr.txt", "fileuploadout.txt"]
    assert container.read("fileuploadout.txt").decode().count("\n") == 1


def test_odd_names_of_files_are_kept(ended: Ended, container: Container) -> None:
    """Whatever is special in a URL is only a letter of a name."""
    for name in ODD_NAMES:
        (ended.working / name).touch()

    ended.send(output("*", container.url("cw"), "p"))

    assert container.names() == sorted(f"p/{name}" for name in ODD_NAMES)


def test_a_blob_that_is_there_is_replaced(ended: Ended, container: Container) -> None:
    """A task that runs again leaves its last results."""
    container.fill("a")
    (ended.working / "a").write_text("later")

    ended.send(output("a", container.url("cw")))

    assert container.read("a") == b"later"


@pytest.mark.parametrize("size", [1, MIB + 1, LARGEST_SINGLE, LARGEST_SINGLE + 1])
def test_files_of_all_sizes_are_sent_in_bounded_memory(ended: Ended, container: Container, size: int) -> None:
    """Small ones whole, larger ones in chunks, and the largest in blocks; properties are those of the blob."""
    content = (os.urandom(MIB - 1) * (size // (MIB - 1) + 1))[:size]
    (ended.working / "a").write_bytes(content)
    url = container.url("cw")

    tracemalloc.start()
    ended.send(output("a", url, Content_Type="text/plain", x_ms_blob_cache_control="no-store"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    blob = container.client.get_blob_client("a")
    settings = blob.get_blob_properties().content_settings
    committed, _ = blob.get_block_list("all")
    assert container.read("a") == content
    assert (settings.content_type, settings.cache_control) == ("text/plain", "no-store")
    assert len(committed) == (0 if size <= LARGEST_SINGLE else -(-size // BLOCK))
    assert peak < 6 * MIB


def test_a_blob_has_the_default_type(ended: Ended, container: Container) -> None:
    """Where nothing is said of it."""
    (ended.working / "a").write_text("1")

    ended.send(output("a", container.url("cw")))

    assert container.client.get_blob_client("a").get_blob_properties().content_settings.content_type == (
        "application/octet-stream"
    )


def test_a_body_is_sent_with_its_digest(ended: Ended) -> None:
    """So that the storage can tell what was damaged on its way."""
    (ended.working / "a").write_text("1")
    digest = base64.b64encode(hashlib.md5(b"1", usedforsecurity=False).digest()).decode()
    heads = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        heads.append(head.lower())
        await after_body(says("201 Created"))(reader, writer, head)

    ended.send_to(note)

    assert f"content-md5: {digest.lower()}\r\n" in heads[0]
    assert "x-ms-blob-type: blockblob\r\n" in heads[0]
    assert "x-ms-version: 2021-12-02\r\n" in heads[0]


def test_a_container_that_is_missing_is_told(ended: Ended, container: Container, service: BlobServiceClient) -> None:
    """One that never was, and the others are tried all the same."""
    (ended.working / "a").touch()
    missing = container.url("cw", name="missing")

    with fails("FileUploadContainerNotFound") as failures:
        ended.send(output("a", missing), output("a", container.url("cw")))

    assert failures[0].details == {"FilePath": f"{ended.task.working}/a", "Container": shown(missing)}
    assert container.names() == ["a"]
    assert "missing" not in [one.name for one in service.list_containers()]


@pytest.mark.parametrize("pattern", ["\udcff", "*", "/etc/hostname", "../../../../../../etc/*"])
def test_a_file_that_can_be_no_blob_is_a_failure(ended: Ended, container: Container, pattern: str) -> None:
    """A name that is no text, and a pattern that leads out of the node."""
    (ended.working / "\udcff").touch()

    with fails("FileUploadMiscError"):
        ended.send(output(pattern, container.url("cw")))

    assert container.names() == []
    assert len(ended.log("err")) == 1


def test_a_header_can_not_smuggle_others(ended: Ended, container: Container) -> None:
    """A line break in a value is a failure."""
    (ended.working / "a").touch()

    with fails("FileUploadMiscError"):
        ended.send(output("a", container.url("cw"), Content_Type="a\r\nx-ms-blob-type: PageBlob"))


def test_an_upload_is_tried_again_if_what_it_failed_of_passes(ended: Ended) -> None:
    """A busy storage, one that goes away in mid-body, and then a good one; the fourth failure is the last."""
    (ended.working / "a").write_bytes(bytes(20 * MIB))

    async def goes_away(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, _head: str) -> None:
        await reader.readexactly(MIB)

    busy = after_body(says("503 Busy"))
    ended.send_to(goes_away, busy, after_body(says("201 Created")))
    with fails("FileUploadMiscError"):
        ended.send_to(busy, busy, busy, busy, after_body(says("201 Created")))


def test_an_upload_to_a_storage_that_hangs_is_given_up(ended: Ended) -> None:
    """One that does not take the body, and one that does not answer."""

    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: str) -> None:
        await writer.wait_closed()

    for content, answer in ((b"1", hangs), (bytes(20 * MIB), deaf)):
        (ended.working / "a").write_bytes(content)
        with fails("FileUploadMiscError"):
            ended.send_to(answer, timeout_s=0.1)


@pytest.mark.parametrize(("size", "by"), [(20 * MIB, -MIB), (20 * MIB, 1), (40 * MIB, 1)])
def test_a_file_that_changes_while_it_is_read_becomes_no_blob(ended: Ended, size: int, by: int) -> None:
    """It grows, or loses its end, when the first bytes have been taken; none is completed, and none tried again."""
    file = ended.working / "a"
    file.write_bytes(bytes(size))
    heads = []
    completed = []

    async def disturbs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        heads.append(head)
        os.truncate(file, size + by)
        await after_body(says("201 Created"))(reader, writer, head)
        completed.append(head)

    with fails("FileUploadMiscError") as failures:
        ended.send_to(disturbs)

    assert "changed while it was read" in failures[0].message
    assert len(heads) == 1
    assert completed == []


@pytest.mark.parametrize(
    ("condition", "zero", "one"),
    [
        ("tasksuccess", True, False),
        ("taskfailure", False, True),
        ("taskcompletion", True, True),
        ("TaskSuccess", True, False),
    ],
)
def test_the_exit_code_decides_what_is_uploaded(condition: str, zero: bool, one: bool) -> None:
    """Each condition, in any case of its letters."""
    files = [{"uploadOptions": {"uploadCondition": condition}}]

    assert bool(due(files, 0)) is zero
    assert bool(due(files, 1)) is bool(due(files, -9)) is one


def test_what_is_shown_of_a_url_is_no_secret() -> None:
    """Neither its query, nor its fragment, nor who signs in."""
    assert shown("https://me:pw@h/c/b?sig=x#y") == "https://h/c/b"
    assert shown("https://h/c@d?sig=x") == "https://h/c@d"
    assert shown("https://h#?sig=x") == "https://h"
