"""What a run is called, and by what it is known what is ours."""

import base64
import re
import secrets

_RANDOM_BYTES = 5  # eight characters in base 32
DEFAULT = "run"
_RUN = re.compile("[a-z0-9]+(-[a-z0-9]+)*")
MARK = "fastbatch"  # in the metadata of what is ours


def new_run(name: str | None) -> str:
    """Give a run a name that nothing else has."""
    return f"{name or DEFAULT}-{base64.b32encode(secrets.token_bytes(_RANDOM_BYTES)).decode().lower()}"


def may_be_run(text: str) -> bool:
    """Tell whether a text may be what a run is called; folders and files on this machine are called so, too."""
    return _RUN.fullmatch(text) is not None


def job(run: str, number: int) -> str:
    """Give the name of a run's job; the first one, number 0, has the run's own."""
    return f"{run}-a{number}" if number else run


def given(run: str) -> str:
    """Give the name that a run was given, or the default."""
    return run.rpartition("-")[0]
