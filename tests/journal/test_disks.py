"""A disk that takes no more is told, with what to do, and nothing that was written is lost."""

import re
from pathlib import Path

import pytest

from fastbatch.errors import JournalFailed
from fastbatch.journal.store import Journal
from tests.journal import made
from tests.journal.children import child, said
from tests.journal.files import NAMES, read_all
from tests.journal.made import RUN

NOBODY = 65534


def test_a_full_disk_is_told_and_what_was_there_is_there(path: Path) -> None:
    """As soon as there is space again it goes on."""
    with Journal.opened(path) as journal:
        run = journal._database.execute  # noqa: SLF001, there is no other way to make it small
        (pages,) = run("PRAGMA page_count").fetchone()
        run(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(JournalFailed, match=r"the disk is full.*What it has is as it was\. Free some space"):
            journal.begin(made.record("run-zzzzzzzz"), made.whole_files(*NAMES))
        read_all(journal)
        assert [record.id for record in journal.runs()] == [RUN]

        run("PRAGMA max_page_count = 1000000")
        journal.begin(made.record("run-zzzzzzzz"), made.whole_files(*NAMES))
        assert len(journal.runs()) == 2


@pytest.mark.parametrize("room", [8_000, 100_000])
def test_a_file_that_may_not_grow_is_told(path: Path, room: int) -> None:
    """A limit of the system is as a full disk is."""
    size = path.stat().st_size
    program = f"""
with Journal.opened(path) as journal:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
    try:
        journal.begin(made.record("run-zzzzzzzz"), made.whole_files(*(f"other-{{n}}" for n in range(5000))))
    except FastbatchError as error:
        print(type(error).__name__, error)
    print([record.id for record in journal.runs()])
"""
    lines = said(child(program, path)).splitlines()

    assert re.match(rf"JournalFailed The journal .*{path.name} can't be .*disk.*fastbatch ls", lines[0])
    assert lines[1] == f"['{RUN}']"
    assert path.stat().st_size == size
    with Journal.opened(path) as journal:
        assert journal.plan(RUN) == made.whole_files(*NAMES)


def test_a_journal_that_cannot_be_made_for_lack_of_space_is_told(tmp_path: Path) -> None:
    """And the next one who comes makes it."""
    path = tmp_path / "journal.db"
    program = """
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    Journal.opened(path)
except FastbatchError as error:
    print(type(error).__name__, error)
"""
    assert said(child(program, path)).startswith(
        f"JournalFailed The journal {path} can't be read or written, as the disk"
    )
    with Journal.opened(path) as journal:
        assert journal.runs() == []


def test_a_folder_that_may_not_be_written_is_told(path: Path) -> None:
    """With the way to name another; what is there stays as it is."""
    content = path.read_bytes()
    program = f"""
os.geteuid() or os.setuid({NOBODY})  # nothing is forbidden to root
try:
    Journal.opened(path)
except FastbatchError as error:
    print(type(error).__name__, error)
"""
    path.chmod(0o444)
    folders = [path.parent, *path.parents[1:3]]
    modes = [folder.stat().st_mode for folder in folders]
    try:
        for folder in folders:
            folder.chmod(0o555)
        line = said(child(program, path))
    finally:
        for folder, mode in zip(folders, modes, strict=True):
            folder.chmod(mode)

    assert re.match(r"UsageError The journal .*Permission denied.*Allow it, or .*XDG_STATE_HOME", line)
    assert path.read_bytes() == content
