"""The folder of an instance: its keys, its state, its log files, and what of it runs. Only its owner may look in."""

import base64
import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastbatch.local.errors import Unavailable
from fastbatch.local.processes import Identity, alive

ACCOUNT = "fastbatchlocal"  # the name of both accounts
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
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "fastbatch" / "local"


class Home:
    """An instance's folder."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))

    @property
    def exists(self) -> bool:
        """Tell whether an instance was ever started here."""
        return self._keys.is_file()

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

    def create(self) -> None:
        """Make the folder, and the keys of its accounts, unless they are there."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.exists:
                batch, storage = (base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode() for _ in range(2))
                _write(self._keys, {"batch": batch, "storage": storage})
        except OSError as error:
            raise Unavailable(
                f"The folder {self.path} can't be used: {error.strerror}. Name another with --home."
            ) from error

    def keys(self) -> Keys:
        """Read the keys."""
        if not self.exists:
            raise Unavailable(f"There are no local services in {self.path}. Start them: fastbatch local up")
        try:
            return Keys(**_read(self._keys))
        except (ValueError, TypeError) as error:
            raise Unavailable(f"The keys in {self._keys} can't be read. Remove {self.path} to start anew.") from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Start and stop the instance one at a time."""
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def process(self, name: str) -> Process | None:
        """Give what was written down of a background process; it may have ended since."""
        told = self._told().get(name)
        return told and Process(Identity.parse(told["process"]), told["port"])

    def note(self, name: str, process: Process) -> None:
        """Write down a background process."""
        told = self._told()
        told[name] = {"process": str(process.identity), "port": process.port}
        _write(self._processes, told)

    def _told(self) -> dict[str, Any]:
        try:
            return dict(_read(self._processes))
        except (FileNotFoundError, ValueError):
            return {}


def _read(path: Path) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _write(path: Path, content: Any) -> None:
    """Write a file that is there whole or not at all, for its owner alone."""
    temporary = path.with_suffix(f".{os.getpid()}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file)
    temporary.replace(path)
