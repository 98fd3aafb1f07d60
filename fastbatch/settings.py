"""What can be set, with what it is if nobody sets it."""

from dataclasses import dataclass, field
from typing import Any

MIB = 1 << 20
HOUR = 3600.0


def _setting(default: Any, about: str, **more: Any) -> Any:
    """Make a field that says what it is for; `unit` is "size" or "duration", `command` marks what runs on nodes."""
    return field(default=default, metadata={"help": about, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run is done."""

    # What is counted
    top: int = _setting(10, "How many of the most frequent words to show, and to keep for each input.")
    ignore_case: bool = _setting(default=False, about="Count text.lower().")
    include: tuple[str, ...] = _setting((), "Take only the inputs whose name matches one of these patterns.")
    exclude: tuple[str, ...] = _setting((), "Leave out the inputs whose name matches one of these patterns.")

    # How the work is divided
    bundle_size: int | None = _setting(None, "About how many bytes of input a task gets.", unit="size")
    files_per_task: int | None = _setting(None, "Give each task so many files, whatever their size.")

    # Where it runs
    pool: str = _setting("fastbatch", "The pool to run on; it is made if it is not there.")
    nodes: int | None = _setting(None, "Resize the pool to so many nodes. A new one has 2 if this is not given.")
    slots: int | None = _setting(None, "Tasks at a time on each node of a new pool; 2 if this is not given.")
    vm_size: str = _setting("standard_d2s_v3", "The VM size of a new pool.")
    publisher: str = _setting("canonical", "The publisher of a new pool's image.")
    offer: str = _setting("0001-com-ubuntu-server-jammy", "The offer of a new pool's image.")
    sku: str = _setting("22_04-lts", "The SKU of a new pool's image.")
    start_command: str | None = _setting(None, "A shell command that prepares each node of a new pool.", command=True)

    # What comes of it
    name: str | None = _setting(None, "What the run's name starts with.")
    output: str | None = _setting(None, "The folder for counts.tsv, summary.json and the files of --per-file.")
    per_file: bool = _setting(default=False, about="Write one NAME_OUTPUT.txt for each input, too.")
    keep_data: bool = _setting(default=False, about="Leave the job and the output container when all is done.")
    keep_pool: bool = _setting(default=False, about="Leave the pool without asking.")
    delete_pool: bool = _setting(default=False, about="Delete the pool when all is done.")

    # Limits
    timeout: float | None = _setting(None, "Stop waiting after so long; tasks go on.", unit="duration")
    job_timeout: float = _setting(24 * HOUR, "The service ends the job after so long.", unit="duration")
    task_timeout: float = _setting(2 * HOUR, "The service ends a task after so long.", unit="duration")
    task_retries: int = _setting(3, "How often a task is tried again after what may pass.")
    in_flight: int = _setting(96 * MIB, "Bytes of bundles and results held in memory at once.", unit="size")
    upload_requests: int = _setting(32, "Requests to storage at once, at most.")
    batch_requests: int = _setting(8, "Requests to Batch at once, at most.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The Batch and storage accounts that a run uses; keys are shown by nothing. Without keys, Entra ID is used."""

    batch_account: str
    batch_endpoint: str
    storage_account: str
    storage_endpoint: str
    batch_key: str | None = field(default=None, repr=False)
    storage_key: str | None = field(default=None, repr=False)
