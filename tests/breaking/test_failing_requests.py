"""Runs of which a fifth of all requests fail, in every way that there is."""

from typing import Any

import pytest

from fastbatch.local.testing import LocalBatch
from tests.breaking.trial import Trial

pytestmark = pytest.mark.timeout(180)

BATCH, STORAGE = "[!sn]*", "storage.*"

Rule = dict[str, Any]


def fifth(of: str) -> list[Rule]:
    """Have a fifth of all requests to a service fail, and some be late."""
    return [
        {"operation": of, "fault": "refuse", "status": 503, "probability": 0.04},
        {"operation": of, "fault": "refuse", "status": 500, "probability": 0.04},
        {"operation": of, "fault": "refuse", "status": 503, "retryAfter": 1, "probability": 0.02},
        {"operation": of, "fault": "dropBefore", "probability": 0.06},
        {"operation": of, "fault": "dropAfter", "probability": 0.06},
        {"operation": of, "fault": "delay", "seconds": 0.2, "probability": 0.05},
    ]


OF_BATCH: list[Rule] = [
    {"operation": "create_task_collection", "fault": "shortResults", "missing": 2, "probability": 0.3},
    {"operation": "create_task_collection", "fault": "someServerErrors", "number": 2, "probability": 0.3},
    {"operation": "create_task_collection", "fault": "reorderResults"},
    {"operation": "create_task_collection", "fault": "pascalStatuses", "probability": 0.5},
    {"operation": "get_job_task_counts", "fault": "staleCounts", "probability": 0.5},
    {"operation": BATCH, "fault": "refuse", "status": 429, "retryAfter": 1, "probability": 0.03},
    *fifth(BATCH),
]
OF_STORAGE: list[Rule] = [
    {"operation": STORAGE, "fault": "cut", "probability": 0.04},
    {"operation": "storage.get_blob", "fault": "damage", "probability": 0.04},
    {"operation": "storage.put_blob", "fault": "damage", "probability": 0.04},
    {"operation": STORAGE, "fault": "slow", "bytesPerSecond": 20_000, "probability": 0.05},
    *fifth(STORAGE),
]


def ends_whole(trial: Trial, local: LocalBatch, rules: list[Rule], seed: int) -> None:
    """See that a run with these faults ends as one without."""
    trial.without_proxies()
    trial.runner.environment |= local.environment
    local.faults.plan(rules, seed=seed)
    trial.ends(trial.run("--task-retries", "8"))
    local.faults.clear()
    trial.assert_whole()


def seeded(*in_short: int) -> pytest.MarkDecorator:
    """Have ten seeds, and only some of them in the short form."""
    seeds = [seed if seed in in_short else pytest.param(seed, marks=pytest.mark.slow) for seed in range(10)]
    return pytest.mark.parametrize("seed", seeds, ids="seed-{}".format)


@pytest.mark.slow
@seeded()
def test_a_fifth_of_all_requests_may_fail(trial: Trial, local: LocalBatch, seed: int) -> None:
    """To both services."""
    ends_whole(trial, local, OF_BATCH + OF_STORAGE, seed)


@pytest.mark.parametrize(
    "rules", [OF_BATCH, pytest.param(OF_STORAGE, marks=pytest.mark.slow)], ids=["batch", "storage"]
)
@seeded(6)
def test_a_fifth_of_the_requests_to_one_may_fail(trial: Trial, local: LocalBatch, rules: list[Rule], seed: int) -> None:
    """And while everything fails, nothing is counted twice."""
    ends_whole(trial, local, rules, seed)
