"""Runs that are broken in every way that we could think of: nothing is lost, and nothing is counted twice."""

import pytest

pytest.register_assert_rewrite("tests.breaking.trial")
