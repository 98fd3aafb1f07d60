"""How fast something goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.cli.display.pace import SPAN, Pace


def test_there_is_no_speed_before_there_is_something_to_tell_it_from() -> None:
    """Not before anything was done, and not within the first second."""
    pace = Pace()
    assert pace.at(5) is None
    pace.add(5, 10, 100)
    assert pace.at(5.9) is None
    assert pace.at(6) is not None


def test_what_was_done_first_does_not_count() -> None:
    """As nobody knows how long it took."""
    pace = Pace()
    pace.add(0, 1_000_000, 1_000_000)
    pace.add(2, 10, 100)
    speed = pace.at(4)
    assert speed
    assert (speed.inputs, speed.bytes) == (2.5, 25)


def test_what_was_done_long_ago_does_not_count() -> None:
    """The window slides, and after a long silence there is no speed left."""
    pace = Pace()
    for second in range(100):
        pace.add(second, 100 if second < 50 else 1, 0)
    recent, silent = pace.at(99), pace.at(99 + SPAN)
    assert recent
    assert silent
    assert recent.inputs == pytest.approx(1, rel=0.1)
    assert silent.inputs == 0


@given(
    st.integers(1, 400),
    st.floats(0.001, 3),
    st.integers(0, 1000),
)
def test_of_a_steady_flow_it_tells_how_fast_that_is(times: int, step: float, inputs: int) -> None:
    """As far as the grain of its books allows."""
    pace = Pace()
    for index in range(times + 1):
        pace.add(index * step, inputs, inputs * 7)
    speed = pace.at(times * step)
    if speed is None:
        assert times * step < 1
        return
    assert speed.inputs * min(SPAN, times * step) == pytest.approx(
        inputs * min(SPAN / step, times), abs=inputs * (1 + 0.25 / step)
    )
    assert speed.bytes == pytest.approx(speed.inputs * 7)


def test_its_memory_does_not_grow_with_what_is_done() -> None:
    """Ten thousand a second take no more than the window has quarters of seconds."""
    pace = Pace()
    for index in range(50_000):
        pace.add(index / 1000, 1, 1)
    assert len(pace._booked) <= SPAN * 4 + 1  # noqa: SLF001, memory is not seen from outside
