"""What is installed works on its own, outside of the checkout."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and, from that, wheel."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return folder


def test_the_wheel_has_the_node_s_code_and_the_types_marker(built: Path) -> None:
    """And no tests, benchmarks or caches."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()

    assert "fastbatch/py.typed" in names
    assert "fastbatch/_node/wordcount.py" in names
    assert "fastbatch/_node/counting/tally.py" in names
    assert not [name for name in names if not name.startswith("fastbatch")]
    assert not [name for name in names if "__pycache__" in name]


def test_the_sdist_has_the_sources(built: Path) -> None:
    """Each once, and under its name in the checkout."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}

    assert {"pyproject.toml", "README.md", "LICENSE", "node/wordcount.py", "tests/test_packaging.py"} <= names
    assert not [name for name in names if name.startswith("fastbatch/_node")]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_wheel_counts_in_a_clean_environment(built: Path, tmp_path: Path) -> None:
    """With the code that is found there."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    wheel = next(built.glob("*.whl"))
    subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True, capture_output=True)
    program = """
from fastbatch import nodecode
print(nodecode.folder())
open("node.pyz", "wb").write(nodecode.zipapp().content)
"""

    found = subprocess.run([python, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    as_file = subprocess.run(
        [python, Path(found.strip()) / "wordcount.py"], cwd=tmp_path, input=b"b a a", check=True, capture_output=True
    )
    as_zipapp = subprocess.run([python, "node.pyz"], cwd=tmp_path, input=b"b a a", check=True, capture_output=True)

    assert Path(found.strip()).is_relative_to(tmp_path / "venv")
    assert as_file.stdout == as_zipapp.stdout == b"2\ta\n1\tb\n"
