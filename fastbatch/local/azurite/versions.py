"""Whether a program that was found will do: it must start, say its version in time, and be new enough."""

import re
from collections.abc import Sequence

from fastbatch.local.azurite.commands import last_lines, plain_environment, run

Version = tuple[int, ...]


def flaw(argv: Sequence[str], oldest: Version, *, seconds: float = 10) -> str | None:
    """Say why a program won't do; None when it will."""
    try:
        ended = run([*argv, "--version"], seconds=seconds, env=plain_environment())
    except OSError as error:
        return f"it can't be started ({error.strerror})"
    if ended.code is None:
        return f"it did not say its version within {seconds:g} seconds"
    if ended.code != 0:
        return f"it ended with exit code {ended.code} when asked for its version:{last_lines(ended.output, 5)}"
    return _flaw_of_version(ended.output, oldest)


def _flaw_of_version(output: str, oldest: Version) -> str | None:
    """Judge what a program said: its version is a line of its own, as warnings may stand beside it."""
    match = re.search(r"^v?(\d+(?:\.\d+)+)\S*$", output, re.MULTILINE | re.ASCII)
    if match is None:
        return f"it says no version but {output[:80]!r}"
    if tuple(int(part) for part in match[1].split(".")) < oldest:
        return f"it is version {match[1]}, and {'.'.join(map(str, oldest))} is the oldest that will do"
    return None
