"""How many jobs are run, and how memory is shared among them."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch._node.counting import cores

from .conftest import NODE

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20


def files(contents: dict[str, str]) -> cores.ReadText:
    """Give a system on which there are only these files."""
    return lambda path: contents.get(path, "")


def test_without_a_control_group_there_is_no_quota() -> None:
    """As on most people's machines."""
    assert list(cores.quotas(files({}))) == []
    assert list(cores.quotas(files({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n"}))) == []


def test_quotas_of_version_2_are_read_at_every_level() -> None:
    """The least of them is what counts, wherever it is set."""
    system = {
        "/proc/self/cgroup": "0::/outer/inner\n",
        "/sys/fs/cgroup/outer/inner/cpu.max": "max 100000\n",
        "/sys/fs/cgroup/outer/cpu.max": "250000 100000\n",
        "/sys/fs/cgroup/cpu.max": "400000 100000\n",
    }

    assert list(cores.quotas(files(system))) == [2.5, 4]


def test_quotas_of_version_1_are_read() -> None:
    """Where -1 is for none."""
    system = {
        "/proc/self/cgroup": "4:memory:/a\n3:cpu,cpuacct:/a\n",
        "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "150000\n",
        "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    }

    assert list(cores.quotas(files(system))) == [1.5]


@pytest.mark.parametrize(("quota", "expected"), [("50000 100000", 1), ("100000 100000", 1), ("199999 100000", 1)])
def test_a_share_of_a_core_is_a_core(quota: str, expected: int) -> None:
    """There is always one job, and never more than whole cores."""
    system = files({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": quota})

    assert cores.cores(system) == expected


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to cores")
def test_affinity_limits_the_cores(python: str) -> None:
    """As `taskset` sets it."""
    program = f"""
import os, sys
sys.path.insert(0, {str(NODE)!r})
from counting import cores
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
print(cores.cores())
"""

    done = subprocess.run([python, "-c", program], capture_output=True, check=True)

    assert done.stdout == b"1\n"


def test_slots_of_a_node_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has one at least."""
    monkeypatch.setattr(cores, "cores", lambda: 8)

    assert [cores.available({"FASTBATCH_SLOTS": slots}) for slots in ("1", "2", "3", "8", "99")] == [8, 4, 2, 1, 1]
    assert cores.available({}) == 8


@given(memory=st.integers(MIB, 1 << 40), jobs=st.integers(1, 500))
def test_jobs_never_have_more_memory_than_there_is(memory: int, jobs: int) -> None:
    """Together, their own needs beyond what is allowed for those included; and none has too little to work with."""
    fitting, each = cores.share(memory, jobs)

    assert 1 <= fitting <= jobs
    own_needs = max(0, 24 * MIB + fitting * 12 * MIB - 64 * MIB)
    assert (fitting, each) == (1, memory) or (fitting * each + own_needs <= memory and each >= 6 * MIB)


def test_small_texts_are_not_worth_a_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which would take longer to start than they take to count."""
    monkeypatch.setattr(cores, "cores", lambda: 8)
    jobs = {0: 1, 1: 1, 4 * MIB: 1, 8 * MIB - 1: 1, 8 * MIB: 2, 31 * MIB: 7, 1 << 40: 8}

    assert {size: cores.worthwhile(size, {}) for size in jobs} == jobs


def test_a_number_that_is_asked_for_is_taken(python: str, tmp_path: Path) -> None:
    """And without being asked, none for what is not worth it."""
    (tmp_path / "text").write_bytes(b"one two")
    program = f"""
import os, sys
sys.path.insert(0, {str(NODE)!r})
from counting import jobs
from counting.cli import main
forked = []
fork = os.fork
jobs.os.fork = lambda: forked.append(1) or fork()
main(sys.argv[1:])
sys.exit(len(forked))
"""

    def forks(*arguments: str) -> int:
        command = [python, "-c", program, *arguments, str(tmp_path / "text")]
        return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode

    assert forks() == 0
    assert forks("--jobs", "2") == 2
