"""What is asked of any program on a node, be it a task's or one beside tasks."""

import re
from typing import Any

from fastbatch.local.fields import Check, Field, Object, choice, later, listing, text, wrong

_MODE = re.compile(r"[0-7]{3,5}")


def _octal(value: Any, where: str) -> str:
    if not (isinstance(value, str) and _MODE.fullmatch(value)):
        raise wrong(where, "it must be a file mode in octal, such as 0770")
    return value


def _resource_file(value: Any, where: str) -> dict[str, Any]:
    checked = _RESOURCE_FILE(value, where)
    if "httpUrl" in checked and not checked.get("filePath"):
        raise wrong(where, "httpUrl needs a filePath")
    return checked


def _user_identity(value: Any, where: str) -> dict[str, Any]:
    checked = _USER_IDENTITY(value, where)
    if "username" in checked and "autoUser" in checked:
        raise wrong(where, "it is either a username or an autoUser")
    if "username" not in checked:
        checked["autoUser"] = {"scope": "pool", "elevationLevel": "nonadmin", **checked.get("autoUser", {})}
    return checked


_RESOURCE_FILE = Object(
    {
        "httpUrl": text(16384, empty=False),
        "storageContainerUrl": text(16384, empty=False),
        "autoStorageContainerName": later,
        "blobPrefix": text(1024),
        "filePath": text(1024),
        "fileMode": _octal,
        "identityReference": later,
    },
    one_of=("httpUrl", "storageContainerUrl", "autoStorageContainerName"),
)
_USER_IDENTITY = Object(
    {
        "username": text(64, empty=False),
        "autoUser": Object({"scope": choice("pool", "task"), "elevationLevel": choice("nonadmin", "admin")}),
    }
)
NAMED_VALUES = listing(Object({"name": Field(text(255, empty=False), required=True), "value": text(65536)}))

PROGRAM: dict[str, Field | Check] = {
    "commandLine": Field(text(8192, empty=False), required=True),
    "resourceFiles": listing(_resource_file),
    "environmentSettings": NAMED_VALUES,
    "userIdentity": Field(_user_identity, default={"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}),
    "containerSettings": later,
}
