"""The node's code as it travels: one file, the same wherever it is built, that any Python of the nodes runs."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from fastbatch import nodecode

from .node.conftest import NODE, oldest_python

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FEW_WORDS = (b"b a a", b"2\ta\n1\tb\n")


def test_the_code_is_found_beside_the_package() -> None:
    """So that an edit of it acts at once."""
    assert nodecode.folder() == NODE


def test_the_same_code_gives_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its digest is its name, so neither time nor place nor permissions may be in it."""
    first = nodecode.zipapp()
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(NODE, elsewhere, copy_function=shutil.copyfile)
    for path in elsewhere.rglob("*.py"):
        path.chmod(0o600)
        os.utime(path, (0, 0))
    monkeypatch.setattr(nodecode, "folder", lambda: elsewhere)
    second = nodecode.zipapp()

    assert first == second
    assert len(first.digest) == 64


def test_the_file_holds_the_program_and_nothing_else(tmp_path: Path) -> None:
    """Sorted, not compressed, without a time."""
    (tmp_path / "node.pyz").write_bytes(nodecode.zipapp().content)

    with zipfile.ZipFile(tmp_path / "node.pyz") as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(["__main__.py", *(f"counting/{path.name}" for path in (NODE / "counting").glob("*.py"))])
    assert {(entry.compress_type, entry.date_time[0], entry.external_attr >> 16) for entry in entries} == {
        (zipfile.ZIP_STORED, 1980, 0o100644)
    }


def test_the_file_runs_in_each_python(tmp_path: Path) -> None:
    """From any folder, with nothing else beside it."""
    (tmp_path / "node.pyz").write_bytes(nodecode.zipapp().content)
    stdin, stdout = FEW_WORDS

    for python in filter(None, [sys.executable, oldest_python()]):
        done = subprocess.run([python, "-I", "node.pyz"], cwd=tmp_path, input=stdin, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, stdout, b"")


def test_the_node_imports_nothing_but_the_standard_library() -> None:
    """There is nothing else on a node."""
    for path in [NODE / "wordcount.py", *(NODE / "counting").glob("*.py")]:
        for statement in ast.walk(ast.parse(path.read_text())):
            if isinstance(statement, ast.Import):
                modules = [alias.name for alias in statement.names]
            elif isinstance(statement, ast.ImportFrom) and not statement.level:
                modules = [statement.module or ""]
            else:
                continue
            for module in modules:
                root = module.split(".")[0]
                # _typeshed is there for type checkers only.
                assert root in {*sys.stdlib_module_names, "counting", "_typeshed"}, f"{path.name} imports {module}"
