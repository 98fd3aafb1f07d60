"""Whatever a task has left can be removed."""

import os
from pathlib import Path

import pytest

from fastbatch.local.removal import remove


def deepen(folder: Path, depth: int, name: str) -> None:
    """Make folders in folders, deeper than any path may be long."""
    before = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        for _ in range(depth):
            os.mkdir(name)
            os.chdir(name)
    finally:
        os.fchdir(before)
        os.close(before)


def test_folders_are_removed_however_deep(tmp_path: Path) -> None:
    """Deeper than calls may be nested, and than a path may be long."""
    top = tmp_path / "top"
    top.mkdir()
    deepen(top, 3000, "d" * 20)

    remove(str(top))
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_may_write_in_is_removed(tmp_path: Path) -> None:
    """As a package cache leaves it."""
    inner = tmp_path / "top" / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    for folder in (inner, inner.parent, inner.parent.parent):
        folder.chmod(0o500)

    remove(str(tmp_path / "top"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_is_removed_and_not_where_it_leads(tmp_path: Path, kind: str) -> None:
    """At the top as well as inside."""
    target = tmp_path / "target"
    if kind == "file":
        target.write_text("x")
    else:
        (target / "inner").mkdir(parents=True)
    top = tmp_path / "top"
    top.mkdir()
    (top / "link").symlink_to(target)
    (tmp_path / "link").symlink_to(target)

    remove(str(tmp_path / "link"))
    remove(str(top))
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert kind == "file" or (target / "inner").is_dir()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """It may have gone meanwhile."""
    with pytest.raises(FileNotFoundError):
        remove(str(tmp_path / "nothing"))
