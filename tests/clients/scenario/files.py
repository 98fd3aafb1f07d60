"""Files that tasks leave: those of a task, and those of a node."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.clients.playing import Player


@dataclass(frozen=True)
class _Folder:
    """A folder that belongs to a task or a node, and two of its files."""

    owner: str  # task, node: as it is in the names of operations
    ids: Sequence[str]
    printed: str  # the name of a text
    text: bytes
    other: str  # the name of a file further down, that may go


def of_tasks(player: Player, job: str) -> None:
    """List, read and remove the files of a task."""
    _play(player, _Folder("task", (job, "hello"), "stdout.txt", b"hello\n", "wd/sub/a.txt"))


def of_nodes(player: Player, pool: str) -> None:
    """List, read and remove the files of a node, which has those of its start task."""
    node = player.ask("list_nodes", pool)[0]["id"]
    _play(player, _Folder("node", (pool, node), "startup/stdout.txt", b"started\n", "startup/wd/gone.txt"))


def _play(player: Player, folder: _Folder) -> None:
    _list(player, folder)
    download, ids = f"download_{folder.owner}_file", folder.ids
    player.tries(download, *ids, folder.printed, seen=lambda content: content == folder.text)
    player.tries(
        download, *ids, folder.printed, ocp_range="bytes=1-3", seen=lambda content: content == folder.text[1:4]
    )
    player.tries(download, *ids, "none.txt", refused_with="FileNotFound")
    player.tries(
        f"get_{folder.owner}_file_properties",
        *ids,
        folder.printed,
        seen=lambda about: int(about["contentLength"]) == len(folder.text),
    )
    player.tries(
        f"delete_{folder.owner}_file",
        *ids,
        folder.other,
        seen=lambda _: folder.other not in _names(player.ask(f"list_{folder.owner}_files", *ids, recursive=True)),
    )


def _list(player: Player, folder: _Folder) -> None:
    listing = f"list_{folder.owner}_files"
    top = folder.other.partition("/")[0]
    player.tries(listing, *folder.ids, seen=lambda files: top in _names(files) and folder.other not in _names(files))
    both = {folder.printed, folder.other}
    player.tries(listing, *folder.ids, recursive=True, seen=lambda files: both <= _names(files))
    player.tries(
        listing,
        *folder.ids,
        recursive=True,
        filter=f"startswith(name,'{folder.other}')",
        seen=lambda files: _names(files) == {folder.other},
    )
    player.tries(
        listing,
        *folder.ids,
        recursive=True,
        max_results=1,
        seen=lambda files: len(files) == len(_names(files)) and folder.other in _names(files),
    )


def _names(files: Sequence[Any]) -> set[str]:
    return {file["name"] for file in files}
