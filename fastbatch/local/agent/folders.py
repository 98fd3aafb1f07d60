"""The folders of a node and of its tasks, and names from outside that must stay within them."""

import os
import stat
from dataclasses import dataclass

_LONGEST_NAME = 255
_LONGEST_PATH = 4095


class Unsafe(ValueError):
    """Raised when a name from outside is none that a file below a given folder can have."""

    def __init__(self, name: str, why: str) -> None:
        shown = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "..."
        super().__init__(f"{shown!r} can't be the name of a file here: {why}")
        self.name = name


def inside(root: str, name: str) -> str:
    """Join a relative name to a folder; Unsafe if it is no name, or could leave the folder, by a link too."""
    parts = _parts(name)
    path = root
    resolved = ""
    for part in parts:
        path = f"{path}/{part}"
        if _is_link(path):
            resolved = resolved or os.path.realpath(root)
            if not within(resolved, os.path.realpath(path)):
                raise Unsafe(name, "a symbolic link on its way leads out of the folder")
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise Unsafe(name, "it is too long")
    return path


def within(root: str, path: str) -> bool:
    """Tell whether a path is a folder or below it; both are absolute, and without links and dots."""
    return path == root or path.startswith(root.rstrip("/") + "/")


def make_folders(path: str) -> None:
    """Make a folder and those above it, as many as there may be; no name is too deep for the stack."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        _make(folder)


def _parts(name: str) -> list[str]:
    """Take a name apart as the system would, and refuse what is not below where it starts."""
    if name.startswith("/"):
        raise Unsafe(name, "it is absolute")
    if "\0" in name:
        raise Unsafe(name, "it holds a NUL")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if not parts:
        raise Unsafe(name, "it is empty")
    if ".." in parts:
        raise Unsafe(name, "it goes up with ..")
    try:
        longest = max(len(os.fsencode(part)) for part in parts)
    except UnicodeEncodeError:
        raise Unsafe(name, "it holds what no encoding has") from None
    if longest > _LONGEST_NAME:
        raise Unsafe(name, f"one of its parts is longer than {_LONGEST_NAME} bytes")
    return parts


def _is_link(path: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:  # nothing there yet, or what creating it will complain of
        return False


@dataclass(frozen=True, slots=True)
class Task:
    """Where one task has its files."""

    path: str

    @property
    def working(self) -> str:
        """The folder in which the process runs."""
        return f"{self.path}/wd"

    @property
    def certificates(self) -> str:
        """The folder of certificates; always empty now."""
        return f"{self.path}/certs"

    @property
    def stdout(self) -> str:
        """The file that takes what the process prints."""
        return f"{self.path}/stdout.txt"

    @property
    def stderr(self) -> str:
        """The file that takes what the process complains of."""
        return f"{self.path}/stderr.txt"

    def create(self) -> None:
        """Make the folders; those that are there stay as they are."""
        try:
            _make(self.path)
        except FileNotFoundError:  # the first task of its job
            make_folders(self.path)
        _make(self.working)
        _make(self.certificates)


@dataclass(frozen=True, slots=True)
class Node:
    """Where a node has its files: `root` is an absolute path without links, AZ_BATCH_NODE_ROOT_DIR."""

    root: str

    @property
    def applications(self) -> str:
        """The folder of application packages."""
        return f"{self.root}/applications"

    @property
    def mounts(self) -> str:
        """The folder of mounted file systems."""
        return f"{self.root}/fsmounts"

    @property
    def shared(self) -> str:
        """The folder that all tasks of the node share."""
        return f"{self.root}/shared"

    @property
    def startup(self) -> Task:
        """The folders of the start task."""
        return Task(f"{self.root}/startup")

    @property
    def volatile(self) -> str:
        """The folder of what need not survive a restart."""
        return f"{self.root}/volatile"

    @property
    def work_items(self) -> str:
        """The folder of all jobs."""
        return f"{self.root}/workitems"

    def job(self, job_id: str) -> str:
        """Return the folder of a job's tasks on this node."""
        return f"{inside(self.work_items, _single(job_id))}/job-1"

    def task(self, job_id: str, task_id: str) -> Task:
        """Return the folders of a task."""
        return Task(inside(self.job(job_id), _single(task_id)))

    def create(self) -> None:
        """Make all folders that are not a task's, and those of the start task, which has no certificates."""
        make_folders(self.root)
        wanted = (self.applications, self.mounts, self.shared, self.volatile, self.work_items)
        for folder in (*wanted, self.startup.path, self.startup.working):
            _make(folder)


def _single(name: str) -> str:
    if "/" in name or name == ".":
        raise Unsafe(name, "it is more than one name")
    return name


def _make(folder: str) -> None:
    try:
        os.mkdir(folder)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise
