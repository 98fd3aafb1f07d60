"""Which calls a plan takes: chance that comes from a seed, and counts that are exact."""

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastbatch.local.faultplan import Plan, Rule

FEW = settings(max_examples=50)
NAMES = ("a", "b", "c")
RULES = st.builds(
    Rule,
    operation=st.sampled_from(["x", "y"]),
    fault=st.sampled_from(["refuse", "delay"]),
    takes=st.frozensets(st.sampled_from(NAMES), min_size=1),
    after=st.integers(0, 5),
    count=st.none() | st.integers(1, 5),
    probability=st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]),
    goes_on=st.booleans(),
)
PLANS = st.lists(RULES, max_size=5)
CALLS = st.lists(st.sampled_from(NAMES), max_size=40)
SEEDS = st.integers(0, 1000)


def a_rule(operation: str = "a", **more: object) -> Rule:
    """Give a rule for one operation."""
    whole = Rule(operation, "refuse", frozenset({operation}))
    return dataclasses.replace(whole, **more)  # type: ignore[arg-type]


def plan_of(rules: Sequence[Rule], seed: int = 0) -> Plan:
    """Give a plan."""
    plan = Plan()
    plan.replace(seed, rules)
    return plan


def course(plan: Plan, calls: Sequence[str]) -> list[list[int]]:
    """Make calls, and give the places of the rules that apply to each."""
    return [[plan.courses.index(turn.course) for turn in plan.draw(call) if turn.applies] for call in calls]


def one_by_one(rule: Rule, calls: int, seed: int = 0) -> list[bool]:
    """Tell to which calls a rule applies that is alone."""
    plan = plan_of([rule], seed)
    (name,) = rule.takes
    return [bool(plan.draw(name)) for _ in range(calls)]


def test_an_empty_plan_has_no_turns() -> None:
    """Be it new, or emptied."""
    plan, rule = Plan(), a_rule()
    (name,) = rule.takes
    assert plan.draw(name) == []
    plan.append([rule])
    assert len(plan.draw(name)) == 1
    plan.replace(0, [])
    assert plan.draw(name) == []


@FEW
@given(PLANS, CALLS, SEEDS)
def test_the_same_seed_has_the_same_course(rules: list[Rule], calls: list[str], seed: int) -> None:
    """Whenever and wherever."""
    assert course(plan_of(rules, seed), calls) == course(plan_of(rules, seed), calls)


def test_another_seed_has_another_course() -> None:
    """Chance is not the same for all."""
    rule = a_rule(probability=0.5)
    assert len({tuple(one_by_one(rule, 50, seed)) for seed in range(20)}) == 20


@FEW
@given(RULES, st.integers(0, 40), SEEDS)
def test_a_rule_spares_the_first_calls_and_has_an_end(rule: Rule, calls: int, seed: int) -> None:
    """It applies to none of the first `after`, and to `count` at most."""
    rule = dataclasses.replace(rule, takes=frozenset({"a"}))
    applied = one_by_one(rule, calls, seed)
    assert not any(applied[: rule.after])
    assert sum(applied) <= (calls if rule.count is None else rule.count)
    if rule.probability == 1:
        possible = max(0, calls - rule.after)
        assert sum(applied) == (possible if rule.count is None else min(possible, rule.count))
    if rule.probability == 0:
        assert not any(applied)


@FEW
@given(st.integers(0, 20), st.integers(1, 9), SEEDS)
def test_after_and_count_do_not_change_what_chance_says(after: int, count: int, seed: int) -> None:
    """They leave out some of what would have been."""
    all_of_it = one_by_one(a_rule(probability=0.5), 60, seed)
    some = one_by_one(a_rule(probability=0.5, after=after, count=count), 60, seed)
    assert [place for place, applies in enumerate(some) if applies] == [
        place for place, applies in enumerate(all_of_it) if applies and place >= after
    ][:count]


@FEW
@given(SEEDS)
def test_a_higher_probability_takes_what_a_lower_one_did(seed: int) -> None:
    """And more."""
    few, many = (one_by_one(a_rule(probability=risk), 60, seed) for risk in (0.2, 0.6))
    assert all(more or not less for less, more in zip(few, many, strict=True))


