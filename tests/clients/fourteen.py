"""
azure-batch 14.2, which has another shape: groups of operations, classes for options, and bodies taken apart.

Run as a program, in the Python that has it, it plays the scenario and prints what it found.
"""

import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from tests.clients.playing import Absent, Player, Refused, snake
from tests.clients.scenario import play

# By names, as in the Python of the type checker these packages are others, or none.
_batch: Any = importlib.import_module("azure.batch")
_models: Any = importlib.import_module("azure.batch.models")
_credentials: Any = importlib.import_module("azure.batch.batch_auth").SharedKeyCredentials
_wire_names: Any = importlib.import_module("msrest.serialization").full_restapi_key_transformer

# Each operation by its group and name here, and the class of its body; "" where the body's fields are arguments.
_CALLS = {
    "cancel_certificate_deletion": ("certificate", "cancel_deletion", ""),
    "create_certificate": ("certificate", "add", "CertificateAddParameter"),
    "create_job": ("job", "add", "JobAddParameter"),
    "create_job_schedule": ("job_schedule", "add", "JobScheduleAddParameter"),
    "create_node_user": ("compute_node", "add_user", "ComputeNodeUser"),
    "create_pool": ("pool", "add", "PoolAddParameter"),
    "create_task": ("task", "add", "TaskAddParameter"),
    "create_task_collection": ("task", "add_collection", ""),
    "begin_delete_job": ("job", "delete", ""),
    "begin_delete_job_schedule": ("job_schedule", "delete", ""),
    "begin_delete_pool": ("pool", "delete", ""),
    "begin_disable_job": ("job", "disable", ""),
    "begin_enable_job": ("job", "enable", ""),
    "begin_reboot_node": ("compute_node", "reboot", ""),
    "begin_reimage_node": ("compute_node", "reimage", ""),
    "begin_remove_nodes": ("pool", "remove_nodes", "NodeRemoveParameter"),
    "begin_resize_pool": ("pool", "resize", "PoolResizeParameter"),
    "begin_stop_pool_resize": ("pool", "stop_resize", ""),
    "begin_terminate_job": ("job", "terminate", ""),
    "begin_terminate_job_schedule": ("job_schedule", "terminate", ""),
    "delete_certificate": ("certificate", "delete", ""),
    "delete_node_file": ("file", "delete_from_compute_node", ""),
    "delete_node_user": ("compute_node", "delete_user", ""),
    "delete_task": ("task", "delete", ""),
    "delete_task_file": ("file", "delete_from_task", ""),
    "disable_job_schedule": ("job_schedule", "disable", ""),
    "disable_node_scheduling": ("compute_node", "disable_scheduling", ""),
    "disable_pool_auto_scale": ("pool", "disable_auto_scale", ""),
    "download_node_file": ("file", "get_from_compute_node", ""),
    "download_task_file": ("file", "get_from_task", ""),
    "enable_job_schedule": ("job_schedule", "enable", ""),
    "enable_node_scheduling": ("compute_node", "enable_scheduling", ""),
    "enable_pool_auto_scale": ("pool", "enable_auto_scale", ""),
    "evaluate_pool_auto_scale": ("pool", "evaluate_auto_scale", ""),
    "get_application": ("application", "get", ""),
    "get_certificate": ("certificate", "get", ""),
    "get_job": ("job", "get", ""),
    "get_job_schedule": ("job_schedule", "get", ""),
    "get_job_task_counts": ("job", "get_task_counts", ""),
    "get_node": ("compute_node", "get", ""),
    "get_node_extension": ("compute_node_extension", "get", ""),
    "get_node_file_properties": ("file", "get_properties_from_compute_node", ""),
    "get_node_remote_desktop_file": ("compute_node", "get_remote_desktop", ""),
    "get_node_remote_login_settings": ("compute_node", "get_remote_login_settings", ""),
    "get_pool": ("pool", "get", ""),
    "get_task": ("task", "get", ""),
    "get_task_file_properties": ("file", "get_properties_from_task", ""),
    "job_schedule_exists": ("job_schedule", "exists", ""),
    "list_applications": ("application", "list", ""),
    "list_certificates": ("certificate", "list", ""),
    "list_job_preparation_and_release_task_status": ("job", "list_preparation_and_release_task_status", ""),
    "list_job_schedules": ("job_schedule", "list", ""),
    "list_jobs": ("job", "list", ""),
    "list_jobs_from_schedule": ("job", "list_from_job_schedule", ""),
    "list_node_extensions": ("compute_node_extension", "list", ""),
    "list_node_files": ("file", "list_from_compute_node", ""),
    "list_nodes": ("compute_node", "list", ""),
    "list_pool_node_counts": ("account", "list_pool_node_counts", ""),
    "list_pool_usage_metrics": ("pool", "list_usage_metrics", ""),
    "list_pools": ("pool", "list", ""),
    "list_subtasks": ("task", "list_subtasks", ""),
    "list_supported_images": ("account", "list_supported_images", ""),
    "list_task_files": ("file", "list_from_task", ""),
    "list_tasks": ("task", "list", ""),
    "pool_exists": ("pool", "exists", ""),
    "reactivate_task": ("task", "reactivate", ""),
    "replace_job": ("job", "update", "JobUpdateParameter"),
    "replace_job_schedule": ("job_schedule", "update", "JobScheduleUpdateParameter"),
    "replace_node_user": ("compute_node", "update_user", "NodeUpdateUserParameter"),
    "replace_pool_properties": ("pool", "update_properties", "PoolUpdatePropertiesParameter"),
    "replace_task": ("task", "update", ""),
    "terminate_task": ("task", "terminate", ""),
    "update_job": ("job", "patch", "JobPatchParameter"),
    "update_job_schedule": ("job_schedule", "patch", "JobSchedulePatchParameter"),
    "update_pool": ("pool", "patch", "PoolPatchParameter"),
    "upload_node_logs": ("compute_node", "upload_batch_service_logs", "UploadBatchServiceLogsConfiguration"),
}
_LISTS_OF_NAMES = {"select", "expand"}  # one text here


