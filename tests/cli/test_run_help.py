"""What `fastbatch run --help` says, and costs."""

import re
import subprocess
import sys

import pytest

from tests.cli import FASTBATCH
from tests.cli.running import Runner
from tests.counted import texts, write

pytestmark = pytest.mark.timeout(120)


def corpus(runner: Runner, number: int = 12) -> dict[str, bytes]:
    """Write some texts below the user's folder `in`."""
    found = texts(number)
    write(runner.folder / "in", found)
    return found


def test_help_shows_examples_and_exit_codes(runner: Runner) -> None:
    """In both spellings."""
    done = runner.run("-h")

    assert (done.code, done.err) == (0, "")
    assert runner.run("--help") == done
    assert "fastbatch run corpus" in done.out
    for code in ("0 all done", "130, 143, 129"):
        assert code in done.out
    assert re.search(r"1 some inputs failed.*2 wrong usage.*3 a service refused", done.out, re.DOTALL)


def test_the_commands_help_names_run(runner: Runner) -> None:
    """With an example of it."""
    done = runner.call(*FASTBATCH, "--help")

    assert done.code == 0
    assert re.search(r"^  run +Inputs in, merged results out\.$", done.out, re.MULTILINE)
    assert "fastbatch run --local --sample 2000" in done.out


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["tune", "--help"], ["--version"]], ids=" ".join)
def test_nothing_that_takes_long_is_imported_for_help(words: list[str]) -> None:
    """It answers at once."""
    code = (
        "import sys\nfrom fastbatch.cli.main import main\n"
        f"main({words!r}, standalone_mode=False)\n"
        "print(sorted({'aiohttp', 'anyio', 'asyncio', 'azure', 'rich', 'sqlite3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
