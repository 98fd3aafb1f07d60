"""What the READMEs show is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READMES = ["README.md", "node/README.md"]


def shown(readme: str) -> list[tuple[str, str]]:
    """Return each console block of a README as the commands in it and what they print."""
    blocks = re.findall(r"^```console\n(.*?)^```", (ROOT / readme).read_text(), flags=re.DOTALL | re.MULTILINE)
    found = []
    for block in blocks:
        lines = block.splitlines(keepends=True)
        found.append(
            (
                "".join(line.removeprefix("$ ") for line in lines if line.startswith("$ ")),
                "".join(line for line in lines if not line.startswith("$ ")),
            )
        )
    return found


@pytest.mark.parametrize(("commands", "output"), [pair for readme in READMES for pair in shown(readme)])
def test_commands_print_what_is_shown(commands: str, output: str, tmp_path: Path) -> None:
    """Each block in a shell of its own, at the root of the checkout."""
    # The environment of this run stands for the one of the README, wherever that is.
    for of_readme, here in (
        ("/tmp", str(tmp_path)),  # noqa: S108 - taken out here; first, as the Python may be in there, too
        (".venv/bin/python", sys.executable),
        (".venv/bin/fastbatch", f"{sys.executable} -m fastbatch"),
    ):
        commands = commands.replace(of_readme, here)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}

    done = subprocess.run(
        ["sh", "-ec", commands], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )

    assert (done.returncode, done.stderr.decode(), done.stdout.decode()) == (0, "", output)


def test_continuous_integration_runs_the_readme_s_test_command() -> None:
    """Word for word, as it takes it from there."""
    command = "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest"

    assert command in (ROOT / "README.md").read_text().splitlines()
    assert 'eval "$test_command"' in (ROOT / ".ci" / "run").read_text()


def test_the_first_command_of_the_readme_works() -> None:
    """As it stands, in a checkout."""
    command = "python3 node/wordcount.py --top 10 README.md"

    assert command in (ROOT / "README.md").read_text().splitlines()
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, check=True)
    assert len(done.stdout.splitlines()) == 10


@pytest.mark.parametrize("readme", READMES)
def test_links_lead_somewhere(readme: str) -> None:
    """To files of the checkout."""
    path = ROOT / readme
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_example_of_a_result_is_one(tmp_path: Path) -> None:
    """Of a text that it describes."""
    blocks = re.findall(
        r"^```\n(fastbatch-result .*?)^```", (ROOT / "node/README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    (tmp_path / "one.txt").write_text("the " * 8 + "of " * 5 + "and " * 3)
    count = [sys.executable, str(ROOT / "node" / "wordcount.py"), "count", "one.txt", "--output", "result"]
    subprocess.run(count, cwd=tmp_path, check=True)

    assert [block.splitlines()[:-1] for block in blocks] == [(tmp_path / "result").read_text().splitlines()[:-1]]


def test_every_option_and_exit_code_is_described() -> None:
    """In the README of the node."""
    text = (ROOT / "node" / "README.md").read_text()
    for mode in ([], ["count"], ["merge"]):
        asked = [sys.executable, str(ROOT / "node" / "wordcount.py"), *mode, "--help"]
        said = subprocess.run(asked, capture_output=True, check=True, text=True).stdout
        for option in re.findall(r"--[a-z0-9-]+", said):
            assert f"`{option}" in text or option == "--help", option
    for code in (0, 2, 3, 4, 5, 6, 7, 8, 9):
        assert f"| {code} |" in text