class Fourteen:
    """The client."""

    def __init__(self, endpoint: str, account: str, key: str) -> None:
        self._client = _batch.BatchServiceClient(_credentials(account, key), endpoint)

    def call(self, operation: str, *ids: str, body: Any = None, wait: bool = True, **options: Any) -> Any:  # noqa: ARG002 - there is nothing here that could wait
        """Do an operation."""
        if operation not in _CALLS:
            raise Absent
        group, name, model = _CALLS[operation]
        method = getattr(getattr(self._client, group), name)
        given = [*ids, _model(model, body)] if model else list(ids)
        named = {} if model else _fields(body or {})
        try:
            answer = method(*given, **named, **_options(method, f"{group}_{name}_options", options), **_raw(operation))
            return _plain(operation, answer)
        except _models.BatchErrorException as error:
            raise Refused(error.response.status_code, error.error.code if error.error else "") from error


def _model(name: str, body: Any) -> Any:
    return getattr(_models, name).from_dict(body)


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """Give the fields of a body as arguments; two of them are more than texts."""
    read: dict[str, Callable[[Any], Any]] = {
        "value": lambda tasks: [_model("TaskAddParameter", task) for task in tasks],
        "constraints": lambda constraints: _model("TaskConstraints", constraints),
    }
    return {snake(name): read.get(name, lambda text: text)(value) for name, value in body.items()}


def _options(method: Callable[..., Any], name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Give options as the method has them: some are arguments, most are in an object of a class of their own."""
    arguments = {each: options.pop(each) for each in list(options) if each in inspect.signature(method).parameters}
    if not options:
        return arguments
    found = getattr(_models, "".join(part.title() for part in name.split("_")))()
    for option, value in options.items():
        if not hasattr(found, option):
            raise Absent
        setattr(found, option, ",".join(value) if option in _LISTS_OF_NAMES else value)
    return {**arguments, name: found}


def _raw(operation: str) -> dict[str, bool]:
    """Say where headers are the answer."""
    return {"raw": True} if operation.endswith("_file_properties") else {}


def _plain(operation: str, answer: Any) -> Any:
    if operation.endswith("_file_properties"):
        return {"contentLength": answer.headers["Content-Length"]}
    if operation.startswith("download_") or operation.endswith("_desktop_file"):
        return b"".join(answer)
    if operation.startswith("list_") or operation == "create_task_collection":
        return [_dict(item) for item in getattr(answer, "value", answer)]
    return _dict(answer) if hasattr(answer, "as_dict") else answer


def _dict(model: Any) -> Any:
    return model.as_dict(key_transformer=_wire_names)


if __name__ == "__main__":
    client = Fourteen(*(os.environ[f"AZURE_BATCH_{name}"] for name in ("ENDPOINT", "ACCOUNT", "ACCESS_KEY")))
    json.dump(play(Player(client), sys.argv[1]), sys.stdout)
