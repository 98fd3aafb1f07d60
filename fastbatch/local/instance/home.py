"""The folder of an instance: its keys, its state, its log files, and what of it runs. Only its owner may look in."""

import base64
import contextlib
import errno
import fcntl
import json
import os
import secrets
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastbatch.local.errors import Unavailable
from fastbatch.local.processes import Identity, alive
from fastbatch.local.removal import remove

ACCOUNT = "fastbatchlocal"  # the name of both accounts
FAULTY_STORAGE = "faulty-storage"  # the port of the Batch service where the storage is once more, with faults
_KEY_BYTES = 64


@dataclass(frozen=True, slots=True)
class Process:
    """A background process of an instance, and the port where it listens."""

    identity: Identity
    port: int

    @property
    def runs(self) -> bool:
        """Tell whether it is alive."""
        return alive(self.identity)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an instance's two accounts, in base64."""

    batch: str
    storage: str

    @property
    def batch_bytes(self) -> bytes:
        """Give the key that Batch requests are signed with."""
        return base64.b64decode(self.batch)


def default_home() -> Path:
    """Give the folder for an instance that has no other: the user's own one."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):  # the XDG specification has others ignored
        return Path(state, "fastbatch", "local")
    try:
        return Path.home() / ".local" / "state" / "fastbatch" / "local"
    except RuntimeError as error:
        raise Unavailable("There is no home folder for the services' state. Name a folder with --home.") from error


class Home:
    """An instance's folder; links on the way to it are followed once, so that it has one name only."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))

    @property
    def exists(self) -> bool:
        """Tell whether an instance was ever started here."""
        return self._lock_file.is_file()

    @property
    def database(self) -> Path:
        """The state of the Batch service."""
        return self.path / "batch.db"

    @property
    def log(self) -> Path:
        """The log of the Batch service."""
        return self.path / "batch.log"

    @property
    def nodes(self) -> str:
        """The folder of all nodes; no link is on the way to it."""
        return os.path.realpath(self.path / "nodes")

    @property
    def _keys(self) -> Path:
        return self.path / "keys.json"

    @property
    def _processes(self) -> Path:
        return self.path / "processes.json"

    @property
    def _owner(self) -> Path:
        return self.path / "owner.json"

    @property
    def _lock_file(self) -> Path:
        return self.path / "lock"

    def command(self, verb: str) -> str:
        """Give the command that does something to this instance, for messages."""
        home = "" if self.path == Home(default_home()).path else f" --home {shlex.quote(str(self.path))}"
        return f"fastbatch local {verb}{home}"

    @contextlib.contextmanager
    def locked(self, *, create: bool = False) -> Iterator[bool]:
        """
        Start and stop the instance one at a time; tell whether there is one.

        With `create`, the folder is made if need be.
        """
        lock = self._locked_anew() if create else self._locked_if_there()
        try:
            yield lock is not None
        finally:
            if lock is not None:
                os.close(lock)

    def _locked_anew(self) -> int:
        try:
            while True:
                self._make()
                lock = self._locked_if_there(os.O_CREAT)
                if lock is not None:
                    return lock
        except OSError as error:
            raise Unavailable(
                f"The folder {self.path} can't be used: {error.strerror}. Name another with --home."
            ) from error

    def _make(self) -> None:
        self._require_utf8()
        for folder in (*reversed(self.path.parents), self.path):  # one by one, as else the mode is of the last one only
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
            except FileExistsError as error:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error
        if not self.exists and os.listdir(self.path):
            raise Unavailable(
                f"The folder {self.path} has files that are none of the local services'. "
                "Name a new or an empty folder with --home."
            )
        self.path.chmod(0o700)  # whatever it was before

    def _require_utf8(self) -> None:
        """Raise Unavailable where Azurite would misread the folder's name, and write beside it."""
        try:
            str(self.path).encode()
        except UnicodeEncodeError as error:
            raise Unavailable(f"The name of {self.path} is not UTF-8. Name another folder with --home.") from error

    def _locked_if_there(self, flags: int = 0) -> int | None:
        """Take the lock; who held it before may have removed it with the folder, and then there is none."""
        try:
            lock = os.open(self._lock_file, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.exists and os.path.samestat(os.fstat(lock), os.stat(self._lock_file)):
                return lock
        except BaseException:  # an interruption, too
            os.close(lock)
            raise
        os.close(lock)
        return None

    def make_keys(self) -> bool:
        """Make the keys of the accounts unless they are there; tell whether they are new."""
        if self._keys.exists():
            self.keys()
            return False
        batch, storage = (base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode() for _ in range(2))
        _write(self._keys, {"batch": batch, "storage": storage})
        return True

    def keys(self) -> Keys:
        """Read the keys."""
        try:
            keys = Keys(**_read(self._keys))
            for key in (keys.batch, keys.storage):
                base64.b64decode(key, validate=True)
        except (FileNotFoundError, NotADirectoryError):
            raise Unavailable(f"There are no local services in {self.path}. Start them: {self.command('up')}") from None
        except (ValueError, TypeError) as error:
            raise Unavailable(
                f"The keys in {self._keys} can't be read. Remove that file, and new ones are made by: "
                f"{self.command('up')}"
            ) from error
        return keys

    def process(self, name: str) -> Process | None:
        """Give what was written down of a background process; it may have ended since."""
        return self.processes().get(name)

    def processes(self) -> Mapping[str, Process]:
        """Give all background processes that were written down; they may have ended since."""
        try:
            told = _read(self._processes).items()
            return {name: Process(Identity.parse(of["process"]), int(of["port"])) for name, of in told}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unavailable(
                f"What runs can't be read from {self._processes}. Stop whatever it is, and start anew: "
                f"{self.command('down')} && {self.command('up')}"
            ) from error

    def storage_port(self) -> int:
        """Give the port of the storage; raises Unavailable if none was ever started."""
        storage = self.process("storage")
        if storage is None:
            raise Unavailable(f"The storage in {self.path} was never started. Start it: {self.command('up')}")
        return storage.port

    def note(self, name: str, process: Process) -> None:
        """Write down a background process."""
        known = {**self.processes(), name: process}
        _write(self._processes, {name: {"process": str(it.identity), "port": it.port} for name, it in known.items()})

    def forget_processes(self) -> None:
        """Let nothing be written down of what runs."""
        self._processes.unlink(missing_ok=True)

    @property
    def is_owned(self) -> bool:
        """Tell whether all of it goes when it is stopped, as it belongs to a process."""
        return self._owner.exists()

    def note_owner(self, owner: Identity) -> None:
        """Write down to which process all of it belongs."""
        _write(self._owner, str(owner))

    def disown(self) -> None:
        """Let it belong to no process."""
        self._owner.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove all of it."""
        with contextlib.suppress(FileNotFoundError):
            remove(str(self.path))


def _read(path: Path) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _write(path: Path, content: Any) -> None:
    """Write a file that is there whole or not at all, for its owner alone; who writes holds the lock."""
    temporary = path.with_name(f"{path.name}.new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file)
    temporary.replace(path)