def test_a_probability_is_one() -> None:
    """Over many calls."""
    assert 2850 <= sum(one_by_one(a_rule(probability=0.3), 10_000, 7)) <= 3150


@FEW
@given(PLANS, RULES, st.integers(0, 5), CALLS, SEEDS)
def test_another_rule_changes_no_draws_of_others(
    rules: list[Rule], more: Rule, place: int, calls: list[str], seed: int
) -> None:
    """Wherever it stands: each rule wants what it would want alone, even where another is before it."""
    more = dataclasses.replace(more, operation="z", goes_on=True)
    rules = [dataclasses.replace(rule, goes_on=True) for rule in rules]
    place = min(place, len(rules))
    before = course(plan_of(rules, seed), calls)
    after = course(plan_of([*rules[:place], more, *rules[place:]], seed), calls)
    without = [[which - (which > place) for which in applied if which != place] for applied in after]
    assert without == before


@FEW
@given(PLANS, PLANS, CALLS, CALLS, SEEDS)
def test_rules_that_are_added_let_others_go_on(
    rules: list[Rule], more: list[Rule], first: list[str], then: list[str], seed: int
) -> None:
    """It is as if they had been there from the beginning, but for the calls that they did not see."""
    plan = plan_of(rules, seed)
    course(plan, first)
    plan.append(more)
    alone = plan_of(rules, seed)
    course(alone, first)
    expected = course(alone, then)
    found = course(plan, then)
    assert [[which for which in applied if which < len(rules)] for applied in found] == expected


@FEW
@given(PLANS, CALLS, SEEDS)
def test_the_first_rule_that_applies_wins(rules: list[Rule], calls: list[str], seed: int) -> None:
    """But for those that let others go on: at most the last one does not, and all are in their order."""
    for applied in course(plan_of(rules, seed), calls):
        assert applied == sorted(applied)
        assert all(rules[place].goes_on for place in applied[:-1])


@FEW
@given(PLANS, CALLS, SEEDS)
def test_counts_are_those_of_the_calls(rules: list[Rule], calls: list[str], seed: int) -> None:
    """Each rule sees every call that it takes, whichever wins."""
    plan = plan_of(rules, seed)
    applied = [place for places in course(plan, calls) for place in places]
    for place, (rule, shown) in enumerate(zip(rules, plan.shown()["rules"], strict=True)):
        assert shown["seen"] == sum(call in rule.takes for call in calls)
        assert shown["applied"] == applied.count(place)


def test_a_rule_that_loses_keeps_its_count() -> None:
    """It applies later instead."""
    plan = plan_of([a_rule(count=2), a_rule(count=1, parameters={"status": 500})])
    assert course(plan, ["a"] * 4) == [[0], [0], [1], []]


def test_a_rule_that_watches_has_a_turn_at_every_call() -> None:
    """It is told whether it applies."""
    plan = plan_of([a_rule(watches=True, after=1, count=1)])
    assert [[turn.applies for turn in plan.draw("a")] for _ in range(3)] == [[False], [True], [False]]


def test_two_rules_that_are_alike_draw_apart() -> None:
    """Else a second one would add nothing."""
    rules = [a_rule(probability=0.5, goes_on=True)] * 2
    assert any(len(applied) == 1 for applied in course(plan_of(rules), ["a"] * 20))


@pytest.mark.parametrize("call", ["b", "", "A"])
def test_a_rule_takes_no_other_calls(call: str) -> None:
    """Nor counts them."""
    plan = plan_of([a_rule()])
    assert plan.draw(call) == []
    assert plan.shown()["rules"][0]["seen"] == 0


def test_a_plan_is_shown_as_it_was_asked_for() -> None:
    """With all defaults, the parameters of the fault, and what has become of it."""
    plan = plan_of([a_rule(parameters={"status": 503})], 7)
    plan.draw("a")
    assert plan.shown() == {
        "seed": 7,
        "rules": [
            {
                "operation": "a",
                "fault": "refuse",
                "after": 0,
                "count": None,
                "probability": 1.0,
                "status": 503,
                "seen": 1,
                "applied": 1,
            }
        ],
    }


@pytest.mark.timeout(10)
def test_a_plan_may_have_very_many_rules() -> None:
    """As many as a request holds: the service does nothing else while they are added."""
    assert len(plan_of([a_rule()] * 15_000).courses) == 15_000
