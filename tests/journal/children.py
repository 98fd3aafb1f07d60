"""Other processes that use a journal."""

import subprocess
import sys
from pathlib import Path
from typing import Any


def child(program: str, path: Path, **options: Any) -> "subprocess.Popen[str]":
    """Let another process do something with a journal."""
    start = f"""
import os, resource, sys
from pathlib import Path
from fastbatch.errors import FastbatchError
from fastbatch.journal.records import Attempt, Changes
from fastbatch.journal.store import Journal
from fastbatch.model import Task
from fastbatch.books.standing import Standing
from tests.journal import made
from tests.journal.made import RUN
path = Path({str(path)!r})
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", start + program], text=True, **{**pipes, **options})


def tell(process: "subprocess.Popen[str]", line: str) -> None:
    """Say something to a process."""
    assert process.stdin
    process.stdin.write(line)
    process.stdin.flush()


def said(process: "subprocess.Popen[str]") -> str:
    """Give what a process says until it ends, well."""
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    return out
