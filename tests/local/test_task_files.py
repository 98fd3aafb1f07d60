"""The files of tasks as their clients see them: listed, looked at, read in parts or whole, and deleted."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpRequest

from tests.local import instances
from tests.local.instances import eventually
from tests.local.tasks import a_task, completed, printed, process_of, refused, run, sleeping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.local.instances import Instance

ODD = (
    "a b.txt",
    "100%.txt",
    "50%25.txt",
    "%2F",
    "a#b",
    "what?.txt",
    "a+b",
    "(x)!'*,;=:@&$.txt",
    "()!'*,;=:@&$",
    "\\",
    '"quoted"',
    "new\nline",
    "..dots",
    "...",
    "~",
    "[b]{c}|^`<>",
    "ü\N{SNOWMAN}\N{PILE OF POO}.bin",
    "e\N{COMBINING ACUTE ACCENT}",
    "a b/c%20d/e#?.txt",
)
MAKE = """
import json, os, sys
for name in json.loads(sys.argv[1]):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "w") as file:
        file.write(name)
"""
FOLDERS = """
mkdir -p d/e empty full/of; echo x > d/x; echo x > full/of/x
ln -s /etc/passwd out; ln -s / root; ln -s ../.. up; ln -s nowhere dangling; ln -s circle circle
ln -s d/x in; ln -s d link; ln -s ../stdout.txt above
mkfifo pipe
"""


@pytest.fixture(scope="module")
def job(client: Any, pool: str) -> Iterator[str]:
    """Have a job."""
    with instances.job(client, pool) as name:
        yield name


@pytest.fixture(scope="module")
def odd(client: Any, job: str) -> str:
    """Have a task that left files with odd names, each of which holds its name."""
    name = instances.new_name("odd")
    command = shlex.join(["python3", "-c", MAKE, json.dumps(ODD)])
    assert run(client, job, command, name).execution_info.exit_code == 0
    return name


@pytest.fixture
def folders(client: Any, job: str) -> str:
    """Have a task that left folders, links and a pipe."""
    name = instances.new_name("folders")
    assert run(client, job, shlex.join(["sh", "-c", FOLDERS]), name).execution_info.exit_code == 0
    return name


@pytest.fixture(scope="module")
def digits(client: Any, job: str) -> str:
    """Have a task that printed ten digits, and nothing to its other output."""
    name = instances.new_name("digits")
    run(client, job, "printf 0123456789", name)
    return name


def names(files: Any) -> list[str]:
    """Give the names of files."""
    return [file.name for file in files]


def read(client: Any, job: str, task_id: str, name: str, **more: Any) -> bytes:
    """Read a file."""
    return b"".join(client.download_task_file(job, task_id, name, **more))


def place(instance: Instance, job: str, task_id: str) -> Path:
    """Give a task's folder."""
    (found,) = instance.home.glob(f"nodes/*/workitems/{job}/job-1/{task_id}")
    return found


def status_of(do: Callable[[], object]) -> int:
    """Give the status of a refusal that has no body."""
    with pytest.raises(HttpResponseError) as caught:
        do()
    return int(str(caught.value.status_code))


# Lists.


def test_a_task_leaves_what_is_documented(client: Any, instance: Instance, job: str, digits: str) -> None:
    """Two texts and two folders; a folder has no properties."""
    found = {file.name: file.as_dict() for file in client.list_task_files(job, digits)}
    at = f"{instance.endpoint}/jobs/{job}/tasks/{digits}/files"

    assert list(found) == ["certs", "stderr.txt", "stdout.txt", "wd"]
    assert found["wd"] == {"name": "wd", "url": f"{at}/wd", "isDirectory": True}
    modified = found["stdout.txt"]["properties"].pop("lastModified")
    assert modified.endswith("Z")
    assert found["stdout.txt"] == {
        "name": "stdout.txt",
        "url": f"{at}/stdout.txt",
        "isDirectory": False,
        "properties": {"contentLength": "10", "contentType": "text/plain", "fileMode": "0o100644"},
    }


