"""Programs and commands as Microsoft shows them, with nothing changed but accounts, keys and URLs."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients import environments
from tests.clients.az import Az
from tests.local.instances import Instance, eventually, new_name

_TUTORIAL = Path(__file__).with_name("tutorial.py")


@pytest.mark.timeout(environments.SECONDS)
def test_the_tutorial_counts_words(services: Instance, tmp_path: Path) -> None:
    """A program for azure-batch 14.2 and Blob Storage, with all that it says."""
    storage = dict(part.split("=", 1) for part in services.connection_string.split(";") if part)
    texts = {"one.txt": "the cat, the hat, the cat", "two.txt": "a b a", "three.txt": "c"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [environments.python_with(environments.TRACK_1), _TUTORIAL, *texts],
        cwd=tmp_path,
        env={
            **environments.alone(tmp_path),
            "BATCH_ACCOUNT_NAME": services.account,
            "BATCH_ACCOUNT_KEY": services.key,
            "BATCH_ACCOUNT_URL": services.endpoint,
            "STORAGE_ACCOUNT_NAME": storage["AccountName"],
            "STORAGE_ACCOUNT_KEY": storage["AccountKey"],
            "STORAGE_ACCOUNT_URL": storage["BlobEndpoint"],
        },
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        *("Task0: exit code 0", "the\t3", "cat\t2", "hat\t1"),
        *("Task1: exit code 0", "a\t2", "b\t1"),
        *("Task2: exit code 0", "c\t1"),
        "one_OUTPUT.txt: ['the', '3', 'cat', '2', 'hat', '1']",
        "three_OUTPUT.txt: ['c', '1']",
        "two_OUTPUT.txt: ['a', '2', 'b', '1']",
    ]


@pytest.mark.slow
@pytest.mark.timeout(environments.SECONDS)
def test_the_commands_of_the_az_quickstart_run_tasks(services: Instance, tmp_path: Path) -> None:
    """With nothing in files: all that is said, numbers too, is said by flags."""
    az = Az(environments.python_with(environments.AZ), services, tmp_path)
    pool, job, printed = new_name("pool"), new_name("job"), tmp_path / "stdout.txt"

    def run(command: str) -> Any:
        return json.loads(az.run(shlex.split(command)) or "null")

    run(
        f"pool create --id {pool} --vm-size Standard_A1_v2 --target-dedicated-nodes 2 --task-slots-per-node 2 "
        "--image canonical:0001-com-ubuntu-server-jammy:22_04-lts --node-agent-sku-id 'batch.node.ubuntu 22.04'"
    )
    assert run(f"pool show --pool-id {pool} --query allocationState") in {"resizing", "steady"}
    run(f"job create --id {job} --pool-id {pool} --priority 5 --job-max-task-retry-count 1")
    for number in range(2):
        script = "printenv | grep AZ_BATCH_TASK_ID"
        run(f"task create --job-id {job} --task-id task{number} --command-line \"/bin/bash -c '{script}'\"")
    run(f"job set --job-id {job} --on-all-tasks-complete terminatejob")
    eventually(lambda: run(f"job show --job-id {job} --query state"), lambda state: state == "completed")
    assert "stdout.txt" in az.run(shlex.split(f"task file list --job-id {job} --task-id task1 --output table"))
    run(f"task file download --job-id {job} --task-id task1 --file-path stdout.txt --destination {printed}")
    assert printed.read_text() == "AZ_BATCH_TASK_ID=task1\n"
    run(f"pool resize --pool-id {pool} --target-dedicated-nodes 0")
    run(f"job delete --job-id {job} --yes")
    run(f"pool delete --pool-id {pool} --yes")
