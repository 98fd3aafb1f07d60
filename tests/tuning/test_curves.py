"""The curve between and beside the numbers of nodes that were measured."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbatch.tuning import curves
from fastbatch.tuning.findings import Curve, Estimate, Law
from tests.cli.tuning import FINDINGS

SHARES = st.floats(0, 1)


@given(st.floats(0.1, 1e5), SHARES, SHARES, st.integers(1, 1000))
def test_it_is_the_universal_scalability_law(one: float, contention: float, crosstalk: float, nodes: int) -> None:
    """N T(N) = T(1) (1 + contention (N-1) + crosstalk N (N-1))."""
    curve = Curve(Law.SCALABILITY, Estimate(one), Estimate(contention), Estimate(crosstalk), 1.0, 0.0)
    by_law = one * (1 + contention * (nodes - 1) + crosstalk * nodes * (nodes - 1)) / nodes

    assert curves.seconds(curve, nodes) == pytest.approx(by_law)


def test_the_band_at_a_count_is_its_interval_around_the_curve() -> None:
    """And between two counts it is between theirs."""
    assert FINDINGS.curve
    low, high = curves.band(FINDINGS, 2) or (0, 0)
    at_16 = curves.band(FINDINGS, 16)

    assert (low, high) == pytest.approx(
        (curves.seconds(FINDINGS.curve, 2) * 0.97 / 1.01, curves.seconds(FINDINGS.curve, 2) * 1.05 / 1.01)
    )
    assert at_16 == pytest.approx(tuple(curves.seconds(FINDINGS.curve, 16) * part for part in (8 / 11, 14 / 11)))
    assert at_16 is not None
    between = curves.band(FINDINGS, 12)
    assert between is not None
    assert high / low < between[1] / between[0] < at_16[1] / at_16[0]


def test_beside_all_counts_it_is_as_wide_as_at_the_last() -> None:
    """Nothing more is known."""
    wider, at_last = curves.band(FINDINGS, 100), curves.band(FINDINGS, 16)

    assert wider is not None
    assert at_last is not None
    assert wider[1] / wider[0] == pytest.approx(at_last[1] / at_last[0])


def test_without_repeats_or_a_curve_there_is_no_band() -> None:
    """It would be made up."""
    rows = tuple(dataclasses.replace(row, fitted=Estimate(1.0)) for row in FINDINGS.rows)

    assert curves.band(dataclasses.replace(FINDINGS, rows=rows), 2) is None
    assert curves.band(dataclasses.replace(FINDINGS, curve=None), 2) is None
