"""What all tests share."""

from hypothesis import HealthCheck, settings

# Deterministic, so that a failure is the same for everyone; no deadline, as machines differ.
settings.register_profile(
    "fastbatch",
    deadline=None,
    derandomize=True,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("fastbatch")
