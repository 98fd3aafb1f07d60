"""What runs, their jobs and their bundles are called."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch import names
from fastbatch.model import bundle_id, bundle_number


def test_a_run_has_a_name_of_its_own() -> None:
    """What was given, or `run`, and eight random letters and digits."""
    runs = {names.new_run(name) for name in ["nightly", "nightly", None]}

    assert len(runs) == 3
    assert all(re.fullmatch(r"(nightly|run)-[a-z2-7]{8}", run) for run in runs)


@pytest.mark.parametrize("name", ["nightly", "nightly-2026", names.DEFAULT])
def test_the_name_that_a_run_was_given_is_known(name: str) -> None:
    """With all of its hyphens."""
    assert names.given(names.new_run(name)) == name


@pytest.mark.parametrize("name", ["nightly", "nightly-2026", "7", names.DEFAULT])
def test_what_may_be_called_a_run_is_known(name: str) -> None:
    """By its letters, so that nothing else becomes a part of a path."""
    assert names.may_be_run(names.new_run(name))


@pytest.mark.parametrize(
    "text", ["", ".", "..", "../run-x", "run-x/..", "/run-x", "Run-x", "run-x\n", "r--x", "-x", "ü"]
)
def test_other_texts_are_no_names_of_runs(text: str) -> None:
    """Wherever they were read."""
    assert not names.may_be_run(text)


def test_the_first_job_of_a_run_has_its_name() -> None:
    """Those after it a number, too."""
    assert [names.job("run-x", number) for number in range(3)] == ["run-x", "run-x-a1", "run-x-a2"]


@given(st.integers(1, 10**6))
def test_a_bundle_is_known_by_its_number(number: int) -> None:
    """And the number by its id."""
    assert bundle_number(bundle_id(number)) == number


@pytest.mark.parametrize("text", ["", "b", "b1", "b000001", "c00001", "b00001-r1", "bx0001", "b٠٠٠٠١"])
def test_other_texts_are_no_ids_of_bundles(text: str) -> None:
    """An error of ours."""
    with pytest.raises(ValueError, match=r"."):
        bundle_number(text)
