"""
Environments of Python for programs that can't share ours, in the user's cache: each made once, and kept.

An environment knows its own place, so it is made where it stays. Its mark comes last: what has none was begun and not
finished, and is made anew. Only who holds the lock makes it, and pip holds it too, as it may outlive us.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fastbatch.local.azurite.commands import last_lines, plain_environment, run
from fastbatch.local.azurite.finding import users_cache
from tests.local.instances import Instance

TRACK_1 = ("azure-batch==14.2.0", "azure-storage-blob==12.24.0")
AZ = ("azure-cli==2.91.0",)

SECONDS = 15 * 60  # that making an environment may take

_MARK = "finished"


def python_with(requirements: tuple[str, ...]) -> Path:
    """Give a Python that has these packages; its environment is made at first use."""
    folder = users_cache() / "clients" / _name(requirements)
    make_once(folder, lambda lock: _make(folder, requirements, lock))
    return folder / "bin" / "python"


def make_once(folder: Path, make: Callable[[int], None]) -> None:
    """Have a folder made unless it is there whole; who makes it is given the lock, to pass it on."""
    with _lock(folder.parent / f"{folder.name}.lock") as lock:
        if (folder / _MARK).exists():
            return
        if folder.exists():
            shutil.rmtree(folder)
        make(lock)
        (folder / _MARK).touch()


def alone(home: Path) -> Mapping[str, str]:
    """Give the environment variables of a program whose settings are in a folder, and who goes through no proxy."""
    return {
        **plain_environment(),
        "HOME": str(home),
        "AZURE_CONFIG_DIR": str(home / ".azure"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_NO_COLOR": "yes",
        "TMPDIR": str(home),
    }


def account(services: Instance) -> Mapping[str, str]:
    """Give the environment variables that tell an account, as `az batch` has them."""
    return {
        "AZURE_BATCH_ACCOUNT": services.account,
        "AZURE_BATCH_ACCESS_KEY": services.key,
        "AZURE_BATCH_ENDPOINT": services.endpoint,
    }


def _name(requirements: tuple[str, ...]) -> str:
    """Name the folder for all that is in it."""
    content = json.dumps([requirements, sys.version, sys.base_prefix])
    return f"{requirements[0].replace('==', '-')}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[int]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def _make(folder: Path, requirements: tuple[str, ...], lock: int) -> None:
    _run([sys.executable, "-Im", "venv", str(folder)], lock)
    _run([str(folder / "bin" / "python"), "-Im", "pip", "install", "--quiet", *requirements], lock)


def _run(argv: list[str], lock: int) -> None:
    """Run a program with our environment: where pip finds packages is said there."""
    ended = run(argv, seconds=SECONDS, env=os.environ, inherited=[lock])
    if ended.code != 0:
        raise RuntimeError(f"{' '.join(argv)} failed ({ended.code}):{last_lines(ended.output)}")
