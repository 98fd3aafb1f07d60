"""Programs are run as they are, and measured with all that they start."""

from __future__ import annotations

import pytest

from bench.programs import GaveUp, Program, entrant, python, run

BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint(len(bytearray(50_000_000)))"


def test_what_children_of_a_program_take_counts() -> None:
    """Their CPU, and their memory if they are the largest."""
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}])"

    done = run(python("busy", "-c", parent))

    assert done.output == b"50000000\n"
    assert 0.3 <= done.cpu <= done.seconds + 0.2
    assert 50_000_000 < done.peak < 100_000_000


@pytest.mark.parametrize("where", [1, 2])
def test_a_program_that_fails_is_no_entrant(where: int) -> None:
    """Its time would say nothing; what it said is told, wherever it said it."""
    with pytest.raises(GaveUp, match=r"^no luck$"):
        entrant(Program("weak", ["sh", "-c", f"echo no luck >&{where}; exit 3"])).go()


def test_an_entrant_came_to_what_is_made_of_its_output() -> None:
    """So that programs that print differently can be compared."""
    lap = entrant(python("adder", "-c", "print(1 + 1)"), lambda done: int(done.output)).go()

    assert lap.outcome == 2
    assert lap.cpu
    assert lap.peak
