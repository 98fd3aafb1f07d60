"""What a run is called."""

import base64
import secrets

_RANDOM_BYTES = 5  # eight characters in base 32
DEFAULT = "run"


def new_run(name: str | None) -> str:
    """Give a run a name that nothing else has."""
    return f"{name or DEFAULT}-{base64.b32encode(secrets.token_bytes(_RANDOM_BYTES)).decode().lower()}"
