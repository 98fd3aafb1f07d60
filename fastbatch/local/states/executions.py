"""
How a program goes that a node runs beside its tasks: its start task, a preparation, a release.

It is kept as the JSON text of what the wire shows of it, but with times in microseconds.
"""

import json
from typing import Any

from fastbatch.local.states.tasks import EXITED_WITH_ERROR, NO_RETRY_LIMIT, Outcome


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


def ended(text: str, outcome: Outcome, retries: int, now: int) -> tuple[str, bool]:
    """Give the execution after a run, and whether it runs again: after a failing exit code, so many times."""
    info = json.loads(text)
    allowed = retries == NO_RETRY_LIMIT or info["retryCount"] < retries
    again = bool(outcome.exit_code) and outcome.failure is None and allowed
    if again:
        info.update(startTime=now, retryCount=info["retryCount"] + 1, lastRetryTime=now)
    else:
        info.update(_verdict(outcome, now))
    return json.dumps(info), again


def _verdict(outcome: Outcome, now: int) -> dict[str, Any]:
    failure = outcome.failure or (EXITED_WITH_ERROR if outcome.exit_code else None)
    verdict: dict[str, Any] = {"state": "completed", "endTime": now, "result": "failure" if failure else "success"}
    if outcome.exit_code is not None:
        verdict["exitCode"] = outcome.exit_code
    if failure:
        verdict["failureInfo"] = json.loads(failure.text())
    return verdict
