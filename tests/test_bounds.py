"""What settings may be."""

import dataclasses
import math
from typing import Any

import pytest

from fastbatch.bounds import SETTINGS, Shape, problems
from fastbatch.settings import Settings

MIB = 1 << 20
DAY = 86400


def fault(name: str, value: Any) -> list[str]:
    """Give what is wrong with settings of which one has a value."""
    return problems(Settings(**{name: value}))


def test_the_defaults_are_sound() -> None:
    """So that a problem is always about what somebody set."""
    assert problems(Settings()) == []


def test_every_field_is_known_in_its_order() -> None:
    """With a help text that ends as a sentence does."""
    assert list(SETTINGS) == [field.name for field in dataclasses.fields(Settings)]
    assert all(known.help.endswith(".") for known in SETTINGS.values())


def test_each_field_has_the_shape_of_its_type() -> None:
    """Units tell sizes and durations from other numbers."""
    shapes = {shape: [name for name, known in SETTINGS.items() if known.shape is shape] for shape in Shape}

    assert shapes[Shape.FLAG] == ["ignore_case", "per_file", "keep_data", "keep_pool", "delete_pool"]
    assert shapes[Shape.SIZE] == ["bundle_size", "in_flight"]
    assert shapes[Shape.DURATION] == ["timeout", "job_timeout", "task_timeout"]
    assert shapes[Shape.TEXTS] == ["include", "exclude"]
    assert {"top", "nodes", "slots", "task_retries"} < set(shapes[Shape.NUMBER])
    assert {"pool", "name", "output", "start_command"} < set(shapes[Shape.TEXT])


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("top", 1, 1000),
        ("nodes", 0, None),
        ("slots", 1, 256),
        ("files_per_task", 1, None),
        ("bundle_size", 64 << 10, 64 * MIB),
        ("task_retries", 0, 20),
        ("in_flight", 64 * MIB, None),
        ("upload_requests", 1, 1000),
        ("batch_requests", 1, 100),
    ],
)
def test_numbers_have_bounds(name: str, least: int, most: int | None) -> None:
    """Which are allowed themselves."""
    assert fault(name, least) == []
    assert fault(name, least - 1)[0].startswith(f"{name} must be ")
    if most is not None:
        assert fault(name, most) == []
        assert fault(name, most + 1) != []


@pytest.mark.parametrize("name", ["timeout", "job_timeout", "task_timeout"])
def test_durations_are_more_than_nothing_and_at_most_180_days(name: str) -> None:
    """Which is as long as a job may last."""
    assert [fault(name, seconds) for seconds in (0.001, 60, 180 * DAY)] == [[], [], []]
    for seconds in (0, -1.0, 180 * DAY + 1, math.nan, math.inf, -math.inf, 1e300):
        assert fault(name, seconds)[0].startswith(f"{name} must be more than 0s and at most 180d, not ")


@pytest.mark.parametrize("number", [1 << 70, -(1 << 70), 1 << 70000], ids=["large", "small", "huge"])
@pytest.mark.parametrize("name", ["top", "nodes", "timeout", "in_flight", "ignore_case", "pool"])
def test_a_huge_number_is_a_problem_as_any_other(name: str, number: int) -> None:
    """Even one that Python does not write."""
    assert len(fault(name, number)) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top", True),
        ("top", "10"),
        ("top", 1.0),
        ("ignore_case", 1),
        ("ignore_case", None),
        ("bundle_size", "1MiB"),
        ("timeout", "1h"),
        ("timeout", True),
        ("pool", None),
        ("pool", b"pool"),
        ("include", "*.txt"),
        ("include", ["*.txt"]),
        ("include", (1,)),
    ],
)
def test_another_type_is_a_problem(name: str, value: object) -> None:
    """A text is no list of texts, and a truth value no number."""
    assert f"{name} must be {SETTINGS[name].shape.value}, not " in fault(name, value)[0]


@pytest.mark.parametrize("pool", ["a", "Pool_1-x", "x" * 64])
def test_a_pool_has_an_id_that_the_service_takes(pool: str) -> None:
    """Letters, digits, hyphens, underscores."""
    assert fault("pool", pool) == []


@pytest.mark.parametrize("pool", ["", "a b", "x" * 65, "pool\n", "pöol", "../pool"])
def test_a_pool_with_another_id_is_a_problem(pool: str) -> None:
    """So nothing is asked of the service."""
    assert len(fault("pool", pool)) == 1


@pytest.mark.parametrize("name", ["a", "my-run-2", "x" * 30, None])
def test_a_name_can_be_part_of_a_container_name(name: str | None) -> None:
    """Small letters, digits, single hyphens."""
    assert fault("name", name) == []


@pytest.mark.parametrize("name", ["", "A", "a--b", "-a", "a-", "x" * 31, "a_b", "a\n"])
def test_another_name_is_a_problem(name: str) -> None:
    """As the container would be refused."""
    assert len(fault("name", name)) == 1


def test_only_paths_and_patterns_may_hold_stray_bytes() -> None:
    """All else is sent to a service as text."""
    assert fault("output", "caf\udce9") == []
    assert fault("exclude", ("caf\udce9",)) == []
    assert fault("sku", "caf\udce9") == [r"sku must be text without stray bytes, not 'caf\udce9'."]
    assert fault("output", "a\0b") != []


def test_all_problems_are_told_at_once() -> None:
    """In the order of the fields."""
    wrong = Settings(top=0, pool="", keep_pool=True, delete_pool=True)

    assert problems(wrong) == [
        "top must be from 1 to 1000, not 0.",
        "pool must not be empty.",
        "keep_pool and delete_pool exclude each other.",
    ]