def test_all_that_is_below_can_be_listed(client: Any, job: str, odd: str) -> None:
    """With its path, whatever it is called."""
    found = names(client.list_task_files(job, odd, recursive=True))

    folders = {"certs", "wd", "wd/a b", "wd/a b/c%20d"}
    assert set(found) == {f"wd/{name}" for name in ODD} | {"stdout.txt", "stderr.txt"} | folders
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("startswith(name,'wd/a b')", ["wd/a b", "wd/a b.txt", "wd/a b/c%20d", "wd/a b/c%20d/e#?.txt"]),
        ("startswith(name,'STDOUT')", ["stdout.txt"]),
        ("startswith(name,'wd/(x)!''*')", ["wd/(x)!'*,;=:@&$.txt"]),
        ("startswith(name,'x')", []),
        ("startswith(name,'std') or startswith(name,'cert')", ["certs", "stderr.txt", "stdout.txt"]),
    ],
)
def test_a_list_can_be_of_names_that_begin_so(
    client: Any, job: str, odd: str, condition: str, wanted: list[str]
) -> None:
    """In any letter case."""
    assert sorted(names(client.list_task_files(job, odd, recursive=True, filter=condition))) == wanted


def test_other_filters_are_refused(client: Any, job: str, odd: str) -> None:
    """There is but one."""
    with refused("InvalidQueryParameterValue", 400):
        list(client.list_task_files(job, odd, filter="name eq 'x'"))


@pytest.mark.parametrize(("size", "pages"), [(1, 4), (2, 2), (3, 2), (4, 1), (1000, 1)])
def test_a_list_comes_in_pages(client: Any, job: str, digits: str, size: int, pages: int) -> None:
    """The last of them may be as long as the others, and then no empty one follows."""
    found = [names(page) for page in client.list_task_files(job, digits, max_results=size).by_page()]

    assert [name for page in found for name in page] == ["certs", "stderr.txt", "stdout.txt", "wd"]
    assert (len(found), len(found[0])) == (pages, min(size, 4))


def test_what_was_asked_holds_for_all_pages(client: Any, instance: Instance, job: str, odd: str) -> None:
    """For each kind of client."""
    asked: dict[str, Any] = {"recursive": True, "max_results": 3, "filter": "startswith(name,'wd/')"}

    async def go() -> list[str]:
        async with instance.async_client() as connected:
            return [file.name async for file in connected.list_task_files(job, odd, **asked)]

    wanted = {f"wd/{name}" for name in ODD} | {"wd/a b", "wd/a b/c%20d"}
    for found in (names(client.list_task_files(job, odd, **asked)), asyncio.run(go())):
        assert (set(found), len(found)) == (wanted, len(wanted))


@pytest.mark.slow  # as each of a thousand names is looked up part by part
def test_folders_can_be_deep(client: Any, instance: Instance, job: str) -> None:
    """Deeper than calls can be nested; they are listed, and removed with their task."""
    make = "import os\nfor _ in range(1010): os.mkdir('d'); os.chdir('d')"
    assert run(client, job, shlex.join(["python3", "-c", make]), "deep").execution_info.exit_code == 0
    folder = place(instance, job, "deep")
    try:
        found = names(client.list_task_files(job, "deep", recursive=True))
        assert max(map(len, found)) == len("wd" + "/d" * 1010)
        client.delete_task(job, "deep")
        assert not list(folder.parent.glob("deep*"))
    finally:  # who tidies up after the tests may not be able to
        subprocess.run(["rm", "-rf", str(folder)], check=True)


# Names.


@pytest.mark.parametrize("name", ODD)
def test_a_file_is_found_by_any_name(client: Any, job: str, odd: str, name: str) -> None:
    """It can be looked at and read."""
    about = client.get_task_file_properties(job, odd, f"wd/{name}")

    assert about.content_length == len(name.encode())
    assert unquote(unquote(about.url)).endswith(f"/files/wd/{name}")
    assert read(client, job, odd, f"wd/{name}") == name.encode()


