"""Azurite's blob service: the user's own on PATH if it will do, else the one in the user's cache."""

import os
from collections.abc import Callable
from pathlib import Path

from fastbatch.local.azurite.installation import installed
from fastbatch.local.azurite.node import find_node, find_on_path
from fastbatch.local.azurite.versions import flaw
from fastbatch.local.errors import Unavailable

OLDEST = (3, 35)


def _say_nothing(_: str) -> None:
    pass


def program(cache: Path | None = None, say: Callable[[str], None] = _say_nothing) -> list[str]:
    """Give the start of a command line that runs the blob service, which is installed at first use."""
    return _on_path(say) or installed(cache or users_cache(), find_node(), say)


def _on_path(say: Callable[[str], None]) -> list[str]:
    path = find_on_path("azurite-blob")
    if path is None:
        return []
    if complaint := flaw([path], OLDEST):
        say(f"{path} is passed over: {complaint}")
        return []
    return [path]


def users_cache() -> Path:
    """Give the folder for what can be made again."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the XDG specification has others ignored
        return Path(base, "fastbatch")
    try:
        return Path.home() / ".cache" / "fastbatch"
    except RuntimeError as error:
        raise Unavailable(
            "There is no home folder to install Azurite into. Set XDG_CACHE_HOME to a folder for caches."
        ) from error
