"""What tests of the journal share."""

from pathlib import Path

import pytest

from fastbatch.journal.store import Journal
from tests.journal import made
from tests.journal.files import NAMES


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Have a journal of one run, that is closed."""
    found = tmp_path / "state" / "journal.db"
    with Journal.opened(found) as journal:
        journal.begin(made.record(), made.whole_files(*NAMES))
    assert [file.name for file in found.parent.iterdir()] == ["journal.db"]
    return found
