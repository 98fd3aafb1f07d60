"""What a request to the storage is called in a plan."""

import pytest

from fastbatch.local.faults.naming import DOWNLOADS, OPERATIONS, UPLOADS, operation


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("GET", "/account?comp=list", "list_containers"),
        ("GET", "/account/?prefix=a&comp=list", "list_containers"),
        ("PUT", "/account/box?restype=container", "create_container"),
        ("DELETE", "/account/box?restype=container&timeout=3", "delete_container"),
        ("GET", "/account/box?restype=container&comp=list&prefix=a%2Fb", "list_blobs"),
        ("PUT", "/account/box/a/b", "put_blob"),
        ("PUT", "/account/box/a?sv=2025&sig=a%3D&comp=", "put_blob"),
        ("GET", "/account/box/a%2Fb?snapshot=1", "get_blob"),
        ("HEAD", "/account/box/a", "head_blob"),
        ("DELETE", "/account/box/a", "delete_blob"),
        ("PUT", "/account/box/a?comp=block&blockid=AAAA", "put_block"),
        ("PUT", "/account/box/a?blockid=AAAA&comp=blocklist", "put_block_list"),
        ("GET", "/account/in-root", "get_blob"),
        ("GET", "/account/box?restype=container", "other"),
        ("HEAD", "/account/box?restype=container", "other"),
        ("PUT", "/account/box/a?comp=metadata", "other"),
        ("PUT", "/account/box/a?comp=appendblock", "other"),
        ("GET", "/account/box/a?comp=blocklist", "other"),
        ("POST", "/account?comp=batch", "other"),
        ("GET", "/account?restype=service&comp=properties", "other"),
        ("GET", "/", "other"),
        ("OPTIONS", "/account/box/a", "other"),
    ],
)
def test_a_request_has_a_name(method: str, target: str, name: str) -> None:
    """By its method, how deep its path is, and what its query says."""
    assert operation(method, target, copies=False) == f"storage.{name}"


@pytest.mark.parametrize("target", ["/account/box/a", "/account/box/a?comp=block&blockid=AAAA"])
def test_a_copy_is_no_upload(target: str) -> None:
    """It has no content that could be cut or damaged."""
    assert operation("PUT", target, copies=True) == "storage.other"


def test_all_names_are_known() -> None:
    """Each is one of those that a plan may have."""
    assert len(OPERATIONS) == 11
    assert OPERATIONS > UPLOADS | DOWNLOADS
