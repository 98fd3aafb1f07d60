"""Of the errors of a group, the one that matters most is raised, alone."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.errors import FastbatchError, Refused, Unreachable
from fastbatch.groups import unwrapped


def test_what_we_do_not_know_comes_before_what_we_do() -> None:
    """A mistake in the program is never hidden behind a service's trouble, however deep it is."""
    ours, strange = Unreachable("Batch", "add tasks", "gone"), KeyError("oops")
    with pytest.raises(KeyError, match="oops"), unwrapped():
        raise BaseExceptionGroup("all", [ours, ExceptionGroup("inner", [ours, strange])])


def test_the_first_of_ours_is_raised_with_its_cause() -> None:
    """So that a traceback shows where it came from."""
    cause = OSError("reset")
    first = Unreachable("Batch", "add tasks", "reset")
    first.__cause__ = cause
    with pytest.raises(Unreachable) as caught, unwrapped():
        raise ExceptionGroup("all", [first, Refused("Batch", "add tasks", 400, "X")])
    assert caught.value is first
    assert caught.value.__cause__ is cause


def test_what_is_no_group_stays_as_it_is() -> None:
    """Also nothing at all."""
    with unwrapped():
        pass
    with pytest.raises(ValueError, match="alone"), unwrapped():
        raise ValueError("alone")


def test_an_interruption_comes_before_all() -> None:
    """It is none of our errors."""
    with pytest.raises(KeyboardInterrupt), unwrapped():
        raise BaseExceptionGroup("all", [FastbatchError("x"), KeyboardInterrupt()])


def test_errors_of_a_real_task_group_come_out_alone() -> None:
    """One that is cancelled for another's error says nothing."""

    async def fail() -> None:
        raise Unreachable("Storage", "put a blob", "gone")

    async def scene() -> None:
        with unwrapped():
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep_forever)
                group.start_soon(fail)

    with pytest.raises(Unreachable, match="gone"):
        anyio.run(scene)


_LEAVES = st.sampled_from([KeyError, FastbatchError, OSError]).map(lambda kind: kind("x"))


@given(
    st.recursive(_LEAVES, lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda e: ExceptionGroup("g", e)))
)
def test_what_comes_out_is_never_a_group(error: Exception) -> None:
    """Of any depth."""
    with pytest.raises((KeyError, FastbatchError, OSError)), unwrapped():
        raise error