def test_the_asynchronous_client_finds_files_by_any_name(instance: Instance, job: str, odd: str) -> None:
    """Though it writes some of them otherwise than it signs them."""

    async def go() -> None:
        async with instance.async_client() as client:
            for name in ODD:
                about = await client.get_task_file_properties(job, odd, f"wd/{name}")
                assert about.content_length == len(name.encode())
                chunks = [chunk async for chunk in await client.download_task_file(job, odd, f"wd/{name}")]
                assert b"".join(chunks) == name.encode()

    asyncio.run(go())


def test_files_can_be_deleted_by_any_name(client: Any, instance: Instance, job: str) -> None:
    """Half of them by one kind of client, half by the other."""
    run(client, job, shlex.join(["python3", "-c", MAKE, json.dumps(ODD)]), "gone")
    for name in ODD[::2]:
        client.delete_task_file(job, "gone", f"wd/{name}")

    async def go() -> None:
        async with instance.async_client() as connected:
            for name in ODD[1::2]:
                await connected.delete_task_file(job, "gone", f"wd/{name}")

    asyncio.run(go())
    left = names(client.list_task_files(job, "gone", recursive=True))
    assert sorted(left) == ["certs", "stderr.txt", "stdout.txt", "wd", "wd/a b", "wd/a b/c%20d"]
    with refused("FileNotFound", 404):
        client.delete_task_file(job, "gone", f"wd/{ODD[0]}")


def test_a_name_that_is_no_text_does_no_harm(client: Any, job: str) -> None:
    """It is shown as well as it can be, and the others are as they were."""
    make = "import os; open(os.fsencode('a') + b'\\xff', 'w'); open('b', 'w')"
    run(client, job, shlex.join(["python3", "-c", make]), "bytes")

    found = names(client.list_task_files(job, "bytes", recursive=True, filter="startswith(name,'wd/')"))
    assert found == ["wd/a\N{REPLACEMENT CHARACTER}", "wd/b"]


@pytest.mark.parametrize("name", ["../other", "wd/../../other", "wd/..", "/etc/passwd", "wd/a\0b", "wd/" + "x" * 256])
def test_a_name_that_leads_out_is_refused(client: Any, job: str, digits: str, name: str) -> None:
    """To read and to delete alike."""
    with refused("InvalidUri", 400):
        client.download_task_file(job, digits, name)
    with refused("InvalidUri", 400):
        client.delete_task_file(job, digits, name, recursive=True)
    assert status_of(lambda: client.get_task_file_properties(job, digits, name)) == 400


def test_what_is_not_there_is_not_found(client: Any, job: str, digits: str) -> None:
    """Neither a file, nor something below one."""
    for name in ("wd/x", "nothing/x", "stdout.txt/x", "Stdout.txt"):
        with refused("FileNotFound", 404):
            client.download_task_file(job, digits, name)
        with refused("FileNotFound", 404):
            client.delete_task_file(job, digits, name)
        assert status_of(partial(client.get_task_file_properties, job, digits, name)) == 404


# Properties and parts.


def test_a_file_is_described(client: Any, instance: Instance, job: str, digits: str) -> None:
    """As the list describes it."""
    (listed,) = (file for file in client.list_task_files(job, digits) if file.name == "stdout.txt")
    about = client.get_task_file_properties(job, digits, "stdout.txt")

    assert (about.content_length, about.file_mode, about.is_directory) == (10, "0o100644", False)
    assert unquote(about.url) == f"{instance.endpoint}/jobs/{job}/tasks/{digits}/files/stdout.txt"
    assert about.last_modified == listed.properties.last_modified.replace(microsecond=0)


def test_the_kind_of_a_file_follows_from_its_name(client: Any, job: str, odd: str) -> None:
    """Texts are shown as such, and all else is bytes."""
    for name, kind in (("stdout.txt", "text/plain"), ("wd/a+b", "application/octet-stream")):
        path = f"/jobs/{job}/tasks/{odd}/files/{quote(name, safe='')}?api-version=2025-06-01"
        response = client.send_request(HttpRequest("GET", path), stream=True)
        response.read()
        assert response.headers["Content-Type"] == kind
        assert parsedate_to_datetime(response.headers["Last-Modified"]).tzinfo


