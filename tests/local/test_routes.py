"""Every operation of the API has an address here; what is not done says so."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from azure.batch import BatchClient

from fastbatch.local.errors import Refused
from fastbatch.local.server import reading, routes
from tests.local import speaking
from tests.local.instances import Instance
from tests.local.recording import Recorded, Recorder, recorder
from tests.local.speaking import at

# The operations that the service documents, as (name in the SDK, method, path).
DOCUMENTED = [
    ("create_pool", "POST", "/pools"),
    ("get_pool", "GET", "/pools/p"),
    ("list_pools", "GET", "/pools"),
    ("pool_exists", "HEAD", "/pools/p"),
    ("update_pool", "PATCH", "/pools/p"),
    ("replace_pool_properties", "POST", "/pools/p/updateproperties"),
    ("begin_resize_pool", "POST", "/pools/p/resize"),
    ("begin_stop_pool_resize", "POST", "/pools/p/stopresize"),
    ("begin_remove_nodes", "POST", "/pools/p/removenodes"),
    ("begin_delete_pool", "DELETE", "/pools/p"),
    ("enable_pool_auto_scale", "POST", "/pools/p/enableautoscale"),
    ("disable_pool_auto_scale", "POST", "/pools/p/disableautoscale"),
    ("evaluate_pool_auto_scale", "POST", "/pools/p/evaluateautoscale"),
    ("list_supported_images", "GET", "/supportedimages"),
    ("list_pool_node_counts", "GET", "/nodecounts"),
    ("list_nodes", "GET", "/pools/p/nodes"),
    ("get_node", "GET", "/pools/p/nodes/n"),
    ("begin_reboot_node", "POST", "/pools/p/nodes/n/reboot"),
    ("begin_reimage_node", "POST", "/pools/p/nodes/n/reimage"),
    ("begin_start_node", "POST", "/pools/p/nodes/n/start"),
    ("begin_deallocate_node", "POST", "/pools/p/nodes/n/deallocate"),
    ("enable_node_scheduling", "POST", "/pools/p/nodes/n/enablescheduling"),
    ("disable_node_scheduling", "POST", "/pools/p/nodes/n/disablescheduling"),
    ("list_node_files", "GET", "/pools/p/nodes/n/files"),
    ("download_node_file", "GET", "/pools/p/nodes/n/files/a%2Fb"),
    ("get_node_file_properties", "HEAD", "/pools/p/nodes/n/files/a%2Fb"),
    ("delete_node_file", "DELETE", "/pools/p/nodes/n/files/a%2Fb"),
    ("create_job", "POST", "/jobs"),
    ("get_job", "GET", "/jobs/j"),
    ("list_jobs", "GET", "/jobs"),
    ("update_job", "PATCH", "/jobs/j"),
    ("replace_job", "PUT", "/jobs/j"),
    ("begin_disable_job", "POST", "/jobs/j/disable"),
    ("begin_enable_job", "POST", "/jobs/j/enable"),
    ("begin_terminate_job", "POST", "/jobs/j/terminate"),
    ("begin_delete_job", "DELETE", "/jobs/j"),
    ("get_job_task_counts", "GET", "/jobs/j/taskcounts"),
    ("create_task", "POST", "/jobs/j/tasks"),
    ("create_task_collection", "POST", "/jobs/j/addtaskcollection"),
    ("get_task", "GET", "/jobs/j/tasks/t"),
    ("list_tasks", "GET", "/jobs/j/tasks"),
    ("replace_task", "PUT", "/jobs/j/tasks/t"),
    ("delete_task", "DELETE", "/jobs/j/tasks/t"),
    ("terminate_task", "POST", "/jobs/j/tasks/t/terminate"),
    ("reactivate_task", "POST", "/jobs/j/tasks/t/reactivate"),
    ("list_task_files", "GET", "/jobs/j/tasks/t/files"),
    ("download_task_file", "GET", "/jobs/j/tasks/t/files/a%2Fb"),
    ("get_task_file_properties", "HEAD", "/jobs/j/tasks/t/files/a%2Fb"),
    ("delete_task_file", "DELETE", "/jobs/j/tasks/t/files/a%2Fb"),
]
UNDONE = [route for route in routes.ROUTES if not route.is_done]

# What the SDK had once.
OLDER = [
    ("create_certificate", "POST", "/certificates"),
    ("list_certificates", "GET", "/certificates"),
    ("get_certificate", "GET", "/certificates(thumbprintAlgorithm=p,thumbprint=n)"),
    ("delete_certificate", "DELETE", "/certificates(thumbprintAlgorithm=p,thumbprint=n)"),
    ("cancel_certificate_deletion", "POST", "/certificates(thumbprintAlgorithm=p,thumbprint=n)/canceldelete"),
    ("get_node_remote_desktop_file", "GET", "/pools/p/nodes/n/rdp"),
]

_NOT_OPERATIONS = {"close", "send_request"}
_CALLED = [name for name in dir(BatchClient) if not name.startswith("_") and name not in _NOT_OPERATIONS]
_OUR_OWN = {route.name for route in routes.ROUTES if route.path.startswith("/local/")}
_MADE_OF_OTHERS = {"create_tasks": "create_task_collection"}
_OPTIONS: dict[str, Any] = {
    "expand": ["stats"],
    "filter": "id eq 'a'",
    "force": True,
    "max_results": 5,
    "options": {"terminateReason": "done"},
    "recursive": True,
    "select": ["id"],
    "service_timeout": 30,
}


@pytest.mark.parametrize(("name", "method", "path"), DOCUMENTED + OLDER)
def test_a_documented_operation_has_an_address(name: str, method: str, path: str) -> None:
    """Under its own name, and with an id for each name in its path."""
    route, ids = routes.find(method, path)
    assert route.name == name
    assert set(ids.values()) <= {"p", "n", "j", "t", "a/b"}


@pytest.mark.parametrize("route", UNDONE, ids=lambda route: route.name)
def test_what_is_not_done_says_so(instance: Instance, route: routes.Route) -> None:
    """Never with a plausible lie, and before it looks whether the things exist or what the query and the body are."""
    path = route.path.replace("{", "").replace("}", "")
    target = at(path, maxresults="5", _filter="x", recursive="?")
    said = speaking.ask(instance, route.method, target, b"?" if route.method in {"POST", "PUT", "PATCH"} else None)
    assert said.status == 501
    if route.method == "HEAD":
        assert said.body == b""
    else:
        assert said.json["code"] == "NotImplemented"
        assert path in said.json["message"]["value"]


@pytest.fixture(scope="module")
def recording() -> Iterator[Recorder]:
    """Have what writes down what clients send."""
    with recorder("account", "a2V5") as found:
        yield found


def called(recording: Recorder, name: str) -> Recorded:
    """Call a method of the SDK with all that it takes, and give what it sends."""
    parameters = list(inspect.signature(getattr(BatchClient, name)).parameters.values())[1:]
    needed = [
        "x" if parameter.annotation is str else [] if name == "create_tasks" else {}
        for parameter in parameters
        if parameter.default is inspect.Parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    options = {parameter.name: _OPTIONS[parameter.name] for parameter in parameters if parameter.name in _OPTIONS}
    with recording.client() as client:
        return recording.of(client, lambda client: getattr(client, name)(*needed, **options))


@pytest.mark.parametrize("name", [name for name in _CALLED if name not in _MADE_OF_OTHERS])
def test_every_method_of_the_sdk_has_an_address(recording: Recorder, name: str) -> None:
    """None is forgotten, and each query that a method can make is known to the operation."""
    request = called(recording, name).request()
    route, ids = routes.find(request.verb, request.path)
    assert route.name == name
    assert set(ids.values()) <= {"x"}
    known = route.query | {"api-version", "timeOut"}
    assert not route.is_done or {query for query, _ in request.query} <= known


def test_every_address_is_a_method_of_the_sdk() -> None:
    """Of this one, or of an older; but for those that are this service's own."""
    names = [route.name for route in routes.ROUTES]
    older = [name for name, _, _ in OLDER]
    assert sorted(names) == sorted([*(name for name in _CALLED if name not in _MADE_OF_OTHERS), *older, *_OUR_OWN])
    assert set(_MADE_OF_OTHERS.values()) <= set(names)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "//", "/pool", "/Pools", "/pools/", "/pools//", "//pools", "/pools/p/", "/pools/p/q", "/jobs//tasks"),
        *("/jobs/j/tasks/t/files/a/b", "/pools%2Fp", "/pools;x", "/pools/p/nodes/n/"),
    ],
)
def test_there_is_nothing_at_other_addresses(instance: Instance, path: str) -> None:
    """Paths are taken as they are written."""
    assert speaking.ask(instance, "GET", at(path)).refusal == (404, "ResourceNotFound")


