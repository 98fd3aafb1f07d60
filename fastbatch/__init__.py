"""Thousands of input files in, merged results out, on Azure Batch, in one command."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastbatch import errors, events
    from fastbatch.api import plan, resume, run, run_sync
    from fastbatch.model import Plan, Summary
    from fastbatch.settings import Account, Settings

__all__ = [
    "Account",
    "Plan",
    "Settings",
    "Summary",
    "__version__",
    "errors",
    "events",
    "plan",
    "resume",
    "run",
    "run_sync",
]

__version__ = "0.1.0"

_HOMES = {
    "Account": "settings",
    "Plan": "model",
    "Settings": "settings",
    "Summary": "model",
    "plan": "api",
    "resume": "api",
    "run": "api",
    "run_sync": "api",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: the command line has no time for all of it."""
    if name in _HOMES:
        return getattr(import_module(f"fastbatch.{_HOMES[name]}"), name)
    if name in ("errors", "events"):
        return import_module(f"fastbatch.{name}")
    raise AttributeError(f"module 'fastbatch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
