"""Sessions of benchmarks are begun and ended well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.programs import ROOT

if TYPE_CHECKING:
    from pathlib import Path

QUICKEST = "bench/bench_node.py::bench_start_a_program"


def session(output: Path, tmp_path: Path, **environment: str) -> tuple[int, str]:
    """Have a session of one benchmark; give its exit code, and what it said."""
    where = [f"--output={output}", f"--basetemp={tmp_path / 'made'}", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", QUICKEST, "-q", "--quick", *where]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=False)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def test_without_matplotlib_numbers_are_written_and_what_to_do_is_said(tmp_path: Path) -> None:
    """Nothing that was measured is lost; and what was made to measure it is gone."""
    (tmp_path / "matplotlib.py").write_text("raise ModuleNotFoundError(name='matplotlib')")

    code, said = session(tmp_path / "output", tmp_path, PYTHONPATH=str(tmp_path))

    assert code == 0, said
    assert "No pictures are drawn, as matplotlib is not there: pip install 'fastbatch[plot]'" in said
    assert json.loads((tmp_path / "output" / "results.json").read_bytes())["contests"]
    assert not (tmp_path / "made").exists()


def test_output_that_is_no_folder_is_refused_at_once(tmp_path: Path) -> None:
    """Not after half an hour of measuring."""
    (tmp_path / "output").touch()

    code, said = session(tmp_path / "output", tmp_path)

    assert code == 4, said
    assert "output: no folder, nor can it be made: File exists" in said
