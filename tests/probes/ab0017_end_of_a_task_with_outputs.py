"""Does a task end when its program does, or when what it leaves is stored?"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.probes.storage import Container

SIZE = 64 << 20  # which takes a while to store
A_SECOND = timedelta(seconds=1)  # as exact as storage tells the time


def test_what_it_leaves_is_stored_before_it_ends(run: Callable[..., Any], container: Container) -> None:
    """By that, measurements tell how long results take to be stored."""
    left = {
        "filePattern": "left",
        "destination": {"container": {"containerUrl": container.writable, "path": "left"}},
        "uploadOptions": {"uploadCondition": "tasksuccess"},
    }
    task = run(f"/bin/sh -c 'head -c {SIZE} /dev/zero > left'", outputFiles=[left])

    blob = container.client.get_blob_client("left").get_blob_properties()
    assert blob.size == SIZE
    assert blob.last_modified <= datetime.fromisoformat(task["executionInfo"]["endTime"]) + A_SECOND
