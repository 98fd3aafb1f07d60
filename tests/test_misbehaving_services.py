"""Runs on services that misbehave on order: whatever goes wrong and passes, the totals are those of the definition."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from fastbatch import Account
from fastbatch.configuration.connection import parse_connection
from fastbatch.local.testing import LocalBatch
from tests.counted import counted, counts, reference, texts, write

Rule = dict[str, Any]

PLANS: dict[str, list[Rule]] = {
    "answers to collections are lost": [
        {"operation": "create_task_collection", "fault": "dropAfter", "count": 2},
    ],
    "collections are refused, with and without a time": [
        {"operation": "create_task_collection", "fault": "refuse", "status": 503, "retryAfter": 1, "count": 1},
        {"operation": "create_task_collection", "fault": "refuse", "status": 429, "count": 2},
    ],
    "results of collections lack, and are in other letters": [
        {"operation": "create_task_collection", "fault": "shortResults", "missing": 3, "count": 1},
        {"operation": "create_task_collection", "fault": "someServerErrors", "number": 2, "count": 1},
        {"operation": "create_task_collection", "fault": "pascalStatuses"},
    ],
    "results of collections are in another order": [
        {"operation": "create_task_collection", "fault": "reorderResults"},
    ],
    "listings fail": [
        {"operation": "list_tasks", "fault": "refuse", "status": 500, "count": 2},
        {"operation": "list_tasks", "fault": "dropAfter", "count": 1},
    ],
    "everything is refused now and then": [
        {"operation": "*_task*", "fault": "refuse", "status": 503, "probability": 0.3, "count": 20},
        {"operation": "storage.*", "fault": "refuse", "status": 503, "probability": 0.1, "count": 20},
    ],
    "storage cuts and damages what passes": [
        {"operation": "storage.put_blob", "fault": "cut", "count": 2},
        {"operation": "storage.get_blob", "fault": "cut", "after": 3, "count": 2},
        {"operation": "storage.get_blob", "fault": "damage", "after": 8, "count": 1},
    ],
    "nodes are lost while tasks run on them": [
        {"operation": "node.run_task", "fault": "loseNode", "returnsAfter": 1, "after": 2, "count": 2},
    ],
}


def account_of(batch: LocalBatch) -> Account:
    """Give the account of the services, storage with all that is done wrong on the way to it."""
    storage = parse_connection(batch.storage_connection_string)
    return Account(
        batch_account=batch.account_name,
        batch_endpoint=batch.endpoint,
        batch_key=batch.account_key,
        **storage,
    )


def comes_to_the_right_totals(batch: LocalBatch, folder: Path, plan: list[Rule]) -> None:
    """See that every input is done, and each is counted once."""
    corpus = texts(100)
    batch.faults.plan(plan, seed=5)
    summary, _ = counted(account_of(batch), write(folder / "in", corpus), folder / "out", nodes=3, files_per_task=4)

    assert summary.complete
    assert counts(folder / "out") == dict(reference(list(corpus.values())))


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["results of collections lack", "nodes are lost", "storage cuts"], id="what passes soon"),
        pytest.param([""], id="everything", marks=pytest.mark.slow),
    ],
)
def test_a_run_survives_several_at_once(local_batch: LocalBatch, tmp_path: Path, names: list[str]) -> None:
    """Wrong results, broken and damaged transfers, lost nodes; lost answers and refusals too."""
    plans = [plan for name, plan in PLANS.items() if name.startswith(tuple(names))]
    comes_to_the_right_totals(local_batch, tmp_path, list(itertools.chain.from_iterable(plans)))

    met = {rule["operation"] for rule in local_batch.faults.rules() if rule["applied"]}
    assert met == {rule["operation"] for plan in plans for rule in plan}


@pytest.mark.slow
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_run_survives_each_alone(local_batch: LocalBatch, tmp_path: Path, plan: list[Rule]) -> None:
    """Each is met: what one rule does makes the call to which the next one applies."""
    comes_to_the_right_totals(local_batch, tmp_path, plan)

    assert [rule for rule in local_batch.faults.rules() if not rule["applied"]] == []