@pytest.mark.parametrize(
    ("method", "path", "others"),
    [
        ("DELETE", "/pools", "GET, POST"),
        ("PUT", "/pools/p", "DELETE, GET, HEAD, PATCH"),
        ("GET", "/pools/p/resize", "POST"),
        ("GET", "/jobs/j/addtaskcollection", "POST"),
        ("POST", "/jobs/j/tasks/t", "DELETE, GET, PUT"),
        ("OPTIONS", "/jobs", "GET, POST"),
    ],
)
def test_a_method_that_is_not_for_an_address_is_refused(
    instance: Instance, method: str, path: str, others: str
) -> None:
    """And those that are, are named."""
    said = speaking.ask(instance, method, at(path))
    assert said.refusal == (405, "UnsupportedHttpVerb")
    assert f"{method} is not for this; {others} are." in said.json["message"]["value"]


def test_an_undone_operation_is_not_looked_at_unsigned(instance: Instance) -> None:
    """Whoever is not the owner is not told what there is."""
    for path in ("/jobschedules", "/nothing"):
        said = speaking.send(instance, "GET", at(path), b"", {})
        assert said.refusal == (400, "MissingRequiredHeader")


def test_names_in_a_path_are_unquoted_once() -> None:
    """A slash in a name is no step, and a percent sign stays one."""
    assert routes.find("GET", "/jobs/j%2Ftasks")[1] == {"job": "j/tasks"}
    assert routes.find("GET", "/pools/a%2520b")[1] == {"pool": "a%20b"}
    assert routes.find("GET", "/jobs/j/tasks/t/files/wd%2Fa%20b")[1]["file"] == "wd/a b"


def test_few_operations_take_no_body() -> None:
    """All others that change something look at what they are sent."""
    bodiless = {route.name for route in routes.ROUTES if route.is_done and route.body is None}
    assert {
        route.name for route in routes.ROUTES if route.name in bodiless and route.method in {"POST", "PUT", "PATCH"}
    } == {
        *("begin_stop_pool_resize", "begin_enable_job", "terminate_task", "reactivate_task"),
        *("enable_node_scheduling", "lose_node", "preempt_node", "return_node", "reset"),
    }


def test_a_query_is_for_its_operation_only() -> None:
    """One that another operation knows is refused by name."""
    for route in routes.ROUTES:
        if not route.is_done:
            continue
        for name in {"$select", "$expand", "$filter", "force", "recursive", "maxresults"} - route.query:
            with pytest.raises(Refused, match="UnsupportedQueryParameter"):
                reading.query(route, [("api-version", speaking.VERSION), (name, "1")])
