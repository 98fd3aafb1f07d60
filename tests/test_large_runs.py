"""Runs of many and of large files: their totals are those of the definition of a word."""

from pathlib import Path

import pytest

from bench import corpora
from bench.corpora import Totals
from fastbatch import Account
from tests.counted import counted, counts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def check(account: Account, folder: Path, output: Path, expected: Totals, **settings: int) -> None:
    """Run a corpus, and compare all that is counted."""
    summary, _ = counted(account, folder, output, **settings)
    assert summary.complete
    assert summary.books.done == expected.files
    assert summary.totals.bytes == expected.bytes
    assert counts(output) == dict(expected.counts)


def test_twenty_thousand_small_files(account: Account, tmp_path: Path) -> None:
    """Of 4 KiB each."""
    expected = corpora.small(tmp_path / "in", 20_000, 4096)
    check(account, tmp_path / "in", tmp_path / "out", expected)


def test_a_file_of_a_gigabyte(account: Account, tmp_path: Path) -> None:
    """It is cut into slices, each a bundle."""
    (tmp_path / "in").mkdir()
    expected = corpora.large(tmp_path / "in" / "large.txt", 1_000_000_000)
    check(account, tmp_path / "in", tmp_path / "out", expected)


def test_a_mix_of_empty_tiny_and_large_files(account: Account, tmp_path: Path) -> None:
    """In one folder."""
    check(account, tmp_path / "in", tmp_path / "out", corpora.mix(tmp_path / "in"))


def test_three_hundred_files_each_with_a_task_of_its_own(account: Account, tmp_path: Path) -> None:
    """The tutorial's shape."""
    expected = corpora.small(tmp_path / "in", 300, 10_240)
    check(account, tmp_path / "in", tmp_path / "out", expected, files_per_task=1)
