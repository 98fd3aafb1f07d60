"""
How a program goes that a node runs beside its tasks: its start task, a preparation, a release.

It is kept as the JSON text of what the wire shows of it, but with times in microseconds.
"""

import json
from typing import Any

from fastbatch.local.states.outcomes import Outcome


def begun(now: int) -> str:
    """Give an execution as it begins."""
    return json.dumps({"state": "running", "startTime": now, "retryCount": 0})


def is_running(text: str) -> bool:
    """Tell whether an execution has not ended."""
    return bool(json.loads(text)["state"] == "running")


def has_failed(text: str) -> bool:
    """Tell whether an execution has ended, and not well."""
    return bool(json.loads(text).get("result") == "failure")


def started(text: str) -> int:
    """Give the time at which the last run began."""
    return int(json.loads(text)["startTime"])


def ended(text: str, outcome: Outcome, allowed: int, now: int) -> tuple[str, bool]:
    """Give the execution after a run, and whether it runs again, where so many retries are allowed."""
    info = json.loads(text)
    again = outcome.is_followed(info["retryCount"], allowed)
    if again:
        info.update(startTime=now, retryCount=info["retryCount"] + 1, lastRetryTime=now)
    else:
        info.update(_verdict(outcome, now))
    return json.dumps(info), again


def _verdict(outcome: Outcome, now: int) -> dict[str, Any]:
    failure = outcome.verdict
    verdict: dict[str, Any] = {"state": "completed", "endTime": now, "result": "failure" if failure else "success"}
    if outcome.exit_code is not None:
        verdict["exitCode"] = outcome.exit_code
    if failure:
        verdict["failureInfo"] = json.loads(failure.text())
    return verdict
