"""What is kept on this machine is its user's alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastbatch import state


@pytest.fixture(params=[0o000, 0o022, 0o077])
def mask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have users who let others in, or not."""
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("mask")
def test_folders_are_for_their_owners_eyes_only(tmp_path: Path) -> None:
    """Those above as well: the names of runs tell something, and who may write there may put in what he likes."""
    state.make(tmp_path / "state" / "fastbatch" / "runs" / "run-x")
    made = [path for path in tmp_path.rglob("*") if path.is_dir()]

    assert len(made) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    """It may be somebody's wish."""
    tmp_path.chmod(0o755)
    state.make(tmp_path)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
