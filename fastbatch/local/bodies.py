"""The bodies of requests: every field that this service takes, and those that it refuses by name."""

import re
from typing import Any

from fastbatch.local import wire
from fastbatch.local.dependson import depends_on
from fastbatch.local.fields import (
    Check,
    Field,
    Object,
    boolean,
    choice,
    duration,
    identifier,
    integer,
    later,
    listing,
    number,
    text,
    wrong,
)
from fastbatch.local.states.tasks import RETENTION

MOST_SLOTS = 256
MOST_TASKS = 100  # in one collection
MINUTE = 60 * wire.SECOND
_MODE = re.compile(r"[0-7]{3,5}")


def _limit(value: Any, where: str) -> int:
    if value == 0:
        raise wrong(where, "it must be -1, for no limit, or greater than 0")
    return int(integer(-1)(value, where))


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


def _named_values(longest_value: int) -> Check:
    pair = Object({"name": Field(text(255, empty=False), required=True), "value": text(longest_value)})
    return listing(pair)


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
_METADATA = _named_values(65536)
_ENVIRONMENT = _named_values(65536)
_RESOURCE_FILES = listing(_resource_file)

_BESIDE_TASKS: dict[str, Field | Check] = {
    "commandLine": Field(text(8192, empty=False), required=True),
    "resourceFiles": _RESOURCE_FILES,
    "environmentSettings": _ENVIRONMENT,
    "userIdentity": Field(_user_identity, default={"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}),
    "containerSettings": later,
}
START_TASK = Object(
    {
        **_BESIDE_TASKS,
        "maxTaskRetryCount": Field(integer(-1), default=0),
        "waitForSuccess": Field(boolean, default=True),
    }
)
_PREPARATION_CONSTRAINTS = Object(
    {
        "maxWallClockTime": Field(duration(), default=wire.FOREVER),
        "retentionTime": Field(duration(), default=RETENTION),
        "maxTaskRetryCount": Field(integer(-1), default=0),
    }
)
PREPARATION_TASK = Object(
    {
        **_BESIDE_TASKS,
        "id": Field(identifier, default="jobpreparation"),
        "constraints": Field(_PREPARATION_CONSTRAINTS, default=_PREPARATION_CONSTRAINTS({})),
        "waitForSuccess": Field(boolean, default=True),
        "rerunOnNodeRebootAfterSuccess": Field(boolean, default=True),
    }
)
RELEASE_TASK = Object(
    {
        **_BESIDE_TASKS,
        "id": Field(identifier, default="jobrelease"),
        "maxWallClockTime": Field(duration(0, 15 * MINUTE), default="PT15M"),
        "retentionTime": Field(duration(), default=RETENTION),
    }
)

_IMAGE = Object(
    {
        "publisher": text(128),
        "offer": text(128),
        "sku": text(128),
        "version": Field(text(128), default="latest"),
        "virtualMachineImageId": later,
        "sharedGalleryImageId": later,
        "communityGalleryImageId": later,
    }
)
_VIRTUAL_MACHINE = Object(
    {
        "imageReference": Field(_IMAGE, required=True),
        "nodeAgentSKUId": Field(text(128, empty=False), required=True),
        "windowsConfiguration": later,
        "dataDisks": later,
        "licenseType": later,
        "containerConfiguration": later,
        "diskEncryptionConfiguration": later,
        "nodePlacementConfiguration": later,
        "extensions": later,
        "osDisk": later,
        "securityProfile": later,
        "serviceArtifactReference": later,
    }
)
_TARGETS: dict[str, Field | Check] = {
    "targetDedicatedNodes": integer(0),
    "targetLowPriorityNodes": integer(0),
    "resizeTimeout": duration(5 * MINUTE),
}
_POOL: dict[str, Field | Check] = {
    "displayName": text(1024),
    "vmSize": Field(text(128, empty=False), required=True),
    "virtualMachineConfiguration": Field(_VIRTUAL_MACHINE, required=True),
    "taskSlotsPerNode": Field(integer(1, MOST_SLOTS), default=1),
    "taskSchedulingPolicy": Field(
        Object({"nodeFillType": Field(choice("Spread", "Pack"), required=True), "jobDefaultOrder": later}),
        default={"nodeFillType": "Spread"},
    ),
    "startTask": START_TASK,
    "metadata": _METADATA,
    "userAccounts": later,
    "applicationPackageReferences": later,
    "certificateReferences": later,
    "enableAutoScale": Field(later, default=False),
    "autoScaleFormula": later,
    "autoScaleEvaluationInterval": later,
    "enableInterNodeCommunication": Field(later, default=False),
    "networkConfiguration": later,
    "mountConfiguration": later,
    "upgradePolicy": later,
    "resourceTags": later,
    "targetNodeCommunicationMode": later,
}
POOL = Object({"id": Field(identifier, required=True), **_POOL, **_TARGETS})
POOL_PROPERTIES = Object(
    {
        "startTask": START_TASK,
        "metadata": _METADATA,
        "applicationPackageReferences": later,
        "certificateReferences": later,
        "targetNodeCommunicationMode": later,
    }
)
POOL_PATCH = Object(_POOL).without_defaults()

DEALLOCATION = choice("requeue", "terminate", "taskcompletion", "retaineddata")
RESIZE = Object({**_TARGETS, "nodeDeallocationOption": Field(DEALLOCATION, default="requeue")})
REMOVE_NODES = Object(
    {
        "nodeList": Field(listing(text(128, empty=False), 100), required=True),
        "resizeTimeout": duration(5 * MINUTE),
        "nodeDeallocationOption": Field(DEALLOCATION, default="requeue"),
    }
)
REBOOT = Object({"nodeRebootOption": DEALLOCATION})
REIMAGE = Object({"nodeReimageOption": DEALLOCATION})
DISABLE_SCHEDULING = Object({"nodeDisableSchedulingOption": choice("requeue", "terminate", "taskcompletion")})

JOB_CONSTRAINTS = {"maxWallClockTime": wire.FOREVER, "maxTaskRetryCount": 0}
_JOB_CHANGES: dict[str, Field | Check] = {
    "priority": Field(integer(-1000, 1000), default=0),
    "maxParallelTasks": Field(_limit, default=-1),
    "allowTaskPreemption": Field(later, default=False),
    "constraints": Field(
        Object(
            {
                "maxWallClockTime": Field(duration(), default=wire.FOREVER),
                "maxTaskRetryCount": Field(integer(-1), default=0),
            }
        ),
        default=JOB_CONSTRAINTS,
    ),
    "poolInfo": Field(
        Object({"poolId": Field(identifier, required=True), "autoPoolSpecification": later}), required=True
    ),
    "onAllTasksComplete": Field(choice("noaction", "terminatejob"), default="noaction"),
    "metadata": _METADATA,
}
JOB = Object(
    {
        "id": Field(identifier, required=True),
        "displayName": text(1024),
        **_JOB_CHANGES,
        "onTaskFailure": Field(choice("noaction", "performexitoptionsjobaction"), default="noaction"),
        "usesTaskDependencies": Field(boolean, default=False),
        "commonEnvironmentSettings": _ENVIRONMENT,
        "jobManagerTask": later,
        "jobPreparationTask": PREPARATION_TASK,
        "jobReleaseTask": RELEASE_TASK,
        "networkConfiguration": later,
    }
)
JOB_PATCH = Object(_JOB_CHANGES).without_defaults()
JOB_UPDATE = Object(_JOB_CHANGES)
JOB_DISABLE = Object({"disableTasks": Field(choice("requeue", "terminate", "wait"), required=True)})
JOB_TERMINATE = Object({"terminateReason": text(1024)})

_EXIT_OPTIONS = Object(
    {"jobAction": choice("none", "disable", "terminate"), "dependencyAction": choice("satisfy", "block")}
)
_EXIT_CONDITIONS = Object(
    {
        "exitCodes": listing(
            Object({"code": Field(integer(), required=True), "exitOptions": Field(_EXIT_OPTIONS, required=True)})
        ),
        "exitCodeRanges": listing(
            Object(
                {
                    "start": Field(integer(), required=True),
                    "end": Field(integer(), required=True),
                    "exitOptions": Field(_EXIT_OPTIONS, required=True),
                }
            )
        ),
        "preProcessingError": _EXIT_OPTIONS,
        "fileUploadError": _EXIT_OPTIONS,
        "default": _EXIT_OPTIONS,
    }
)
_UPLOAD_HEADERS = Object(
    {
        "name": Field(
            choice(
                "x-ms-blob-content-type",
                "x-ms-blob-content-encoding",
                "x-ms-blob-content-language",
                "x-ms-blob-content-disposition",
                "x-ms-blob-cache-control",
            ),
            required=True,
        ),
        "value": text(1024),
    }
)
_CONTAINER = Object(
    {
        "containerUrl": Field(text(16384, empty=False), required=True),
        "path": text(1024),
        "identityReference": later,
        "uploadHeaders": listing(_UPLOAD_HEADERS),
    }
)
_OUTPUT_FILE = Object(
    {
        "filePattern": Field(text(1024, empty=False), required=True),
        "destination": Field(Object({"container": Field(_CONTAINER, required=True)}), required=True),
        "uploadOptions": Field(
            Object({"uploadCondition": Field(choice("tasksuccess", "taskfailure", "taskcompletion"), required=True)}),
            required=True,
        ),
    }
)
_TASK_CONSTRAINTS: dict[str, Check] = {
    "maxWallClockTime": duration(),
    "retentionTime": duration(),
    "maxTaskRetryCount": integer(-1),
}
TASK = Object(
    {
        "id": Field(identifier, required=True),
        "displayName": text(1024),
        "commandLine": Field(text(8192, empty=False), required=True),
        "resourceFiles": _RESOURCE_FILES,
        "outputFiles": listing(_OUTPUT_FILE),
        "environmentSettings": _ENVIRONMENT,
        "constraints": Object(_TASK_CONSTRAINTS),
        "requiredSlots": Field(integer(1, MOST_SLOTS), default=1),
        "userIdentity": Field(_user_identity, default={"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}),
        "exitConditions": _EXIT_CONDITIONS,
        "dependsOn": depends_on,
        "affinityInfo": Object({"affinityId": Field(text(256), required=True)}),
        "containerSettings": later,
        "multiInstanceSettings": later,
        "applicationPackageReferences": later,
        "authenticationTokenSettings": later,
    }
)
TASK_COLLECTION = Object({"value": Field(listing(lambda value, _where: value, MOST_TASKS), required=True)})
TASK_UPDATE = Object({"constraints": Object(_TASK_CONSTRAINTS)})
CLOCK = Object({"frozen": boolean, "advance": duration()})
LIMITS = Object(
    {
        "nodeBootSeconds": number(0, 86400),
        "nodeQuota": integer(0),
        "poolQuota": integer(0),
        "activeJobQuota": integer(0),
    }
)
