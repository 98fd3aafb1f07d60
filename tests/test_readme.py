"""What the READMEs show is what happens."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fastbatch.cli.main import main
from fastbatch.local.faults import calls, runs, transfers
from fastbatch.local.faults.kinds import Kind
from tests.local.instances import Instance

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


def test_the_first_command_of_the_readme_counts_two_thousand_files(tmp_path: Path) -> None:
    """After the installation, which that of this run stands for."""
    command = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/fastbatch run --local --sample 2000"
    fastbatch = [sys.executable, "-m", "fastbatch"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}

    assert command in (ROOT / "README.md").read_text().splitlines()
    arguments = command.rpartition(".venv/bin/fastbatch ")[2].split()
    try:
        done = subprocess.run([*fastbatch, *arguments], env=environment, capture_output=True, check=True, text=True)
    finally:
        subprocess.run([*fastbatch, "local", "down"], env=environment, capture_output=True, check=True)
    assert re.search(r"^inputs +2,000 done, 0 failed, 0 open$", done.stdout, re.MULTILINE)
    assert re.search(r"^words +3,000,000, ", done.stdout, re.MULTILINE)


def test_the_program_of_the_readme_works(services: Instance, tmp_path: Path) -> None:
    """With an account that is set in the environment."""
    (program,) = re.findall(
        r"^```python\n(import anyio.*?)^```", (ROOT / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE
    )
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("one two two")
    account = {
        "AZURE_BATCH_ACCOUNT": services.account,
        "AZURE_BATCH_ACCESS_KEY": services.key,
        "AZURE_BATCH_ENDPOINT": services.endpoint,
        "AZURE_STORAGE_CONNECTION_STRING": services.connection_string,
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, **account, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )

    assert done.stdout.splitlines()[0].startswith("RunStarted(")
    assert done.stdout.splitlines()[-2:] == ["2 two", "1 one"]
    assert (tmp_path / "results" / "counts.tsv").read_text() == "2\ttwo\n1\tone\n"


def test_the_test_module_of_the_readme_passes(tmp_path: Path) -> None:
    """As a stranger has it: a file of its own, and a pytest that knows of nothing but what is installed."""
    (module,) = re.findall(
        r"^```python\n# test_nightly.py\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.DOTALL | re.MULTILINE
    )
    (tmp_path / "test_nightly.py").write_text(module)
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=."]
    done = subprocess.run(pytest_alone, cwd=tmp_path, capture_output=True, check=False, text=True)

    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"{module.count('def test_')} passed")


@pytest.mark.parametrize("kinds", [calls.KINDS, transfers.KINDS, runs.KINDS])
def test_every_fault_and_its_parameters_are_described(kinds: Mapping[str, Kind[Any]]) -> None:
    """By the names that they have in Python."""
    text = (ROOT / "README.md").read_text()
    for name, kind in kinds.items():
        for told in (name, *kind.parameters):
            assert f"`{re.sub('([A-Z])', lambda match: '_' + match[0].lower(), told)}`" in text


@pytest.mark.parametrize("verb", ["run", "tune"])
def test_every_option_and_exit_code_of_a_verb_is_described(verb: str) -> None:
    """In the README."""
    text = (ROOT / "README.md").read_text()
    asked = [sys.executable, "-m", "fastbatch", verb, "--help"]
    said = subprocess.run(asked, capture_output=True, check=True, text=True).stdout.partition("Options:")[2]
    options = set(re.findall(r"(?<![a-z-])--[a-z0-9-]+", said)) - {"--help"}
    for option in options:
        assert f"`{option}" in text or option.startswith("--no-"), option
    for code in (0, 1, 2, 3):
        assert f"| {code} |" in text


def test_every_verb_is_described_in_the_order_of_the_help() -> None:
    """With a link to what is said of it."""
    verbs = re.findall(r"^\| \[`([a-z]+)[^|]*\]\(#", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert list(dict.fromkeys(verbs)) == list(main.commands)


@pytest.mark.parametrize("readme", READMES)
def test_links_to_headings_lead_to_one(readme: str) -> None:
    """By their words, in small letters."""
    text = (ROOT / readme).read_text()
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-")
        for line in re.findall("^#+ (.*)", text, re.MULTILINE)
    }

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


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
