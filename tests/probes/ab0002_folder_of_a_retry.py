"""Does a task that is retried find what its earlier run left in its folder?"""

from collections.abc import Callable
from typing import Any


def test_a_retry_begins_in_an_empty_folder(run: Callable[..., Any]) -> None:
    """The first run leaves a file and fails; the second one fails as well if that is still there."""
    script = "if [ -e left ]; then exit 3; elif [ -e $AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID ]; then exit 0; fi; "
    script += "touch left $AZ_BATCH_NODE_SHARED_DIR/$AZ_BATCH_JOB_ID; exit 1"
    task = run(f"/bin/sh -c '{script}'", constraints={"maxTaskRetryCount": 1})
    assert (task["executionInfo"]["exitCode"], task["executionInfo"]["retryCount"]) == (0, 1)
