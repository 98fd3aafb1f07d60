"""What prepares a node of a new pool."""

import shlex

# Runs as the start task, without a shell between Batch and it but the one that it names.
_CHECK = (
    "python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' "
    "|| { echo fastbatch needs python3, 3.8 or later, on the node >&2; exit 1; }"
)


def start_command(command: str | None) -> str:
    """Give the command line of the start task: the user's own preparation, then a look whether Python is there."""
    script = f"{{ {command}\n}} && {_CHECK}" if command else _CHECK
    return f"/bin/sh -c {shlex.quote(script)}"
