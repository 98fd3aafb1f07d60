"""What a fault plan may hold: what is not known or does not fit is refused, and told what would."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

import fastbatch.local.faults as package
from fastbatch.local.errors import Refused
from fastbatch.local.faultplan import Rule
from fastbatch.local.faults import calls, naming, runs, transfers
from fastbatch.local.faults.checking import Plans
from fastbatch.local.faults.kinds import Kind
from tests.local.faults.ordering import Faults

BATCH = ["list_jobs", "list_pools", "get_job", "create_task_collection", "get_job_task_counts"]
PLANS = Plans(BATCH)


def checked(**rule: Any) -> Rule:
    """Check a plan of one rule, and give that."""
    (found,) = PLANS.whole({"rules": [rule]})["rules"]
    assert isinstance(found, Rule)
    return found


def refused(rule: Any) -> Refused:
    """Give why a rule is refused."""
    with pytest.raises(Refused) as raised:
        PLANS.whole({"rules": [rule]})
    assert raised.value.status == 400
    return raised.value


def test_a_rule_has_defaults() -> None:
    """It applies to all calls, for ever."""
    rule = checked(operation="list_jobs", fault="refuse")
    assert rule == Rule("list_jobs", "refuse", frozenset({"list_jobs"}), {"status": 503})


def test_null_is_not_given() -> None:
    """As everywhere."""
    rule = checked(operation="list_jobs", fault="refuse", count=None, retryAfter=None, status=429)
    assert (rule.count, rule.parameters) == (None, {"status": 429})


@pytest.mark.parametrize(
    ("glob", "fault", "more", "taken"),
    [
        ("list_*", "dropBefore", {}, {"list_jobs", "list_pools"}),
        ("[gl]*_job*", "dropAfter", {}, {"list_jobs", "get_job", "get_job_task_counts"}),
        ("storage.put_block*", "refuse", {}, {"storage.put_block", "storage.put_block_list"}),
        ("node.*", "loseNode", {}, {"node.run_task"}),
        ("node.*", "slow", {"seconds": 1}, {"node.run_task", "node.run_start_task"}),
        ("*", "staleCounts", {}, {"get_job_task_counts"}),
        ("*blob", "cut", {}, {"storage.get_blob", "storage.put_blob"}),
        ("*_blob", "slow", {"bytesPerSecond": 1}, {"storage.get_blob", "storage.put_blob"}),
    ],
)
def test_a_glob_takes_what_the_fault_fits(glob: str, fault: str, more: dict[str, Any], taken: set[str]) -> None:
    """Of the operations that are known; others of them are no part of the rule."""
    assert checked(operation=glob, fault=fault, **more).takes == taken


def test_a_fault_of_several_families_takes_them_all() -> None:
    """Every call of Batch and every one of the storage, but nothing on the nodes."""
    takes = checked(operation="*", fault="dropBefore").takes
    assert takes > set(BATCH)
    assert len(takes) == len(BATCH) + 11
    assert not any(name.startswith("node.") for name in takes)


@pytest.mark.parametrize(
    ("rule", "code", "said"),
    [
        ("list_jobs", "InvalidPropertyValue", "a rule must be an object"),
        ({"fault": "delay"}, "MissingRequiredProperty", "rules[0].operation must be given"),
        ({"operation": "list_jobs"}, "MissingRequiredProperty", "rules[0].fault must be given"),
        ({"operation": "list_job", "fault": "refuse"}, "InvalidPropertyValue", "did you mean list_jobs or"),
        ({"operation": "LIST_JOBS", "fault": "refuse"}, "InvalidPropertyValue", "no operation is named LIST_JOBS"),
        ({"operation": "zzz*", "fault": "refuse"}, "InvalidPropertyValue", "there are create_task_collection, get_job"),
        ({"operation": "", "fault": "refuse"}, "InvalidPropertyValue", "no operation is named"),
        ({"operation": "x" * 101, "fault": "refuse"}, "InvalidPropertyValue", "at most 100 characters"),
        (
            {"operation": "*", "fault": "explode"},
            "InvalidPropertyValue",
            "it must be one of refuse, limitRate, delay",
        ),
        (
            {"operation": "list_*", "fault": "cut"},
            "InvalidPropertyValue",
            "cut does not fit list_jobs, list_pools; refuse, limitRate, delay, dropBefore, dropAfter do",
        ),
        ({"operation": "storage.head_blob", "fault": "slow", "bytesPerSecond": 1}, "InvalidPropertyValue", "not fit"),
        ({"operation": "node.run_start_task", "fault": "loseNode"}, "InvalidPropertyValue", "slow, fail do"),
        (
            {"operation": "list_jobs", "fault": "delay", "second": 1},
            "UnsupportedProperty",
            "There is no rules[0].second: delay of list_jobs takes seconds.",
        ),
        (
            {"operation": "*", "fault": "slow", "seconds": 1},
            "UnsupportedProperty",
            "slow of storage.get_blob takes bytesPerSecond",
        ),
        ({"operation": "*", "fault": "dropAfter", "seconds": 1}, "UnsupportedProperty", "takes nothing more"),
        ({"operation": "*", "fault": "refuse", "status": 429}, "InvalidPropertyValue", "it must be one of 500, 503"),
        ({"operation": "list_jobs", "fault": "refuse", "status": 404}, "InvalidPropertyValue", "429, 500, 503"),
        ({"operation": "list_jobs", "fault": "refuse", "status": 503.0}, "InvalidPropertyValue", "429, 500, 503"),
        ({"operation": "list_jobs", "fault": "refuse", "status": "503"}, "InvalidPropertyValue", "429, 500, 503"),
        ({"operation": "list_jobs", "fault": "refuse", "retryAfter": 0.5}, "InvalidPropertyValue", "a whole number"),
        ({"operation": "list_jobs", "fault": "delay"}, "MissingRequiredProperty", "rules[0].seconds must be given"),
        ({"operation": "list_jobs", "fault": "delay", "seconds": -1}, "InvalidPropertyValue", "from 0 to 86400"),
        ({"operation": "list_jobs", "fault": "delay", "seconds": "1"}, "InvalidPropertyValue", "must be a number"),
        ({"operation": "list_jobs", "fault": "delay", "seconds": True}, "InvalidPropertyValue", "must be a number"),
        ({"operation": "list_jobs", "fault": "delay", "seconds": float("nan")}, "InvalidPropertyValue", "from 0"),
        ({"operation": "list_jobs", "fault": "dropAfter", "probability": 1.1}, "InvalidPropertyValue", "from 0 to 1"),
        ({"operation": "list_jobs", "fault": "dropAfter", "after": -1}, "InvalidPropertyValue", "rules[0].after"),
        ({"operation": "list_jobs", "fault": "dropAfter", "count": 0}, "InvalidPropertyValue", "rules[0].count"),
        ({"operation": "node.*", "fault": "fail", "exitCode": 0}, "InvalidPropertyValue", "from 1 to 255"),
        ({"operation": "node.*", "fault": "loseNode", "returnsAfter": -1}, "InvalidPropertyValue", "returnsAfter"),
        ({"operation": "*collection", "fault": "shortResults", "missing": 0}, "InvalidPropertyValue", "from 1 to 100"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: Any, code: str, said: str) -> None:
    """With what is wrong, where, and what would be right."""
    refusal = refused(rule)
    assert refusal.code == code
    assert said in refusal.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MissingRequiredProperty"),
        ({"rules": {}}, "InvalidPropertyValue"),
        ({"rules": [], "seed": "x"}, "InvalidPropertyValue"),
        ({"rules": [], "seeds": 1}, "UnsupportedProperty"),
        ([], "InvalidRequestBody"),
    ],
)
def test_a_plan_is_checked_as_a_whole(body: Any, code: str) -> None:
    """Names beside it are not passed over."""
    with pytest.raises(Refused) as raised:
        PLANS.whole(body)
    assert raised.value.code == code


def test_the_rule_that_is_wrong_is_named() -> None:
    """By its number."""
    right = {"operation": "list_jobs", "fault": "dropBefore"}
    with pytest.raises(Refused, match=r"rules\[1\].fault"):
        PLANS.whole({"rules": [right, {**right, "fault": "x"}]})


@pytest.mark.parametrize(
    ("family", "kinds"), [("Batch", calls.KINDS), ("storage", transfers.KINDS), ("node", runs.KINDS)]
)
def test_every_fault_is_told_of(family: str, kinds: Mapping[str, Kind[Any]]) -> None:
    """With its parameters, where the package says what there is."""
    told = (package.__doc__ or "").partition(f"\n    {family} ")[2]
    section = re.split(r"\n    \S|\n\n", told)[0]
    for name, kind in kinds.items():
        assert re.search(rf"\b{name}\b", section), name
        assert all(parameter in section for parameter in kind.parameters), name


def test_every_operation_beside_those_of_batch_is_told_of() -> None:
    """By its name."""
    for operation in naming.OPERATIONS | runs.OPERATIONS:
        assert operation.rpartition(".")[2] in (package.__doc__ or "")


# --- on the wire ---


def test_a_plan_that_is_refused_changes_nothing(faults: Faults) -> None:
    """The one before stays in force, with its counts."""
    right = {"operation": "list_jobs", "fault": "dropBefore"}
    before = faults.order(right, seed=3)
    said = faults.refused({"rules": [right, {"operation": "nothing", "fault": "dropBefore"}]})
    assert said.json["code"] == "InvalidPropertyValue"
    assert said.values["PropertyName"] == "rules[1].operation"
    assert faults.refused({"rules": [], "seed": 1}, "POST").json["code"] == "UnsupportedProperty"
    assert faults.shown() == before


def test_a_plan_is_replaced_added_to_and_cleared(faults: Faults) -> None:
    """Each answers with the plan as it is then."""
    rule = {"operation": "list_jobs", "fault": "delay", "seconds": 0.5, "count": 2}
    shown = {**rule, "after": 0, "probability": 1.0, "seen": 0, "applied": 0}
    found = faults.order(rule, seed=5)
    assert (found["seed"], found["rules"]) == (5, [shown])
    assert faults.add({**rule, "seconds": 1})["rules"] == [shown, {**shown, "seconds": 1}]
    assert faults.shown()["seed"] == 5
    found = faults.clear()
    assert (found["seed"], found["rules"]) == (0, [])


@pytest.mark.parametrize("name", ["status", "replace_faults", "get_faults", "lose_node"])
def test_what_is_the_services_own_never_goes_wrong(faults: Faults, name: str) -> None:
    """Else nobody could end it."""
    assert (
        f"no operation is named {name}"
        in faults.refused({"rules": [{"operation": name, "fault": "dropBefore"}]}).json["message"]["value"]
    )
    faults.order({"operation": "*", "fault": "dropBefore"})
    assert faults.counts() == [(0, 0)]