@pytest.mark.parametrize(
    ("span", "wanted"),
    [
        ("bytes=0-3", b"0123"),
        ("bytes=0-0", b"0"),
        ("bytes=3-5", b"345"),
        ("bytes=9-9", b"9"),
        ("bytes=8-100", b"89"),
        ("bytes=0-", b"0123456789"),
        ("bytes=4-", b"456789"),
        ("bytes=0-999999999999999999", b"0123456789"),
        (None, b"0123456789"),
    ],
)
def test_a_part_of_a_file_can_be_read(client: Any, job: str, digits: str, span: str | None, wanted: bytes) -> None:
    """By its first and last byte, as far as there are so many."""
    assert read(client, job, digits, "stdout.txt", ocp_range=span) == wanted


def test_the_asynchronous_client_reads_parts(instance: Instance, job: str, digits: str) -> None:
    """The request for a part is signed as any other."""

    async def go() -> bytes:
        async with instance.async_client() as connected:
            chunks = await connected.download_task_file(job, digits, "stdout.txt", ocp_range="bytes=2-4")
            return b"".join([chunk async for chunk in chunks])

    assert asyncio.run(go()) == b"234"


@pytest.mark.parametrize(
    ("span", "code"),
    [
        ("bytes=10-12", "InvalidRange"),
        ("bytes=5-3", "InvalidRange"),
        ("bytes=999999999999999999-", "InvalidRange"),
        ("bytes=-3", "InvalidHeaderValue"),
        ("bytes=1-2,4-5", "InvalidHeaderValue"),
        ("1-2", "InvalidHeaderValue"),
        (f"bytes={'1' * 5000}-", "InvalidHeaderValue"),
    ],
)
def test_a_part_that_is_not_there_is_refused(client: Any, job: str, digits: str, span: str, code: str) -> None:
    """Beyond the end, or no part at all."""
    with refused(code, 416 if code == "InvalidRange" else 400):
        client.download_task_file(job, digits, "stdout.txt", ocp_range=span)


def test_an_empty_file_can_be_read(client: Any, job: str, digits: str) -> None:
    """There is nothing in it."""
    assert client.get_task_file_properties(job, digits, "stderr.txt").content_length == 0
    assert read(client, job, digits, "stderr.txt") == b""
    with refused("InvalidRange", 416):
        client.download_task_file(job, digits, "stderr.txt", ocp_range="bytes=0-0")


# Folders, links and pipes.


def test_a_folder_can_be_looked_at_but_not_read(client: Any, job: str, folders: str) -> None:
    """It says what it is."""
    assert client.get_task_file_properties(job, folders, "wd/d").is_directory is True
    with refused("OperationInvalidForCurrentState", 409):
        client.download_task_file(job, folders, "wd/d")


def test_a_folder_is_deleted_with_what_is_in_it_only_if_that_is_said(client: Any, job: str, folders: str) -> None:
    """An empty one needs no more words."""
    client.delete_task_file(job, folders, "wd/empty")
    with refused("OperationInvalidForCurrentState", 409):
        client.delete_task_file(job, folders, "wd/full")
    assert read(client, job, folders, "wd/full/of/x") == b"x\n"
    client.delete_task_file(job, folders, "wd/full", recursive=True)

    left = names(client.list_task_files(job, folders, recursive=True))
    assert not [name for name in left if name.startswith(("wd/full", "wd/empty"))]


def test_no_link_leads_out(client: Any, job: str, folders: str) -> None:
    """Neither to read, nor to list, nor to delete."""
    for name in ("wd/out", "wd/root", "wd/root/etc/passwd", "wd/up", "wd/up/.."):
        with refused("InvalidUri", 400):
            client.download_task_file(job, folders, name)
        with refused("InvalidUri", 400):
            client.delete_task_file(job, folders, name, recursive=True)
    listed = names(client.list_task_files(job, folders, recursive=True))

    assert not [name for name in listed if name.startswith(("wd/out", "wd/root", "wd/up"))]
    assert os.path.exists("/etc/passwd")


