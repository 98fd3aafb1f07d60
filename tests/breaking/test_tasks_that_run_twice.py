"""Tasks that run on two nodes at once."""

import pytest

from fastbatch.local.testing import LocalBatch
from tests.breaking.trial import Trial

RESULT = "/b0000\\d(-r\\d)?/result"


@pytest.mark.slow
def test_a_task_that_runs_on_two_nodes_is_counted_once(trial: Trial, local: LocalBatch) -> None:
    """Of a node that is only cut off, tasks end as well; both write the same result."""
    local.faults.add("node.run_task", "lose_node", count=2)
    local.faults.add("node.run_task", "slow", seconds=1)
    done = trial.run("--nodes", "4")

    assert done.code == 0
    written = [path.partition("?")[0] for method, path in trial.storage.requests if method == "PUT"]
    results = [path for path in written if path.endswith("/result")]
    assert len(results) > len(set(results))
    trial.assert_whole()
