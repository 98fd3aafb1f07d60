"""The folder of an instance."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fastbatch.local.errors import Unavailable
from fastbatch.local.instance.home import Home, Process, default_home
from fastbatch.local.instance.services import ServiceMark
from fastbatch.local.marking import INSTANCE_MARK
from fastbatch.local.processes import Identity, identify, look
from tests.local.instances import eventually

ENDED = Process(Identity(1, "0:none"), 7)


def made(path: Path) -> Home:
    """Make a home with keys."""
    home = Home(path)
    with home.locked(create=True):
        home.make_keys()
    return home


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Also if its folder was open to all before, and whatever the umask."""
    (tmp_path / "home").mkdir(mode=0o777)
    before = os.umask(0)
    try:
        home = made(tmp_path / "home")
    finally:
        os.umask(before)

    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((home.path / "keys.json").stat().st_mode) == 0o600
    assert sorted(path.name for path in home.path.iterdir()) == ["keys.json", "lock"]


def test_what_is_made_above_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    """As it is where the user's state is kept, of which there is more."""
    before = os.umask(0)
    try:
        made(tmp_path / "state" / "fastbatch" / "local")
    finally:
        os.umask(before)

    for folder in (tmp_path / "state", tmp_path / "state" / "fastbatch"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_keys_are_made_once(tmp_path: Path) -> None:
    """And differ from home to home and account to account."""
    homes = [made(tmp_path / name) for name in "ab"]
    keys = [home.keys() for home in homes]

    assert len({key for both in keys for key in (both.batch, both.storage)}) == 4
    assert not homes[0].make_keys()
    assert homes[0].keys() == keys[0]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"batch": 1, "storage": 2}', '{"batch": "?", "storage": "?"}'])
def test_keys_that_can_t_be_read_are_left_as_they_are(tmp_path: Path, content: str) -> None:
    """For their owner to see to."""
    home = made(tmp_path / "home")
    (home.path / "keys.json").write_text(content)
    for use in (home.keys, home.make_keys):
        with pytest.raises(Unavailable, match=r"can't be read\. Remove that file"):
            use()

    assert (home.path / "keys.json").read_text() == content


@pytest.mark.parametrize("content", ["", "{", "[]", '{"batch": 1}', '{"batch": {"process": "1", "port": 1}}'])
def test_processes_that_can_t_be_read_are_left_as_they_are(tmp_path: Path, content: str) -> None:
    """As to take none for running would start them twice."""
    home = made(tmp_path / "home")
    (home.path / "processes.json").write_text(content)
    with pytest.raises(Unavailable, match="What runs can't be read"):
        home.note("batch", ENDED)

    assert (home.path / "processes.json").read_text() == content


def test_files_of_others_are_not_joined(tmp_path: Path) -> None:
    """As a home is removed and closed to others as a whole."""
    tmp_path.chmod(0o755)
    (tmp_path / "mine").touch()
    with pytest.raises(Unavailable, match="none of the local services'"):
        made(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_name_that_azurite_would_take_for_another_is_refused(tmp_path: Path) -> None:
    """As blobs would be beside the home then."""
    with pytest.raises(Unavailable, match="not UTF-8"):
        made(Path(os.fsdecode(os.fsencode(tmp_path / "home") + b"\xff")))
    assert not list(tmp_path.iterdir())


def test_to_lock_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    """Unless that is asked for."""
    with Home(tmp_path / "absent").locked() as there:
        assert not there
    assert not list(tmp_path.iterdir())
    with Home(tmp_path / "absent").locked(create=True) as there:
        assert there


@pytest.mark.parametrize("create", [False, True])
def test_who_waits_for_a_home_that_is_removed_does_not_get_the_old_one(tmp_path: Path, *, create: bool) -> None:
    """But a new one, if any."""
    home = made(tmp_path / "home")
    code = """
import sys
from pathlib import Path
from fastbatch.local.instance.home import Home
home = Home(Path(sys.argv[1]))
with home.locked(create=bool(int(sys.argv[2]))) as there:
    print(there, home.path.exists(), (home.path / "keys.json").exists())
"""
    argv = [sys.executable, "-c", code, str(home.path), str(int(create))]
    with home.locked():
        other = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        eventually(lambda: str(home.path / "lock") in open_files(other.pid), bool)
        home.remove()
    said, _ = other.communicate(timeout=20)

    assert said == ("True True False\n" if create else "False False False\n")


def open_files(pid: int) -> set[str]:
    """Give the files that a process has open."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(os.readlink(descriptor))
    return found


def test_processes_are_written_down_one_by_one(tmp_path: Path) -> None:
    """And read as they were; one of another time does not run."""
    home = made(tmp_path)
    me = identify(os.getpid())
    assert me
    home.note("batch", Process(me, 5))
    home.note("storage", ENDED)

    assert home.processes() == {"batch": Process(me, 5), "storage": ENDED}
    assert home.process("keeper") is None
    assert Process(me, 5).runs
    assert not ENDED.runs
    home.forget_processes()
    assert home.processes() == {}


def test_a_home_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever way leads to it."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)

    ways = [Path("real"), Path("link"), tmp_path / "link" / ".." / "real", Path("./real/")]
    assert {Home(way).path for way in ways} == {tmp_path.resolve() / "real"}


def test_the_users_own_home_follows_the_specification(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of XDG, which has relative folders ignored."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    usual = tmp_path / ".local" / "state" / "fastbatch" / "local"
    assert default_home() == usual
    for ignored in ("", "state"):
        monkeypatch.setenv("XDG_STATE_HOME", ignored)
        assert default_home() == usual
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_home() == Path("/state/fastbatch/local")


def test_commands_name_the_home_where_it_is_not_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quoted for a shell."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert Home(default_home()).command("up") == "fastbatch local up"
    assert Home(Path("/a b")).command("up") == "fastbatch local up --home '/a b'"


def test_a_service_is_known_by_the_very_home_of_its_mark(tmp_path: Path) -> None:
    """Not by a home inside it, nor by where it works."""
    environment = {INSTANCE_MARK: str(tmp_path / "home")}
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path, env=environment, start_new_session=True) as process:
        try:
            seen = look(process.pid)
            assert seen
            # It has its environment a moment after it is there.
            eventually(lambda: ServiceMark(INSTANCE_MARK, str(tmp_path / "home")).on(seen), bool)
            for other in (tmp_path, tmp_path / "home" / "below", tmp_path / "ho"):
                assert not ServiceMark(INSTANCE_MARK, str(other)).on(seen)
        finally:
            process.kill()
    assert not ServiceMark(INSTANCE_MARK, str(tmp_path / "home")).on(seen)
