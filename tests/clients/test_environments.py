"""Environments for other clients are made once, whole, and by one at a time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.clients.environments import make_once


def test_what_many_want_is_made_once(tmp_path: Path) -> None:
    """The others wait until it is whole."""
    folder = tmp_path / "environment"
    made: list[int] = []

    def make(_: int) -> None:
        made.append(len(made))
        folder.mkdir()
        (folder / "content").write_text("all")

    def content(_: int) -> str:
        make_once(folder, make)
        return (folder / "content").read_text()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(content, range(8))) == {"all"}
    assert made == [0]


def test_what_was_not_finished_is_made_anew(tmp_path: Path) -> None:
    """Whatever is left of it."""
    folder = tmp_path / "environment"

    def begin(_: int) -> None:
        folder.mkdir()
        (folder / "left").touch()
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        make_once(folder, begin)
    make_once(folder, lambda _: folder.mkdir())
    assert not (folder / "left").exists()
