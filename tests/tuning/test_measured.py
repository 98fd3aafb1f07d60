"""What was measured is kept, and read again."""

import json
import math
from typing import Any

import pytest

from fastbatch.tuning.measured import Boot, Measurements
from tests.tuning.made import at_once, measured, run

MADE = measured({nodes: [run(at_once(4), nodes)] * 2 for nodes in (1, 2)}, boots=[Boot(1, 60.0)])


def kept() -> Any:
    """Give the JSON of measurements, as a file has it."""
    return json.loads(json.dumps(MADE.json()))


def test_what_was_kept_is_what_was_measured() -> None:
    """All of it."""
    assert Measurements.of(kept()) == MADE


@pytest.mark.parametrize("seconds", [0, -1, math.inf, math.nan])
def test_no_run_takes_no_time_or_all_of_it(seconds: float) -> None:
    """Nothing could be made of it."""
    found = kept()
    found["points"][1]["runs"][0]["seconds"] = seconds
    with pytest.raises(ValueError, match="no run takes"):
        Measurements.of(found)


@pytest.mark.parametrize(("nodes", "message"), [(0, "no runs on 0 nodes"), (1, "one is there twice")])
def test_each_number_of_nodes_is_there_once(nodes: int, message: str) -> None:
    """And is one."""
    found = kept()
    found["points"][1]["nodes"] = nodes
    with pytest.raises(ValueError, match=message):
        Measurements.of(found)


def test_another_format_is_refused() -> None:
    """A later version may mean something else by the same names."""
    with pytest.raises(ValueError, match="format 2 is not 1"):
        Measurements.of(kept() | {"format": 2})
