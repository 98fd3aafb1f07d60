"""The questions to the real service are put to the local one: they work, and it answers as they say."""

import os
import subprocess
import sys
from pathlib import Path

from tests.local.instances import Instance

PROBES = Path(__file__).parent.parent / "probes"


def test_the_local_service_answers_as_the_probes_say(instance: Instance, pool: str) -> None:
    """Each of them passes, and none is skipped."""
    account = {
        "AZURE_BATCH_ACCOUNT": instance.account,
        "AZURE_BATCH_ACCESS_KEY": instance.key,
        "AZURE_BATCH_ENDPOINT": instance.endpoint,
        "FASTBATCH_PROBE_POOL": pool,
        "AZURE_STORAGE_CONNECTION_STRING": instance.connection_string,
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", PROBES],
        env=os.environ | account,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