def test_a_link_within_is_what_it_leads_to(client: Any, job: str, folders: str) -> None:
    """A folder is not listed twice for it; what leads nowhere is not there."""
    assert read(client, job, folders, "wd/in") == b"x\n"
    assert read(client, job, folders, "wd/link/x") == b"x\n"
    assert read(client, job, folders, "wd/above") == b""
    listed = names(client.list_task_files(job, folders, recursive=True))
    assert "wd/d/x" in listed
    assert "wd/link/x" not in listed

    for name in ("wd/dangling", "wd/circle"):
        assert name not in listed
        with refused("FileNotFound", 404):
            client.download_task_file(job, folders, name)


def test_a_link_is_deleted_and_not_what_it_leads_to(client: Any, job: str, folders: str) -> None:
    """Be it to a file or to a folder."""
    client.delete_task_file(job, folders, "wd/in")
    client.delete_task_file(job, folders, "wd/link", recursive=True)

    listed = names(client.list_task_files(job, folders, recursive=True))
    assert not {"wd/in", "wd/link"} & set(listed)
    assert read(client, job, folders, "wd/d/x") == b"x\n"


def test_a_pipe_keeps_nobody_waiting(client: Any, job: str, folders: str) -> None:
    """It is no file that could be read."""
    assert "wd/pipe" not in names(client.list_task_files(job, folders, recursive=True))
    with refused("FileNotFound", 404):
        client.download_task_file(job, folders, "wd/pipe")


# Now, not yet, and no longer.


def test_a_task_that_never_ran_has_no_files(client: Any, job: str) -> None:
    """Whatever is asked of them."""
    client.create_task(job, a_task("waits", requiredSlots=200))

    with refused("TaskFilesUnavailable", 409):
        list(client.list_task_files(job, "waits"))
    with refused("TaskFilesUnavailable", 409):
        client.download_task_file(job, "waits", "stdout.txt")
    with refused("TaskFilesUnavailable", 409):
        client.delete_task_file(job, "waits", "stdout.txt")
    assert status_of(lambda: client.get_task_file_properties(job, "waits", "stdout.txt")) == 409


def test_files_can_be_read_while_they_are_written(client: Any, instance: Instance, job: str) -> None:
    """As far as they have come."""
    command = "sh -c 'echo $$; while ! [ -e go ]; do sleep 0.01; done; echo more'"
    client.create_task(job, a_task("writes", command))
    first = f"{process_of(client, job, 'writes').pid}\n"
    assert names(client.list_task_files(job, "writes")) == ["certs", "stderr.txt", "stdout.txt", "wd"]
    assert printed(client, job, "writes") == first
    assert read(client, job, "writes", "stdout.txt", ocp_range="bytes=0-0") == first[:1].encode()
    (place(instance, job, "writes") / "wd/go").touch()
    completed(client, job, "writes")

    assert printed(client, job, "writes") == f"{first}more\n"
    assert read(client, job, "writes", "stdout.txt", ocp_range=f"bytes={len(first)}-") == b"more\n"


def test_a_file_can_be_deleted_while_the_task_runs(client: Any, job: str) -> None:
    """The task does not notice."""
    sleeping(client, job, "sleeps")
    client.delete_task_file(job, "sleeps", "stdout.txt")

    assert "stdout.txt" not in names(client.list_task_files(job, "sleeps"))
    assert client.get_task(job, "sleeps").state == "running"
    client.delete_task(job, "sleeps")


def test_a_file_that_shrinks_while_it_is_read_is_not_taken_for_whole(client: Any, instance: Instance, job: str) -> None:
    """Who reads it learns that it ends too early, and does not wait for the rest."""
    run(client, job, "truncate --size 50M large", "shrinks")
    chunks = client.download_task_file(job, "shrinks", "wd/large", read_timeout=5)
    assert next(chunks)
    os.truncate(place(instance, job, "shrinks") / "wd/large", 1000)

    with pytest.raises(AzureError) as caught:
        list(chunks)
    assert "timed out" not in str(caught.value)


def test_files_go_with_their_job(client: Any, instance: Instance, pool: str) -> None:
    """Nothing of it is left on any node."""
    with instances.job(client, pool) as job:
        run(client, job, "touch x")
        assert list(instance.home.glob(f"nodes/*/workitems/{job}"))
    eventually(lambda: list(instance.home.glob(f"nodes/*/workitems/{job}")), lambda left: not left)
