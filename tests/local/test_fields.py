"""What a field of a body may be, and how it is refused otherwise."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.local.errors import Refused
from fastbatch.local.fields import (
    Check,
    Field,
    Object,
    boolean,
    choice,
    duration,
    identifier,
    integer,
    later,
    listing,
    text,
)
from fastbatch.local.wire import SECOND

# What JSON can say, of every kind, besides a text.
OTHERS = [None, True, False, 0, 1, -1, 1.0, 1e400, 2**64, [], ["a"], {}, {"a": 1}]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def refusal(check: Check, value: Any) -> tuple[str, dict[str, str]]:
    """Give the code and the details with which a value is refused."""
    with pytest.raises(Refused) as caught:
        check(value, "it")
    assert caught.value.status == (501 if caught.value.code == "NotImplemented" else 400)
    return caught.value.code, caught.value.values


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (text(3), ["", "abc", "äöü", "\U0001f600" * 3, "\n\t"]),
        (text(3, empty=False), [" ", "abc"]),
        (identifier, ["a", "A-b_9", "x" * 64, "-"]),
        (integer(), [0, -(2**31), 2**31 - 1]),
        (integer(-1, 5), [-1, 5]),
        (boolean, [True, False]),
        (duration(), ["PT0S", "P7D", "P10675199DT2H48M5.4775807S"]),
        (duration(60 * SECOND), ["PT1M", "PT60S"]),
        (listing(integer(), 2), [[], [1], [1, 2]]),
        (later, [False, [], {}]),
    ],
)
def test_a_good_value_is_kept_as_it_is(check: Check, good: list[Any]) -> None:
    """Nothing is made of it."""
    assert [check(value, "it") for value in good] == good


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        (text(3), [*OTHERS, "abcd", "a\0", "\0"]),
        (text(3, empty=False), [*OTHERS, ""]),
        (identifier, [*OTHERS, "", "x" * 65, "a b", "a.b", "a/b", "ä", "a\n", "a\0", "٣"]),
        (integer(), [value for value in OTHERS if value not in (0, 1, -1)] + [2**31, -(2**31) - 1, 10**4000]),
        (integer(), ["", "1.0", "1e3", " 1", "1\n", "+1", "0x1", "1_0", "٣", "one", str(2**31), "9" * 5000]),
        (integer(), [True, False, 1.0, -0.0]),
        (integer(-1, 5), [-2, 6, "-2", "6"]),
        (boolean, [value for value in OTHERS if not isinstance(value, bool)] + ["true", "false", ""]),
        (choice("a", "b"), [*OTHERS, "", "c", "a ", "ab"]),
        (duration(), [*OTHERS, "", "P", "1h", "-PT1S", "P1Y", "PT1S ", "P" + "9" * 5000 + "D"]),
        (duration(60 * SECOND), ["PT59.999999S", "PT0S"]),
        (listing(integer(), 2), [None, 0, "", "ab", {}, {"a": 1}, [1, 2, 3], [None], [[1]], ["x"]]),
    ],
)
def test_a_bad_value_is_refused_by_name(check: Check, bad: list[Any]) -> None:
    """With the code of a bad value, and the reason."""
    for value in bad:
        code, values = refusal(check, value)
        assert code == "InvalidPropertyValue"
        assert values["PropertyName"] == "it"
        assert values["Reason"]


@pytest.mark.parametrize("value", [True, 0, 0.0, "", "x", [1], {"a": 1}, [[]], None])
def test_what_the_local_service_does_not_know_is_refused_by_name(value: Any) -> None:
    """Nothing is taken and then ignored, if it would say anything at all."""
    code, values = refusal(later, value)
    assert code == "NotImplemented"
    assert values == {"PropertyName": "it"}


def test_a_choice_is_spelled_in_one_way() -> None:
    """Clients differ in letter case."""
    check = choice("Spread", "pack")
    assert [check(value, "it") for value in ("spread", "SPREAD", "Pack", "pack")] == [
        "Spread",
        "Spread",
        "pack",
        "pack",
    ]


def test_a_number_may_be_a_text() -> None:
    """As where it was an option of `az batch`."""
    assert [integer()(value, "it") for value in ("0", "-1", "007", str(2**31 - 1))] == [0, -1, 7, 2**31 - 1]


OBJECT = Object(
    {
        "id": Field(identifier, required=True),
        "size": Field(integer(), default=7),
        "name": text(),
        "inner": Object({"must": Field(text(), required=True)}),
        "many": listing(Object({"x": integer()})),
    }
)


def test_an_object_gets_its_defaults() -> None:
    """What is not given is what it is by default, or is not there."""
    assert OBJECT({"id": "a"}) == {"id": "a", "size": 7}
    assert OBJECT({"id": "a", "size": 1, "name": ""}) == {"id": "a", "size": 1, "name": ""}


def test_null_means_that_nothing_was_given() -> None:
    """SDKs write null for what was not set."""
    assert OBJECT({"id": "a", "size": None, "name": None, "inner": None}) == {"id": "a", "size": 7}
    with pytest.raises(Refused, match="MissingRequiredProperty"):
        OBJECT({"id": None})


def test_metadata_of_odata_says_nothing() -> None:
    """Clients may send back what they were sent."""
    assert OBJECT({"id": "a", "odata.metadata": "x", "odata.type": {}}) == {"id": "a", "size": 7}


@pytest.mark.parametrize(
    ("value", "code", "named"),
    [
        ({}, "MissingRequiredProperty", "id"),
        ({"size": 1}, "MissingRequiredProperty", "id"),
        ({"id": "a", "inner": {}}, "MissingRequiredProperty", "inner.must"),
        ({"id": "a", "more": 1}, "UnsupportedProperty", "more"),
        ({"id": "a", "more": None}, "UnsupportedProperty", "more"),
        ({"id": "a", "Id": "b"}, "UnsupportedProperty", "Id"),
        ({"id": "a", "": 1}, "UnsupportedProperty", ""),
        ({"id": "a", "inner": {"must": "x", "more": 1}}, "UnsupportedProperty", "more"),
        ({"id": "a", "many": [{"x": 1}, {"y": 1}]}, "UnsupportedProperty", "y"),
        ({"id": "a", "inner": {"must": 1}}, "InvalidPropertyValue", "inner.must"),
        ({"id": "a", "inner": []}, "InvalidPropertyValue", "inner"),
        ({"id": "a", "many": [None]}, "InvalidPropertyValue", "many"),
        ({"id": "a", "many": [{"x": "y"}]}, "InvalidPropertyValue", "many.x"),
    ],
)
def test_what_is_wrong_with_an_object_is_named(value: Any, code: str, named: str) -> None:
    """By its path in the body."""
    with pytest.raises(Refused) as caught:
        OBJECT(value)
    assert caught.value.code == code
    assert caught.value.values["PropertyName"] == named


@pytest.mark.parametrize("value", [None, [], "x", 1, 1.5, True])
def test_a_body_is_an_object(value: Any) -> None:
    """What is none has no properties to complain of."""
    with pytest.raises(Refused, match="InvalidRequestBody"):
        OBJECT(value)


def test_exactly_one_of_some_properties_may_be_asked_for() -> None:
    """Neither none nor two of them."""
    check = Object({"a": integer(), "b": integer(), "c": integer()}, one_of=("a", "b"))
    assert check({"a": 1, "b": None, "c": 2}) == {"a": 1, "c": 2}
    wrong: list[dict[str, int]] = [{}, {"c": 1}, {"a": 1, "b": 1}]
    for value in wrong:
        with pytest.raises(Refused, match="exactly one of a, b"):
            check(value, "it")


def test_a_partial_change_requires_and_fills_in_nothing() -> None:
    """Only what is given is checked, and changes."""
    partial = OBJECT.without_defaults()
    assert partial({}) == {}
    assert partial({"size": 1}) == {"size": 1}
    wrong: list[dict[str, Any]] = [{"id": "a b"}, {"more": 1}, {"inner": {}}]
    for value in wrong:
        with pytest.raises(Refused):
            partial(value)


@given(ANYTHING)
def test_any_value_is_taken_or_refused(value: Any) -> None:
    """Nothing else is ever raised."""
    for check in (OBJECT, text(), identifier, integer(), boolean, choice("a"), duration(), listing(text()), later):
        with contextlib.suppress(Refused):
            check(value, "it")
