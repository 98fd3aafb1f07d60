"""Every operation of the Batch API, by method and path: what it takes, and what does it, or that nothing does."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import unquote

from fastbatch.local import bodies
from fastbatch.local.errors import Refused
from fastbatch.local.faults.checking import Plans
from fastbatch.local.fields import Object
from fastbatch.local.operations import account, control, faults, files, jobs, mishaps, nodes, pools, preparations, tasks
from fastbatch.local.operations.call import Call, Operation

_LIST = frozenset({"$filter", "$select", "$expand", "maxresults", "$skiptoken"})
_LIST_WHOLE = _LIST - {"$select", "$expand"}
_GET = frozenset({"$select", "$expand"})
_RECURSIVE = frozenset({"recursive"})
_CERTIFICATE = "/certificates(thumbprintAlgorithm={algorithm},thumbprint={thumbprint})"


@dataclass(frozen=True, slots=True)
class Route:
    """An operation: its names in the SDK, its method and path, the query and body that it takes, and what does it."""

    name: str
    method: str
    path: str
    does: Operation
    query: frozenset[str] = frozenset()
    body: Object | None = None
    body_required: bool = True

    @property
    def is_done(self) -> bool:
        """Tell whether the local service can do it."""
        return self.does is not _not_here


def _not_here(call: Call) -> NoReturn:
    raise Refused("NotImplemented", f"The local service does not know how to do this: {call.path}")


def _body(name: str, method: str, path: str, does: Operation, body: Object) -> Route:
    return Route(name, method, path, does, body=body)


def _optional(name: str, path: str, does: Operation, body: Object) -> Route:
    return Route(name, "POST", path, does, body=body, body_required=False)


def _missing(name: str, method: str, path: str) -> Route:
    return Route(name, method, path, _not_here)


_OPERATIONS = (
    _body("create_pool", "POST", "/pools", pools.create, bodies.POOL),
    Route("list_pools", "GET", "/pools", pools.list_all, _LIST),
    Route("get_pool", "GET", "/pools/{pool}", pools.get, _GET),
    Route("pool_exists", "HEAD", "/pools/{pool}", pools.exists),
    _body("update_pool", "PATCH", "/pools/{pool}", pools.patch, bodies.POOL_PATCH),
    Route(
        "replace_pool_properties",
        "POST",
        "/pools/{pool}/updateproperties",
        pools.replace_properties,
        body=bodies.POOL_PROPERTIES,
    ),
    Route("begin_delete_pool", "DELETE", "/pools/{pool}", pools.delete),
    _body("begin_resize_pool", "POST", "/pools/{pool}/resize", pools.resize, bodies.RESIZE),
    Route("begin_stop_pool_resize", "POST", "/pools/{pool}/stopresize", pools.stop_resize),
    _body("begin_remove_nodes", "POST", "/pools/{pool}/removenodes", pools.remove_nodes, bodies.REMOVE_NODES),
    Route("list_pool_node_counts", "GET", "/nodecounts", pools.node_counts, _LIST_WHOLE),
    Route("list_supported_images", "GET", "/supportedimages", account.supported_images, _LIST_WHOLE),
    Route("list_nodes", "GET", "/pools/{pool}/nodes", nodes.list_all, _LIST),
    Route("get_node", "GET", "/pools/{pool}/nodes/{node}", nodes.get, _GET),
    _optional("begin_reboot_node", "/pools/{pool}/nodes/{node}/reboot", nodes.reboot, bodies.REBOOT),
    _optional("begin_reimage_node", "/pools/{pool}/nodes/{node}/reimage", nodes.reimage, bodies.REIMAGE),
    _optional(
        "disable_node_scheduling",
        "/pools/{pool}/nodes/{node}/disablescheduling",
        nodes.disable_scheduling,
        bodies.DISABLE_SCHEDULING,
    ),
    Route("enable_node_scheduling", "POST", "/pools/{pool}/nodes/{node}/enablescheduling", nodes.enable_scheduling),
    Route("list_node_files", "GET", "/pools/{pool}/nodes/{node}/files", files.list_all, _LIST_WHOLE | _RECURSIVE),
    Route("download_node_file", "GET", "/pools/{pool}/nodes/{node}/files/{file}", files.get),
    Route("get_node_file_properties", "HEAD", "/pools/{pool}/nodes/{node}/files/{file}", files.properties),
    Route("delete_node_file", "DELETE", "/pools/{pool}/nodes/{node}/files/{file}", files.delete, _RECURSIVE),
    _body("create_job", "POST", "/jobs", jobs.create, bodies.JOB),
    Route("list_jobs", "GET", "/jobs", jobs.list_all, _LIST),
    Route("get_job", "GET", "/jobs/{job}", jobs.get, _GET),
    _body("update_job", "PATCH", "/jobs/{job}", jobs.patch, bodies.JOB_PATCH),
    _body("replace_job", "PUT", "/jobs/{job}", jobs.update, bodies.JOB_UPDATE),
    _body("begin_disable_job", "POST", "/jobs/{job}/disable", jobs.disable, bodies.JOB_DISABLE),
    Route("begin_enable_job", "POST", "/jobs/{job}/enable", jobs.enable),
    Route(
        "begin_terminate_job",
        "POST",
        "/jobs/{job}/terminate",
        jobs.terminate,
        frozenset({"force"}),
        bodies.JOB_TERMINATE,
        body_required=False,
    ),
    Route("begin_delete_job", "DELETE", "/jobs/{job}", jobs.delete, frozenset({"force"})),
    Route("get_job_task_counts", "GET", "/jobs/{job}/taskcounts", jobs.task_counts),
    Route(
        "list_job_preparation_and_release_task_status",
        "GET",
        "/jobs/{job}/jobpreparationandreleasetaskstatus",
        preparations.list_statuses,
        _LIST - {"$expand"},
    ),
    _body("create_task", "POST", "/jobs/{job}/tasks", tasks.create, bodies.TASK),
    _body(
        "create_task_collection",
        "POST",
        "/jobs/{job}/addtaskcollection",
        tasks.create_collection,
        bodies.TASK_COLLECTION,
    ),
    Route("list_tasks", "GET", "/jobs/{job}/tasks", tasks.list_all, _LIST),
    Route("get_task", "GET", "/jobs/{job}/tasks/{task}", tasks.get, _GET),
    _body("replace_task", "PUT", "/jobs/{job}/tasks/{task}", tasks.update, bodies.TASK_UPDATE),
    Route("delete_task", "DELETE", "/jobs/{job}/tasks/{task}", tasks.delete),
    Route("terminate_task", "POST", "/jobs/{job}/tasks/{task}/terminate", tasks.terminate),
    Route("reactivate_task", "POST", "/jobs/{job}/tasks/{task}/reactivate", tasks.reactivate),
    Route("list_task_files", "GET", "/jobs/{job}/tasks/{task}/files", files.list_all, _LIST_WHOLE | _RECURSIVE),
    Route("download_task_file", "GET", "/jobs/{job}/tasks/{task}/files/{file}", files.get),
    Route("get_task_file_properties", "HEAD", "/jobs/{job}/tasks/{task}/files/{file}", files.properties),
    Route("delete_task_file", "DELETE", "/jobs/{job}/tasks/{task}/files/{file}", files.delete, _RECURSIVE),
    Route("status", "GET", "/local/status", control.status),
    Route("clock", "GET", "/local/clock", control.clock),
    _body("turn_clock", "POST", "/local/clock", control.turn_clock, bodies.CLOCK),
    Route("limits", "GET", "/local/limits", control.limits),
    _body("set_limits", "PATCH", "/local/limits", control.set_limits, bodies.LIMITS),
    Route("reset", "POST", "/local/reset", control.reset),
    Route("lose_node", "POST", "/local/pools/{pool}/nodes/{node}/lose", mishaps.lose),
    Route("preempt_node", "POST", "/local/pools/{pool}/nodes/{node}/preempt", mishaps.preempt),
    Route("return_node", "POST", "/local/pools/{pool}/nodes/{node}/return", mishaps.bring_back),
    _missing("enable_pool_auto_scale", "POST", "/pools/{pool}/enableautoscale"),
    _missing("disable_pool_auto_scale", "POST", "/pools/{pool}/disableautoscale"),
    _missing("evaluate_pool_auto_scale", "POST", "/pools/{pool}/evaluateautoscale"),
    _missing("list_pool_usage_metrics", "GET", "/poolusagemetrics"),
    _missing("begin_start_node", "POST", "/pools/{pool}/nodes/{node}/start"),
    _missing("begin_deallocate_node", "POST", "/pools/{pool}/nodes/{node}/deallocate"),
    _missing("upload_node_logs", "POST", "/pools/{pool}/nodes/{node}/uploadbatchservicelogs"),
    _missing("get_node_remote_login_settings", "GET", "/pools/{pool}/nodes/{node}/remoteloginsettings"),
    _missing("create_node_user", "POST", "/pools/{pool}/nodes/{node}/users"),
    _missing("replace_node_user", "PUT", "/pools/{pool}/nodes/{node}/users/{user}"),
    _missing("delete_node_user", "DELETE", "/pools/{pool}/nodes/{node}/users/{user}"),
    _missing("list_node_extensions", "GET", "/pools/{pool}/nodes/{node}/extensions"),
    _missing("get_node_extension", "GET", "/pools/{pool}/nodes/{node}/extensions/{extension}"),
    _missing("list_subtasks", "GET", "/jobs/{job}/tasks/{task}/subtasksinfo"),
    _missing("create_job_schedule", "POST", "/jobschedules"),
    _missing("list_job_schedules", "GET", "/jobschedules"),
    _missing("get_job_schedule", "GET", "/jobschedules/{schedule}"),
    _missing("job_schedule_exists", "HEAD", "/jobschedules/{schedule}"),
    _missing("update_job_schedule", "PATCH", "/jobschedules/{schedule}"),
    _missing("replace_job_schedule", "PUT", "/jobschedules/{schedule}"),
    _missing("begin_delete_job_schedule", "DELETE", "/jobschedules/{schedule}"),
    _missing("disable_job_schedule", "POST", "/jobschedules/{schedule}/disable"),
    _missing("enable_job_schedule", "POST", "/jobschedules/{schedule}/enable"),
    _missing("begin_terminate_job_schedule", "POST", "/jobschedules/{schedule}/terminate"),
    _missing("list_jobs_from_schedule", "GET", "/jobschedules/{schedule}/jobs"),
    _missing("list_applications", "GET", "/applications"),
    _missing("get_application", "GET", "/applications/{application}"),
    # What older SDKs have, and newer ones have not.
    _missing("create_certificate", "POST", "/certificates"),
    _missing("list_certificates", "GET", "/certificates"),
    _missing("get_certificate", "GET", _CERTIFICATE),
    _missing("delete_certificate", "DELETE", _CERTIFICATE),
    _missing("cancel_certificate_deletion", "POST", f"{_CERTIFICATE}/canceldelete"),
    _missing("get_node_remote_desktop_file", "GET", "/pools/{pool}/nodes/{node}/rdp"),
)
_PLANS = Plans([route.name for route in _OPERATIONS if not route.path.startswith("/local/")])

ROUTES = (
    *_OPERATIONS,
    Route("get_faults", "GET", "/local/faults", faults.show),
    _body("replace_faults", "PUT", "/local/faults", faults.replace, _PLANS.whole),
    _body("add_faults", "POST", "/local/faults", faults.append, _PLANS.more),
    Route("clear_faults", "DELETE", "/local/faults", faults.clear),
)


def find(method: str, raw_path: str) -> tuple[Route, Mapping[str, str]]:
    """Give the operation of a request, and the ids in its path; the path is as on the wire, so that %2F is no slash."""
    allowed = []
    for pattern, routes in _BY_PATH:
        match = pattern.fullmatch(raw_path)
        if match is None:
            continue
        if method in routes:
            return routes[method], {name: unquote(value) for name, value in match.groupdict().items()}
        allowed += sorted(routes)
    if allowed:
        raise Refused("UnsupportedHttpVerb", f"{method} is not for this; {', '.join(allowed)} are.")
    raise Refused("ResourceNotFound", "There is nothing at this address.")


def _by_path() -> list[tuple[re.Pattern[str], dict[str, Route]]]:
    paths: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = route
    return [(_pattern(path), routes) for path, routes in paths.items()]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


_BY_PATH = _by_path()
