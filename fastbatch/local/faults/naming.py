"""What a request to the storage is: its operation, by the names that fault plans use."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

UPLOADS = frozenset({"storage.put_blob", "storage.put_block", "storage.put_block_list"})
DOWNLOADS = frozenset({"storage.get_blob", "storage.list_blobs", "storage.list_containers"})

_Names = Mapping[tuple[str, str | None, str | None], str]  # by method, comp and restype

_OTHER = "storage.other"
_OF_ACCOUNT: _Names = {("GET", "list", None): "storage.list_containers"}
_OF_CONTAINER: _Names = {
    ("PUT", None, "container"): "storage.create_container",
    ("DELETE", None, "container"): "storage.delete_container",
    ("GET", "list", "container"): "storage.list_blobs",
}
_OF_BLOB: _Names = {
    ("PUT", None, None): "storage.put_blob",
    ("GET", None, None): "storage.get_blob",
    ("HEAD", None, None): "storage.head_blob",
    ("DELETE", None, None): "storage.delete_blob",
    ("PUT", "block", None): "storage.put_block",
    ("PUT", "blocklist", None): "storage.put_block_list",
}
OPERATIONS = frozenset({*_OF_ACCOUNT.values(), *_OF_CONTAINER.values(), *_OF_BLOB.values(), _OTHER})


def operation(method: str, target: str, *, copies: bool) -> str:
    """Name a request by its method and its target, which begins with the account; one that copies has no content."""
    path, _, query = target.partition("?")
    named = dict(parse_qsl(query))
    of = _OF_ACCOUNT if "/" not in path.strip("/") else _OF_CONTAINER if "restype" in named else _OF_BLOB
    return _OTHER if copies else of.get((method, named.get("comp"), named.get("restype")), _OTHER)
