"""
Azurite in the cache: installed once, by npm, exactly as the lock file beside this module says.

An installation appears whole or not at all: npm works in a folder beside, which is renamed at the end. Only who holds
the lock installs; npm holds it too, so that nobody interferes with an npm whose caller was killed.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from fastbatch.local.azurite.commands import Ended, last_lines, run
from fastbatch.local.azurite.node import Node
from fastbatch.local.azurite.versions import flaw
from fastbatch.local.errors import Unavailable

_PACKAGE = Path(__file__).with_name("package.json")
_LOCK_FILE = Path(__file__).with_name("package-lock.json")
_ENTRY = Path("node_modules", "azurite", "dist", "src", "blob", "main.js")
_UNFINISHED = "azurite-unfinished-"

_NPM_CI = ("ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
# Azurite asks for a newer Node.js than its blob service needs: who made npm strict would get nothing. And what npm
# could not write it only warns of, which is to be seen by those who made it silent, too.
_NPM_OPTIONS = ("--engine-strict=false", "--loglevel=notice")
_NOT_WRITTEN = "TAR_ENTRY_ERROR"
_NPM_SECONDS = 15 * 60
_CHECK_SECONDS = 60

_NETWORK = "Check the network and npm's settings for registry and proxy (npm config list), then run this again"
_SPACE = "Free some space, then run this again"
_ADVICE = {
    "EAI_AGAIN": _NETWORK,
    "ECONNREFUSED": _NETWORK,
    "ECONNRESET": _NETWORK,
    "EDQUOT": _SPACE,
    "EHOSTUNREACH": _NETWORK,
    "ENETUNREACH": _NETWORK,
    "ENOSPC": _SPACE,
    "ENOTFOUND": _NETWORK,
    "ERR_SOCKET_TIMEOUT": _NETWORK,
    "ETIMEDOUT": _NETWORK,
}
_OTHERWISE = "Mend what it complains about, then run this again"
_BY_HAND = "or install Azurite yourself (npm install --global azurite), with azurite-blob on PATH"


def installed(cache: Path, node: Node, say: Callable[[str], None]) -> list[str]:
    """Give the start of a command line that runs the Azurite in the cache; first install or mend it if need be."""
    cache = cache.absolute()
    folder = cache / _name()
    try:
        if _flaw(folder, node):
            with _lock(cache, say) as lock:
                if _flaw(folder, node):  # who held the lock before may have installed it
                    _install(folder, node, say, lock)
    except OSError as error:
        raise Unavailable(
            f"Azurite can't be installed into {cache} ({error.strerror or error}). "
            f"See to that, or set XDG_CACHE_HOME to another folder; {_BY_HAND}."
        ) from error
    return _argv(folder, node)


def _name() -> str:
    """Name the folder for all that is in it, so that another lock file means another folder."""
    return f"azurite-{_version()}-{hashlib.sha256(_LOCK_FILE.read_bytes()).hexdigest()[:12]}"


def _version() -> str:
    version: str = json.loads(_PACKAGE.read_bytes())["dependencies"]["azurite"]
    return version


def _argv(folder: Path, node: Node) -> list[str]:
    return [node.program, str(folder / _ENTRY)]


def _flaw(folder: Path, node: Node) -> str | None:
    """Say why an installation won't do. To say its version, Azurite loads all that it is made of."""
    if not (folder / _ENTRY).is_file():
        return f"there is no {folder / _ENTRY}"
    return flaw(_argv(folder, node), (0,), seconds=_CHECK_SECONDS)


@contextlib.contextmanager
def _lock(cache: Path, say: Callable[[str], None]) -> Iterator[int]:
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(cache / "azurite.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another process is installing Azurite into {cache}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def _install(folder: Path, node: Node, say: Callable[[str], None], lock: int) -> None:
    say(f"Installing Azurite {_version()} into {folder}, once (60 MB)")
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder.parent))
        for file in (_PACKAGE, _LOCK_FILE):
            shutil.copyfile(file, unfinished / file.name)
        _run_npm(unfinished, node, lock)
        if complaint := _flaw(unfinished, node):
            raise Unavailable(f"npm installed an Azurite that won't do: {complaint}.\nRun this again, {_BY_HAND}.")
        _put_in_place(unfinished, folder)
    finally:
        _clear(folder.parent)


def _run_npm(folder: Path, node: Node, lock: int) -> None:
    """Run npm in a folder with package.json and a lock file. It has our environment: its settings are there."""
    if not node.npm:
        raise Unavailable(
            "npm, which installs Azurite, was not found. Install it (it comes with Node.js from https://nodejs.org), "
            f"or run: pip install 'fastbatch[local]'; {_BY_HAND}."
        )
    argv = [*node.npm, *_NPM_CI, *_NPM_OPTIONS]
    ended = run(argv, seconds=_NPM_SECONDS, env=os.environ, cwd=folder, inherited=[lock])
    if ended.code != 0 or _NOT_WRITTEN in ended.output:
        raise Unavailable(_failure(ended))


def _failure(ended: Ended) -> str:
    """Say that npm failed, and what to do about it."""
    if ended.code is None:
        how, advice = f"it did not finish within {_NPM_SECONDS // 60} minutes", _NETWORK
    else:
        code = re.search(rf"^npm (?:(?:error|ERR!) code|.*{_NOT_WRITTEN}) (\w+)", ended.output, re.MULTILINE)
        how, advice = f"exit code {ended.code}", _ADVICE.get(code[1], _OTHERWISE) if code else _OTHERWISE
    return f"npm could not install Azurite ({how}):{last_lines(ended.output)}\n{advice}; {_BY_HAND}."


def _put_in_place(finished: Path, folder: Path) -> None:
    """Give a finished installation its name; a broken one of that name goes the way of the unfinished."""
    if os.path.lexists(folder):
        os.rename(folder, f"{finished}-replaced")
    os.rename(finished, folder)


def _clear(cache: Path) -> None:
    """Remove what was begun and not finished, by us or by one who was killed."""
    for unfinished in cache.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(unfinished, ignore_errors=True)
