"""What can be set, with what it is if nobody sets it."""

from dataclasses import dataclass, field
from typing import Any

from fastbatch.limits import ID_LENGTH, SLOTS_PER_NODE

KIB = 1 << 10
MIB = 1 << 20
HOUR = 3600.0
DAY = 24 * HOUR

_ID = rf"[A-Za-z0-9_-]{{1,{ID_LENGTH}}}"
_RUN_NAME = r"(?=.{1,30}$)[a-z0-9]+(-[a-z0-9]+)*"


def _setting(default: Any, about: str, **more: Any) -> Any:
    """
    Make a field that says what it is for.

    `unit` is "size" or "duration"; `least` and `most` bound it, and it is more than `above`; all of a text has the
    pattern `form`, which `has` tells people; `own` says why nothing but the user's own places may set it, `path` marks
    what may hold any bytes.
    `called` is what help calls its value, and `otherwise` is what is done if there is none.
    """
    return field(default=default, metadata={"help": about, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run is done."""

    # What is counted
    top: int = _setting(
        10, "How many of the most frequent words to show, and to keep for each input.", least=1, most=1000
    )
    ignore_case: bool = _setting(default=False, about="Count text.lower().")
    include: tuple[str, ...] = _setting(
        (), "Take only the inputs whose name matches one of these patterns.", path=True, called="PATTERN"
    )
    exclude: tuple[str, ...] = _setting(
        (), "Leave out the inputs whose name matches one of these patterns.", path=True, called="PATTERN"
    )

    # How the work is divided
    bundle_size: int | None = _setting(
        None,
        "About how many bytes of input a task gets.",
        unit="size",
        least=64 * KIB,
        most=64 * MIB,
        otherwise="1MiB to 32MiB, by the size of all inputs",
    )
    files_per_task: int | None = _setting(
        None, "Give each task so many files, whatever their size.", least=1, otherwise="by size"
    )

    # Where it runs
    pool: str = _setting(
        "fastbatch",
        "The pool to run on; it is made if it is not there.",
        form=_ID,
        has=f"1 to {ID_LENGTH} letters, digits, hyphens and underscores",
        called="ID",
    )
    nodes: int | None = _setting(
        None, "How many nodes the pool is to have.", least=0, otherwise="as many as it has; 2 for a new one"
    )
    slots: int | None = _setting(
        None, "Tasks at a time on each node of a new pool.", least=1, most=SLOTS_PER_NODE, otherwise="2"
    )
    vm_size: str = _setting("standard_d2s_v3", "The VM size of a new pool.", called="NAME")
    publisher: str = _setting("canonical", "The publisher of a new pool's image.", called="NAME")
    offer: str = _setting("0001-com-ubuntu-server-jammy", "The offer of a new pool's image.", called="NAME")
    sku: str = _setting("22_04-lts", "The SKU of a new pool's image.", called="NAME")
    start_command: str | None = _setting(
        None, "A shell command that prepares each node of a new pool.", own="it runs on nodes", called="COMMAND"
    )

    identity: str | None = _setting(
        None,
        "The resource id of a managed identity of the pool, by which nodes get at their blobs.",
        own="it says as whom nodes act",
        called="ID",
        otherwise="what nodes may do is signed for each task",
    )

    # What comes of it
    name: str | None = _setting(
        None,
        "What the run's name starts with.",
        form=_RUN_NAME,
        has="small letters and digits with single hyphens between them, 30 characters at most",
        called="NAME",
        otherwise="one is made",
    )
    output: str | None = _setting(
        None,
        "The folder for counts.tsv, summary.json and the files of --per-file.",
        path=True,
        called="DIR",
        otherwise="they are not written",
    )
    per_file: bool = _setting(default=False, about="Write one NAME_OUTPUT.txt for each input, too.")
    keep_data: bool = _setting(default=False, about="Leave the job and the output container when all is done.")
    keep_pool: bool = _setting(default=False, about="Leave the pool without asking.")
    delete_pool: bool = _setting(
        default=False, about="Delete the pool when all is done.", own="what it deletes may be of use to others"
    )

    # Limits
    timeout: float | None = _setting(
        None, "Stop waiting after so long; tasks go on.", unit="duration", above=0, most=180 * DAY
    )
    job_timeout: float = _setting(
        24 * HOUR, "The service ends the job after so long.", unit="duration", above=0, most=180 * DAY
    )
    task_timeout: float = _setting(
        2 * HOUR, "The service ends a task after so long.", unit="duration", above=0, most=180 * DAY
    )
    task_retries: int = _setting(3, "How often a task is tried again after what may pass.", least=0, most=20)
    in_flight: int = _setting(
        96 * MIB, "Bytes of bundles and results held in memory at once.", unit="size", least=64 * MIB
    )
    upload_requests: int = _setting(32, "Requests to storage at once, at most.", least=1, most=1000)
    batch_requests: int = _setting(8, "Requests to Batch at once, at most.", least=1, most=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The Batch and storage accounts that a run uses; keys are shown by nothing. Without keys, Entra ID is used."""

    batch_account: str
    batch_endpoint: str
    storage_account: str
    storage_endpoint: str
    batch_key: str | None = field(default=None, repr=False)
    storage_key: str | None = field(default=None, repr=False)
