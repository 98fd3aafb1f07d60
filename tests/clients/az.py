"""az batch: each call is a command of its own, with ids and options as flags, and bodies as flags or in a file."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.clients import environments
from tests.clients.playing import Absent, Fails, Refused, snake
from tests.local.instances import Instance

_POOL = ("--pool-id",)
_NODE = ("--pool-id", "--node-id")
_USER = (*_NODE, "--user-name")
_NODE_FILE = (*_NODE, "--file-path")
_JOB = ("--job-id",)
_TASK = ("--job-id", "--task-id")
_TASK_FILE = (*_TASK, "--file-path")
_SCHEDULE = ("--job-schedule-id",)

# Each operation by its command and the flags for its ids.
_COMMANDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "begin_delete_job": ("job delete --yes", _JOB),
    "begin_delete_job_schedule": ("job-schedule delete --yes", _SCHEDULE),
    "begin_delete_pool": ("pool delete --yes", _POOL),
    "begin_disable_job": ("job disable", _JOB),
    "begin_enable_job": ("job enable", _JOB),
    "begin_reboot_node": ("node reboot", _NODE),
    "begin_remove_nodes": ("node delete", _POOL),
    "begin_resize_pool": ("pool resize", _POOL),
    "begin_stop_pool_resize": ("pool resize --abort", _POOL),
    "begin_terminate_job": ("job stop", _JOB),
    "begin_terminate_job_schedule": ("job-schedule stop", _SCHEDULE),
    "create_job": ("job create", ()),
    "create_job_schedule": ("job-schedule create", ()),
    "create_node_user": ("node user create", _NODE),
    "create_pool": ("pool create", ()),
    "create_task": ("task create", _JOB),
    "create_task_collection": ("task create", _JOB),
    "delete_node_file": ("node file delete --yes", _NODE_FILE),
    "delete_node_user": ("node user delete --yes", _USER),
    "delete_task": ("task delete --yes", _TASK),
    "delete_task_file": ("task file delete --yes", _TASK_FILE),
    "disable_job_schedule": ("job-schedule disable", _SCHEDULE),
    "disable_node_scheduling": ("node scheduling disable", _NODE),
    "disable_pool_auto_scale": ("pool autoscale disable", _POOL),
    "download_node_file": ("node file download", _NODE_FILE),
    "download_task_file": ("task file download", _TASK_FILE),
    "enable_job_schedule": ("job-schedule enable", _SCHEDULE),
    "enable_node_scheduling": ("node scheduling enable", _NODE),
    "enable_pool_auto_scale": ("pool autoscale enable", _POOL),
    "evaluate_pool_auto_scale": ("pool autoscale evaluate", _POOL),
    "get_application": ("application summary show", ("--application-id",)),
    "get_job": ("job show", _JOB),
    "get_job_schedule": ("job-schedule show", _SCHEDULE),
    "get_job_task_counts": ("job task-counts show", _JOB),
    "get_node": ("node show", _NODE),
    "get_node_file_properties": ("node file show", _NODE_FILE),
    "get_node_remote_login_settings": ("node remote-login-settings show", _NODE),
    "get_pool": ("pool show", _POOL),
    "get_task": ("task show", _TASK),
    "get_task_file_properties": ("task file show", _TASK_FILE),
    "list_applications": ("application summary list", ()),
    "list_job_preparation_and_release_task_status": ("job prep-release-status list", _JOB),
    "list_job_schedules": ("job-schedule list", ()),
    "list_jobs": ("job list", ()),
    "list_jobs_from_schedule": ("job list", _SCHEDULE),
    "list_node_files": ("node file list", _NODE),
    "list_nodes": ("node list", _POOL),
    "list_pool_node_counts": ("pool node-counts list", ()),
    "list_pool_usage_metrics": ("pool usage-metrics list", ()),
    "list_pools": ("pool list", ()),
    "list_subtasks": ("task subtask list", _TASK),
    "list_supported_images": ("pool supported-images list", ()),
    "list_task_files": ("task file list", _TASK),
    "list_tasks": ("task list", _JOB),
    "reactivate_task": ("task reactivate", _TASK),
    "replace_job": ("job reset", _JOB),
    "replace_job_schedule": ("job-schedule reset", _SCHEDULE),
    "replace_node_user": ("node user reset", _USER),
    "replace_pool_properties": ("pool reset", _POOL),
    "replace_task": ("task reset", _TASK),
    "terminate_task": ("task stop", _TASK),
    "update_job": ("job set", _JOB),
    "update_job_schedule": ("job-schedule set", _SCHEDULE),
    "update_pool": ("pool set", _POOL),
    "upload_node_logs": ("node service-logs upload", _NODE),
}
# These fail over the answer to a HEAD, whatever it is.
_FAIL = {"get_node_file_properties", "get_task_file_properties"}
# The body of this one it wraps twice; without, it says the same.
_BODILESS = {"disable_node_scheduling"}
# The bodies of these can't be given in a file.
_WITH_FLAGS = {"begin_resize_pool", "begin_terminate_job", "enable_pool_auto_scale"}


class Az:
    """The command line, whose settings and files are in a folder of its own."""

    def __init__(self, python: Path, instance: Instance, home: Path) -> None:
        self._command = [str(python), "-m", "azure.cli", "batch"]
        self._home = home
        self._environment = {**environments.alone(home), **environments.account(instance)}

    def call(self, operation: str, *ids: str, body: Any = None, wait: bool = True, **options: Any) -> Any:  # noqa: ARG002 - no command waits
        """Run a command."""
        if operation not in _COMMANDS:
            raise Absent
        command, flags = _COMMANDS[operation]
        argv = [*command.split(), *(word for pair in zip(flags, ids, strict=True) for word in pair), *_flags(options)]
        if body is not None and operation not in _BODILESS:
            argv += self._body(operation, body)
        if operation.startswith("download_"):
            return self._download(argv)
        try:
            return json.loads(self.run(argv) or "null")
        except _Broken as error:
            if operation in _FAIL:
                raise Fails from error
            raise

    def _body(self, operation: str, body: Any) -> list[str]:
        if operation in _WITH_FLAGS:
            return list(_flags({snake(name): value for name, value in body.items()}))
        file = self._home / "body.json"
        file.write_text(json.dumps(body["value"] if operation == "create_task_collection" else body))
        return ["--json-file", str(file)]

    def _download(self, argv: list[str]) -> bytes:
        file = self._home / "download"
        file.unlink(missing_ok=True)  # az refuses to write over it
        self.run([*argv, "--destination", str(file)])
        return file.read_bytes()

    def run(self, argv: Sequence[str]) -> str:
        """Run a command, and give what it prints."""
        done = subprocess.run(
            [*self._command, *argv],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
        )
        if done.returncode == 0:
            return done.stdout
        refusal = re.search(r"^ERROR: \((\w+)\)", done.stderr, re.MULTILINE)
        if refusal is None:
            raise _Broken(done.stderr)
        raise Refused(_status(refusal[1]), refusal[1])


class _Broken(Exception):
    """Raised when a command fails without a word from the service."""


def _flags(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        if name == "max_results":
            raise Absent
        if name == "ocp_range":
            first, _, last = value.removeprefix("bytes=").partition("-")
            yield from ("--start-range", first, "--end-range", last)
        elif value is True:
            yield f"--{name}"
        elif isinstance(value, list):
            yield from (f"--{name}", *value)
        else:
            yield from (f"--{name.replace('_', '-')}", str(value))


def _status(code: str) -> int:
    """Give the status that goes with a code, as far as the scenario asks; az does not tell."""
    return 404 if code.endswith("NotFound") else 501 if code == "NotImplemented" else 400
